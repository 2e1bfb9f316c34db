"""sockets: the TCP sockets of this machine, as `netstat -tn` lists them (psutil asks the operating system)."""

import contextlib
import socket
import time
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from wslab.recording.log import SocketAddress

PASSING = frozenset({"SYN_SENT", "SYN_RECV", "FIN_WAIT1", "LAST_ACK", "CLOSING"})  # until the other side acknowledges
ONLY_THIS_PROCESS = "Only the sockets of this process are listed: to list all, this system asks for more rights."


@dataclass(frozen=True, slots=True)
class TcpSocket:
    """One end of a TCP connection, or a listening socket (`remote` is None).

    `state` is that of RFC 9293 §3.3.2: LISTEN, ESTABLISHED, CLOSE_WAIT, TIME_WAIT…
    """

    local: SocketAddress
    remote: SocketAddress | None
    state: str


Ends = tuple[SocketAddress, SocketAddress | None]


def socket_processes() -> dict[Ends, str]:
    """The name and number of the process that each TCP socket belongs to, `python (1234)`, where the system tells it.

    Several processes can share one. Raises ImportError without psutil; where nothing is told, nothing is known.
    """
    psutil = _psutil()
    names: dict[int, str] = {}
    owners: dict[Ends, set[str]] = {}
    with contextlib.suppress(psutil.Error, OSError):
        for it in psutil.net_connections("tcp"):
            if it.laddr and it.pid:
                if it.pid not in names:
                    names[it.pid] = _name(psutil, it.pid)
                owners.setdefault(_ends(it), set()).add(names[it.pid])
    return {ends: ", ".join(sorted(named)) for ends, named in owners.items()}


def _name(psutil: ModuleType, pid: int) -> str:
    try:
        return f"{psutil.Process(pid).name()} ({pid})"
    except psutil.Error:  # it has ended meanwhile
        return f"({pid})"


def _ends(listed: Any) -> Ends:
    return tuple(listed.laddr[:2]), tuple(listed.raddr[:2]) if listed.raddr else None


def tcp_sockets() -> tuple[list[TcpSocket], str]:
    """All TCP sockets of the machine, or where that is not allowed, those of this process and a sentence that says so.

    A socket in TIME_WAIT belongs to no process any more, so only the list of the whole machine has it. Raises OSError
    where nothing can be listed, ImportError without psutil; both say it in one sentence.
    """
    psutil = _psutil()
    try:
        return _unlike(psutil.net_connections("tcp")), ""
    except (psutil.Error, OSError):
        pass
    try:
        return _unlike(psutil.Process().net_connections("tcp")), ONLY_THIS_PROCESS
    except (psutil.Error, OSError) as error:
        raise OSError(f"this system does not let its TCP sockets be listed: {error}") from error


def sockets_of(port: int, timeout: float = 5.0) -> list[TcpSocket]:
    """The sockets with this port at one end, once none of them is in a state that passes in a moment.

    Raises TimeoutError where one stays in it for `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        found = [it for it in tcp_sockets()[0] if port in _ports(it)]
        if not PASSING & {it.state for it in found}:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"port {port} still has a socket in a state that should pass")
        time.sleep(0.01)


def fresh_port() -> int:
    """A free port that stands nowhere in the system's list, not even in what is left of an earlier connection."""
    taken = {port for it in tcp_sockets()[0] for port in _ports(it)}
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port: int = sock.getsockname()[1]
        if port not in taken:
            return port


def _ports(it: TcpSocket) -> list[int]:
    return [end[1] for end in (it.local, it.remote) if end]


def _psutil() -> ModuleType:
    try:
        import psutil  # type: ignore[import-untyped]
    except ImportError:
        raise ImportError("listing sockets needs psutil; run: pip install psutil") from None
    module: ModuleType = psutil
    return module


def _unlike(listed: list[Any]) -> list[TcpSocket]:
    """One value for each socket, although two processes that share a socket both list it."""
    sockets = {TcpSocket(*_ends(it), it.status): None for it in listed if it.laddr}
    return list(sockets)
