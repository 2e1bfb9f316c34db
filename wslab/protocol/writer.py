"""MessageWriter: messages and control frames in, bytes out: fragmented, compressed and masked (RFC 6455 §6.1)."""

import os
from collections.abc import Callable, Iterator, Sequence

from wslab.protocol.batch import LONG, serialize_messages
from wslab.protocol.codec import Codec
from wslab.protocol.deflate import SMALLEST_DEFLATE_WINDOW, Compressor, new_compressor
from wslab.protocol.events import Message, as_bytes
from wslab.protocol.frames import Frame, Opcode


def unpredictable_keys() -> Iterator[bytes]:
    """Masking keys that nobody can foresee (RFC 6455 §5.3), from the system's source, as `secrets` takes them."""
    while True:
        block = os.urandom(1024)  # for each key by itself, asking would take a fifth of the time of a short message
        for start in range(0, len(block), 4):
            yield block[start : start + 4]


class MessageWriter:
    """Turns messages into frames and keeps their bytes until they are taken.

    `masking_keys` returns the key of the next frame; a server has none (RFC 6455 §5.1).
    """

    def __init__(self, codec: Codec, masking_keys: Callable[[], bytes] | None) -> None:
        self._codec = codec
        self._in_bulk = codec.writes_in_bulk
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
        """Messages, one after the other: `str` as text, anything like `bytes` as binary."""
        if self._in_bulk and not self._compresses and self._fragmented is None:
            self._output += serialize_messages(messages, self._masking_keys)
            return
        for message in messages:
            if isinstance(message, str):
                self.write_text(message)
            else:
                self.write_binary(message)

    def write_text(self, text: str, fin: bool = True) -> None:
        """A text message, or a fragment of one. Raises ValueError within a binary one."""
        self._write_fragment(Opcode.TEXT, text.encode(), fin)

    def write_binary(self, data: bytes, fin: bool = True) -> None:
        """A binary message, or a fragment of one. Raises ValueError within a text."""
        self._write_fragment(Opcode.BINARY, as_bytes(data), fin)

    def _write_fragment(self, opcode: Opcode, payload: bytes, fin: bool) -> None:
        if self._fragmented not in (None, opcode):
            raise ValueError(f"a fragmented {self._fragmented.name.lower()} message is being sent; finish it first")
        first = self._fragmented is None
        if self._compresses:
            compressor = self._compressor or new_compressor(self._window_bits)
            payload = self._codec.deflate(payload, compressor, fin)
            self._compressor = None if fin and not self._context_takeover else compressor
        # RFC 7692 §6.1: RSV1 marks a compressed message, on its first frame only.
        self.write_frame(Frame(opcode if first else Opcode.CONTINUATION, payload, fin, rsv1=self._compresses and first))
        self._fragmented = None if fin else opcode

    def write_frame(self, frame: Frame) -> None:
        """A frame as it stands, masked if this is a client's."""
        masking_key = None if self._masking_keys is None else self._masking_keys()
        self._output.append(self._codec.serialize_frame(frame, masking_key))

    def take(self) -> list[bytes]:
        """What there is to send, handed out once; a long message need not be copied to stand behind its header."""
        if not self._output:
            return []
        pieces, self._output = self._output, []
        return [b"".join(pieces)] if len(pieces) > 1 and sum(map(len, pieces)) < LONG else pieces
