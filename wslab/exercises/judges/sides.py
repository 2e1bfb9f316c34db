"""sides: the learner's server and the learner's client, live, with the parts of a Codec; both echo."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from wslab.exercises.judges.watch import PATIENCE, Broken, Waited, Watch
from wslab.protocol.errors import ConnectionClosed, HandshakeError, ProtocolError
from wslab.protocol.limits import Limits
from wslab.protocol.states import Role
from wslab.recording.recording import Recording
from wslab.sockets.client import connect
from wslab.sockets.server import EchoServer, echo

STOPPING = 0.5  # seconds in which a part that has been stopped ends
LIMITS = Limits(handshake_timeout=PATIENCE, close_timeout=0.5)
NAMES = {Role.SERVER: "your server", Role.CLIENT: "your client"}


@contextmanager
def learners_server(watch: Watch, recording: Recording, deflate: bool) -> Iterator[EchoServer]:
    """A server with the learner's parts, while the judge talks to it."""
    server = EchoServer(codec=watch.codec, recording=recording, limits=LIMITS, deflate=deflate, page=False).start()
    try:
        yield server
    except Waited:
        watch.look_for_hang()
        raise
    finally:
        closer = threading.Thread(target=_close, args=(server, watch), name="wslab-judged", daemon=True)
        closer.start()  # a part that never returns may hold what closing a connection needs
        closer.join(PATIENCE)


def _close(server: EchoServer, watch: Watch) -> None:
    with watch.blaming():
        server.close()


class LearnersClient:
    """A client with the learner's parts, in a thread of its own; `refusal` is why it did not agree, if it did not."""

    def __init__(self, watch: Watch, port: int, recording: Recording, deflate: bool) -> None:
        self.refusal = ""
        self._has_been_awaited = False
        self._watch, self._recording, self._deflate = watch, recording, deflate
        self._url = f"ws://127.0.0.1:{port}/"
        self._thread = threading.Thread(target=self._run, name="wslab-judged", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._watch.blaming():
            try:
                connection = connect(
                    self._url,
                    codec=self._watch.codec,
                    recording=self._recording,
                    deflate=self._deflate,
                    timeout=2 * PATIENCE,
                    key="dGhlIHNhbXBsZSBub25jZQ==",  # so that what is told is the same each time
                    masking_key=bytes.fromhex("37fa213d"),
                )
            except HandshakeError as error:
                self.refusal = error.reason
                return
            except OSError:  # the judge has hung up
                return
            with connection, suppress(ConnectionClosed, ProtocolError, TimeoutError):
                echo(connection)

    @property
    def has_ended(self) -> bool:
        """Whether it has nothing more to say."""
        return not self._thread.is_alive()

    def end(self) -> None:
        """Wait until it has ended; what does not end stays behind, asleep."""
        if self._has_been_awaited:
            return
        self._has_been_awaited = True
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self._watch.look_for_hang()
            self._thread.join(STOPPING)


@contextmanager
def learners_client(watch: Watch, port: int, recording: Recording, deflate: bool) -> Iterator[LearnersClient]:
    """A client that connects to the judge's port; what was wrong with its parts is known when this is over."""
    client = LearnersClient(watch, port, recording, deflate)
    try:
        yield client
    except Waited:
        watch.look_for_hang()
        raise
    finally:
        client.end()


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A socket on which the judge awaits the learner's client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


def found_by(watch: Watch, work: Callable[[], None]) -> str:
    """Let a judge work; return where the conversation broke, or nothing. A part that failed comes first."""
    try:
        work()
    except Broken as broken:
        return f"{watch.failed}; so {broken}" if watch.failed else str(broken)
    except OSError as error:
        return watch.failed or f"this machine gives no connection: {error}"
    return watch.failed
