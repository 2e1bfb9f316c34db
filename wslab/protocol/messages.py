"""Messages: the frames of one message joined, decompressed and checked as they arrive (RFC 6455 §5.4, §5.6, §8.1)."""

import codecs
from collections.abc import Callable

from wslab.protocol.deflate import Decompressor
from wslab.protocol.errors import CloseCode, ProtocolError
from wslab.protocol.events import Message
from wslab.protocol.frames import Opcode


class TextDecoder:
    """UTF-8 in pieces, which may be cut anywhere; an invalid byte is found as soon as it arrives (RFC 6455 §8.1).

    Then `wrong` is its place in the piece: behind the last byte if the text ends within a character.
    """

    def __init__(self) -> None:
        self.wrong = 0
        self._cut_short = b""  # the bytes of a character that is not all there

    def decode(self, piece: bytes, final: bool = False) -> str:
        """The characters that `piece` completes. Raises ProtocolError 1007 for bytes that cannot be UTF-8."""
        data = self._cut_short + piece if self._cut_short else piece
        try:
            text, used = codecs.utf_8_decode(data, "strict", final)
        except UnicodeDecodeError as error:
            self.wrong = wrong_byte(error) - len(self._cut_short)
            raise ProtocolError("the text is not UTF-8", CloseCode.INVALID_PAYLOAD_DATA) from None
        before, self._cut_short = len(self._cut_short), data[used:]
        # Python waits for a third byte after ED A0…BF, though no third byte makes this half of a surrogate pair legal.
        if self._cut_short[:1] == b"\xed" and self._cut_short[1:2] >= b"\xa0":
            self.wrong = used + 1 - before
            raise ProtocolError("the text is not UTF-8: a surrogate", CloseCode.INVALID_PAYLOAD_DATA)
        return text


def wrong_byte(error: UnicodeDecodeError) -> int:
    r"""The place of the first byte that cannot stand where it stands.

    >>> try:
    ...     b"caf\xc3(".decode()
    ... except UnicodeDecodeError as error:
    ...     wrong_byte(error)
    4
    """
    return error.start if error.reason == "invalid start byte" else error.end


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
        self._decompressor: Decompressor | None = None  # made for the first compressed message: it is large
        self._opcode: Opcode | None = None
        self._compressed = False
        self._decoder = TextDecoder()
        self._payload = bytearray()  # of the message, as far as it has arrived, decompressed
        self._whole: Message | None = None  # the message, if it came in one piece

    @property
    def is_between_messages(self) -> bool:
        """Whether no message has begun that is not finished."""
        return self._opcode is None

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
        elif rsv1 and self._new_decompressor is None:
            raise ProtocolError("RSV1 is set, but no extension that uses it was agreed on")
        compressed = self._compressed if opcode is Opcode.CONTINUATION else rsv1
        # DEFLATE adds a few bytes to what it cannot compress, so a compressed frame may be a little longer.
        most = self._max_size + self._max_size // 8 + 64 if compressed else self._max_size - len(self._payload)
        if length > most:
            raise ProtocolError(f"a message of more than {self._max_size} bytes", CloseCode.MESSAGE_TOO_BIG)

    def begin_frame(self, opcode: Opcode, rsv1: bool) -> None:
        """Start with a data frame that `check` let pass."""
        if opcode is not Opcode.CONTINUATION:
            self._opcode, self._compressed = opcode, rsv1
            if rsv1 and self._new_decompressor:
                self._decompressor = self._decompressor or self._new_decompressor()
                self._decompressor.room, self._decompressor.final_blocks = self._max_size, 0

    def feed(self, piece: bytes, fin: bool = False) -> None:
        """Take in a piece of the unmasked payload; `fin` with the last piece of the last frame of a message.

        Raises ProtocolError 1007 or 1009 as soon as the bytes are known to be wrong or too many.
        """
        if self._compressed and self._decompressor:
            piece = self._inflate(piece, self._decompressor, fin)
        if len(self._payload) + len(piece) > self._max_size:
            raise ProtocolError(f"a message of more than {self._max_size} bytes", CloseCode.MESSAGE_TOO_BIG)
        text = self._decoder.decode(piece, fin) if self._opcode is Opcode.TEXT else None
        if fin and not self._payload:
            self._whole = piece if text is None else text
        else:
            # Joining texts would need the message three times over in memory, which the system then keeps taking back
            # and giving again: for 1 MiB that costs 15 times as much as reading the text once more at the end.
            self._payload += piece

    def finish(self) -> Message:
        """The message whose last piece has been fed: `str` for text, `bytes` for binary."""
        message = self._whole
        if message is None:
            message = self._payload.decode() if self._opcode is Opcode.TEXT else bytes(self._payload)
        self._opcode, self._payload, self._whole = None, bytearray(), None
        if self._compressed and not self._context_takeover:
            self._decompressor = None
        return message
