"""Workers: clients and codecs, each in a process of its own, which measures itself as often as it is told to."""

import sys
from pathlib import Path

import clients
import codecs_alone
from load import per_second
from processes import Process

ACTIONS = {"client": clients.action, "codec": codecs_alone.action}


class Worker(Process):
    """`with Worker("wslab", against, "client", "echo", size, port) as worker:` has what `worker.rate` measures."""

    def __init__(self, name: str, against: Path | None, kind: str, what: str, size: int, port: int = 0) -> None:
        super().__init__(__file__, name, against, kind, what, size, port)

    def rate(self, seconds: float) -> float:
        """How often it has done its action in a second."""
        print(seconds, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())


if __name__ == "__main__":
    name, kind, what, size, port = sys.argv[1:]
    action = ACTIONS[kind](name, what, int(size), int(port))
    for line in sys.stdin:
        print(per_second(action, float(line)), flush=True)
