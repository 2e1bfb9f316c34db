"""watch: the rows of netstat, and beside them what wslab knows of the WebSockets; no secrets, no markup."""

import socket
import sys
from html.parser import HTMLParser

import psutil
import pytest
from support.raw_peer import RawPeer, fresh_port, live_server
from support.waiting import running, wait_until

import wslab
from wslab import connect, watch
from wslab.display.netstat import watch as module
from wslab.display.netstat.sockets import ONLY_THIS_PROCESS, TcpSocket
from wslab.display.netstat.watch import PARTLY_COUNTED, Watch, Watched, WebSocket
from wslab.sockets.traffic import DirectionCounters, Traffic


class Cells(HTMLParser):
    """The texts in the cells of a table, and every tag and attribute in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows, self.tags, self.attributes = [], set(), set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip("\n")


def test_both_ends_and_the_listener_are_listed_with_what_flows():
    with live_server(port=fresh_port()) as server, connect(server.url, deflate=False) as connection:
        watch(server)
        connection.send("Hello")
        connection.receive()
        client = connection.local_address[1]
        names = {server.port: "SERVER", client: "CLIENT"}

        assert repr(watch(server, names=names, times=False)) == "\n".join(
            [
                "local             remote            TCP          role    path  WebSocket  "
                "messages in  bytes in  last in  messages out  bytes out  last out",
                "127.0.0.1:SERVER  *                 LISTEN",
                "127.0.0.1:SERVER  127.0.0.1:CLIENT  ESTABLISHED  server  /     OPEN       "
                "1            11        'Hello'  1             7          'Hello'",
                "127.0.0.1:CLIENT  127.0.0.1:SERVER  ESTABLISHED  client  /     OPEN       "
                "1            7         'Hello'  1             11         'Hello'",
                PARTLY_COUNTED,
            ]
        )


def test_each_column_tells_its_own():
    traffic = Traffic(DirectionCounters(3, 30, "'in'"), DirectionCounters(4, 40, "'out'"), 0.0123)
    websocket = WebSocket(1, wslab.Role.SERVER, "/chat", wslab.State.OPEN, traffic, 61.4)
    sock = TcpSocket(("127.0.0.1", 80), ("::1", 81), "ESTABLISHED")
    table = Watch((Watched(sock, websocket),)).table

    assert dict(zip(table.heading, table.rows[0], strict=True)) == {
        "local": "127.0.0.1:80",
        "remote": "[::1]:81",
        "TCP": "ESTABLISHED",
        "role": "server",
        "path": "/chat",
        "WebSocket": "OPEN",
        "messages in": "3",
        "bytes in": "30",
        "last in": "'in'",
        "messages out": "4",
        "bytes out": "40",
        "last out": "'out'",
        "ping": "12.3 ms",
        "age": "61 s",
    }


def test_a_server_that_is_no_echo_counts_each_way_for_itself():
    def answer_twice(connection):
        for message in connection:
            connection.send(f"{message}, twice:")
            connection.send(message)

    with live_server(handler=answer_twice) as server, connect(server.url, deflate=False) as connection:
        watch(server)
        connection.send("Hello")
        assert [connection.receive(), connection.receive()] == ["Hello, twice:", "Hello"]
        table = watch(connection).table

    counts = [name for name in table.heading if name.startswith(("messages", "bytes", "last"))]
    assert [[row[table.heading.index(name)] for name in counts] for row in table.rows] == [
        ["1", "11", "'Hello'", "2", "22", "'Hello'"],
        ["2", "22", "'Hello'", "1", "11", "'Hello'"],
    ]


def test_the_age_of_a_connection_is_in_seconds():
    with live_server() as server, connect(server.url) as connection:
        connection.opened_at -= 1000
        [_, here] = watch(connection).sockets

    assert 1000 <= here.websocket.age < 1100


def test_without_names_the_ports_are_numbers_and_the_age_is_told():
    with live_server(port=fresh_port()) as server, connect(server.url) as connection:
        connection.ping()
        table = watch(server).table

    assert table.rows[0][:3] == (f"127.0.0.1:{server.port}", "*", "LISTEN")
    assert table.heading[-1] == "age"
    assert table.rows[1][-1].endswith(" s")


def test_the_last_round_trip_of_a_ping_is_told():
    with live_server(port=fresh_port()) as server, connect(server.url) as connection:
        watch(connection)
        connection.ping()
        connection.receive_event()
        table = watch(connection).table

    assert [row[table.heading.index("ping")][-3:] for row in table.rows] == ["", " ms"]


def test_a_server_that_was_watched_tells_all_of_a_later_connection():
    with live_server(port=fresh_port()) as server:
        watch(server)
        with connect(server.url):
            [_, there, here] = watch(server).sockets
            assert there.websocket.traffic.is_whole
            assert here.websocket.traffic.is_whole


def test_a_port_a_connection_and_a_tap_can_be_watched():
    with (
        live_server(port=fresh_port()) as server,
        wslab.Tap(server.url, port=fresh_port()) as tap,
        connect(tap.url) as through,
        connect(server.url) as direct,
    ):
        direct.send("Hello")
        direct.receive()

        assert len(watch(server.port).sockets) == 1 + 2 * 2
        assert len(watch(tap).sockets) == 1 + 2
        assert [it.websocket.role for it in watch(direct).sockets] == ["server", "client"]
        assert {it.websocket and it.websocket.role for it in watch(through).sockets} == {None, "client"}
        assert {it.socket for it in watch(server).sockets} < {it.socket for it in watch().sockets}


def test_connections_come_in_the_order_of_the_server_and_its_own_end_first():
    with live_server(port=fresh_port()) as server:
        clients = [connect(server.url) for _ in range(5)]
        ports = [client.local_address[1] for client in clients]
        seen = watch(server).sockets[1:]
        for client in clients:
            client.close()

    assert [(it.socket.local[1], it.websocket.number) for it in seen[::2]] == [(server.port, n) for n in range(1, 6)]
    assert [it.socket.local[1] for it in seen[1::2]] == ports


def test_what_nobody_knows_comes_in_the_order_of_the_ports(monkeypatch):
    ends = [("127.0.0.1", port) for port in (2, 1, 3)]
    listed = [TcpSocket(one, other, "ESTABLISHED") for one in ends for other in ends if one != other]
    monkeypatch.setattr(module, "tcp_sockets", lambda: (listed, ""))

    seen = [(it.socket.local[1], it.socket.remote[1]) for it in watch().sockets]
    assert seen == [(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)]


def test_what_is_not_of_wslab_comes_in_the_order_of_the_names():
    with socket.create_server(("127.0.0.1", fresh_port())) as listener:
        port = listener.getsockname()[1]
        peers = [socket.create_connection(listener.getsockname()) for _ in range(8)]
        names = {port: "server"} | {peer.getsockname()[1]: f"client {n}" for n, peer in enumerate(reversed(peers))}
        rows = watch(port, names=names).table.rows
        for peer in peers:
            peer.close()

    assert rows[0] == ("127.0.0.1:server", "*", "LISTEN")
    ends = [("127.0.0.1:server", f"127.0.0.1:client {n}") for n in range(8)]
    assert [row[:2] for row in rows[1:]] == [end for pair in ends for end in (pair, pair[::-1])]


@pytest.mark.skipif(
    sys.platform == "darwin", reason="TIME_WAIT is in the list of the whole machine only: it takes root"
)
def test_the_states_of_a_closing_websocket_are_seen_at_both_ends():
    with (
        live_server(port=fresh_port(), handler=lambda connection: connection.close()) as server,
        RawPeer.upgraded(server) as peer,
    ):
        assert peer.read_frame().opcode == 8
        [listener, there, here] = watch(server).sockets
        assert (listener.socket.state, there.socket.state) == ("LISTEN", "ESTABLISHED")
        assert there.websocket.state is wslab.State.CLOSING
        assert here.websocket is None

        peer.send(wslab.serialize_frame(wslab.Frame(wslab.Opcode.CLOSE), b"mask"))
        assert peer.read_to_end() == b""
        wait_until(lambda: [it.socket.state for it in watch(server).sockets[1:]] == ["FIN_WAIT2", "CLOSE_WAIT"])

        peer.sock.close()
        wait_until(lambda: [it.socket.state for it in watch(server).sockets[1:]] == ["TIME_WAIT"])
        assert repr(watch(server).states) == "TCP        sockets\nLISTEN     1\nTIME_WAIT  1"
        assert not watch(server).is_over
    assert watch(server).is_over


def test_a_socket_in_time_wait_is_nobodys_any_more():
    with live_server(port=fresh_port()) as server, connect(server.url) as connection:
        mine = TcpSocket(connection.local_address, connection.remote_address, "TIME_WAIT")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "tcp_sockets", lambda: ([mine], ""))

            assert watch(connection).sockets == (Watched(mine, None),)


def test_a_token_in_the_path_and_what_moves_a_cursor_are_not_shown():
    with live_server(port=fresh_port()) as server, connect(f"{server.url}chat?token=sesame") as connection:
        watch(connection)
        connection.send("\x1b[2J?token=sesame")
        connection.receive()
        shown = watch(connection)

        for view in repr(shown), shown._repr_html_():
            assert "/chat?token=[redacted]" in view
            assert "sesame" not in view
            assert "\x1b" not in view


def test_both_ends_of_a_connection_count_alike_from_when_its_server_is_watched():
    with live_server(port=fresh_port()) as server:
        watch(server)
        with connect(server.url) as connection:
            connection.send("Hello")
            connection.receive()
            ends = [it.websocket.traffic for it in watch(server).sockets if it.websocket]
    assert [(end.received.messages, end.sent.messages) for end in ends] == [(1, 1), (1, 1)]
    assert all(end.is_whole for end in ends)


def test_a_long_path_is_cut():
    with live_server(port=fresh_port()) as server, connect(f"{server.url}{'a' * 100}") as connection:
        assert watch(connection).sockets[0].websocket.path == f"/{'a' * 30}…"


def test_html_has_the_same_cells_escaped_and_nothing_that_a_notebook_would_drop():
    with live_server(port=fresh_port()) as server, connect(server.url) as connection:
        watch(server)
        connection.send("<b>&")
        connection.receive()
        shown = watch(server)
        cells = Cells(shown._repr_html_())

    assert cells.rows[1:] == [*(list(row) for row in shown.table.rows), [PARTLY_COUNTED]]
    assert cells.rows[0] == list(shown.table.heading)
    assert cells.tags == {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "wbr"}
    assert cells.attributes == {"role", "tabindex", "aria-label", "scope", "style", "colspan"}


def test_where_there_is_nothing_it_says_so():
    with socket.create_server(("127.0.0.1", fresh_port())) as listener:
        port = listener.getsockname()[1]

    assert repr(watch(port)) == "local  remote  TCP\nNo TCP socket is there."
    assert "No TCP socket is there." in watch(port)._repr_html_()
    assert watch(port).is_over


@pytest.mark.parametrize("port", [-1, 65536, 70000])
def test_a_number_that_is_no_port_is_refused(port):
    with pytest.raises(ValueError, match=f"a port is a number from 0 to 65535, not {port}"):
        watch(port)


def test_what_has_no_port_is_refused():
    with pytest.raises(TypeError, match="a connection or the number of a port, not 'ws:"):
        watch("ws://127.0.0.1:8765/")


def test_where_only_this_process_may_be_listed_the_table_says_so(monkeypatch):
    def denied(kind):
        raise psutil.AccessDenied

    with live_server(port=fresh_port()) as server:
        monkeypatch.setattr(psutil, "net_connections", denied)
        shown = watch(server)

    assert repr(shown).endswith(f"LISTEN\n{ONLY_THIS_PROCESS}")
    assert ONLY_THIS_PROCESS in shown._repr_html_()


def test_watching_while_connections_come_and_go_fails_nobody():
    with live_server(port=fresh_port()) as server:

        def come_and_go() -> None:
            for _ in range(50):
                with connect(server.url) as connection:
                    connection.send("Hello")
                    assert connection.receive() == "Hello"

        with running(come_and_go) as visitor:
            while visitor.is_alive():
                repr(watch(server))
