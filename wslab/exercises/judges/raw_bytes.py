"""raw_bytes: exchanges byte for byte with the learner's server and client, whole and in pieces of one byte."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product

from wslab.exercises.judges.finding import Finding, joined
from wslab.exercises.judges.line import Line, Pace, pieces_of
from wslab.exercises.judges.sides import LearnersClient, found_by, learners_client, learners_server, listening
from wslab.exercises.judges.watch import Broken, Waited, Watch
from wslab.protocol.codec import Codec
from wslab.protocol.errors import HandshakeError
from wslab.protocol.frames import Frame, Opcode, serialize_close, serialize_frame
from wslab.protocol.handshake import build_request, build_response, check_request, check_response
from wslab.protocol.http import Headers, Request, Response
from wslab.protocol.states import Role

NAME = "raw bytes"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455 §1.3
DEFLATE = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
LENGTHS = {  # of texts, each with a masking key; the key of zeros shows nothing of masking, and others would not do
    0: "37fa213d",
    5: "37fa213d",
    125: "00000000",
    126: "ff00a501",
    65_535: "01020304",
    65_536: "fedcba98",
}
Change = tuple[str, str | None]  # a header and its new value, None to leave it out
CLOSE = Frame(Opcode.CLOSE)


@dataclass(frozen=True)
class Exchange:
    """Frames that the judge sends, and those that are due for them."""

    name: str
    frames: tuple[Frame, ...]
    due: tuple[Frame, ...]
    key: bytes = bytes.fromhex("37fa213d")
    deflate: bool = False
    close: Frame = CLOSE


def _text(length: int) -> Frame:
    return Frame(Opcode.TEXT, (b"WebSocket " * (length // 10 + 1))[:length])


def _exchanges() -> Iterator[Exchange]:
    yield Exchange("the handshake and a close", (), ())
    for length, key in LENGTHS.items():
        yield Exchange(f"a text of {length:,} bytes", (_text(length),), (_text(length),), bytes.fromhex(key))
    every = Frame(Opcode.BINARY, bytes(range(256)))
    yield Exchange("a binary message with every byte", (every,), (every,))
    two = Frame(Opcode.TEXT, b"one"), Frame(Opcode.TEXT, b"two")
    yield Exchange("two frames in a row", two, two)
    ping, pong = (Frame(opcode, b"!") for opcode in (Opcode.PING, Opcode.PONG))
    parts = Frame(Opcode.TEXT, b"Hel", fin=False), ping, Frame(Opcode.CONTINUATION, b"lo")
    yield Exchange("a text in two fragments with a ping between", parts, (pong, Frame(Opcode.TEXT, b"Hello")))
    packed = Frame(Opcode.TEXT, bytes.fromhex("f248cdc9c90700"), rsv1=True)  # RFC 7692 §7.2.3.1
    yield Exchange("a compressed text", (packed,), (Frame(Opcode.TEXT, b"Hello"),), deflate=True)
    yield Exchange("a close with a code and a reason", (), (), close=Frame(Opcode.CLOSE, serialize_close(1000, "bye")))


def _offer(deflate: bool) -> Request:
    return build_request("127.0.0.1", key=KEY, extensions=DEFLATE if deflate else "")


BAD_REQUESTS = {
    "a request without Sec-WebSocket-Key": ("Sec-WebSocket-Key", None),
    "a request for version 8": ("Sec-WebSocket-Version", "8"),
}
BAD_RESPONSES = {
    "an answer with a wrong Sec-WebSocket-Accept": ("Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    "an answer without Upgrade": ("Upgrade", None),
}
Play = Callable[[Watch, list[Line]], None]


def judge(codec: Codec) -> Finding:
    """Play all exchanges with the learner's server, then with the learner's client, up to the first that breaks."""
    for name, play in _plays():
        watch, lines = Watch(codec), list[Line]()
        if broken := found_by(watch, partial(play, watch, lines)):
            return Finding(NAME, f"{name}: {broken}", said=joined(lines[-1].said if lines else ()))
    return Finding(NAME)


def _plays() -> Iterator[tuple[str, Play]]:
    ways = {"": False, ", byte by byte": True}
    for exchange, (how, by_byte) in product(_exchanges(), ways.items()):
        yield f"{exchange.name}{how}", partial(_play_with_server, exchange, by_byte)
    for name, change in BAD_REQUESTS.items():
        yield name, partial(_send_bad_request, change)
    for exchange, (how, by_byte) in product(_exchanges(), ways.items()):
        yield f"{exchange.name}{how}", partial(_play_with_client, exchange, by_byte)
    for name, change in BAD_RESPONSES.items():
        yield name, partial(_send_bad_response, change)


@contextmanager
def _line_to_server(watch: Watch, lines: list[Line], deflate: bool = False) -> Iterator[Line]:
    pace = Pace(Role.SERVER)
    with learners_server(watch, pace, deflate) as server, socket.create_connection(("127.0.0.1", server.port)) as sock:
        lines.append(Line(sock, Role.SERVER, pace))
        yield lines[-1]


@contextmanager
def _line_to_client(watch: Watch, lines: list[Line], deflate: bool = False) -> Iterator[tuple[Line, LearnersClient]]:
    pace = Pace(Role.CLIENT)
    with (
        listening() as listener,
        learners_client(watch, listener.getsockname()[1], pace, deflate) as client,
        _accepted(listener) as sock,
    ):
        lines.append(Line(sock, Role.CLIENT, pace))
        yield lines[-1], client


def _accepted(listener: socket.socket) -> socket.socket:
    try:
        return listener.accept()[0]
    except TimeoutError:
        raise Waited("your client has not opened a connection") from None


def _play_with_server(exchange: Exchange, by_byte: bool, watch: Watch, lines: list[Line]) -> None:
    with _line_to_server(watch, lines, exchange.deflate) as line:
        request = _offer(exchange.deflate)
        line.send(_cut(request.serialize(), by_byte))
        try:
            check_response(line.receive_response(), request)
        except HandshakeError as error:
            raise Broken(f"{line.name} has not agreed to the handshake: {error.reason}") from None
        _converse(line, exchange, by_byte, exchange.key)
        line.expect_end()


def _play_with_client(exchange: Exchange, by_byte: bool, watch: Watch, lines: list[Line]) -> None:
    with _line_to_client(watch, lines, exchange.deflate) as (line, client):
        request = line.receive_request()
        try:
            check_request(request)
        except HandshakeError as error:
            raise Broken(f"{line.name} sent no request for WebSocket: {error.reason}") from None
        response = build_response(request, extensions=DEFLATE if exchange.deflate else "").serialize()
        try:
            _converse(line, exchange, by_byte, None, response)
        except Broken as broken:
            client.end()
            if client.refusal:
                raise Broken(f"{line.name} refused a good answer: {client.refusal}") from None
            raise broken


def _converse(line: Line, exchange: Exchange, by_byte: bool, key: bytes | None, head: bytes = b"") -> None:
    """Send the frames, after the `head` and in one piece with it, and the close; await what is due for each."""
    close = serialize_frame(exchange.close, key)
    sent = [head, *(serialize_frame(frame, key) for frame in exchange.frames)]
    if not exchange.frames:
        sent.append(close)
    line.send([piece for part in sent for piece in pieces_of(part)] if by_byte else [b"".join(sent)])
    for due in exchange.due:
        line.expect(due, exchange.deflate)
    if exchange.frames:
        line.send(_cut(close, by_byte))
    line.expect(Frame(Opcode.CLOSE, exchange.close.payload[:2]))


def _cut(data: bytes, by_byte: bool) -> list[bytes]:
    return pieces_of(data) if by_byte else [data]


def _send_bad_request(change: Change, watch: Watch, lines: list[Line]) -> None:
    with _line_to_server(watch, lines) as line:
        line.send([Request("GET", "/", _changed(_offer(False).headers, change)).serialize()])
        status = line.receive_response().status
        if status < 400:
            raise Broken(f"{line.name} answered {status}, where a refusal was due (RFC 6455 §4.2.2)")


def _send_bad_response(change: Change, watch: Watch, lines: list[Line]) -> None:
    with _line_to_client(watch, lines) as (line, client):
        good = build_response(line.receive_request())
        line.send([Response(good.status, good.phrase, _changed(good.headers, change)).serialize()])
    if not client.refusal and not watch.failed:
        raise Broken(f"{line.name} took it for an agreement (RFC 6455 §4.1)")


def _changed(headers: Headers, change: Change) -> Headers:
    """The headers with one of them changed, or left out."""
    name, value = change
    lines = ((it, value if it == name else old) for it, old in headers)
    return Headers(tuple((it, text) for it, text in lines if text is not None))
