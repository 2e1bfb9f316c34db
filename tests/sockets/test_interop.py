"""Other implementations talk to our server and are talked to by our client, over real sockets."""

import functools
import random

import pytest
from support import peers

import wslab
from wslab import Direction, EchoServer, Frame, HandshakeError, Opcode, PermessageDeflate, Ping, Pong, Recording
from wslab.protocol.handshake import parse_extensions

RANDOM = random.Random(6455)
MESSAGES = {
    "text": "Zwölf Boxkämpfer 🥊",
    "binary": bytes(range(256)),
    "empty text": "",
    "empty binary": b"",
    "200 kB of text": " ".join(RANDOM.choices(["fin", "mask", "opcode", "payload"], k=40_000))[:200_000],
    "200 kB of bytes": RANDOM.randbytes(200_000),
}
ANY_MESSAGE = pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
FRAGMENTS = {"text": ["", "Hel", "lo ", "Wörld"], "binary": [b"\x00", b"\xff" * 70_000, b"\x01"]}
ANY_FRAGMENTS = pytest.mark.parametrize("fragments", FRAGMENTS.values(), ids=FRAGMENTS.keys())

NO_LIMITS = PermessageDeflate()
SERVER_WINDOWS = [PermessageDeflate(server_max_window_bits=bits) for bits in range(9, 15)]
CLIENT_WINDOWS = [PermessageDeflate(client_max_window_bits=bits) for bits in range(9, 15)]
NO_TAKEOVERS = [PermessageDeflate(True, False), PermessageDeflate(False, True), PermessageDeflate(True, True)]
ALL_AT_ONCE = PermessageDeflate(True, True, 10, 9)
EVERY_WISH = [NO_LIMITS, *NO_TAKEOVERS, *SERVER_WINDOWS, *CLIENT_WINDOWS, ALL_AT_ONCE]

CLIENTS = {
    "websockets": peers.WebsocketsClient,
    "websocket-client": peers.WebsocketClientClient,
    "wsproto": peers.WsprotoClient,
    "aiohttp": peers.AiohttpClient,
    "ws": peers.NodeClient,
}
SERVERS = {
    "websockets": peers.WebsocketsServer,
    "wsproto": peers.WsprotoServer,
    "aiohttp": peers.AiohttpServer,
    "ws": peers.NodeServer,
}


@pytest.fixture(scope="module")
def node():
    found = peers.find_node()
    if found is None:
        pytest.skip(peers.MISSING_NODE)
    with peers.NodeProcess(*found) as process:
        yield process


@pytest.fixture(params=CLIENTS)
def open_client(request):
    opener = CLIENTS[request.param]
    return functools.partial(opener, request.getfixturevalue("node")) if request.param == "ws" else opener


@pytest.fixture(params=SERVERS)
def serve(request):
    server = SERVERS[request.param]
    return functools.partial(server, request.getfixturevalue("node")) if request.param == "ws" else server


def only(fixture, *names):
    return pytest.mark.parametrize(fixture, names, indirect=True)


def wishes(fixture, **wishes_by_name):
    pairs = [
        pytest.param(name, wish, id=f"{name}-{describe(wish)}")
        for name, wishes_of_it in wishes_by_name.items()
        for wish in wishes_of_it
    ]
    return pytest.mark.parametrize((fixture, "wish"), pairs, indirect=[fixture])


def describe(wish: PermessageDeflate) -> str:
    stated = peers.limits_in(wish)
    return ", ".join(name if value is True else f"{name}={value}" for name, value in stated.items()) or "no limits"


def frames_of(recording: Recording, direction: Direction) -> list[Frame]:
    """The frames that went over the wire of the only connection, after the handshake."""
    [connection] = recording.connections
    data = recording.bytes_sent(connection, direction).partition(b"\r\n\r\n")[2]
    frames = []
    while data:
        frame, used = wslab.parse_frame(data)
        frames.append(frame)
        data = data[used:]
    return frames


def data_frames_of(recording: Recording, direction: Direction) -> list[Frame]:
    return [frame for frame in frames_of(recording, direction) if not frame.opcode.is_control]


# Compression: three messages of random bytes show from their length alone what the sender's compressor remembers.

FAR = RANDOM.randbytes(1500) * 2  # a window of 2^11 bytes reaches from the repetition to the original, one of 2^10 not
NEAR = RANDOM.randbytes(60)  # sent twice: the second is a repetition of the first if the context is taken over


def assert_compressed_as(recording: Recording, agreed: PermessageDeflate) -> None:
    for direction, window_bits, no_context_takeover in (
        (Direction.CLIENT_TO_SERVER, agreed.client_max_window_bits, agreed.client_no_context_takeover),
        (Direction.SERVER_TO_CLIENT, agreed.server_max_window_bits, agreed.server_no_context_takeover),
    ):
        frames = data_frames_of(recording, direction)
        assert [(frame.rsv1, frame.opcode) for frame in frames] == [(True, Opcode.BINARY)] * 3
        far, near, near_again = (len(frame.payload) for frame in frames)
        assert (far < 2000) is (window_bits >= 11), direction
        assert (near_again < near) is not no_context_takeover, direction


