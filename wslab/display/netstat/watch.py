"""watch: TCP connections as `netstat -tn` lists them, joined with what wslab knows of the WebSockets on them."""

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakKeyDictionary

from wslab.display.netstat.live import LiveTable
from wslab.display.netstat.sockets import Ends, TcpSocket, socket_processes, tcp_sockets
from wslab.display.table import Table
from wslab.protocol.states import Role, State
from wslab.recording.log import SocketAddress
from wslab.redaction.redact import harmless
from wslab.sockets.connection import Connection, open_connections
from wslab.sockets.server import EchoServer
from wslab.sockets.traffic import Traffic
from wslab.tap.tap import Tap

CAPTION = "TCP connections, as netstat lists them, and the WebSockets on them"
PARTLY_COUNTED = "Messages and bytes are those that have passed since a connection was first watched."
MOST_PATH = 32  # characters
NETSTAT = ("local", "remote", "TCP")
LIFE = (  # the states of TCP, as psutil and Linux spell them, in the order in which a connection passes them
    *("LISTEN", "SYN_SENT", "SYN_RECV", "ESTABLISHED"),
    *("FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "LAST_ACK", "CLOSING", "TIME_WAIT", "CLOSE"),
)
TIMES = ("ping", "age")

_watched_since: WeakKeyDictionary[EchoServer, float] = WeakKeyDictionary()
_first_looks: WeakKeyDictionary[Connection, Traffic] = WeakKeyDictionary()


@dataclass(frozen=True)
class WebSocket:
    """What wslab knows of one end of a connection at one moment; `age` is in seconds."""

    number: int
    role: Role
    path: str
    state: State
    traffic: Traffic | None
    age: float


@dataclass(frozen=True)
class Watched:
    """A TCP socket, and the WebSocket on it if wslab runs it in this process."""

    socket: TcpSocket
    websocket: WebSocket | None = None


@dataclass(frozen=True, repr=False)
class Watch:
    """TCP sockets at one moment: `repr` is a table to read, a notebook shows it as HTML; `live` keeps it up to date."""

    sockets: tuple[Watched, ...]
    note: str = ""
    names: Mapping[int, str] = field(default_factory=dict)
    times: bool = True
    processes: Mapping[Ends, str] = field(default_factory=dict)
    look_again: Callable[[], "Watch"] | None = field(default=None, compare=False)

    @property
    def table(self) -> Table:
        """The rows as text, without the columns that would be empty."""
        rows = [self._cells(watched) for watched in self.sockets]
        hidden = () if self.times else TIMES
        heading = [name for name in rows[0] if name not in hidden] if rows else list(NETSTAT)
        heading = [name for name in heading if name in NETSTAT or any(row[name] for row in rows)]
        cells = tuple(tuple(row[name] for name in heading) for row in rows)
        return Table(tuple(heading), cells, f"{CAPTION}.", more=" ".join(self.notes))

    @property
    def states(self) -> Table:
        """How many sockets there are in each state of TCP."""
        counts = Counter(watched.socket.state for watched in self.sockets)
        rows = tuple((state, str(counts[state])) for state in LIFE if counts[state])
        return Table(("TCP", "sockets"), rows, "TCP sockets in each state")

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of the table should know."""
        counted = [it.websocket.traffic for it in self.sockets if it.websocket and it.websocket.traffic]
        partly = PARTLY_COUNTED if any(not traffic.is_whole for traffic in counted) else ""
        nothing = "" if self.sockets else "No TCP socket is there."
        return tuple(filter(None, [nothing, self.note, partly]))

    @property
    def is_over(self) -> bool:
        """Return True if nothing can change any more: only sockets in TIME_WAIT are left, if any."""
        return all(watched.socket.state == "TIME_WAIT" for watched in self.sockets)

    def live(self, seconds: float = 60.0, *, interval: float = 0.5, widget: bool | None = None) -> LiveTable:
        """The same table, which a thread updates every `interval` seconds while the notebook goes on.

        It ends after so many `seconds`, when what is watched has come to its end, or when it is closed. `widget` says
        whether there is a reader to see it move (None: only if a notebook server started this kernel); otherwise it is
        a table like any other. Raises TypeError or ValueError as `LiveTable` does.
        """
        return LiveTable(self.look_again or (lambda: self), seconds, interval, widget)

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    def _cells(self, watched: Watched) -> dict[str, str]:
        sock, websocket = watched.socket, watched.websocket
        traffic = websocket and websocket.traffic
        received, sent = (traffic.received, traffic.sent) if traffic else (None, None)
        return {
            "local": self._address(sock.local),
            "remote": "*" if sock.remote is None else self._address(sock.remote),
            "TCP": sock.state,
            "process": harmless(self.processes.get((sock.local, sock.remote), "")),
            "role": str(websocket.role) if websocket else "",
            "path": websocket.path if websocket else "",
            "WebSocket": websocket.state.name if websocket else "",
            "messages in": str(received.messages) if received else "",
            "bytes in": str(received.size) if received else "",
            "last in": harmless(received.last) if received else "",
            "messages out": str(sent.messages) if sent else "",
            "bytes out": str(sent.size) if sent else "",
            "last out": harmless(sent.last) if sent else "",
            "ping": f"{traffic.round_trip * 1000:.1f} ms" if traffic and traffic.round_trip is not None else "",
            "age": f"{websocket.age:.0f} s" if websocket else "",
        }

    def _address(self, address: SocketAddress) -> str:
        host, port = address
        return f"{f'[{host}]' if ':' in host else host}:{self.names.get(port, port)}"


def watch(
    target: EchoServer | Tap | Connection | int | None = None,
    *,
    names: Mapping[int, str] | None = None,
    times: bool = True,
    processes: bool = False,
) -> Watch:
    """The TCP connections of a server, a tap, a port or one connection (None: of the whole machine), as they are now.

    For each connection that wslab runs in this process, the table also shows its role, path and state, what has flowed
    over it each way, the time of the last ping, and its age. Where a connection has a recording, all of its traffic is
    counted, else what flows after it is first watched. In the path, tokens are redacted.

    `names` gives names to ports, and `times=False` leaves out the ping and the age: with both, the table can be the
    same in every run. `processes` adds the process that each socket belongs to.

    Raises OSError if the system does not tell, ImportError without psutil, TypeError for another
    target and ValueError for a number that is no port.
    """
    _check_target(target)
    if isinstance(target, EchoServer):
        _watched_since.setdefault(target, time.monotonic())
    by_ends: dict[Ends, Connection] = {(it.local_address, it.remote_address): it for it in open_connections()}
    listed, note = tcp_sockets()
    found = [sock for sock in listed if _concerns(target, sock)]
    numbers = {ends: it.number for ends, it in by_ends.items() if it.role is Role.SERVER}
    # A socket in TIME_WAIT belongs to no process any more, even if the thread that had it has not noticed yet.
    ends = [None if sock.state == "TIME_WAIT" else by_ends.get((sock.local, sock.remote)) for sock in found]
    watched = [Watched(sock, _known(connection)) for sock, connection in zip(found, ends, strict=True)]
    names = dict(names or {})
    ranks = {port: rank for rank, port in enumerate(names)}
    watched.sort(key=lambda it: _place(it, numbers, ranks))
    owners = socket_processes() if processes else {}
    again = partial(watch, target, names=names, times=times, processes=processes)
    return Watch(tuple(watched), note, names, times, owners, again)


def _check_target(target: object) -> None:
    if target is not None and not isinstance(target, EchoServer | Tap | Connection | int):
        raise TypeError(f"watch takes a server, a tap, a connection or the number of a port, not {target!r}")
    if isinstance(target, int) and not 0 <= target <= 65535:
        raise ValueError(f"a port is a number from 0 to 65535, not {target}")


def _concerns(target: EchoServer | Tap | Connection | int | None, sock: TcpSocket) -> bool:
    """Return True if `sock` is to be watched: of a connection on one machine, both ends are."""
    if target is None:
        return True
    if isinstance(target, Connection):
        return {sock.local, sock.remote} == {target.local_address, target.remote_address}
    port = target if isinstance(target, int) else target.port
    return port in [address[1] for address in (sock.local, sock.remote) if address is not None]


def _known(connection: Connection | None) -> WebSocket | None:
    if connection is None:
        return None
    path = harmless(connection.request.target) if connection.request else ""
    return WebSocket(
        connection.number,
        connection.role,
        path if len(path) <= MOST_PATH else f"{path[: MOST_PATH - 1]}…",
        connection.state,
        _traffic_shown(connection),
        time.monotonic() - connection.opened_at,
    )


def _traffic_shown(connection: Connection) -> Traffic:
    """All traffic if the connection is recorded, or its server was watched before; else the traffic since it was.

    Of a connection within this process, both ends are counted alike.
    """
    traffic = connection.traffic
    if connection.recording is not None or any(
        since <= connection.opened_at and (connection in server.connections or _leads_to(connection, server))
        for server, since in _watched_since.items()
    ):
        return traffic
    return traffic.since(_first_looks.setdefault(connection, traffic))


def _leads_to(connection: Connection, server: EchoServer) -> bool:
    """Return True if this is the client's end of one of the connections of `server`."""
    return any(its.remote_address == connection.local_address for its in server.connections)


def _place(watched: Watched, numbers: dict[Ends, int], ranks: dict[int, int]) -> tuple[object, ...]:
    """A sort key: listeners first; then connections as a server numbered them, its own end first; then names, ports."""
    sock, websocket = watched.socket, watched.websocket
    if sock.remote is None:
        return (0, sock.local[1])
    ways = [(sock.local, sock.remote), (sock.remote, sock.local)]
    number = min(numbers.get(ends, math.inf) for ends in ways)
    is_client = websocket is None or websocket.role is Role.CLIENT
    ports = (sock.local[1], sock.remote[1])
    rank = [ranks.get(port, math.inf) for port in ports]
    return (1, number, is_client, max(rank), rank, ports)
