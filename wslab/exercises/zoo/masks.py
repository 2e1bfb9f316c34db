"""masks: bugs in who masks and how, of servers and of clients (RFC 6455 §5.1, §5.3)."""

from collections.abc import Callable
from dataclasses import replace

from wslab.exercises.zoo.bug import Parts, a_client, a_server
from wslab.labs.by_hand import MASKING_KEY
from wslab.protocol.codec import Codec
from wslab.protocol.frames import Frame, FrameHeader, Opcode, parse_frame, parse_header, serialize_frame
from wslab.protocol.masking import Buffer, apply_mask


@a_server("chronoxor/NetCoreServer/issues/213", 2022, "RFC 6455 §5.1")
def netcoreserver_213() -> Parts:
    """It masks what it sends; only a client does."""

    def serialize(frame: Frame, _key: bytes | None = None) -> bytes:
        return serialize_frame(frame, MASKING_KEY)

    return {"codec": Codec(serialize_frame=serialize)}


@a_server("Links2004/arduinoWebSockets/issues/208", 2017, "RFC 6455 §5.1")
def arduino_websockets_208() -> Parts:
    """It masks its pongs, and nothing else."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        return serialize_frame(frame, bytes(4) if frame.opcode is Opcode.PONG else key)

    return {"codec": Codec(serialize_frame=serialize)}


@a_server("theturtle32/WebSocket-Node/issues/226", 2016, "RFC 6455 §5.1")
def websocket_node_226() -> Parts:
    """It takes frames from a client that are not masked."""

    def parse(data: Buffer) -> tuple[FrameHeader, int] | None:
        found = parse_header(data)
        return found and (found[0]._replace(masking_key=found[0].masking_key or bytes(4)), found[1])

    return {"codec": Codec(parse_header=parse)}


@a_server("boostorg/beast/issues/1061", 2018, "RFC 6455 §5.3")
def beast_1061() -> Parts:
    """Where a payload comes in two pieces, it begins the second with the first byte of the key again."""
    return {"codec": Codec(parse_frame=mask_from_the_start_after_a_cut())}


def mask_from_the_start_after_a_cut() -> Callable[[Buffer], tuple[Frame, int] | None]:
    """A `parse_frame` that keeps how much of a payload came with its header."""
    first_pieces: list[int] = []

    def parse(data: Buffer) -> tuple[Frame, int] | None:
        if (header := parse_header(data)) is None:
            return None
        first_pieces.append(len(data) - header[1])
        if (found := parse_frame(data)) is None:
            return None
        frame, used = found
        cut, key = first_pieces[0], frame.masking_key or bytes(4)
        first_pieces.clear()
        again = apply_mask(data[header[1] + cut : used], key)
        return replace(frame, payload=frame.payload[:cut] + again), used

    return parse


@a_client("vapor/websocket-kit/issues/26", 2018, "RFC 6455 §5.1")
def websocket_kit_26() -> Parts:
    """It masks its messages, but not its pongs and its close frame."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        return serialize_frame(frame, None if frame.opcode >= Opcode.CLOSE else key)

    return {"codec": Codec(serialize_frame=serialize)}


@a_client("sta/websocket-sharp/issues/12", 2013, "RFC 6455 §5.1", "RFC 6455 §5.2")
def websocket_sharp_12() -> Parts:
    """It leaves the mask out where there is no payload to mask."""

    def serialize(frame: Frame, key: bytes | None = None) -> bytes:
        return serialize_frame(frame, key if frame.payload else None)

    return {"codec": Codec(serialize_frame=serialize)}


@a_client("winddriver/Delphi-Cross-Socket/pull/198", 2026, "RFC 6455 §5.1")
def cross_socket_198() -> Parts:
    """Its key is never set, and a key of 0 means to it that nothing is masked."""

    def serialize(frame: Frame, _key: bytes | None = None) -> bytes:
        return serialize_frame(frame)

    return {"codec": Codec(serialize_frame=serialize)}


@a_client("websockets/ws/issues/634", 2015, "RFC 6455 §5.3", "RFC 6455 §10.3")
def ws_634() -> Parts:
    """It masks all frames of a connection with the same key."""
    return {"masking_key": MASKING_KEY}
