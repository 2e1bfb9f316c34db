"""Frames that no correct client sends, each with the close frame that must answer it."""

import zlib
from dataclasses import dataclass

from support.heads_and_frames import ZERO_KEY, compressed, deflated, masked, raw_frame, text
from wslab import Frame, Opcode, serialize_frame

MAX_SIZE = 1000  # of a message, in bytes, at the server that is sent these


@dataclass(frozen=True)
class Fault:
    """Bytes that no correct client sends, and the close frame that must answer them."""

    name: str
    sent: bytes
    code: int
    words: str
    deflate: bool = False


FAULTS = [
    Fault("no mask", raw_frame(0x81, b"Hello", mask=0), 1002, "without a mask"),
    Fault("RSV1, which nobody agreed on", raw_frame(0xC1, b"Hello"), 1002, "RSV1"),
    Fault("RSV2", raw_frame(0xA1, b"Hello"), 1002, "reserved bit"),
    Fault("RSV3", raw_frame(0x91, b"Hello"), 1002, "reserved bit"),
    Fault("RSV1 on a ping", raw_frame(0xC9, b"Hello"), 1002, "reserved bit", deflate=True),
    *(Fault(f"opcode {code:#x}", raw_frame(0x80 | code), 1002, "reserved") for code in (3, 4, 5, 6, 7, *range(11, 16))),
    Fault("a length of 125 in 2 bytes", raw_frame(0x82, bytes(125), length=b"\x7e\0\x7d"), 1002, "shortest form"),
    Fault("a length of 65535 in 8 bytes", raw_frame(0x82, length=b"\x7f" + bytes(6) + b"\xff\xff"), 1002, "shortest"),
    Fault("a length of 2^63", raw_frame(0x82, length=b"\x7f\x80" + bytes(7)), 1002, "most significant bit"),
    Fault("a ping of 126 bytes", raw_frame(0x89, bytes(126), length=b"\x7e\0\x7e"), 1002, "more than 125 bytes"),
    Fault("a fragmented ping", raw_frame(0x09), 1002, "fragmented ping"),
    Fault("a fragmented close frame", raw_frame(0x08, b"\x03\xe8"), 1002, "fragmented close"),
    Fault("a continuation of nothing", raw_frame(0x80, b"Hello"), 1002, "no message has begun"),
    Fault("a message inside a message", raw_frame(0x01, b"Hel") + raw_frame(0x81, b"lo"), 1002, "inside a fragmented"),
    Fault("a close frame with half a code", raw_frame(0x88, b"\x03"), 1002, "half a close code"),
    *(
        Fault(f"a close frame with {code}", raw_frame(0x88, code.to_bytes(2, "big")), 1002, "must not be sent")
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    ),
    Fault("a close reason that is not UTF-8", raw_frame(0x88, b"\x03\xe8\xff"), 1007, "not UTF-8"),
    Fault("a text that is not UTF-8", raw_frame(0x81, b"caf\xe9"), 1007, "not UTF-8"),
    Fault("a text that is cut in a character", raw_frame(0x81, b"caf\xc3"), 1007, "not UTF-8"),
    Fault("half a surrogate pair", raw_frame(0x81, b"\xed\xa0\x80"), 1007, "not UTF-8"),
    Fault("a wrong byte in a fragment", raw_frame(0x01, b"\xff"), 1007, "not UTF-8"),
    Fault("a wrong byte in a frame that is not all there", raw_frame(0x81, b"\xff", length=b"\x09"), 1007, "not UTF-8"),
    Fault("a wrong byte in a compressed text", compressed(deflated(b"\xff"), 0xC1), 1007, "not UTF-8", deflate=True),
    Fault(
        "RSV1 on a continuation", compressed(b"", 0x42) + compressed(b"\0", 0xC0), 1002, "continuation", deflate=True
    ),
    Fault("no DEFLATE data", compressed(b"\xff\xff\xff"), 1007, "not DEFLATE", deflate=True),
    Fault(
        "a message one byte too long", serialize_frame(Frame(Opcode.BINARY, bytes(1001)), ZERO_KEY), 1009, "1000 bytes"
    ),
    Fault("a frame of 2^40 bytes", raw_frame(0x82, length=b"\x7f\0\0\1" + bytes(5)), 1009, "more than 1000 bytes"),
    Fault(
        "fragments that are too long together", raw_frame(0x01, b"a" * 100) + raw_frame(0x00, b"a" * 100) * 10, 1009, ""
    ),
    Fault("a deflate bomb of 20 MB", compressed(deflated(bytes(20_000_000))[:1100]), 1009, "too big", deflate=True),
]


def glued(fault: Fault) -> bytes:
    return text("before") + masked(Opcode.PING, b"alive?") + text("the fault") + fault.sent


def said(answers: list[Frame]) -> list[str]:
    """What the frames say, the pong first: it may overtake the echoes, which take their way through the handler."""
    inflater = zlib.decompressobj(wbits=-15)
    texts = [
        (inflater.decompress(frame.payload + b"\0\0\xff\xff") if frame.rsv1 else frame.payload).decode()
        for frame in answers
        if frame.opcode is Opcode.TEXT
    ]
    return [frame.payload.decode() for frame in answers if frame.opcode is Opcode.PONG] + texts