def agreed_limits(response: wslab.Response) -> dict[str, object]:
    """What the response says of permessage-deflate, in the words of `peers.limits_in`."""
    [extension] = parse_extensions(response.headers["Sec-WebSocket-Extensions"])
    assert extension.name == "permessage-deflate"
    return {name: value is None or int(value) for name, value in extension.parameters if value != "15"}


# Clients of our server


@ANY_MESSAGE
def test_a_client_gets_back_what_it_sends(open_client, message):
    with EchoServer() as server, open_client(server.url) as client:
        client.send(message)
        assert client.receive() == message


@only("open_client", "websockets", "websocket-client", "wsproto", "ws")
@ANY_FRAGMENTS
def test_a_client_may_send_a_message_in_fragments(open_client, fragments):
    recording = Recording()
    with EchoServer(recording=recording) as server, open_client(server.url) as client:
        client.send_fragments(fragments)
        assert client.receive() == type(fragments[0])().join(fragments)

    frames = data_frames_of(recording, Direction.CLIENT_TO_SERVER)
    assert Opcode.CONTINUATION in [frame.opcode for frame in frames]


def test_a_client_joins_our_fragments(open_client):
    def send_fragments(connection):
        connection.send_fragment("Hel")
        connection.send_fragment("lo")
        connection.send_fragment("", fin=True)
        list(connection)

    with EchoServer(handler=send_fragments) as server, open_client(server.url) as client:
        assert client.receive() == "Hello"


def test_a_client_gets_the_pong_for_its_ping(open_client):
    with EchoServer() as server, open_client(server.url) as client:
        client.ping(b"are you there?")


def test_a_client_answers_our_ping(open_client):
    def ping(connection):
        connection.ping(b"are you there?")
        connection.send("Hello")
        assert connection.receive_event(peers.TIMEOUT) == Pong(b"are you there?")
        connection.send("a pong came")
        list(connection)

    with EchoServer(handler=ping) as server, open_client(server.url) as client:
        assert [client.receive(), client.receive()] == ["Hello", "a pong came"]


def test_a_client_and_our_server_agree_on_a_subprotocol(open_client):
    with EchoServer(subprotocols=["log", "chat"]) as server, open_client(server.url, ["superchat", "chat"]) as client:
        assert client.subprotocol == "chat"
        assert server.connections[0].subprotocol == "chat"


@only("open_client", "websockets", "wsproto", "aiohttp")  # websocket-client and ws, like a browser, then give up
def test_a_client_that_offers_only_other_subprotocols_gets_none(open_client):
    with EchoServer(subprotocols=["log", "chat"]) as server, open_client(server.url, ["superchat"]) as client:
        assert client.subprotocol is None


def test_the_close_code_and_the_reason_of_a_client_arrive(open_client):
    with EchoServer() as server, open_client(server.url) as client:
        [connection] = server.connections
        assert client.close(4002, "müde") == 4002

    assert (connection.close_code, connection.close_reason) == (4002, "müde")


def test_our_close_code_and_reason_arrive_at_a_client(open_client):
    def close(connection):
        connection.close(4001, "genügt")

    with EchoServer(handler=close) as server, open_client(server.url) as client:
        assert client.receive_close() == (4001, "genügt")


def test_a_client_whose_origin_is_not_welcome_gets_403(open_client):
    with EchoServer(origins=["https://example.com"]) as server, pytest.raises(peers.Refused) as refusal:
        open_client(server.url)

    assert refusal.value.status == 403
    assert "may not connect to this server" in refusal.value.body or open_client is peers.AiohttpClient  # it hides it


CLIENTS_COMPRESS = {
    "websockets": EVERY_WISH,
    "wsproto": EVERY_WISH,
    "aiohttp": [NO_LIMITS, *SERVER_WINDOWS],
    "ws": EVERY_WISH,
}


@wishes("open_client", **CLIENTS_COMPRESS)
def test_a_client_that_offers_compression_gets_what_it_offers(open_client, wish):
    recording = Recording()
    with EchoServer(recording=recording) as server, open_client(server.url, deflate=wish) as client:
        for message in (FAR, NEAR, NEAR):
            client.send(message)
            assert client.receive() == message
        assert agreed_limits(server.connections[0].response) == peers.limits_in(wish)

    assert_compressed_as(recording, wish)


@wishes("open_client", **CLIENTS_COMPRESS)
def test_our_server_asks_a_client_for_limits_of_its_own(open_client, wish):
    recording = Recording()
    server = EchoServer(recording=recording, deflate=wish)
    with server, open_client(server.url, deflate=NO_LIMITS) as client:
        for message in (FAR, NEAR, NEAR):
            client.send(message)
            assert client.receive() == message
        assert agreed_limits(server.connections[0].response) == peers.limits_in(wish)

    assert_compressed_as(recording, wish)


@only("open_client", "websockets", "wsproto", "aiohttp", "ws")
@ANY_MESSAGE
def test_a_client_gets_back_every_message_compressed(open_client, message):
    with EchoServer() as server, open_client(server.url, deflate=NO_LIMITS) as client:
        client.send(message)
        assert client.receive() == message


