"""A fork of the process of the tests, as `multiprocessing` makes one, which has all its sockets while it lives."""

import contextlib
import os
import signal
import warnings
from collections.abc import Callable, Iterator

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@contextlib.contextmanager
def forked(run: Callable[[], object] = lambda: None) -> Iterator[None]:
    """A fork that does `run`, keeps all it has, and is killed at the end of the `with` block."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: there are threads, which a fork has not
        child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            run()
        os.write(writer, b"!")
        signal.pause()
    try:
        assert os.read(reader, 1) == b"!"  # what the child had to do is done
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)
