"""inflating: the compressed messages of one side in, what they say out, as far as can be told (RFC 7692 §7.2.2)."""

from wslab.protocol.deflate import Decompressor, inflate
from wslab.protocol.errors import CloseCode, ProtocolError, Violation


class MessageInflater:
    """Decompresses message after message, at most `room` bytes of each; `deflate` says whether that was agreed on.

    Once it fails, it fails for what follows, which may refer to it. Behind bytes that a capture has lost, each message
    is tried: one that refers to what is lost gives an error, never wrong bytes.
    """

    def __init__(self, deflate: bool | None, room: int) -> None:
        self._deflate = deflate
        self._room = room
        self._inflater = Decompressor() if deflate else None
        self._has_gap = False

    def begin(self) -> None:
        """Expect another message."""
        if self._has_gap and self._deflate and self._inflater is None:
            self._inflater = Decompressor()
        if self._inflater is not None:
            self._inflater.room, self._inflater.final_blocks = self._room, 0

    def lose(self) -> None:
        """Take in that bytes are missing here: nothing of this message can be decompressed any more."""
        self._has_gap, self._inflater = True, None

    def inflate(self, data: bytes, is_last: bool) -> tuple[bytes | None, Violation | None]:
        """What the next piece of a message says; None if that cannot be told, and the rule that it breaks, if any."""
        fault = None
        if self._inflater is not None:
            try:
                return inflate(data, self._inflater, is_last), None
            except ProtocolError as error:
                if error.code != CloseCode.MESSAGE_TOO_BIG and not self._has_gap:
                    fault = error.violation
                self._inflater = None
        return None, fault
