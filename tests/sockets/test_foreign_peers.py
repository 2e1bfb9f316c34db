"""Peers in other languages talk to our server and are talked to by our client; proxies stand in front of both."""

import urllib.request

import pytest
from support import foreign_peers
from support.foreign_peers import CLIENTS, PROXIES, SERVERS, Missing

import wslab
from wslab import EchoServer, Pong

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

MESSAGES = [
    "Zwölf Boxkämpfer 🥊",
    bytes(range(256)),
    "",
    b"",
    *("x" * length for length in (125, 126, 65_535, 65_536)),
    "fin mask opcode payload é🥊 " * 8_000,
    bytes(range(256)) * 800,
]
SIZE = sum(len(message.encode() if isinstance(message, str) else message) for message in MESSAGES)


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """The command that starts a program, which is built once."""
    prepared = {}

    def prepare(program):
        try:
            if program.needs not in prepared:
                prepared[program.needs] = program.prepare(tmp_path_factory.mktemp("foreign"))
        except Missing as error:
            pytest.skip(str(error))
        return prepared[program.needs]

    return prepare


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_gets_back_what_it_sends(command, name):
    program = CLIENTS[name]
    agreements, closes, sizes = [], [], []

    def serve(connection):
        agreements.append("permessage-deflate" in connection.response.headers.get("Sec-WebSocket-Extensions"))
        wslab.echo(connection)
        closes.append((connection.close_code, connection.close_reason))
        sizes.extend((connection.traffic.received.size, connection.traffic.sent.size))

    with EchoServer(handler=serve) as server:
        lines = foreign_peers.talk(command(program), server.port, MESSAGES)

    assert lines == [*map(foreign_peers.as_line, MESSAGES), "close 4000"]
    assert agreements == [program.deflates]
    assert closes == [(4000, "bye")]
    assert [size < SIZE / 5 for size in sizes] == [program.deflates] * 2


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_echoes_what_our_client_sends(command, name):
    program = SERVERS[name]
    with foreign_peers.serving(command(program)) as url, wslab.connect(url) as connection:
        extensions = connection.response.headers.get("Sec-WebSocket-Extensions")
        for message in MESSAGES:
            connection.send(message)
            assert connection.receive(timeout=20) == message
        assert (connection.traffic.received.size < SIZE / 5) is program.deflates
        for part in ("Hel", "lo, ", "Wörld"):
            connection.send_fragment(part, fin=part == "Wörld")
        assert connection.receive(timeout=20) == "Hello, Wörld"
        connection.ping(b"are you there?")
        assert connection.receive_event(timeout=20) == Pong(b"are you there?")
        connection.close(4000, "bye", timeout=20)

    assert ("permessage-deflate" in extensions) is program.deflates
    assert (connection.close_code, connection.error) == (4000, None)


@pytest.fixture(params=PROXIES)
def proxy(request, tmp_path):
    """The address of a proxy in front of an echo server, as `127.0.0.1:PORT`."""
    with EchoServer() as server:
        try:
            with foreign_peers.in_front_of(server.port, request.param, tmp_path) as port:
                yield f"127.0.0.1:{port}"
        except Missing as error:
            pytest.skip(str(error))


def test_a_proxy_lets_messages_through(proxy):
    with wslab.connect(f"ws://{proxy}/") as connection:
        for message in MESSAGES:
            connection.send(message)
            assert connection.receive(timeout=20) == message
        assert connection.traffic.received.size < SIZE / 5
        connection.close(4000, "bye", timeout=20)

    assert connection.close_code == 4000


def test_a_proxy_gets_the_page_for_a_browser(proxy):
    request = urllib.request.Request(f"http://{proxy}{foreign_peers.PAGE}", headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=20) as page:
        assert b"WebSocket" in page.read()
