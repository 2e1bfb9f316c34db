"""Frames: bytes to Frame and back (RFC 6455 §5)."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from wslab.protocol.errors import CloseCode, is_valid_close_code
from wslab.protocol.masking import Buffer, apply_mask
from wslab.protocol.opcodes import OPCODES as OPCODES
from wslab.protocol.opcodes import Opcode as Opcode
from wslab.protocol.rules import (
    FORBIDDEN_CLOSE_CODE,
    HALF_A_CLOSE_CODE,
    MAX_CONTROL_PAYLOAD,
    REASON_IS_NOT_UTF8,
    broken_by_length,
    broken_by_start,
)
from wslab.redaction.redact import harmless, printable, redact_target

MAX_HEADER = 14  # bytes: 2, then 8 for the longest lengths, then 4 for the masking key
MOST_SHOWN = 40  # characters of a text, or digits of bytes in hex


class FrameHeader(NamedTuple):
    """The bytes before the payload, read: 2 to 14 of them (RFC 6455 §5.2).

    `masking_key` is 4 bytes, or None for an unmasked frame; `payload_length` is in bytes.
    """

    # A NamedTuple is made three times as fast as a frozen dataclass, and one is made for each frame.
    opcode: Opcode
    payload_length: int
    fin: bool = True
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False
    masking_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its payload is always unmasked.

    `masking_key` tells how the payload travelled and takes no part in comparisons: it is not what the frame says.
    """

    opcode: Opcode
    payload: bytes = b""
    fin: bool = True
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False
    masking_key: bytes | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """One readable line: `text "Hello"`, `ping 01 02`, `close 1000 "bye"`."""
        shown = self.payload_text()
        bits = [name for name in ("rsv1", "rsv2", "rsv3") if getattr(self, name)]
        notes = [*bits, *([] if self.fin else ["more to come"])]
        return self.opcode.name.lower() + (f" {shown}" if shown else "") + (f" ({', '.join(notes)})" if notes else "")

    def payload_text(self) -> str:
        """The payload as a reader wants it: text in quotes, the close code, else hex; longer ones are cut short."""
        payload = self.payload
        if self.opcode is Opcode.CLOSE and len(payload) >= 2:
            code, reason = int.from_bytes(payload[:2], "big"), payload[2:].decode(errors="replace")
            return f'{code} "{harmless(reason)}"' if reason else str(code)
        if self.opcode is Opcode.TEXT and not self.rsv1:
            with contextlib.suppress(UnicodeDecodeError):  # a fragment may end in the middle of a character
                text = payload.decode()
                shown = f'"{printable(redact_target(text[: 10 * MOST_SHOWN])[:MOST_SHOWN])}'
                return f'{shown}"' if len(text) <= MOST_SHOWN else f'{shown}…" ({len(payload)} bytes)'
        if len(payload) <= MOST_SHOWN // 2:
            return payload.hex(" ")
        return f"{payload[: MOST_SHOWN // 2].hex(' ')} … ({len(payload)} bytes)"


def parse_header(data: Buffer) -> tuple[FrameHeader, int] | None:
    r"""Read a frame header from the start of `data`: (header, bytes used), or None while more bytes are needed.

    Raises ProtocolError 1002 for what no extension can make legal: a reserved opcode, a control frame that is
    fragmented or longer than 125 bytes, a length that is not in its shortest form or has its top bit set.

    >>> parse_header(bytes.fromhex("818537fa213d"))  # doctest: +ELLIPSIS
    (FrameHeader(opcode=<Opcode.TEXT: 1>, payload_length=5, fin=True, ...masking_key=b'7\xfa!='), 6)
    """
    if len(data) < 2:
        return None
    first, second = data[0], data[1]
    if broken := broken_by_start(first, second):  # §5.2, §5.5: the rules stand in rules.py
        raise broken[0].error()
    length, used = second & 0b0111_1111, 2
    if length > 125:
        size = 2 if length == 126 else 8
        if len(data) < used + size:
            return None
        length = int.from_bytes(data[used : used + size], "big")
        used += size
        if broken := broken_by_length(size, length):  # §5.2
            raise broken[0].error()

    masking_key = None
    if second & 0b1000_0000:
        if len(data) < used + 4:
            return None
        masking_key = bytes(data[used : used + 4])
        used += 4
    fin, opcode = bool(first & 0b1000_0000), OPCODES[first & 0b0000_1111]
    rsv1, rsv2, rsv3 = bool(first & 0b0100_0000), bool(first & 0b0010_0000), bool(first & 0b0001_0000)
    return FrameHeader(opcode, length, fin, rsv1, rsv2, rsv3, masking_key), used


