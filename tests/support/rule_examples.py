"""For each rule about frames, bytes that break it and no rule before it: what an endpoint is told, and an inspector."""

from dataclasses import dataclass

from wslab.protocol.states import Role

MASK = 0x80
KEY = bytes(4)  # a key of zeros leaves the payload as it is


@dataclass(frozen=True)
class Breach:
    """Bytes that `sender` sends, after which the rule with this sentence is broken."""

    reason: str
    field: str
    code: int
    wire: bytes
    sender: Role = Role.CLIENT
    deflate: bool = False
    is_last_byte: bool = True  # it is the last byte that breaks the rule


def masked(first: int, payload: bytes = b"", length: bytes | None = None) -> bytes:
    size = bytes((len(payload),)) if length is None else length
    return bytes((first, size[0] | MASK)) + size[1:] + KEY + payload


def _fault(reason: str, field: str, wire: bytes, code: int = 1002, **options: object) -> Breach:
    return Breach(reason, field, code, wire, **options)  # type: ignore[arg-type]


BREACHES = [
    *(
        _fault(f"opcode 0x{opcode:x} is reserved", "opcode", bytes((0x80 | opcode, MASK)))
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    ),
    _fault("a ping frame of more than 125 bytes", "payload length", bytes((0x89, MASK | 126))),
    _fault("a close frame of more than 125 bytes", "payload length", bytes((0x88, MASK | 127))),
    _fault("a fragmented pong frame", "FIN", bytes((0x0A, MASK))),
    _fault("length 125 is not in its shortest form", "extended length", bytes((0x82, MASK | 126, 0, 125))),
    _fault(
        "length 65535 is not in its shortest form",
        "extended length",
        bytes((0x82, MASK | 127)) + bytes(6) + b"\xff\xff",
    ),
    _fault(
        "the most significant bit of a 64-bit length must be 0",
        "extended length",
        bytes((0x82, MASK | 127, 0x80)) + bytes(7),
    ),
    _fault("a masked frame from a server", "MASK", masked(0x81), sender=Role.SERVER),
    _fault("a frame from a client without a mask", "MASK", b"\x81\x00"),
    _fault("a frame from a client without a mask", "MASK", b"\x89\x00"),
    _fault("a reserved bit is set that no extension uses", "RSV1-3", masked(0xA1)),
    _fault("a reserved bit is set that no extension uses", "RSV1-3", masked(0x92)),
    _fault("a reserved bit is set that no extension uses", "RSV1-3", masked(0xC9), deflate=True),
    _fault("a continuation frame, but no message has begun", "opcode", masked(0x80)),
    _fault("RSV1 is set on a continuation frame", "RSV1-3", masked(0x01) + masked(0xC0), deflate=True),
    _fault("a text frame inside a fragmented message", "opcode", masked(0x01) + masked(0x81)),
    _fault("a binary frame inside a fragmented message", "opcode", masked(0x02) + masked(0x89) + masked(0x02)),
    _fault("RSV1 is set, but no extension that uses it was agreed on", "RSV1-3", masked(0xC1)),
    _fault("a close frame with half a close code", "close code", masked(0x88, b"\x03")),
    _fault("close code 1005 must not be sent", "close code", masked(0x88, b"\x03\xed")),
    _fault("a close reason that is not UTF-8", "close reason", masked(0x88, b"\x03\xe8ok\xff"), 1007),
    _fault("the text is not UTF-8", "payload", masked(0x81, b"caf\xe9"), 1007),
    _fault("the text is not UTF-8", "payload", masked(0x01, b"\xe2") + masked(0x80, b"("), 1007),
    _fault("the text is not UTF-8: a surrogate", "payload", masked(0x81, b"\xed\xa0\x80"), 1007),
    _fault("the text is not UTF-8: a surrogate", "payload", masked(0x01, b"\xed\xa0"), 1007),
    _fault("the payload is not DEFLATE data", "payload", masked(0xC1, b"\xff"), 1007, deflate=True),
    _fault("the text is not UTF-8", "payload", masked(0xC1, bytes.fromhex("fa 0f 00")), 1007, deflate=True),
]
