"""Messages: frames joined to messages and messages cut into frames, compressed or not (RFC 6455 §5.4, §5.6, §8.1)."""

import codecs
import os
from collections.abc import Callable, Sequence

from wslab.protocol.batch import LONG, serialize_messages
from wslab.protocol.codec import Codec
from wslab.protocol.deflate import SMALLEST_DEFLATE_WINDOW, Compressor, Decompressor, new_compressor
from wslab.protocol.errors import PartError, ProtocolError
from wslab.protocol.events import Message, as_bytes
from wslab.protocol.frames import Frame, Opcode, wrong_byte
from wslab.protocol.reader import IncomingFrame
from wslab.protocol.rules import MESSAGE_IS_TOO_BIG, TEXT_IS_A_SURROGATE, TEXT_IS_NOT_UTF8


class TextDecoder:
    """UTF-8 in pieces, which may be cut anywhere; an invalid byte is found as soon as it arrives (RFC 6455 §8.1)."""

    def __init__(self) -> None:
        self._cut_short = b""  # the first bytes of a character whose other bytes have not arrived

    def decode(self, piece: bytes, final: bool = False) -> str:
        """The characters that `piece` completes. Raises ProtocolError 1007 for bytes that cannot be UTF-8.

        The `place` of its violation counts from the start of `piece`; it is the length of `piece` if the text ends
        within a character.
        """
        before = len(self._cut_short)
        data = self._cut_short + piece if before else piece
        try:
            text, used = codecs.utf_8_decode(data, "strict", final)
        except UnicodeDecodeError as error:
            raise not_utf8(error, before) from None
        self._cut_short = data[used:]
        # Python waits for a third byte after ED A0…BF, though no third byte makes this half of a surrogate pair legal.
        if _is_surrogate(data, used):
            raise TEXT_IS_A_SURROGATE.broken(place=used + 1 - before)
        return text


def not_utf8(error: UnicodeDecodeError, before: int = 0) -> ProtocolError:
    """The refusal of a text that Python cannot decode, `before` bytes of which came before the piece at hand."""
    rule = TEXT_IS_A_SURROGATE if _is_surrogate(error.object, error.start) else TEXT_IS_NOT_UTF8
    return rule.broken(place=wrong_byte(error) - before)


def _is_surrogate(data: bytes, start: int) -> bool:
    return data[start : start + 1] == b"\xed" and b"\xa0" <= data[start + 1 : start + 2] <= b"\xbf"


class MessageReader:
    """Joins data frames to messages of at most `max_size` bytes each, counted after decompression.

    The work is linear in the bytes that arrive and those that they decompress to, at most `max_size` for a message.
    `inflate` is the codec's; `window_bits` and `context_takeover` are how the peer compresses (RFC 7692 §7.1).
    """

    def __init__(
        self,
        max_size: int,
        inflate: Callable[[bytes, Decompressor, bool], bytes],
        window_bits: int = 15,
        context_takeover: bool = True,
    ) -> None:
        self._max_size = max_size
        self._inflate = inflate
        self._window_bits = window_bits
        self._context_takeover = context_takeover
        self._decompressor: Decompressor | None = None
        self._decoder = TextDecoder()
        self._payload = bytearray()  # of a message in several pieces, as far as it has arrived, decompressed

    def check_size(self, frame: IncomingFrame) -> None:
        """Refuse a data frame that would make its message too long, by its header. Raises ProtocolError 1009."""
        if frame.is_compressed:
            # DEFLATE adds a few bytes to what it cannot compress, so a compressed frame may be a little longer.
            limit = self._max_size + self._max_size // 8 + 64
        else:
            limit = self._max_size - len(self._payload)
        if frame.header.payload_length > limit:
            raise MESSAGE_IS_TOO_BIG.broken(limit=self._max_size)

    def read(self, frame: IncomingFrame) -> Message | None:
        """Take in the latest piece of a data frame; return the message if it ends with it, text as `str`.

        Raises ProtocolError 1007 or 1009 as soon as the bytes are known to be wrong or too many.
        """
        is_first = frame.is_new and frame.header.opcode is not Opcode.CONTINUATION
        is_last = frame.header.fin and not frame.missing
        piece = self._decompress(frame, is_first, is_last) if frame.is_compressed else frame.piece
        if len(self._payload) + len(piece) > self._max_size:
            raise MESSAGE_IS_TOO_BIG.broken(limit=self._max_size)
        if is_first and is_last:
            return _whole(frame.kind, piece)
        if frame.kind is Opcode.TEXT:
            self._decoder.decode(piece, is_last)
        # Joining texts would need the message three times over in memory, which the system then keeps taking back
        # and giving again: for 1 MiB that costs 15 times as much as reading the text once more at the end.
        self._payload += piece
        if not is_last:
            return None
        payload, self._payload = self._payload, bytearray()
        return payload.decode() if frame.kind is Opcode.TEXT else bytes(payload)

    def _decompress(self, frame: IncomingFrame, is_first: bool, is_last: bool) -> bytes:
        # One is made for the first compressed message, as it is large; without context takeover, one for each.
        decompressor = self._decompressor = self._decompressor or Decompressor(self._window_bits)
        if is_first:
            decompressor.room, decompressor.final_blocks = self._max_size, 0
        if is_last and not self._context_takeover:
            self._decompressor = None
        return self._inflate(frame.piece, decompressor, is_last)


