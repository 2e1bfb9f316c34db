"""Python on Linux, as bare as on Windows and in part on macOS, for every process that has this folder on PYTHONPATH.

What these do not have is taken away before anything else is imported, so that the libraries of Python take their
fallbacks as well: a pair of sockets is then TCP, and a loop of events waits by select. And for wslab a socket is what
it is on Windows: neither a signal nor `shutdown` ends a `select`, which takes sockets only, and none that has been shut
down can be read.
"""

import _socket
import builtins
import errno
import os
import select
import signal
import sys
import weakref

NAMES = {
    "os": "fork forkpty register_at_fork killpg setsid",
    "select": "poll epoll",
    "signal": "SIGHUP",
    "_socket": "socketpair MSG_DONTWAIT SO_REUSEPORT",
}
METHODS = ("sendmsg", "recvmsg", "recvmsg_into")
MODULES = ("resource", "termios", "readline")
OURS = ("wslab", "tests", "support", "_pytest")  # who does not find them; psutil, which is made for this system, does

for module, names in NAMES.items():
    for name in names.split():
        vars(sys.modules[module]).pop(name, None)
real_import = builtins.__import__


def importing(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (sys._getframe(1).f_globals if globals is None else globals).get("__name__", "")
    if name in MODULES and importer.partition(".")[0] in OURS:
        raise ModuleNotFoundError(name)
    return real_import(name, globals, locals, fromlist, level)


builtins.__import__ = importing

import socket  # noqa: E402 (not before that)


class Absent:
    """An attribute that a class does not have, although its base has it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> object:
        raise AttributeError(self.name)


def is_for_wslab() -> bool:
    """Whether wslab has called what calls this."""
    return str(sys._getframe(2).f_globals.get("__name__")).startswith("wslab.")


class Select:
    """In the place of `select.select`; no function, which would become a method of the class that keeps it."""

    real = staticmethod(select.select)

    def __call__(self, read, write, other, timeout=None):
        if not is_for_wslab():
            return self.real(read, write, other, timeout)
        if not all(isinstance(it, socket.socket) for it in (*read, *write)):
            raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            return self.real(read, write, other, timeout)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


deaf = weakref.WeakSet()


def shutdown(sock, how):
    is_connected = type(sock) is socket.socket and not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if is_for_wslab() and is_connected and how != socket.SHUT_WR:
        deaf.add(sock)
        if how == socket.SHUT_RD:
            return
        how = socket.SHUT_WR
    _socket.socket.shutdown(sock, how)


def recv(sock, *arguments):
    if sock in deaf:
        raise OSError(errno.ESHUTDOWN, os.strerror(errno.ESHUTDOWN))
    return _socket.socket.recv(sock, *arguments)


select.select = Select()
socket.socket.shutdown, socket.socket.recv = shutdown, recv
for name in METHODS:
    setattr(socket.socket, name, Absent(name))
