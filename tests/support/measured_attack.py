"""What an attack costs the server and what its other clients notice of it, measured while it goes on."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from support.heads_and_frames import text
from support.raw_peer import RawPeer
from support.server_process import ServerProcess
from support.waiting import PATIENCE, running, wait_until
from wslab import Frame, Limits, Opcode

PAUSE = 0.005  # seconds between two looks at the memory, and between two messages of the bystander


@dataclass(frozen=True)
class Figures:
    """What an attack has done: memory in MiB, times in seconds."""

    seconds: float
    memory: float  # how much more there was than before, at the most
    threads_before: int
    threads_after: int
    files_before: int
    files_after: int
    echoes: int  # that a polite client got meanwhile
    slowest_echo: float
    told: dict[str, int] = field(default_factory=dict)  # what the attackers got, and how many of them got it
    log: str = ""


class Bystander:
    """A polite client, which sends a message after the other and gets the echo of each."""

    def __init__(self, server: ServerProcess) -> None:
        self.echoes = 0
        self.slowest = 0.0
        self.close_code: int | None = None
        self._peer = RawPeer.upgraded(server)

    def be_served(self) -> None:
        """Get one echo, or the close frame of a server that stops."""
        sent, begin = f"message {self.echoes}", time.monotonic()
        self._peer.send(text(sent))
        answer = self._peer.read_frame()
        if answer.opcode is Opcode.CLOSE:
            self.close_code = int.from_bytes(answer.payload[:2], "big")
            return
        assert answer == Frame(Opcode.TEXT, sent.encode())
        self.slowest = max(self.slowest, time.monotonic() - begin)
        self.echoes += 1

    def be_served_until(self, over: threading.Event) -> None:
        while not over.wait(PAUSE) and self.close_code is None:
            self.be_served()

    def close(self) -> None:
        self._peer.sock.close()


@dataclass
class MeasuredAttack:
    """An attack that goes on against `server`; `told` is written by its author, `figures` are there at its end."""

    server: ServerProcess
    bystander: Bystander
    told: Counter[str] = field(default_factory=Counter)
    figures: Figures | None = None

    def __post_init__(self) -> None:
        self._threads, self._files = self.server.threads, self.server.files
        self.begin()

    def begin(self) -> None:
        """Measure memory and time from now on."""
        self._memory = self._most = self.server.memory
        self._start, self._echoes, self.bystander.slowest = time.monotonic(), self.bystander.echoes, 0.0

    def watch_memory(self, over: threading.Event) -> None:
        while not over.wait(PAUSE):
            self._most = max(self._most, self.server.memory)

    def see_others_served(self) -> None:
        """Wait until the bystander has sent a message and got it back, from now on."""
        under_way = self.bystander.echoes + 1
        wait_until(lambda: self.bystander.echoes > under_way)

    def end(self) -> None:
        """Wait for the threads of the attackers to end, and write down what there is to be known."""
        seconds, echoes = time.monotonic() - self._start, self.bystander.echoes - self._echoes
        deadline, tick = time.monotonic() + PATIENCE, threading.Event()
        while self.server.threads > self._threads and time.monotonic() < deadline:
            tick.wait(PAUSE)
        self.figures = Figures(
            seconds,
            self._most - self._memory,
            self._threads,
            self.server.threads,
            self._files,
            self.server.files,
            echoes,
            self.bystander.slowest,
            dict(self.told),
            self.server.log,
        )


@contextlib.contextmanager
def measured_attack(limits: Limits | None = None, handler: str = "echo") -> Iterator[MeasuredAttack]:
    """A server in a process of its own, and a client that it serves while the `with` block attacks it."""
    with ServerProcess(limits, handler) as server, contextlib.closing(Bystander(server)) as bystander:
        for _ in range(20):  # what is loaded at its first use is loaded then
            bystander.be_served()
        over, it = threading.Event(), MeasuredAttack(server, bystander)
        with running(bystander.be_served_until, over), running(it.watch_memory, over):
            try:
                yield it
                it.end()
            finally:
                over.set()
