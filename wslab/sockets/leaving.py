"""leaving: the threads that are done with their work, until they are gone."""

import threading
import weakref


class Leaving:
    """Threads that add themselves when they are done; one that is gone is forgotten.

    Any thread may call any method. A WeakSet would not do: where threads run at the same time (free-threaded Python),
    one of them may be gone just when others are listed, which raises RuntimeError.
    """

    def __init__(self) -> None:
        self._threads: set[weakref.ref[threading.Thread]] = set()  # its methods are atomic

    def add(self, thread: threading.Thread) -> None:
        """Remember a thread for as long as it is there."""
        self._threads.add(weakref.ref(thread, self._threads.discard))

    def threads(self) -> list[threading.Thread]:
        """Return those that are there still."""
        return [thread for reference in self._threads.copy() if (thread := reference()) is not None]
