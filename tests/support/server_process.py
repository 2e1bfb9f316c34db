"""An EchoServer in a process of its own, which can be attacked, measured, interrupted and killed."""

import json
import logging
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict

import psutil

from wslab import Connection, EchoServer, Limits, echo, serialize_frame
from wslab.protocol.frames import Frame, Opcode

HOST = "127.0.0.1"
MIB = 1024 * 1024
PATIENCE = 20.0


# The handlers that a server may have


def fragile(connection: Connection) -> None:
    """Echo, until a message asks to fail."""
    for message in connection:
        if message == "fail":
            raise RuntimeError("this handler was asked to fail")
        connection.send(message)


def two_writers(connection: Connection) -> None:
    """Answer a number with so many messages from each of two threads, everything else with an echo."""

    def write(letter: str) -> None:
        for number in range(count):
            connection.send(numbered(letter, number))

    for message in connection:
        if not message.isdecimal():
            connection.send(message)
            continue
        count = int(message)
        threads = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def numbered(letter: str, number: int) -> str:
    """A message that says who sent it, of 3 bytes to 70,000."""
    return f"{letter} {number} " + letter * (number * 7919 % 70_000 if number % 10 == 0 else number % 200)


WHOLE_MESSAGES = ["one", "two", "three" * 50_000]
HALF_A_MESSAGE = serialize_frame(Frame(Opcode.BINARY, bytes(100_000)))[:50_000]


def half(connection: Connection) -> None:
    """Send three messages and the half of one, and then nothing until the peer goes."""
    for message in WHOLE_MESSAGES:
        connection.send(message)
    connection.send_raw(HALF_A_MESSAGE)
    list(connection)


HANDLERS = {handler.__name__: handler for handler in (echo, fragile, two_writers, half)}


# The process


class ServerProcess:
    """A server to connect to, `with ServerProcess(Limits(), "fragile") as server:`, with the figures of its process."""

    host = HOST

    def __init__(self, limits: Limits | None = None, handler: str = "echo") -> None:
        self._command = [sys.executable, __file__, handler, json.dumps(asdict(limits or Limits()))]

    def __enter__(self) -> "ServerProcess":
        self._errors = tempfile.TemporaryFile("a+b")  # a pipe that nobody reads would fill up, and block who logs
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=self._errors, text=True)
        try:
            line = self._process.stdout.readline()
            self.port = int(re.fullmatch(r"Listening on ws://127\.0\.0\.1:(\d+)/\n", line)[1])
            self._measured = psutil.Process(self._process.pid)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._process.stdout.close()
        self._errors.close()

    @property
    def url(self) -> str:
        return f"ws://{HOST}:{self.port}/"

    @property
    def memory(self) -> float:
        """The memory that it occupies now, in MiB; as all these figures, 0 when it has ended."""
        return self._ask(lambda process: process.memory_info().rss) / MIB

    @property
    def threads(self) -> int:
        return self._ask(psutil.Process.num_threads)

    @property
    def files(self) -> int:
        """How many files and sockets it has open."""
        return self._ask(lambda process: process.num_handles() if sys.platform == "win32" else process.num_fds())

    def _ask(self, question: Callable[[psutil.Process], int]) -> int:
        try:
            return question(self._measured)
        except psutil.NoSuchProcess:
            return 0

    @property
    def log(self) -> str:
        """What it has written on standard error."""
        self._errors.seek(0)
        return self._errors.read().decode()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)

    def wait(self, seconds: float) -> int:
        """Wait for its end; its exit status. Raises TimeoutExpired if it does not end in time."""
        return self._process.wait(seconds)


def serve(handler: str, limits: str) -> None:
    """What runs in the process: a server as `python -m wslab echo` has it, which logs what goes wrong."""
    logging.basicConfig(level=logging.WARNING)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore Ctrl-C
    server = EchoServer(HOST, handler=HANDLERS[handler], limits=Limits(**json.loads(limits)))
    server.start()
    print(f"Listening on {server.url}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(*sys.argv[1:])