@only("open_client", "websockets", "wsproto", "ws")
def test_a_client_may_compress_a_message_in_fragments(open_client):
    recording = Recording()
    with EchoServer(recording=recording) as server, open_client(server.url, deflate=NO_LIMITS) as client:
        client.send_fragments(["Hel", "lo ", "Wörld"])
        assert client.receive() == "Hello Wörld"

    first, *rest = data_frames_of(recording, Direction.CLIENT_TO_SERVER)
    assert first.rsv1
    assert [(frame.opcode, frame.rsv1) for frame in rest[:2]] == [(Opcode.CONTINUATION, False)] * 2


# Servers for our client


@pytest.mark.parametrize("deflate", [None, NO_LIMITS], ids=["plain", "compressed"])
@ANY_MESSAGE
def test_our_client_gets_back_what_it_sends(serve, deflate, message):
    with serve(deflate) as server, wslab.connect(server.url) as connection:
        connection.send(message)
        assert connection.receive() == message


@pytest.mark.parametrize("deflate", [None, NO_LIMITS], ids=["plain", "compressed"])
@ANY_FRAGMENTS
def test_a_server_joins_the_fragments_of_our_client(serve, deflate, fragments):
    with serve(deflate) as server, wslab.connect(server.url) as connection:
        for fragment in fragments[:-1]:
            connection.send_fragment(fragment)
        connection.send_fragment(fragments[-1], fin=True)
        assert connection.receive() == type(fragments[0])().join(fragments)


@only("serve", "websockets", "wsproto", "ws")
@pytest.mark.parametrize("deflate", [None, NO_LIMITS], ids=["plain", "compressed"])
def test_our_client_joins_the_fragments_of_a_server(serve, deflate):
    recording = Recording()
    with serve(deflate) as server, wslab.connect(server.url, recording=recording) as connection:
        connection.send(peers.SEND_FRAGMENTS)
        assert connection.receive() == "".join(peers.FRAGMENTS)

    first, *rest = data_frames_of(recording, Direction.SERVER_TO_CLIENT)
    assert (first.opcode, first.rsv1) == (Opcode.TEXT, deflate is not None)
    assert [(frame.opcode, frame.rsv1) for frame in rest[:2]] == [(Opcode.CONTINUATION, False)] * 2


def test_our_client_gets_the_pong_for_its_ping(serve):
    with serve() as server, wslab.connect(server.url) as connection:
        connection.ping(b"are you there?")
        assert connection.receive_event() == Pong(b"are you there?")


def test_our_client_answers_the_ping_of_a_server(serve):
    with serve() as server, wslab.connect(server.url) as connection:
        connection.send(peers.SEND_PING)
        assert connection.receive_event() == Ping(peers.PING_PAYLOAD)
        assert connection.receive() == peers.PONG_CAME


def test_our_client_and_a_server_agree_on_a_subprotocol(serve):
    with serve() as server, wslab.connect(server.url, subprotocols=["superchat", "chat"]) as connection:
        assert connection.subprotocol == "chat"


def test_our_close_code_and_reason_arrive_at_a_server(serve):
    with serve() as server:
        with wslab.connect(server.url) as connection:
            connection.close(4002, "müde")
        assert server.closes.get(timeout=peers.TIMEOUT) == (4002, "müde")

    assert connection.close_code == 4002


def test_the_close_code_and_the_reason_of_a_server_arrive(serve):
    with serve() as server, wslab.connect(server.url) as connection:
        connection.send(peers.SEND_CLOSE)
        with pytest.raises(wslab.ConnectionClosed) as closed:
            connection.receive()

    assert (closed.value.code, closed.value.reason) == peers.CLOSING


def test_a_server_that_refuses_our_client_says_why(serve):
    with serve() as server, pytest.raises(HandshakeError, match="Not today") as refusal:
        wslab.connect(server.url + peers.REFUSED)

    assert refusal.value.status == 403


SERVERS_COMPRESS = {
    "websockets": EVERY_WISH,
    "wsproto": EVERY_WISH,
    "aiohttp": [NO_LIMITS, *SERVER_WINDOWS],
    "ws": EVERY_WISH,
}


@wishes("serve", **SERVERS_COMPRESS)
def test_our_client_that_offers_compression_gets_what_it_offers(serve, wish):
    recording = Recording()
    with serve(NO_LIMITS) as server, wslab.connect(server.url, deflate=wish, recording=recording) as connection:
        for message in (FAR, NEAR, NEAR):
            connection.send(message)
            assert connection.receive() == message
        assert agreed_limits(connection.response) == peers.limits_in(wish)

    assert_compressed_as(recording, wish)


@wishes("serve", websockets=EVERY_WISH, ws=EVERY_WISH)
def test_a_server_asks_our_client_for_limits_of_its_own(serve, wish):
    recording = Recording()
    with serve(wish) as server, wslab.connect(server.url, recording=recording) as connection:
        for message in (FAR, NEAR, NEAR):
            connection.send(message)
            assert connection.receive() == message
        assert agreed_limits(connection.response) == peers.limits_in(wish)

    assert_compressed_as(recording, wish)
