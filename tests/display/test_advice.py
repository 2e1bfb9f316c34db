"""advice: which errors of cells it is for, and that all others are left alone."""

import errno
import os
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest
from h2.exceptions import NoSuchStreamError

from wslab import ConnectionClosed
from wslab.display.advice import advice

REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
ADVISED = {
    "a name": (NameError("name 'server' is not defined"), "If a cell above defines it"),
    "a connection": (ConnectionClosed(1000, ""), "This connection is over"),
    "a socket": (OSError(errno.EBADF, os.strerror(errno.EBADF)), "This socket is closed"),
    "a server": (REFUSED, "Nobody listens there"),
    "a peer": (BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)), "The other side is gone"),
    "a peer behind TLS": (ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "EOF occurred"), "The other side is gone"),
    "a list": (IndexError("list index out of range"), "There is less than"),
    "values": (ValueError("not enough values to unpack (expected 1, got 0)"), "There is less than"),
    "HTTP/2": (NoSuchStreamError(1), "The conversation is not where"),
    "a pool": (RuntimeError("cannot schedule new futures after shutdown"), "These threads are gone"),
    "a wait": (TimeoutError("timed out"), "Nothing has come"),
}


@pytest.mark.parametrize(("error", "words"), ADVISED.values(), ids=ADVISED)
def test_what_other_cells_have_left_or_not_yet_made_is_said(error, words):
    assert advice(error).startswith(words)


def test_what_the_system_says_of_a_closed_socket_is_one_of_them():
    sock = socket.socket()
    sock.close()
    with pytest.raises(OSError, match=r".") as caught:
        sock.send(b"x")
    assert advice(caught.value).startswith("This socket is closed")


def test_so_is_what_python_says_of_a_pool_that_is_shut_down():
    pool = ThreadPoolExecutor()
    pool.shutdown()
    with pytest.raises(RuntimeError) as caught:
        pool.submit(print)
    assert advice(caught.value).startswith("These threads are gone")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        RuntimeError("x"),
        IndexError("there is no row 3 here"),
        OSError(errno.ENOENT, "x"),
        ConnectionRefusedError("nobody: ..."),
    ],
)
def test_nothing_is_said_of_any_other_error(error):
    assert advice(error) == ""
