"""Measures: what is measured, each as rows of figures for each of those who are compared."""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import clients
import codecs_alone
from load import Client, Pace, in_turn, text_frame
from servers import Server


@dataclass(frozen=True)
class Row:
    """One line: what was measured, in which unit, and the figure of each in every round.

    `reference` is whom the others are compared to: by the median of the ratios within each round, since figures of
    different rounds may be those of a machine that has become slower or faster.
    """

    name: str
    unit: str
    reference: str
    rounds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """The median of the figures of one."""
        return statistics.median(self.rounds[name])

    def ratio(self, name: str, to: str = "") -> float:
        """The median of the ratios to the reference, or to another one."""
        pairs = zip(self.rounds[name], self.rounds[to or self.reference], strict=True)
        return statistics.median(figure / other for figure, other in pairs)


def scaled(rates: dict[str, list[float]], each: float) -> dict[str, list[float]]:
    """Actions per second, of `each` units each, in units per second."""
    return {name: [rate * each for rate in rounds] for name, rounds in rates.items()}


# Echo


@dataclass(frozen=True)
class Echo:
    """Messages of `size` bytes, of which `in_flight` are sent before the answers are read."""

    size: int
    in_flight: int

    def __str__(self) -> str:
        size = f"{self.size} B" if self.size < 1024 else f"{self.size // 1024} KiB"
        return (size if self.size < 2**20 else f"{self.size // 2**20} MiB") + f", {self.in_flight} in flight"


ECHOES = [Echo(32, 1), Echo(32, 64), Echo(1024, 16), Echo(65536, 1), Echo(2**20, 1)]
COMPRESSED = [Echo(32, 1), Echo(1024, 16), Echo(65536, 1)]


def measure_echo(pace: Pace) -> list[Row]:
    """Text messages over one connection."""
    names = ["raw socket", "wslab", "wslab, one by one", "websockets", "picows"]
    return [measure_one_echo(echo, names, pace) for echo in ECHOES]


def measure_compressed_echo(pace: Pace) -> list[Row]:
    """Text messages that are compressed both ways (picows has no permessage-deflate)."""
    return [
        measure_one_echo(echo, ["websockets", "wslab", "wslab, one by one"], pace, deflate=True) for echo in COMPRESSED
    ]


def measure_one_echo(echo: Echo, names: list[str], pace: Pace, deflate: bool = False) -> Row:
    frame, actions = text_frame(echo.size, deflate), {}
    with contextlib.ExitStack() as stack:
        for name in names:
            server = stack.enter_context(Server(name))
            client = stack.enter_context(Client(server.port, deflate))
            answer = len(frame) if name == "raw socket" else client.measure_answer(frame)
            actions[name] = exchange(client, frame * echo.in_flight, answer * echo.in_flight)
        return Row(str(echo), "messages/s", names[0], scaled(in_turn(actions, pace), echo.in_flight))


def exchange(client: Client, data: bytes, size: int) -> Callable[[], None]:
    return lambda: client.exchange(data, size)


# A crowd


def measure_crowd(pace: Pace) -> list[Row]:
    """Many connections that say nothing, and then one message each, all at once."""
    visits: dict[str, list[tuple[float, ...]]] = {name: [] for name in ("raw socket", "wslab", "websockets")}
    for _ in range(min(pace.rounds, 7)):  # an answer may take twice as long in one as in another
        for name in visits:
            visits[name].append(visit(name, pace.crowd))
    rows = []
    for index, (what, unit) in enumerate(CROWD_FIGURES):
        figures = {name: [visit[index] for visit in each] for name, each in visits.items()}
        rows.append(Row(f"{pace.crowd} connections: {what}", unit, "websockets", figures))
    return rows


CROWD_FIGURES = [
    ("memory of each", "KiB"),
    ("threads of each", "threads"),
    ("opening handshakes", "handshakes/s"),
    ("a message from each answered", "s"),
]


def visit(name: str, crowd: int) -> tuple[float, ...]:
    """The figures of `crowd` connections to one server."""
    frame = text_frame(32)
    with Server(name) as server, contextlib.ExitStack() as stack:
        for _ in range(10):  # what is loaded at its first use is loaded then
            stack.enter_context(Client(server.port))
        memory, threads, start = server.memory, server.threads, time.perf_counter()
        guests = [stack.enter_context(Client(server.port)) for _ in range(crowd)]
        opened = time.perf_counter() - start
        memory, threads = server.memory - memory, server.threads - threads
        answer = len(frame) if name == "raw socket" else len(frame) - 4
        start = time.perf_counter()
        for guest in guests:
            guest.sock.sendall(frame)
        for guest in guests:
            guest.exchange(b"", answer)
        return memory / crowd / 1024, threads / crowd, crowd / opened, time.perf_counter() - start


# Clients, and the codec alone


def measure_clients(pace: Pace) -> list[Row]:
    """The clients of the libraries, against the same servers."""
    return [
        Row(f"{what}, {size} B", "messages/s", "websockets", scaled(in_turn(actions, pace), each))
        for what, size, each, actions in clients.actions()
    ]


def measure_codecs(pace: Pace) -> list[Row]:
    """Frames to bytes and back, without a socket."""
    return list(codec_rows(pace))


def codec_rows(pace: Pace) -> Iterator[Row]:
    for what, size, each, actions in codecs_alone.actions():
        rates = in_turn(actions, pace)
        yield Row(f"{what}, {size} B", "frames/s", "websockets", scaled(rates, each))
        yield Row(f"{what}, {size} B", "MB/s", "websockets", scaled(rates, each * size / 1e6))


MEASURES: dict[str, Callable[[Pace], list[Row]]] = {
    "echo": measure_echo,
    "compressed echo": measure_compressed_echo,
    "crowd": measure_crowd,
    "clients": measure_clients,
    "codec": measure_codecs,
}
