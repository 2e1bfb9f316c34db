"""The codec alone: frames to messages and messages to frames, without a socket."""

from collections.abc import Callable

import wsproto
from load import sentence, text_frame
from websockets import protocol as websockets_protocol
from wsproto.connection import Connection
from wsproto.events import TextMessage

from wslab import Frame, Opcode, Protocol, State, parse_frame, serialize_frame

KEY = bytes.fromhex("37fa213d")
SIZES = [32, 1024, 65536]
FRAMES = {32: 64, 1024: 16, 65536: 1}  # of one read, as an echo server gets them


def parsers(size: int) -> dict[str, Callable[[], object]]:
    """Each reads masked text messages, as a server does, and must find all of them."""
    count, text = FRAMES[size], sentence(size)
    data = text_frame(size) * count
    theirs, also_theirs = (
        websockets_protocol.Protocol(websockets_protocol.SERVER),
        Connection(wsproto.ConnectionType.SERVER),
    )
    ours = Protocol("server", state=State.OPEN)

    def by_websockets() -> None:
        theirs.receive_data(data)
        assert [frame.data.decode() for frame in theirs.events_received()] == [text] * count

    def by_wsproto() -> None:
        also_theirs.receive_data(data)
        assert [event.data for event in also_theirs.events()] == [text] * count

    def by_parse_frame() -> None:
        rest, texts = memoryview(data), []
        while rest:
            frame, used = parse_frame(rest)
            texts.append(frame.payload.decode())
            rest = rest[used:]
        assert texts == [text] * count

    def by_protocol() -> None:
        assert ours.receive(data) == [text] * count

    return {
        "websockets": by_websockets,
        "wsproto": by_wsproto,
        "wslab.parse_frame": by_parse_frame,
        "wslab.Protocol": by_protocol,
    }


def serializers(size: int) -> dict[str, Callable[[], object]]:
    """Each writes masked text messages, as a client does, to bytes."""
    count, text = FRAMES[size], sentence(size)
    theirs, also_theirs = (
        websockets_protocol.Protocol(websockets_protocol.CLIENT),
        Connection(wsproto.ConnectionType.CLIENT),
    )
    ours = Protocol("client", state=State.OPEN)
    length = len(text_frame(size)) * count

    def by_websockets() -> None:
        for _ in range(count):
            theirs.send_text(text.encode())
        assert len(b"".join(theirs.data_to_send())) == length

    def by_wsproto() -> None:
        assert len(b"".join([also_theirs.send(TextMessage(text)) for _ in range(count)])) == length

    def by_serialize_frame() -> None:
        pieces = [serialize_frame(Frame(Opcode.TEXT, text.encode()), KEY) for _ in range(count)]
        assert len(b"".join(pieces)) == length

    def by_protocol() -> None:
        ours.send_messages([text] * count)
        assert len(ours.data_to_send()) == length

    return {
        "websockets": by_websockets,
        "wsproto": by_wsproto,
        "wslab.serialize_frame": by_serialize_frame,
        "wslab.Protocol": by_protocol,
    }


NAMES = {
    "parse": ["websockets", "wsproto", "wslab.parse_frame", "wslab.Protocol"],
    "serialize": ["websockets", "wsproto", "wslab.serialize_frame", "wslab.Protocol"],
}


def action(name: str, what: str, size: int, port: int) -> Callable[[], object]:
    """What a codec does, with FRAMES[size] messages of `size` bytes; it needs no port."""
    return {"parse": parsers, "serialize": serializers}[what](size)[name]