def _whole(kind: Opcode, payload: bytes) -> Message:
    """A message that came in one piece."""
    if kind is not Opcode.TEXT:
        return payload
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(error) from None


class RandomMaskingKeys:
    """Masking keys that nobody can foresee (RFC 6455 §5.3), from the system's source, as `secrets` takes them.

    Unlike a generator, which an exception ends for good, it goes on after a Ctrl-C.
    """

    def __init__(self) -> None:
        self._keys: list[bytes] = []

    def __call__(self) -> bytes:
        """Return the next key."""
        if not self._keys:
            block = os.urandom(1024)  # for each key by itself, asking would take a fifth of the time of a short message
            self._keys = [block[start : start + 4] for start in range(0, len(block), 4)]
        return self._keys.pop()


class MessageWriter:
    """Turns messages into frames (RFC 6455 §6.1) and keeps their bytes until they are taken.

    `masking_keys` returns the key of the next frame; a server has none (RFC 6455 §5.1).
    """

    def __init__(self, codec: Codec, masking_keys: Callable[[], bytes] | None) -> None:
        self._codec = codec
        self._in_batches = codec.writes_in_batches
        self._masking_keys = masking_keys
        self._output: list[bytes] = []
        self._fragmented: Opcode | None = None  # the kind of the message whose last fragment is still to come
        self._compressor: Compressor | None = None  # made for the first message: it takes up to 144 KiB
        self._compresses = False
        self._window_bits, self._context_takeover = 0, True

    def compress(self, window_bits: int, context_takeover: bool) -> None:
        """Compress messages from now on, unless the window is smaller than any that zlib can compress with."""
        self._window_bits, self._context_takeover = window_bits, context_takeover
        self._compresses = window_bits >= SMALLEST_DEFLATE_WINDOW

    def write_head(self, head: bytes) -> None:
        """What goes out as it is: the bytes of the opening handshake."""
        self._output.append(head)

    def write_messages(self, messages: Sequence[Message]) -> None:
        """Whole messages, one after the other, or none of them: `str` as text, anything like `bytes` as binary.

        Raises ValueError within a fragmented message, whose last fragment they must not become.
        """
        if self._fragmented is not None:
            self._check_fragmented(None)
        if self._in_batches and not self._compresses:
            self._output += serialize_messages(messages, self._masking_keys)
            return
        payloads = [
            (Opcode.TEXT, message.encode()) if isinstance(message, str) else (Opcode.BINARY, as_bytes(message))
            for message in messages
        ]
        before = len(self._output)
        try:
            for opcode, payload in payloads:
                self._write_fragment(opcode, payload, True)
        except PartError:
            del self._output[before:]
            raise

    def write_text(self, text: str, fin: bool = True) -> None:
        """A text message, or a fragment of one. Raises ValueError within a binary one."""
        self._check_fragmented(Opcode.TEXT)
        self._write_fragment(Opcode.TEXT, text.encode(), fin)

    def write_binary(self, data: bytes, fin: bool = True) -> None:
        """A binary message, or a fragment of one. Raises ValueError within a text."""
        self._check_fragmented(Opcode.BINARY)
        self._write_fragment(Opcode.BINARY, as_bytes(data), fin)

    def _check_fragmented(self, allowed: Opcode | None) -> None:
        """§5.4: between the fragments of a message, no other message may be sent."""
        if self._fragmented not in (None, allowed):
            raise ValueError(f"a fragmented {self._fragmented.name.lower()} message is being sent; finish it first")

    def _write_fragment(self, opcode: Opcode, payload: bytes, fin: bool) -> None:
        first = self._fragmented is None
        compressor, self._compressor = self._compressor, None  # if a part fails, nothing refers to what was not sent
        if self._compresses:
            compressor = compressor or new_compressor(self._window_bits)
            payload = self._codec.deflate(payload, compressor, fin)
        # §5.4: a fragment after the first is a continuation. RFC 7692 §6.1: RSV1 marks a compressed message, on its
        # first frame only.
        self.write_frame(Frame(opcode if first else Opcode.CONTINUATION, payload, fin, rsv1=self._compresses and first))
        self._compressor = None if fin and not self._context_takeover else compressor
        self._fragmented = None if fin else opcode

    def write_frame(self, frame: Frame) -> None:
        """A frame as it stands, masked if this is a client's."""
        masking_key = None if self._masking_keys is None else self._masking_keys()
        self._output.append(self._codec.serialize_frame(frame, masking_key))

    def take(self) -> list[bytes]:
        """The bytes to send, handed out once; a long message need not be copied to stand behind its header."""
        if not self._output:
            return []
        pieces, self._output = self._output, []
        return [b"".join(pieces)] if len(pieces) > 1 and sum(map(len, pieces)) < LONG else pieces
