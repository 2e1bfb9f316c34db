"""lengths: bugs in the payload length, all of servers (RFC 6455 §5.2)."""

from wslab.exercises.zoo.bug import Parts, a_server
from wslab.protocol.codec import Codec
from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import Frame, FrameHeader, Opcode, parse_header, serialize_frame
from wslab.protocol.masking import Buffer

SECTION = "RFC 6455 §5.2"


def with_length(frame: Frame, length: bytes) -> bytes:
    """An unmasked frame with these bytes for its length."""
    return serialize_frame(frame)[:1] + length + frame.payload


@a_server("OvenMediaLabs/OvenMediaEngine/pull/2315", 2026, SECTION)
def oven_media_engine_2315() -> Parts:
    """It has < where <= belongs: 125 bytes go out in the form for 126 and more."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        return with_length(frame, b"\x7e\x00\x7d") if len(frame.payload) == 125 else serialize_frame(frame, key)

    return {"codec": Codec(serialize_frame=serialize)}


@a_server("crystal-lang/crystal/pull/1341", 2015, SECTION)
def crystal_1341() -> Parts:
    """It writes every length into one byte, where 126 and 127 mean something else."""

    def serialize(frame: Frame, _key: bytes | None = None) -> bytes:
        return with_length(frame, bytes((len(frame.payload) & 0xFF,)))

    return {"codec": Codec(serialize_frame=serialize)}


@a_server("eclipse-vertx/vert.x/pull/260", 2012, SECTION)
def vert_x_260() -> Parts:
    """It writes four bytes where the length of 64 bits belongs."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        if (length := len(frame.payload)) <= 0xFFFF:
            return serialize_frame(frame, key)
        return with_length(frame, b"\x7f" + length.to_bytes(4, "big"))

    return {"codec": Codec(serialize_frame=serialize)}


@a_server("croservices/cro-websocket/issues/23", 2020, SECTION)
def cro_websocket_23() -> Parts:
    """It wants the top bit to be 0 in a length of 16 bits, too, and so refuses 32,768 bytes and more."""

    def parse(data: Buffer) -> tuple[FrameHeader, int] | None:
        if len(data) > 2 and data[1] & 0x7F == 126 and data[2] & 0x80:
            raise ProtocolError("the most significant bit of the length must be 0", 1002)
        return parse_header(data)

    return {"codec": Codec(parse_header=parse)}


@a_server("Olivine-Labs/Alchemy-Websockets/pull/4", 2011, SECTION)
def alchemy_websockets_4() -> Parts:
    """It writes the two bytes of the length in the wrong order: 126 is read as 32,256."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        length = len(frame.payload)
        if not 125 < length <= 0xFFFF:
            return serialize_frame(frame, key)
        return with_length(frame, b"\x7e" + length.to_bytes(2, "little"))

    return {"codec": Codec(serialize_frame=serialize)}


@a_server("igrigorik/em-websocket/issues/86", 2012, SECTION, "RFC 6455 §5.6")
def em_websocket_86() -> Parts:
    """It counts the characters of a text in place of its bytes."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        if frame.opcode is not Opcode.TEXT or len(frame.payload) > 125:
            return serialize_frame(frame, key)
        return with_length(frame, bytes((len(frame.payload.decode(errors="replace")),)))

    return {"codec": Codec(serialize_frame=serialize)}
