"""SendQueue: the bytes that a connection has to write, queued by any thread and written by one thread at a time."""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from wslab.protocol.errors import CloseCode, ConnectionClosed
from wslab.sockets.stream import Stream, deadline_in, seconds_to
from wslab.sockets.traffic import DirectionCounters

MAX_LEFT_TO_OTHERS = 100
MAX_PIECES = 1000  # written together; Linux takes 1,024
LONG = 32 * 1024  # bytes: writing so many in pieces costs less than joining them (64 KiB: 5 % of an echo)


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
        self.enqueue: Callable[[Iterable[bytes]], None] = self._queue.extend

    def __len__(self) -> int:
        return len(self._queue)

    def flush(self, deadline: float | None = None, wait: bool = True) -> bool:
        """Write what is queued, also for other threads. Return False if one of them is writing and `wait` is False.

        Raises ConnectionClosed if it cannot be written by `deadline` (None: in the write timeout, each piece),
        TimeoutError if another thread has not come to its end by then.
        """
        while self.writing.acquire(False) or (wait and self.writing.acquire(timeout=seconds_to(deadline))):
            try:
                if self.broken:
                    raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, self.broken)
                while self._queue:
                    self._write(deadline)
            finally:
                self.writing.release()
            if not self._queue:  # else somebody has left something to us just now
                return True
        if wait:
            raise TimeoutError("another thread is still writing")
        return False

    def flush_nowait(self) -> None:
        """Write what is queued, or leave it to the thread that is writing, unless that one has a lot to do already."""
        self.flush(wait=len(self._queue) > MAX_LEFT_TO_OTHERS)

    def try_flush(self, deadline: float | None = None) -> bool:
        """Write what is queued, unless another thread is writing or the peer has long not read.

        Return True if it is written. Raises ConnectionClosed as `flush` does.
        """
        if not self.writing.acquire(False):
            return False
        try:
            has_room = not self._queue or bool(self.broken) or self._stream.has_room()
        finally:
            self.writing.release()
        return has_room and self.flush(deadline, wait=False)

    def _write(self, deadline: float | None) -> None:
        """Write the first pieces of the queue together: each write takes a microsecond or more, however short it is."""
        pieces = [self._queue.popleft()]
        size = len(pieces[0])
        while self._queue and size < LONG and len(pieces) < MAX_PIECES:
            pieces.append(self._queue.popleft())
            size += len(pieces[-1])
        if len(pieces) > 1 and (size < LONG or not self._stream.gathers):
            pieces = [b"".join(pieces)]
        try:
            self._counters.size += size
            if self.record is not None:
                self.record(b"".join(pieces))
            if (written := self._stream.write_some(pieces)) < size:
                self._write_rest(pieces, written, deadline)
        except BaseException as error:  # half a frame may have been written, so nothing can follow it
            late = isinstance(error, TimeoutError)
            self.abort("the peer does not read what is sent to it" if late else f"writing failed: {error}")
            if isinstance(error, OSError):
                raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, self.broken) from error
            raise

    def _write_rest(self, pieces: list[bytes], written: int, deadline: float | None) -> None:
        for piece in pieces:
            written -= len(piece)
            if written < 0:
                self._stream.write(memoryview(piece)[written:], deadline or deadline_in(self._write_timeout))
                written = 0

    def abort(self, why: str) -> None:
        """End TCP in both directions: the threads that read or write are woken, and nothing can be written any more."""
        self.broken = self.broken or why
        self._stream.shutdown()

    def close(self) -> None:
        """End TCP and give the socket back, once no thread writes any more."""
        self._stream.shutdown()
        with self.writing:
            self._stream.close()
