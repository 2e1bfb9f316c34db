"""install: put the sockets and the threads of this folder in the place of Python's own."""

import queue
import select
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NoReturn

from wslab.in_memory.strands import Strands
from wslab.in_memory.threads import Lock, ThreadMethods
from wslab.in_memory.wire import MemorySocket, Network

NO_TLS = "there is no TLS in memory: use ws:// here, and lesson 17 on your own machine for wss://"


def install(strands: Strands) -> None:
    """Let all that is imported from now on use `strands` for threads, and memory for the network."""
    _replace_threads(strands)
    _replace_sockets(Network(strands))


def _replace_threads(strands: Strands) -> None:
    lock, methods = partial(Lock, strands), ThreadMethods(strands)
    # The classes of Python that are written in Python stand on these.
    _put(threading, Lock=lock, _allocate_lock=lock, get_ident=lambda: strands.current)
    _put(threading, RLock=vars(threading)["_PyRLock"])
    _put(threading, _active_limbo_lock=threading.RLock())
    _put(queue, SimpleQueue=vars(queue)["_PySimpleQueue"])
    for name in ("start", "join", "is_alive"):
        _put(threading.Thread, **{name: _as_method(getattr(methods, name))})
    _put(time, sleep=strands.sleep)


def _as_method(act: Callable[..., object]) -> Callable[..., object]:
    return lambda thread, *given, **named: act(thread, *given, **named)


def _replace_sockets(network: Network) -> None:
    MemorySocket.network = network
    _put(socket, socket=MemorySocket, socketpair=network.pair, getaddrinfo=network.look_up)
    _put(socket, has_ipv6=False, MSG_DONTWAIT=0)
    _put(select, select=network.select)
    _put(selectors.SelectSelector, _select=staticmethod(network.select))
    _put(selectors, DefaultSelector=selectors.SelectSelector)
    for module, name in ((select, "poll"), (selectors, "PollSelector")):  # select is enough
        vars(module).pop(name, None)
    _put(ssl.SSLContext, wrap_socket=_refuse_tls)


def _put(owner: object, **values: object) -> None:
    for name, value in values.items():
        setattr(owner, name, value)


def _refuse_tls(*_: object, **__: object) -> NoReturn:
    raise OSError(NO_TLS)
