"""messages: bugs in messages, pings and closing (RFC 6455 §5.4 to §5.6, §7)."""

from collections.abc import Callable
from dataclasses import replace

from wslab.exercises.zoo.bug import Parts, a_client, a_server
from wslab.protocol.codec import Codec
from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import Frame, FrameHeader, Opcode, parse_frame, parse_header, serialize_frame
from wslab.protocol.masking import Buffer
from wslab.sockets.connection import Connection

Parse = Callable[[Buffer], tuple[Frame, int] | None]


@a_server("ninjasource/embedded-websocket/issues/31", 2026, "RFC 6455 §5.4")
def embedded_websocket_31() -> Parts:
    """A ping between two fragments is taken for a fragment, and its FIN for the end of the message."""
    return {"codec": Codec(parse_frame=every_frame_belongs_to_the_message())}


def every_frame_belongs_to_the_message() -> Parse:
    """A `parse_frame` that keeps whether a message is open."""
    is_open = False

    def parse(data: Buffer) -> tuple[Frame, int] | None:
        nonlocal is_open
        if (found := parse_frame(data)) is None:
            return None
        frame, used = found
        if is_open and frame.opcode >= Opcode.CLOSE:
            frame = replace(frame, opcode=Opcode.CONTINUATION)
        is_open = not frame.fin
        return frame, used

    return parse


@a_server("denoland/fastwebsockets/pull/123", 2025, "RFC 6455 §5.6", "RFC 6455 §8.1", "RFC 6455 §5.4")
def fastwebsockets_123() -> Parts:
    """It decodes each fragment of a text by itself, and fails where a character is cut."""

    def parse(data: Buffer) -> tuple[Frame, int] | None:
        found = parse_frame(data)
        if found is not None and found[0].opcode is Opcode.TEXT:
            try:
                found[0].payload.decode()
            except UnicodeDecodeError:
                raise ProtocolError("the text is not UTF-8", 1007) from None
        return found

    return {"codec": Codec(parse_frame=parse)}


@a_server("aio-libs/aiohttp/issues/1951", 2017, "RFC 6455 §5.2")
def aiohttp_1951() -> Parts:
    """It loses the first byte of a header that comes alone, and is out of step from then on."""
    return {"codec": Codec(parse_frame=a_byte_alone_is_lost())}


def a_byte_alone_is_lost() -> Parse:
    """A `parse_frame` that keeps whether it has lost a byte."""
    lost = 0

    def parse(data: Buffer) -> tuple[Frame, int] | None:
        nonlocal lost
        if len(data) == 1:
            lost = 1
            return None
        if (found := parse_frame(data[lost:])) is None:
            return None
        used, lost = found[1] + lost, 0
        return found[0], used

    return parse


@a_server("vurtun/lib/issues/23", 2019, "RFC 6455 §5.2")
def lib_23() -> Parts:
    """Of several frames that come in one piece it reads the first, and throws the others away."""

    def parse(data: Buffer) -> tuple[Frame, int] | None:
        found = parse_frame(data)
        return found and (found[0], len(data))

    return {"codec": Codec(parse_frame=parse)}


@a_server("novnc/websockify/issues/312", 2017, "RFC 6455 §5.6", "RFC 6455 §5.2")
def websockify_312() -> Parts:
    """It takes an empty message for the end of the connection."""

    def echo(connection: Connection) -> None:
        for message in connection:
            if not message:
                return
            connection.send(message)

    return {"handler": echo}


@a_server("unbit/uwsgi/issues/1690", 2017, "RFC 6455 §5.5.3", "RFC 6455 §5.5.2")
def uwsgi_1690() -> Parts:
    """Its pongs are empty, whatever the pings carry."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        return serialize_frame(replace(frame, payload=b"") if frame.opcode is Opcode.PONG else frame, key)

    return {"codec": Codec(serialize_frame=serialize)}


@a_client("kerryjiang/WebSocket4Net/issues/38", 2015, "RFC 6455 §5.5.3", "RFC 6455 §5.5.2")
def websocket4net_38() -> Parts:
    """It decodes what a ping carries as a text and encodes it again for the pong, which changes other bytes."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        if frame.opcode is Opcode.PONG:
            frame = replace(frame, payload=frame.payload.decode(errors="replace").encode())
        return serialize_frame(frame, key)

    return {"codec": Codec(serialize_frame=serialize)}


@a_server("sparckles/Robyn/pull/536", 2023, "RFC 6455 §5.5.3")
def robyn_536() -> Parts:
    """It answers a pong with a pong: two such peers never stop."""

    def parse(data: Buffer) -> tuple[FrameHeader, int] | None:
        found = parse_header(data)
        if found is None or found[0].opcode is not Opcode.PONG:
            return found
        return found[0]._replace(opcode=Opcode.PING), found[1]

    return {"codec": Codec(parse_header=parse)}


@a_server("userver-framework/userver/pull/1308", 2026, "RFC 6455 §5.5")
def userver_1308() -> Parts:
    """It takes a ping of more than 125 bytes, and answers it."""

    def parse(data: Buffer) -> tuple[FrameHeader, int] | None:
        if len(data) < 2 or data[0] != 0x89 or data[1] & 0x7F != 126:
            return parse_header(data)
        as_binary = parse_header(b"\x82" + bytes(data[1:]))
        return as_binary and (as_binary[0]._replace(opcode=Opcode.PING), as_binary[1])

    return {"codec": Codec(parse_header=parse)}


@a_server("Lawouach/WebSocket-for-Python/issues/263", 2020, "RFC 6455 §7.4.1", "RFC 6455 §7.4")
def websocket_for_python_263() -> Parts:
    """It answers a close frame without a code with the code 1005, which only says that none has come."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        is_empty_close = frame.opcode is Opcode.CLOSE and not frame.payload
        return serialize_frame(replace(frame, payload=b"\x03\xed") if is_empty_close else frame, key)

    return {"codec": Codec(serialize_frame=serialize)}


@a_server("c4punks/CWIST/pull/137", 2026, "RFC 6455 §5.5.1")
def cwist_137() -> Parts:
    """It ends TCP when a close frame comes, and sends none itself."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        return b"" if frame.opcode is Opcode.CLOSE else serialize_frame(frame, key)

    return {"codec": Codec(serialize_frame=serialize)}
