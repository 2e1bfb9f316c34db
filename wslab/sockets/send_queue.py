"""SendQueue: the bytes that a connection has to write, queued by any thread and written by one thread at a time."""

import threading
from collections import deque
from collections.abc import Callable

from wslab.protocol.errors import CloseCode, ConnectionClosed
from wslab.sockets.stream import Stream, deadline_in, seconds_to
from wslab.sockets.traffic import DirectionCounters

MAX_LEFT_TO_OTHERS = 100
MAX_PIECES = 64  # written together; Linux takes 1,024
LONG = 32 * 1024  # bytes: nothing more is written together with so many


class SendQueue:
    """What is to be written to a `stream`, in order; `record`, once there is one, is called with all that is written.

    Reading goes on while one thread writes: two peers that both write and do not read would wait for each other.
    Times are in seconds, None for no limit: `write_timeout` bounds the writing of each piece.
    """

    def __init__(self, stream: Stream, write_timeout: float | None, counters: DirectionCounters) -> None:
        self.record: Callable[[bytes], None] | None = None
        self.broken = ""  # why TCP cannot be used any more
        self.writing = threading.Lock()  # held by the one thread that writes
        self._stream = stream
        self._write_timeout = write_timeout
        self._counters = counters
        self._queue: deque[bytes] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def enqueue(self, *pieces: bytes) -> None:
        """Queue what there is in `pieces`."""
        self._queue.extend(filter(None, pieces))

    def flush(self, deadline: float | None = None) -> None:
        """Write what is queued, also for the others.

        Raises ConnectionClosed if it cannot be written by `deadline` (None: in the write timeout, each piece),
        TimeoutError if another thread has not come to its end by then.
        """
        if not self._flush(deadline) and not self._flush(deadline, seconds_to(deadline)):
            raise TimeoutError("another thread is still writing")

    def flush_nowait(self) -> None:
        """Write what is queued, or leave it to the thread that is writing, unless that one has a lot to do already."""
        if len(self) > MAX_LEFT_TO_OTHERS:
            self.flush()
        else:
            self._flush()

    def try_flush(self, deadline: float | None = None) -> bool:
        """Write what is queued, unless another thread is writing or the peer has long not read; whether it is written.

        Raises ConnectionClosed as `flush` does.
        """
        if not self.writing.acquire(False):
            return False
        try:
            has_room = not self._queue or bool(self.broken) or self._stream.has_room()
        finally:
            self.writing.release()
        return has_room and self._flush(deadline)

    def _flush(self, deadline: float | None = None, patience: float = 0) -> bool:
        while self.writing.acquire(False) or (patience and self.writing.acquire(timeout=patience)):
            try:
                if self.broken:
                    raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, self.broken)
                while self._queue:
                    self._write(self._next_pieces(), deadline)
            finally:
                self.writing.release()
            if not self._queue:  # else somebody has left something to us just now
                return True
        return False

    def _next_pieces(self) -> list[bytes]:
        """What is to be written together: each write takes a microsecond or more, however short it is."""
        pieces = [self._queue.popleft()]
        if not self._queue:
            return pieces
        size = len(pieces[0])
        while self._queue and size < LONG and len(pieces) < MAX_PIECES:
            pieces.append(self._queue.popleft())
            size += len(pieces[-1])
        return pieces if self._stream.gathers else [b"".join(pieces)]

    def _write(self, pieces: list[bytes], deadline: float | None) -> None:
        try:
            self._counters.size += sum(map(len, pieces))
            if self.record is not None:
                self.record(b"".join(pieces))
            written = self._stream.write_some(pieces)
            for piece in pieces:
                written -= len(piece)
                if written < 0:
                    self._stream.write(memoryview(piece)[written:], deadline or deadline_in(self._write_timeout))
                    written = 0
        except BaseException as error:  # half a frame may have been written, so nothing can follow it
            late = isinstance(error, TimeoutError)
            self.abort("the peer does not read what is sent to it" if late else f"writing failed: {error}")
            if isinstance(error, OSError):
                raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, self.broken) from error
            raise

    def abort(self, why: str) -> None:
        """End TCP in both directions: whoever reads or writes is woken, and nothing can be written any more."""
        self.broken = self.broken or why
        self._stream.shutdown()

    def close(self) -> None:
        """End TCP and give the socket back, once nobody writes any more."""
        self._stream.shutdown()
        with self.writing:
            self._stream.close()
