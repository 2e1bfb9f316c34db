"""Messages: the frames of one message joined, decompressed and checked as they arrive (RFC 6455 §5.4, §5.6, §8.1)."""

import codecs
from collections.abc import Callable

from wslab.deflate import Decompressor
from wslab.errors import CloseCode, ProtocolError
from wslab.events import Binary, Text
from wslab.frames import Opcode


class TextDecoder:
    """UTF-8 in pieces, which may be cut anywhere; an invalid byte is found as soon as it arrives (RFC 6455 §8.1)."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def decode(self, piece: bytes, final: bool = False) -> str:
        """The characters that `piece` completes. Raises ProtocolError 1007 for bytes that cannot be UTF-8."""
        try:
            text = self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            raise ProtocolError("the text is not UTF-8", CloseCode.INVALID_PAYLOAD_DATA) from None
        # Python waits for a third byte after ED A0…BF, though no third byte makes this half of a surrogate pair legal.
        cut_short = self._decoder.getstate()[0]
        if cut_short[:1] == b"\xed" and cut_short[1:2] >= b"\xa0":
            raise ProtocolError("the text is not UTF-8: a surrogate", CloseCode.INVALID_PAYLOAD_DATA)
        return text


class MessageReader:
    """Joins the data frames of one message after the other, at most `max_size` bytes each after decompression."""

    def __init__(
        self,
        max_size: int,
        inflate: Callable[[bytes, Decompressor, bool], bytes],
        new_decompressor: Callable[[], Decompressor] | None = None,
        context_takeover: bool = True,
    ) -> None:
        self._max_size = max_size
        self._inflate = inflate
        self._new_decompressor = new_decompressor
        self._context_takeover = context_takeover
        self._decompressor = new_decompressor() if new_decompressor else None
        self._opcode: Opcode | None = None
        self._compressed = False
        self._decoder = TextDecoder()
        self._texts: list[str] = []
        self._pieces: list[bytes] = []
        self._size = 0

    def check(self, opcode: Opcode, rsv1: bool, length: int) -> None:
        """Refuse a data frame with `length` bytes of payload that must not come now, by its header alone.

        Raises ProtocolError 1002 for a wrong order of frames or RSV1 where it means nothing, 1009 for too many bytes.
        """
        if opcode is Opcode.CONTINUATION:
            if self._opcode is None:
                raise ProtocolError("a continuation frame, but no message has begun")
            if rsv1:  # RFC 7692 §6.1: only the first frame of a message has RSV1 set
                raise ProtocolError("RSV1 is set on a continuation frame")
        elif self._opcode is not None:
            raise ProtocolError(f"a {opcode.name.lower()} frame inside a fragmented message")
        elif rsv1 and self._decompressor is None:
            raise ProtocolError("RSV1 is set, but no extension that uses it was agreed on")
        compressed = self._compressed if opcode is Opcode.CONTINUATION else rsv1
        # DEFLATE adds a few bytes to what it cannot compress, so a compressed frame may be a little longer.
        most = self._max_size + self._max_size // 8 + 64 if compressed else self._max_size - self._size
        if length > most:
            raise ProtocolError(f"a message of more than {self._max_size} bytes", CloseCode.MESSAGE_TOO_BIG)

    def begin_frame(self, opcode: Opcode, rsv1: bool) -> None:
        """Start with a data frame that `check` let pass."""
        if opcode is not Opcode.CONTINUATION:
            self._opcode, self._compressed = opcode, rsv1
            if self._decompressor:
                self._decompressor.room, self._decompressor.final_blocks = self._max_size, 0

    def feed(self, piece: bytes, fin: bool = False) -> None:
        """Take in a piece of the unmasked payload; `fin` with the last piece of the last frame of a message.

        Raises ProtocolError 1007 or 1009 as soon as the bytes are known to be wrong or too many.
        """
        if self._compressed and self._decompressor:
            piece = self._inflate(piece, self._decompressor, fin)
        self._size += len(piece)
        if self._size > self._max_size:
            raise ProtocolError(f"a message of more than {self._max_size} bytes", CloseCode.MESSAGE_TOO_BIG)
        if self._opcode is Opcode.TEXT:
            if text := self._decoder.decode(piece, fin):  # endless empty fragments must not fill the memory
                self._texts.append(text)
        elif piece:
            self._pieces.append(piece)

    def finish(self) -> Text | Binary:
        """The message whose last piece has been fed."""
        message = Text("".join(self._texts)) if self._opcode is Opcode.TEXT else Binary(b"".join(self._pieces))
        self._opcode, self._texts, self._pieces, self._size = None, [], [], 0
        if self._compressed and self._new_decompressor and not self._context_takeover:
            self._decompressor = self._new_decompressor()
        return message
