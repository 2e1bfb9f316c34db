"""SendQueue: the bytes that a connection has to write, queued by any thread and written by one thread at a time.

Strategy: a thread queues its bytes under the lock of the Transport, which keeps frames in order, releases that lock and
calls `flush`. The first to come writes for all; the others wait until their bytes have been written, too, so that each
learns of a broken connection. The thread that reads does not wait: it leaves its answers to the one that is writing
(`flush_nowait`), because two peers that both write and do not read would wait for each other for ever.

Locks: `writing` is held by the one thread that writes, for as long as the peer takes to read. The queue is a deque,
whose methods are atomic. Bytes that are left to the thread that is writing are never forgotten: after it has released
`writing`, it looks into the queue once more.

Interrupts (Ctrl-C, or what a signal handler raises): while a thread waits, they do no harm, as the rest of the bytes
stays here for the next to call `flush`. Anywhere else in a write they cut the connection: half a frame may be out.

Any thread may call any method; the private ones need `writing`.
"""

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from wslab.protocol.batch import LONG
from wslab.protocol.errors import CloseCode, ConnectionClosed
from wslab.recording.locks import hold, release_if_owned
from wslab.sockets.stream import Stream, deadline_in, seconds_to
from wslab.sockets.traffic import DirectionCounters

MAX_LEFT_TO_OTHERS = 100
MAX_BUFFERS = 1000  # written together; Linux takes 1,024
INTERRUPTED = "interrupted"  # what is said of a connection that a Ctrl-C has cut


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
        self.writing: Any = threading.RLock()  # held by the one thread that writes; it knows by which
        self._stream = stream
        self._write_timeout = write_timeout
        self._counters = counters
        self.record = record
        self._begun: Sequence[bytes | memoryview] = ()  # what is left of the buffers that were taken from the queue
        self._write_by: float | None = None  # when its time is over
        self._queue: deque[bytes] = deque()
        self.enqueue: Callable[[Iterable[bytes]], None] = self._queue.extend

    def __len__(self) -> int:
        return len(self._queue)

    def flush(self, deadline: float | None = None, wait: bool = True, give_up: bool = True) -> bool:
        """Write what is queued, by other threads as well. Return False if that is left to others.

        It is if another thread is writing and `wait` is False, or if this is a signal handler that has interrupted the
        thread that is writing. What cannot be written by `deadline` (None: each write within the write timeout) breaks
        the connection, or if `give_up` is False stays in the queue. Raises ConnectionClosed if the connection is
        broken, and TimeoutError if another thread is still writing at the deadline, or bytes are left.
        """
        writing = self.writing
        if writing._is_owned():
            return False
        try:
            while writing.acquire(False) or (wait and writing.acquire(timeout=seconds_to(deadline))):
                if self.broken:
                    raise self.failure()
                while self._queue or self._begun:
                    self._write()
                    if self._begun:
                        self._await_room(deadline, give_up)
                writing.release()
                if not self._queue:  # else another thread has left something to this one just now
                    return True
        except BaseException:
            release_if_owned(writing)
            raise
        if wait:
            raise TimeoutError("another thread is still writing")
        return False

    def flush_nowait(self, deadline: float | None = None) -> None:
        """Write answers, or leave them to the thread that is writing, unless that one already has a lot to do.

        Raises as `flush` does, TimeoutError only if there is a deadline.
        """
        self.flush(deadline, wait=len(self._queue) > MAX_LEFT_TO_OTHERS, give_up=deadline is None)

    def try_flush(self, deadline: float | None = None) -> bool:
        """Write what is queued, unless another thread is writing or the peer has not read for long.

        Return True if it was written. Raises ConnectionClosed as `flush` does.
        """
        if (self._queue or self._begun) and not self.broken and not self._stream.await_room(0):
            return False
        return self.flush(deadline, wait=False)

    def _write(self) -> None:
        """Write the first buffers of the queue together: a write takes a microsecond or more, however short it is."""
        try:
            if buffers := self._begun:
                size = sum(map(len, buffers))
            else:
                first = self._queue.popleft()
                buffers, size = (first,), len(first)
                if self._queue:
                    buffers, size = self._take_more(first)
                self._counters.size += size
                if self.record is not None:
                    self.record(b"".join(buffers))
            if (written := self._stream.write(buffers)) == size:
                self._begun = ()
                return
            if not self._begun:
                self._write_by = deadline_in(self._write_timeout)
            self._begun = list(_behind(written, buffers))
        except BaseException as error:  # half a frame may have been written, so nothing can follow it
            if isinstance(error, OSError) and error.errno is not None:  # else a signal handler has raised it
                self.abort(f"writing failed: {error}")
                raise self.failure() from error
            self.abort(INTERRUPTED)
            raise

    def _take_more(self, first: bytes) -> tuple[list[bytes], int]:
        """Return what is worth being written with the first buffer, joined if that is worth it, and its size."""
        buffers, size = [first], len(first)
        while self._queue and size < LONG and len(buffers) < MAX_BUFFERS:
            buffers.append(self._queue.popleft())
            size += len(buffers[-1])
        if len(buffers) > 1 and (size < LONG or not self._stream.gathers):
            buffers = [b"".join(buffers)]
        return buffers, size

    def _await_room(self, deadline: float | None, give_up: bool) -> None:
        """Wait until more can be written."""
        write_by = math.inf if self._write_by is None else self._write_by
        until = write_by if deadline is None else deadline if give_up else min(deadline, write_by)
        if self._stream.await_room(None if until == math.inf else until):
            return
        if not give_up and until < write_by:
            raise TimeoutError("the peer does not read what is sent to it")
        self.abort("the peer does not read what is sent to it")
        raise self.failure()

    def failure(self) -> ConnectionClosed:
        """Return the error for a caller whose bytes cannot be written."""
        return ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, self.broken)

    def abort(self, why: str) -> None:
        """End TCP in both directions: the threads that read or write are woken, and nothing can be written any more."""
        self.broken = self.broken or why
        self._stream.shutdown()

    def close(self) -> None:
        """End TCP and give the socket back, once no thread writes any more."""
        self._stream.shutdown()
        hold(self.writing, self._stream.close)


def _behind(written: int, buffers: Sequence[bytes | memoryview]) -> Iterator[memoryview]:
    """What is left of `buffers` behind the first `written` bytes."""
    for buffer in buffers:
        if written < len(buffer):
            yield memoryview(buffer)[max(written, 0) :]
        written -= len(buffer)
