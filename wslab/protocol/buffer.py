"""ReceiveBuffer: the bytes that have arrived and are not used yet, however they were cut."""


class ReceiveBuffer:
    """The unused bytes of one direction of a connection.

    However the bytes are cut, a reader looks at each of them once, except for those of a header that is not whole: at
    most 14 bytes of a frame (RFC 6455 §5.2).

    Between `open` and `close` a reader uses `data` from `position` on, and moves `position` past what it has used.
    The rest is kept for the next time. `needed` is how many bytes a reader wants to see before it looks again.

    >>> buffer = ReceiveBuffer()
    >>> buffer.open(b"Hello")
    True
    >>> buffer.position = 2
    >>> buffer.close()
    >>> buffer.open(b"!"), buffer.data
    (True, b'llo!')
    """

    def __init__(self) -> None:
        self.data = b""
        self.position = 0
        self.needed = 0
        self._kept = bytearray()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def has_more(self) -> bool:
        """Whether some of `data` is not used yet."""
        return self.position < len(self.data)

    def open(self, data: bytes, is_due: bool = True) -> bool:
        """Add `data`; return True if there is enough to look at, which is left for later if nothing `is_due`."""
        if self._kept or len(data) < self.needed or not is_due:
            self._kept += data
            if len(self._kept) < self.needed or not is_due:
                return False
            data = bytes(self._kept)
        self.data, self.position, self.needed = data, 0, 0
        return True

    def close(self) -> None:
        """Keep what has not been used."""
        if self.data and (self._kept or self.position < len(self.data)):
            self._kept = bytearray(self.data[self.position :])
        self.data = b""
        self.position = 0

    def peek(self, size: int) -> bytes | None:
        """The next `size` bytes that were kept; None if they have not all arrived."""
        return bytes(self._kept[:size]) if len(self._kept) >= size else None

    def clear(self) -> None:
        """Drop everything: nothing more will be read."""
        self.data = b""
        self.position = 0
        self._kept = bytearray()
