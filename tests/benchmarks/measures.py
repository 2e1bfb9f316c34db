"""Measures: what is measured, each as rows of figures for each of those who are compared."""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import clients
import codecs_alone
from load import Client, ManyClients, Plan, in_turn, per_second, text_frame
from processes import with_before
from servers import Server
from workers import Worker


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


def column(rounds: dict[str, list[tuple[float, ...]]], index: int) -> dict[str, list[float]]:
    """One of the figures that each turn has."""
    return {name: [turn[index] for turn in turns] for name, turns in rounds.items()}


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
COMPRESSED = [Echo(32, 1), Echo(32, 64), Echo(1024, 16), Echo(65536, 1)]
ENCRYPTED = [Echo(32, 1), Echo(1024, 16), Echo(65536, 1)]


def measure_echo(plan: Plan) -> list[Row]:
    """Text messages over one connection."""
    names = ["raw socket", "wslab", "wslab, one by one", "websockets", "picows"]
    return [measure_one_echo(echo, names, plan) for echo in ECHOES]


def measure_compressed_echo(plan: Plan) -> list[Row]:
    """Text messages that are compressed both ways (picows has no permessage-deflate)."""
    names = ["websockets", "wslab", "wslab, one by one"]
    return [measure_one_echo(echo, names, plan, deflate=True) for echo in COMPRESSED]


def measure_encrypted_echo(plan: Plan) -> list[Row]:
    """Text messages over TLS, with a certificate that each server has made itself."""
    names = ["websockets", "wslab", "wslab, one by one"]
    return [measure_one_echo(echo, names, plan, tls=True) for echo in ENCRYPTED]


def measure_one_echo(echo: Echo, names: list[str], plan: Plan, deflate: bool = False, tls: bool = False) -> Row:
    frame, turns = text_frame(echo.size, deflate), {}
    with contextlib.ExitStack() as stack:
        for name in with_before(names, plan.against):
            server = stack.enter_context(Server(name, plan.against, tls=tls))
            client = stack.enter_context(Client(server.port, deflate, tls))
            data, answer = frame * echo.in_flight, answer_size(name, client, frame) * echo.in_flight
            turns[name] = partial(per_second, partial(client.exchange, data, answer))
        return Row(str(echo), "messages/s", names[0], scaled(in_turn(turns, plan), echo.in_flight))


def answer_size(name: str, client: Client, frame: bytes) -> int:
    """How long the answer to `frame` is: a bare socket sends it back as it is, masked."""
    return len(frame) if name.startswith("raw socket") else client.measure_answer(frame)


# Many clients


def measure_many_clients(plan: Plan) -> list[Row]:
    """Text messages of 32 B over many connections at once, one in flight on each, and how long an answer takes."""
    return [row for count in (1, 10, 100) for row in many_clients_rows(count, plan)]


def many_clients_rows(count: int, plan: Plan) -> Iterator[Row]:
    bare = ["raw socket", "raw socket, and 1 µs of Python"]
    names = [*bare, "wslab", "wslab, one by one", "websockets", "aiohttp", "picows"]
    frame, turns = text_frame(32), {}
    with contextlib.ExitStack() as stack:
        for name in with_before(names, plan.against):
            server = stack.enter_context(Server(name, plan.against))
            with Client(server.port) as client:
                answer = answer_size(name, client, frame)
            crowd = stack.enter_context(ManyClients(server.port, count))
            turns[name] = partial(crowd.converse, frame, answer)
        rounds = in_turn(turns, plan)
    clients = f"{count} client{'s' if count > 1 else ''}"
    for index, (unit, each) in enumerate(MANY_CLIENTS_UNITS):
        yield Row(clients, unit, names[0], scaled(column(rounds, index), each))


MANY_CLIENTS_UNITS = [("messages/s", 1), ("µs, median", 1e6), ("µs, 99th percentile", 1e6)]


# A crowd


def measure_crowd(plan: Plan) -> list[Row]:
    """Many connections that say nothing, and then one message each, all at once."""
    names = with_before(["raw socket", "wslab", "websockets"], plan.against)
    few = replace(plan, rounds=min(plan.rounds, 7))  # an answer may take twice as long in one as in another
    rounds = in_turn({name: partial(visit, name, plan) for name in names}, few)
    return [
        Row(f"{plan.crowd} connections: {what}", unit, "websockets", column(rounds, index))
        for index, (what, unit) in enumerate(CROWD_FIGURES)
    ]


CROWD_FIGURES = [
    ("memory of each", "KiB"),
    ("threads of each", "threads"),
    ("opening handshakes", "handshakes/s"),
    ("a message from each answered", "s"),
]


def visit(name: str, plan: Plan, seconds: float) -> tuple[float, ...]:
    """The figures of a crowd of connections to one server; it takes as long as it takes."""
    frame, crowd = text_frame(32), plan.crowd
    with Server(name, plan.against) as server, contextlib.ExitStack() as stack:
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


def measure_clients(plan: Plan) -> list[Row]:
    """The clients of the libraries, against the same servers."""
    return [
        measure_client(call, size, server_name, names, plan)
        for call, server_name, names in clients.CALLS
        for size in clients.SIZES
    ]


def measure_client(call: str, size: int, server_name: str, names: list[str], plan: Plan) -> Row:
    with Server(server_name, size=size) as server:
        rates = rates_of_workers(names, plan, "client", call, size, server.port)
    return Row(f"{call}, {size} B", "messages/s", "websockets", scaled(rates, clients.BATCH[size]))


def measure_codecs(plan: Plan) -> list[Row]:
    """Frames to bytes and back, without a socket."""
    return [row for what, names in codecs_alone.NAMES.items() for row in codec_rows(what, names, plan)]


def codec_rows(what: str, names: list[str], plan: Plan) -> Iterator[Row]:
    for size in codecs_alone.SIZES:
        rates = scaled(rates_of_workers(names, plan, "codec", what, size), codecs_alone.FRAMES[size])
        yield Row(f"{what}, {size} B", "frames/s", "websockets", rates)
        yield Row(f"{what}, {size} B", "MB/s", "websockets", scaled(rates, size / 1e6))


def rates_of_workers(names: list[str], plan: Plan, *work: object) -> dict[str, list[float]]:
    with contextlib.ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(name, plan.against, *work)) for name in with_before(names, plan.against)
        }
        return in_turn({name: worker.rate for name, worker in workers.items()}, plan)


MEASURES: dict[str, Callable[[Plan], list[Row]]] = {
    "echo": measure_echo,
    "compressed echo": measure_compressed_echo,
    "wss": measure_encrypted_echo,
    "many clients": measure_many_clients,
    "crowd": measure_crowd,
    "clients": measure_clients,
    "codec": measure_codecs,
}
