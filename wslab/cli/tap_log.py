"""tap_log: what passes through a tap, one readable line for each head, frame and end of TCP, without secrets."""

import threading
from collections import deque
from collections.abc import Iterator
from datetime import datetime

from wslab.dissector.conversation import Conversation
from wslab.dissector.frames import KEPT, MOST_SHOWN
from wslab.protocol.states import SENDERS, Direction, Role
from wslab.recording.log import Call, Chunk, SocketAddress
from wslab.recording.recording import Recording

ARROWS = {Role.CLIENT: ">", Role.SERVER: "<"}
MOST_OF_A_TEXT = 1024 * 1024  # characters
MOST_WAITING = 100  # reads that have not been printed yet; then those who talk wait
MOST_BROKEN = 1000  # connections that broke off
LONG = 1.0  # seconds: Windows notices Ctrl-C only between two waits


class LineFormatter:
    r"""Turns what a tap records into lines, as it comes.

    A line has the number of the connection, an arrow (`>` to the server, `<` to the client) and what passed; with
    `times` it begins with the time of day, and with `full` it has texts to their end.

    >>> formatter = LineFormatter()
    >>> formatter.lines(Chunk(0.0, 1, Direction.CLIENT_TO_SERVER, b"GET /chat HTTP/1.1\r\n\r\n"))
    ['1 > GET /chat HTTP/1.1']
    >>> formatter.lines(Call(0.1, 1, Direction.SERVER_TO_CLIENT, "end", ""))
    ['1 < end of TCP']
    """

    def __init__(self, times: bool = False, full: bool = False) -> None:
        self._times = times
        self._most = MOST_OF_A_TEXT if full else MOST_SHOWN
        self._conversations: dict[int, Conversation] = {}
        self._broken: dict[int, None] = {}  # the last ones that broke off: some of their bytes may still come
        self._half_closed: set[int] = set()

    def lines(self, entry: Chunk | Call) -> list[str]:
        """Return the lines that this chunk or mark completes."""
        number, sender = entry.connection, SENDERS[entry.direction]
        conversation = self._conversations.get(number)
        if conversation is None and number not in self._broken:
            conversation = self._conversations[number] = Conversation(max(KEPT, self._most))
        if isinstance(entry, Chunk):
            said = [seen.told(self._most) for seen in conversation.receive(sender, entry.data)] if conversation else []
        else:
            said = [seen.told(self._most) for seen in conversation.end(sender)] if conversation else []
            said.append(self._end(entry))
        when = f"{datetime.fromtimestamp(entry.time):%H:%M:%S.%f}"[:-3] + " " if self._times else ""
        return [f"{when}{number} {ARROWS[sender]} {what}" for what in said]

    def _end(self, call: Call) -> str:
        """Return what happened to a connection, and forget it if nothing more can come of it."""
        number = call.connection
        if call.name == "end":
            if number in self._half_closed:
                self._half_closed.remove(number)
                self._conversations.pop(number, None)
            elif number not in self._broken:
                self._half_closed.add(number)
            return "end of TCP"
        self._conversations.pop(number, None)
        self._half_closed.discard(number)
        self._broken[number] = None
        if len(self._broken) > MOST_BROKEN:
            del self._broken[next(iter(self._broken))]
        return "reset" if call.name == "reset" else f"the server cannot be reached: {call.argument}"


class LiveRecording(Recording):
    """A recording that another thread reads as it grows; it keeps what was read only where that is to be saved.

    Threads that record wait when the reading one falls behind, until the recording is closed.
    """

    def __init__(self, *, keeps: bool) -> None:
        super().__init__()
        self._keeps = keeps
        self._waiting: deque[Chunk | Call] = deque()
        lock = threading.Lock()
        self._has_room, self._has_more = threading.Condition(lock), threading.Condition(lock)
        self._is_closed = False

    def opened(self, connection: int, client: SocketAddress, server: SocketAddress) -> None:
        """Record the addresses of both ends, for the file."""
        if self._keeps:
            super().opened(connection, client, server)

    def add(self, connection: int, direction: Direction, data: bytes) -> None:
        """Record the bytes of one read."""
        chunk = Chunk(self.clock(), connection, direction, data)
        if self._keeps:
            self.keep(chunk)
        self._hand_over(chunk)

    def mark(self, connection: int, direction: Direction, name: str, argument: str = "") -> None:
        """Record what happened to TCP."""
        call = Call(self.clock(), connection, direction, name, argument)
        if self._keeps:
            self.keep(call)
        self._hand_over(call)

    def _hand_over(self, entry: Chunk | Call) -> None:
        with self._has_room:
            while len(self._waiting) >= MOST_WAITING and not self._is_closed:
                self._has_room.wait()
            if not self._is_closed:
                self._waiting.append(entry)
                self._has_more.notify()

    def close(self) -> None:
        """Hand over nothing more."""
        with self._has_room:
            self._is_closed = True
            self._has_room.notify_all()
            self._has_more.notify_all()

    def __iter__(self) -> Iterator[Chunk | Call]:
        """Yield what is recorded, as it comes, until the recording is closed and nothing is left."""
        while (entry := self._next()) is not None:
            yield entry

    def _next(self) -> Chunk | Call | None:
        with self._has_more:
            while not self._waiting and not self._is_closed:
                self._has_more.wait(LONG)
            self._has_room.notify()
            return self._waiting.popleft() if self._waiting else None
