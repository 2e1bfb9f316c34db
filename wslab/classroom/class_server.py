"""class_server: a WebSocket server for a class: the page on which to join, and a room for every client that comes.

Any WebSocket client that connects to `ws://host:port/?name=Ada` is in the room: it is told its name, and what it sends
goes to all others, each message with the name before it. A page offers the subprotocol `class.wslab` and speaks JSON
(`requests`, `wall`); it is given a token, and `?token=...` is the same student again, in whatever client.
"""

import threading
from urllib.parse import parse_qsl

from wslab.classroom.addresses import EVERYWHERE, addresses_of_this_machine, is_for_us, is_from_our_page
from wslab.classroom.join_page import join_page
from wslab.classroom.limits import ClassLimits
from wslab.classroom.outbox import Outbox
from wslab.classroom.room import Full, Room
from wslab.page.answer import answer_text
from wslab.page.echo_page import asks_for_page
from wslab.protocol.errors import CloseCode
from wslab.protocol.http import Request, Response
from wslab.sockets.connection import Connection
from wslab.sockets.server import EchoServer

SUBPROTOCOL = "class.wslab"
MOST_FIELDS = 10


class ClassServer:
    """Serves a class on `host` and `port` (0: any free one), in a `with` block or from `start` to `close`."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, limits: ClassLimits | None = None) -> None:
        self.room = Room(limits)
        self._server = EchoServer(
            host,
            port,
            self._serve,
            limits=self.room.limits.of_connections,
            deflate=False,
            subprotocols=[SUBPROTOCOL],
            page=False,
        )
        self._server.pages.append(self._answer)
        self._page: Response | None = None
        self._is_over = threading.Event()

    def __enter__(self) -> "ClassServer":
        return self.start()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def start(self) -> "ClassServer":
        """Listen and serve in the background. Raises OSError if there is no such address, ImportError without segno."""
        self._server.start()
        try:
            self._page = join_page(self.address)
        except ImportError:
            self.close()
            raise
        return self

    def serve_forever(self) -> None:
        """Serve until interrupted (Ctrl-C), then close."""
        try:
            while not self._is_over.wait(timeout=1):  # Windows notices Ctrl-C only between two waits
                pass
        except KeyboardInterrupt:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Stop listening, and tell all clients that the class is over."""
        self._is_over.set()
        self._server.close(CloseCode.GOING_AWAY, "the class is over")

    @property
    def server(self) -> EchoServer:
        """The server that the class stands on."""
        return self._server

    @property
    def is_open_to_others(self) -> bool:
        """Whether other computers can reach it."""
        return self._server.host in EVERYWHERE or not self._server.host.startswith(("127.", "localhost", "::1"))

    @property
    def addresses(self) -> list[str]:
        """The addresses by which students get the page, the likeliest first."""
        hosts = addresses_of_this_machine() if self._server.host in EVERYWHERE else []
        return [_http(host, self._server.port) for host in hosts or [self._server.host]]

    @property
    def address(self) -> str:
        """The address that the page shows, `http://192.168.1.5:8000/`."""
        return self.addresses[0]

    @property
    def teacher_address(self) -> str:
        """The address of the page with all marks. What stands after # is not sent to the server by opening it."""
        return f"{self.address}#teacher={self.room.teacher_token}"

    # Each connection, in a thread of its own

    def _answer(self, connection: Connection) -> Response | None:
        """Answer what is no handshake, or one that a foreign page may have begun."""
        request = connection.request
        if request is None or self._page is None:
            return None
        if not is_for_us(request, self._server.host) or not is_from_our_page(request):
            return answer_text("This class answers its own page, at its own address, and programs.\n", 403)
        return self._page if asks_for_page(request) else None

    def _serve(self, connection: Connection) -> None:
        query = read_query(connection.request)
        has_page = connection.subprotocol == SUBPROTOCOL
        try:
            with Outbox(connection) as outbox:
                client = self.room.join(
                    query.get("name", ""),
                    query.get("token", ""),
                    connection.remote_address[0],
                    outbox,
                    has_page=has_page,
                )
                try:
                    is_welcome = all(self.room.receive(client, message) for message in connection)
                finally:
                    self.room.leave(client)
        except Full as full:
            connection.close(CloseCode.TRY_AGAIN_LATER, f"{full}"[:100])
        else:
            if not is_welcome:
                connection.close(CloseCode.POLICY_VIOLATION, "too many messages a second")


def read_query(request: Request | None) -> dict[str, str]:
    """The fields of the query of a request; none if they are too many."""
    query = request.resource_name.partition("?")[2] if request is not None else ""
    try:
        return dict(parse_qsl(query, max_num_fields=MOST_FIELDS, errors="replace"))
    except ValueError:
        return {}


def _http(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
