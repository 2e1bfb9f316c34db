"""compression: bugs in permessage-deflate, of servers and of a client (RFC 7692)."""

from collections.abc import Callable
from dataclasses import replace

from wslab.exercises.zoo.bug import Parts, a_client, a_server
from wslab.protocol.codec import Codec
from wslab.protocol.deflate import Decompressor, inflate
from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import Frame, FrameHeader, Opcode, parse_header, serialize_frame
from wslab.protocol.http import Response, parse_response
from wslab.protocol.masking import Buffer

Parse = Callable[[Buffer], tuple[FrameHeader, int] | None]


def blind_to_rsv1(opcode: Opcode) -> Parse:
    """A `parse_header` that does not look at RSV1 of such frames."""

    def parse(data: Buffer) -> tuple[FrameHeader, int] | None:
        found = parse_header(data)
        if found is None or found[0].opcode is not opcode:
            return found
        return found[0]._replace(rsv1=False), found[1]

    return parse


@a_server("jetty/jetty.project/issues/3159", 2018, "RFC 7692 §6.1", "RFC 6455 §5.2")
def jetty_3159() -> Parts:
    """It takes RSV1 on a continuation frame, which only the first frame of a message may have."""
    return {"codec": Codec(parse_header=blind_to_rsv1(Opcode.CONTINUATION))}


@a_server("oven-sh/bun/pull/33001", 2026, "RFC 7692 §6.1", "RFC 6455 §5.2")
def bun_33001() -> Parts:
    """It takes RSV1 on a ping, although control frames are never compressed."""
    return {"codec": Codec(parse_header=blind_to_rsv1(Opcode.PING))}


@a_server("skaarj1989/mWebSockets/issues/23", 2020, "RFC 6455 §5.2")
def mwebsockets_23() -> Parts:
    """It sets RSV1 on its messages although no extension was agreed on."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        return serialize_frame(replace(frame, rsv1=frame.opcode in (Opcode.TEXT, Opcode.BINARY)), key)

    return {"codec": Codec(serialize_frame=serialize)}


@a_server("Kitura/Kitura-WebSocket-NIO/issues/22", 2019, "RFC 7692 §7.2.2", "RFC 7692 §7.1.1")
def kitura_websocket_nio_22() -> Parts:
    """It begins to inflate each message anew, although the client may go on with its window."""

    def inflate_anew(payload: bytes, _stream: Decompressor, fin: bool = True) -> bytes:
        return inflate(payload, Decompressor(), fin)

    return {"codec": Codec(inflate=inflate_anew)}


@a_client("TooTallNate/Java-WebSocket/issues/1093", 2020, "RFC 7692 §6", "RFC 7692 §6.1")
def java_websocket_1093() -> Parts:
    """Where compression was agreed on, it refuses a message that is not compressed."""
    agreed: list[Response] = []

    def parse_answer(data: bytes) -> tuple[Response, int] | None:
        found = parse_response(data)
        if found is not None and found[0].headers.get("Sec-WebSocket-Extensions"):
            agreed.append(found[0])
        return found

    def parse(data: Buffer) -> tuple[FrameHeader, int] | None:
        found = parse_header(data)
        if agreed and found is not None and found[0].opcode in (Opcode.TEXT, Opcode.BINARY) and not found[0].rsv1:
            raise ProtocolError("a message that is not compressed", 1002)
        return found

    return {"codec": Codec(parse_response=parse_answer, parse_header=parse)}
