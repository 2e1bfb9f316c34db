"""Batch: the whole messages of one read, and those of one write, all at once (RFC 6455 §5).

A first reading may skip this file: without it, everything works the same, and more slowly. It stands in front of
`FrameReader` and `MessageWriter` and takes the plain case, a run of messages of one frame each; where compression is
agreed on or a part of the codec is replaced, it is not asked. Everything else, every fault included, it leaves to them:
tests/protocol/test_batch.py proves that both agree. With it, an echo server answers 64 messages of 32 bytes that come
at once 6 times as fast.
"""

from collections.abc import Callable, Iterable

from wslab.protocol.events import Message, as_bytes
from wslab.protocol.masking import apply_mask, xor

WHOLE_TEXT = 0b1000_0001  # FIN, no reserved bit, opcode 1
WHOLE_BINARY = 0b1000_0010
EXTENDED = {126: (2, 126), 127: (8, 2**16)}  # how many bytes encode a longer length, and the least that they may
WORTH_READING_ALONE = 4096  # bytes: unmasking such a payload with others costs more than alone (64 KiB: 1.4 times)
LONG = 32 * 1024  # bytes: writing such a payload after its header costs less than joining them (64 KiB: 5 % in all)


def parse_messages(data: bytes, start: int, masked: bool, max_size: int) -> tuple[list[Message], int]:
    r"""The run of plain messages in `data` from `start` on: (messages, where the run ends).

    Text is `str`, binary is `bytes`. The run ends before any other frame: one that is not all there or longer than
    `max_size` bytes, a fragment, a control frame, one that breaks a rule. A long masked message is a run of its own.

    >>> parse_messages(bytes.fromhex("81024869 8201ff 8900"), 0, False, 100)
    (['Hi', b'\xff'], 7)
    """
    if masked and (only := _only_message(data, start, max_size)) is not None:
        return [only], len(data)
    spans: list[tuple[int, int, int, int]] = []
    masks: list[bytes] = []
    position, available = start, len(data)
    mask_bit, key_size = (0b1000_0000, 4) if masked else (0, 0)
    while position + 2 <= available:
        first, length = data[position], data[position + 1] - mask_bit
        payload = position + 2
        if length > 125:
            size, least = EXTENDED.get(length, (0, 1))
            length = int.from_bytes(data[payload : payload + size], "big")
            payload += size
            if length < least:
                break
        payload += key_size
        end = payload + length
        if not 0 <= length <= max_size or end > available or not WHOLE_TEXT <= first <= WHOLE_BINARY:
            break
        if masked and length >= WORTH_READING_ALONE:
            if spans:
                break
            alone = apply_mask(memoryview(data)[payload:end], data[payload - 4 : payload])
            return _read_payloads(alone, [(first, 0, length, end)], start)
        if masked:
            # The header stays as it is: a mask of zeros.
            masks += bytes(payload - position), (data[payload - 4 : payload] * (length // 4 + 1))[:length]
        spans.append((first, payload - start, end - start, end))
        position = end
    # One XOR for all: for 64 messages of 32 bytes a third faster than one for each, for 16 of 1 KiB 2.5 times as fast.
    plain = xor(data[start:position], b"".join(masks)) if masked else data[start:position]
    return _read_payloads(plain, spans, start)


def _only_message(data: bytes, start: int, max_size: int) -> Message | None:
    """The message, if the rest of `data` is one short masked one: nothing has to be gathered for it (half the time)."""
    payload, length = start + 6, len(data) - start - 6
    if not 0 <= length <= min(125, max_size) or data[start + 1] != 0b1000_0000 | length:
        return None
    first, mask = data[start], (data[start + 2 : payload] * 32)[:length]
    plain = xor(data[payload:], mask)
    try:
        return plain.decode() if first == WHOLE_TEXT else plain if first == WHOLE_BINARY else None
    except UnicodeDecodeError:
        return None


def _read_payloads(plain: bytes, spans: list[tuple[int, int, int, int]], end: int) -> tuple[list[Message], int]:
    """The messages at `spans` of what has been unmasked, up to text that is not UTF-8, and where the last one ends."""
    messages: list[Message] = []
    try:
        for first, payload, payload_end, frame_end in spans:
            data = plain[payload:payload_end]
            messages.append(data if first == WHOLE_BINARY else data.decode())
            end = frame_end
    except UnicodeDecodeError:
        pass
    return messages, end


def serialize_messages(messages: Iterable[Message], next_masking_key: Callable[[], bytes] | None = None) -> list[bytes]:
    """The bytes of messages of one frame each, every frame masked with a key of its own if a source of keys is given.

    They come in as few pieces as copying them is worth: a long payload is a piece of its own.

    >>> serialize_messages(["Hi", b"!"])[0].hex(" ")
    '81 02 48 69 82 01 21'
    """
    pieces: list[bytes] = []
    short: list[bytes] = []
    mask_bit = 0b1000_0000 if next_masking_key else 0
    for message in messages:
        if isinstance(message, str):
            first, payload = WHOLE_TEXT, message.encode()
        else:
            first, payload = WHOLE_BINARY, as_bytes(message)
        length = len(payload)
        if length <= 125:
            short.append(bytes((first, mask_bit | length)))
        elif length <= 0xFFFF:
            short.append(bytes((first, mask_bit | 126)) + length.to_bytes(2, "big"))
        else:
            short.append(bytes((first, mask_bit | 127)) + length.to_bytes(8, "big"))
        if next_masking_key:
            key = next_masking_key()
            short.append(key)
            payload = apply_mask(payload, key)
        if length < LONG:
            short.append(payload)
        else:
            pieces += [b"".join(short), payload]
            short.clear()
    if short:
        pieces.append(b"".join(short))
    return pieces
