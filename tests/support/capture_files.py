"""Capture files as other programs write them: pcap, and the blocks of pcapng; and TCP segments to put into them."""

import struct
from collections.abc import Callable
from pathlib import Path

from support.heads_and_frames import RESPONSE, request, text
from wslab import Direction, Recording
from wslab.recording.detection import Detected
from wslab.recording.packets import Endpoint, Segment, serialize_segment
from wslab.recording.pcapng import Packet
from wslab.recording.tcp import CLIENT, SERVER, TcpConversation, TcpWriter, read_conversations

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
A, B = Endpoint(bytes((127, 0, 0, 1)), 50001), Endpoint(bytes((127, 0, 0, 1)), 8765)
A6, B6 = Endpoint(bytes(15) + b"\x01", 50001), Endpoint(bytes(15) + b"\x01", 8765)
RAW = 101  # the link type of IP packets without anything before them


def pcap(
    packets: list[bytes], order: str = "<", magic: int = 0xA1B2C3D4, link_type: int = 101, ticks: int = 10**6
) -> bytes:
    file = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)
    for number, data in enumerate(packets):
        file += struct.pack(order + "IIII", 1_700_000_000, number * ticks // 1000, len(data), len(data)) + data
    return file


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str, options: bytes = b"") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options)


def interface(order: str, link_type: int = 101, most: int = 0, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, most) + options)


def enhanced(order: str, number: int, ticks: int, data: bytes, options: bytes = b"") -> bytes:
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(order, 6, head + data + bytes(-len(data) % 4) + options)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


# Segments


def segments_of(*sent: tuple[int, bytes]) -> list[Segment]:
    """The segments of a connection from A to B, from SYN to the FIN of both sides."""
    writer = TcpWriter(A, B)
    segments = [*writer.open()]
    for side, data in sent:
        segments += writer.send(side, data)
    return [*segments, *writer.end(SERVER), *writer.end(CLIENT)]


def captured(segments: list[Segment]) -> list[TcpConversation]:
    """The connections that are read from these segments, one a packet."""
    return read_conversations(Packet(n, RAW, serialize_segment(segment)) for n, segment in enumerate(segments))


def sent_by(conversation: TcpConversation | Detected, side: int) -> bytes:
    return b"".join(piece.data for piece in conversation.pieces if piece.side == side)


# A small conversation


SMALL_TALK = [(UP, request()), (DOWN, RESPONSE), (UP, text("Hello")), (DOWN, b"\x81\x05Hello")]


def conversation_packets() -> list[bytes]:
    """The IP packets of all of it."""
    sides = {UP: CLIENT, DOWN: SERVER}
    return list(map(serialize_segment, segments_of(*((sides[way], data) for way, data in SMALL_TALK))))


def is_small_talk(recording: Recording) -> bool:
    sent = [(1, way, data) for way, data in SMALL_TALK]
    ends = ("127.0.0.1", 50001), ("127.0.0.1", 8765)
    return [chunk[1:] for chunk in recording.chunks] == sent and recording.addresses == {1: ends}


def load(tmp_path: Path, data: bytes, name: str = "talk.pcapng") -> Recording:
    (tmp_path / name).write_bytes(data)
    return Recording.load(tmp_path / name)


def saved(tmp_path: Path, recording: Recording, **options: bool) -> Path:
    path = tmp_path / "talk.pcapng"
    recording.save(path, **options)
    return path


def small_talk(clock: Callable[[], float] = lambda: 1_700_000_000) -> Recording:
    recording = Recording(clock=clock)
    for way, data in SMALL_TALK:
        recording.add(1, way, data)
    return recording
