"""signals: what ends a command from outside ends it as Ctrl-C does."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator

PATIENCE = 10.0  # seconds in which a command that is ending already is not disturbed by further signals
# Windows has no SIGHUP; there, SIGBREAK comes when the window of a console is closed.
_ENDS = [signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]


@contextlib.contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """In the `with` block, let each signal that ends a program raise KeyboardInterrupt, and only the first of several.

    A terminal that is closed sends SIGHUP twice, an impatient user presses Ctrl-C twice: what is to be told to peers
    and saved is told and saved nevertheless. What is ignored stays so: SIGHUP is under `nohup`, and so is SIGINT in a
    job that a script has started with `&`, which SIGTERM ends.
    """
    first = -PATIENCE

    def end(number: int, frame: object) -> None:
        nonlocal first
        if time.monotonic() - first >= PATIENCE:
            first = time.monotonic()
            raise KeyboardInterrupt

    is_main = threading.current_thread() is threading.main_thread()  # the only thread that may set handlers
    before = {number: signal.getsignal(number) for number in _ENDS if is_main}
    taken = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    try:
        for number in taken:
            signal.signal(number, end)
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])
