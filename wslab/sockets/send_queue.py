"""SendQueue: the bytes that a connection has to write, queued by any thread and written by one thread at a time.

Strategy: a thread queues its bytes under the lock of the Transport, which keeps frames in order, releases that lock and
calls `flush`. The first to come writes for all; the others wait until their bytes have been written, too, so that each
learns of a broken connection. The thread that reads does not wait: it leaves its answers to the one that is writing
(`flush_nowait`), because two peers that both write and do not read would wait for each other for ever.

Locks: `writing` is held by the one thread that writes, for as long as the peer takes to read. The queue is a deque,
whose methods are atomic. Bytes that are left to the thread that is writing are never forgotten: after it has released
`writing`, it looks into the queue once more.

Any thread may call any method; the private ones need `writing`.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from wslab.protocol.errors import CloseCode, ConnectionClosed
from wslab.sockets.stream import Stream, deadline_in, seconds_to
from wslab.sockets.traffic import DirectionCounters

MAX_LEFT_TO_OTHERS = 100
MAX_BUFFERS = 1000  # written together; Linux takes 1,024
LONG = 32 * 1024  # bytes: writing so many in buffers costs less than joining them (64 KiB: 5 % of an echo)


class SendQueue:
    """What is to be written to a `stream`, in order. `counters` and `record` are told of all that is written.

    `enqueue` takes an iterable of buffers. `write_timeout` bounds the writing of each, in seconds, None for no limit.
    """

    def __init__(
        self,
        stream: Stream,
        write_timeout: float | None,
        counters: DirectionCounters,
        record: Callable[[bytes], None] | None = None,
    ) -> None:
        self.broken = ""  # why TCP cannot be used any more
        self.writing = threading.Lock()  # held by the one thread that writes
        self._stream = stream
        self._write_timeout = write_timeout
        self._counters = counters
        self._record = record
        self._queue: deque[bytes] = deque()
        self.enqueue: Callable[[Iterable[bytes]], None] = self._queue.extend

    def __len__(self) -> int:
        return len(self._queue)

    def flush(self, deadline: float | None = None, wait: bool = True) -> bool:
        """Write what is queued, by other threads as well. Return False if one of them is writing and `wait` is False.

        Raises ConnectionClosed if it cannot be written by `deadline` (None: each buffer within the write timeout),
        TimeoutError if another thread is still writing then.
        """
        while self.writing.acquire(False) or (wait and self.writing.acquire(timeout=seconds_to(deadline))):
            try:
                if self.broken:
                    raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, self.broken)
                while self._queue:
                    self._write(deadline)
            finally:
                self.writing.release()
            if not self._queue:  # else another thread has left something to this one just now
                return True
        if wait:
            raise TimeoutError("another thread is still writing")
        return False

    def flush_nowait(self) -> None:
        """Write what is queued, or leave it to the thread that is writing, unless that one already has a lot to do."""
        self.flush(wait=len(self._queue) > MAX_LEFT_TO_OTHERS)

    def try_flush(self, deadline: float | None = None) -> bool:
        """Write what is queued, unless another thread is writing or the peer has not read for long.

        Return True if it was written. Raises ConnectionClosed as `flush` does.
        """
        if not self.writing.acquire(False):
            return False
        try:
            will_not_wait = not self._queue or bool(self.broken) or self._stream.is_writable()
        finally:
            self.writing.release()
        return will_not_wait and self.flush(deadline, wait=False)

    def _write(self, deadline: float | None) -> None:
        """Write the first buffers of the queue together: a write takes a microsecond or more, however short it is."""
        buffers = [self._queue.popleft()]
        size = len(buffers[0])
        while self._queue and size < LONG and len(buffers) < MAX_BUFFERS:
            buffers.append(self._queue.popleft())
            size += len(buffers[-1])
        if len(buffers) > 1 and (size < LONG or not self._stream.gathers):
            buffers = [b"".join(buffers)]
        try:
            self._counters.size += size
            if self._record is not None:
                self._record(b"".join(buffers))
            if (written := self._stream.write_some(buffers)) < size:
                self._write_rest(buffers, written, deadline)
        except BaseException as error:  # half a frame may have been written, so nothing can follow it
            late = isinstance(error, TimeoutError)
            self.abort("the peer does not read what is sent to it" if late else f"writing failed: {error}")
            if isinstance(error, OSError):
                raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, self.broken) from error
            raise

    def _write_rest(self, buffers: list[bytes], written: int, deadline: float | None) -> None:
        for buffer in buffers:
            written -= len(buffer)
            if written < 0:
                self._stream.write(memoryview(buffer)[written:], deadline or deadline_in(self._write_timeout))
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
