"""Buses: what the servers of one room tell one another, in this process or through Redis (publish and subscribe)."""

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

START_ATTEMPTS, START_PAUSE = 200, 0.05  # seconds; a busy machine takes long to start a program
CONFIRM_TIMEOUT = 5.0
POLL_INTERVAL = 0.05

Tell = Callable[[str], object]


class LocalBus:
    """A bus within this process: `publish` calls all who have subscribed, in the thread of the publisher."""

    name = "within this process"

    def __init__(self) -> None:
        self._told: dict[str, list[Tell]] = {}

    def subscribe(self, channel: str, tell: Tell) -> None:
        """Call `tell` with each text that is published on `channel` from now on."""
        # Atomic: where threads run at the same time, a `defaultdict` may forget the first of two that come together.
        self._told.setdefault(channel, []).append(tell)

    def publish(self, channel: str, text: str) -> int:
        """Tell all who have subscribed; return how many."""
        told = self._told.get(channel, [])
        for tell in told:
            tell(text)
        return len(told)

    def close(self) -> None:
        """Forget who has subscribed."""
        self._told.clear()


class RedisBus:
    """A bus through a Redis server, started for it, which only this user reaches: it listens on a socket in a folder.

    Each subscriber is told in a thread of its own. Raises FileNotFoundError if there is no `redis-server`, and
    RuntimeError for what is asked of it when it is closed.
    """

    name = "Redis"

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        path = str(Path(self._folder.name) / "redis.sock")
        options = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", self._folder.name]
        try:
            self._server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        except BaseException:
            self._folder.cleanup()
            raise
        retry = Retry(ConstantBackoff(START_PAUSE), START_ATTEMPTS, (redis.ConnectionError,))
        self._client = redis.Redis(unix_socket_path=path, decode_responses=True, retry=retry)
        self._listening: list[tuple[Any, Any]] = []
        try:
            self._client.ping()
        except BaseException:
            self.close()
            raise

    def subscribe(self, channel: str, tell: Tell) -> None:
        """Call `tell` with each text that is published on `channel` from now on."""
        listener = self._open_client().pubsub()  # type: ignore[no-untyped-call]
        listener.subscribe(**{channel: lambda message: tell(message["data"])})
        listener.get_message(timeout=CONFIRM_TIMEOUT)  # the confirmation: what is published from now on is heard
        self._listening.append((listener, listener.run_in_thread(POLL_INTERVAL, daemon=True)))

    def publish(self, channel: str, text: str) -> int:
        """Tell all who have subscribed; return how many."""
        return int(self._open_client().publish(channel, text))

    def _open_client(self) -> redis.Redis:
        if self._server.poll() is not None:  # the client would try again and again to reach it
            raise RuntimeError("this bus is closed: open another one")
        return self._client

    def close(self) -> None:
        """Stop listening, and end the Redis server."""
        for listener, thread in self._listening:
            thread.stop()
            thread.join()
            listener.close()
        self._client.close()
        self._server.terminate()
        self._server.wait()
        self._folder.cleanup()


def open_bus() -> LocalBus | RedisBus:
    """A bus through Redis where `redis-server` is installed, otherwise (and on Windows) one within this process."""
    return RedisBus() if shutil.which("redis-server") and hasattr(socket, "AF_UNIX") else LocalBus()