def parse_frame(
    data: Buffer,
    *,
    parse_header: Callable[[Buffer], tuple[FrameHeader, int] | None] = parse_header,
    apply_mask: Callable[[Buffer, bytes], bytes] = apply_mask,
) -> tuple[Frame, int] | None:
    """Read one frame from the start of `data`: (frame, bytes used), or None while more bytes are needed.

    Bytes after the frame are left alone. Raises ProtocolError 1002 as `parse_header` does.

    >>> parse_frame(bytes.fromhex("818537fa213d7f9f4d5158") + b"more")[0].payload
    b'Hello'
    >>> parse_frame(bytes.fromhex("8185")) is None
    True
    """
    parsed = parse_header(data)
    if parsed is None:
        return None
    header, start = parsed
    end = start + header.payload_length
    if len(data) < end:
        return None
    payload = bytes(data[start:end])
    if header.masking_key is not None:
        payload = apply_mask(payload, header.masking_key)
    frame = Frame(header.opcode, payload, header.fin, header.rsv1, header.rsv2, header.rsv3, header.masking_key)
    return frame, end


def serialize_frame(
    frame: Frame, masking_key: bytes | None = None, *, apply_mask: Callable[[Buffer, bytes], bytes] = apply_mask
) -> bytes:
    """The bytes of `frame`, masked if a 4-byte `masking_key` is given, its length in the shortest form (RFC 6455 §5.2).

    Illegal frames are written as they are, so that a learner can send one; `Protocol` never makes one.

    >>> serialize_frame(Frame(Opcode.TEXT, b"Hello")).hex(" ")
    '81 05 48 65 6c 6c 6f'
    >>> serialize_frame(Frame(Opcode.TEXT, b"Hello"), bytes.fromhex("37fa213d")).hex(" ")
    '81 85 37 fa 21 3d 7f 9f 4d 51 58'
    """
    first = frame.fin << 7 | frame.rsv1 << 6 | frame.rsv2 << 5 | frame.rsv3 << 4 | frame.opcode
    masked = 0 if masking_key is None else 0b1000_0000
    length = len(frame.payload)
    if length <= 125:
        header = bytes((first, masked | length))
    elif length <= 0xFFFF:
        header = bytes((first, masked | 126)) + length.to_bytes(2, "big")
    else:
        header = bytes((first, masked | 127)) + length.to_bytes(8, "big")
    if masking_key is None:
        return header + frame.payload
    return header + masking_key + apply_mask(frame.payload, masking_key)


def serialize_close(code: int | None, reason: str = "") -> bytes:
    """The payload of a close frame: the code in 2 bytes, then the reason in UTF-8 (RFC 6455 §5.5.1).

    `None` gives the empty payload. Raises ValueError for a code that must not be sent or a reason over 123 bytes.

    >>> serialize_close(1000, "bye").hex(" ")
    '03 e8 62 79 65'
    """
    if code is None:
        if reason:
            raise ValueError("a close reason needs a close code before it")
        return b""
    if not is_valid_close_code(code):
        raise ValueError(f"close code {code} must not be sent (RFC 6455 §7.4)")
    payload = code.to_bytes(2, "big") + reason.encode()
    if len(payload) > MAX_CONTROL_PAYLOAD:
        raise ValueError(f"a close reason has at most 123 bytes, not {len(payload) - 2}")
    return payload


def parse_close(payload: bytes) -> tuple[int, str]:
    """The code and the reason in the payload of a close frame; code 1005 for an empty one (RFC 6455 §7.1.5).

    Raises ProtocolError 1002 for one byte or a code that must not be sent, 1007 for a reason that is not UTF-8.
    """
    if not payload:
        return CloseCode.NO_STATUS_RECEIVED, ""
    if len(payload) == 1:
        raise HALF_A_CLOSE_CODE.broken()
    code = int.from_bytes(payload[:2], "big")
    if not is_valid_close_code(code):
        raise FORBIDDEN_CLOSE_CODE.broken(code=code)
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError as error:
        raise REASON_IS_NOT_UTF8.broken(place=2 + wrong_byte(error)) from None


def wrong_byte(error: UnicodeDecodeError) -> int:
    r"""The place of the first byte that cannot stand where it stands.

    >>> try:
    ...     b"caf\xc3(".decode()
    ... except UnicodeDecodeError as error:
    ...     wrong_byte(error)
    4
    """
    begins_a_character = 0xC2 <= error.object[error.start] <= 0xF4  # RFC 3629 §4
    return error.end if begins_a_character else error.start
