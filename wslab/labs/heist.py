"""Heist: a bank and an attacker for the reader's browser, or what was recorded without one (RFC 6455 §10.2)."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from wslab.browser.frontend import find_frontend
from wslab.labs.background import HOST
from wslab.labs.hijacking import COOKIE, Attack, Attacker, Bank
from wslab.protocol.http import Request, parse_request, parse_response
from wslab.protocol.states import Direction
from wslab.recording.recording import Recording

RECORDED = Path("recordings/heists.json")
ADVICE = "Open the first link, then the second, in the same browser, and then run the next cell."
NO_LINKS = (
    "No browser of this machine shows this notebook, so there is nothing to click: the next cell has a recording."
)


@dataclass(frozen=True)
class Options:
    """What makes a heist: the bank's cookie, its repairs, and the name of the attacker's site.

    `cors` is who may read the bank's answers by its CORS headers: "nobody", "the bank" or "the attacker".
    """

    cookie: str = "HttpOnly; SameSite=Lax"
    check_origin: bool = False
    ask_ticket: bool = False
    cors: str = "nobody"
    attacker: str = HOST


@dataclass(frozen=True, repr=False)
class Outcome:
    """What one visit to the attack page brought, and the handshake of its WebSocket as the bank saw it.

    `origin` is "the attack page", "the bank" or another origin; `has_cookie` says whether the bank's cookie was in the
    request; `status` is the bank's answer to the handshake.
    """

    source: str
    attack: Attack
    origin: str
    has_cookie: bool
    status: int

    def __repr__(self) -> str:
        attack = self.attack
        lines = {
            "Origin": self.origin,
            "Cookie": f"{COOKIE}=…" if self.has_cookie else "none",
            "the bank answered": str(self.status),
            "fetch() brought": repr(attack.fetched),
            "the WebSocket brought": f"{attack.told!r}, then the close event with {attack.close_code}",
        }
        return "\n".join([f"{self.source}:", *(f"  {name:22}{value}" for name, value in lines.items())])


class Heist:
    """A bank and an attacker with these options, until `close`; as the value of a cell, links for a browser.

    Only a browser on this machine finds them. `outcome` is what its last visit brought, or what was recorded in
    `recorded` for these options, if there was none. Raises OSError or ValueError if the recording cannot be read.
    """

    def __init__(self, recorded: str | os.PathLike[str] = RECORDED, **options: Any) -> None:
        self.options = Options(**options)
        self._recorded = load_heists(Path(recorded)).get(self.options)
        self._recording = Recording()
        self.bank = Bank(
            check_origin=self.options.check_origin,
            ask_ticket=self.options.ask_ticket,
            cookie=self.options.cookie,
            recording=self._recording,
        )
        self.attacker = Attacker(self.bank, self.options.attacker)
        with contextlib.ExitStack() as opened:
            opened.enter_context(self.bank)
            opened.enter_context(self.attacker)
            self._opened = opened.pop_all()
        allowed = {"the bank": self.bank.origin, "the attacker": self.attacker.origin}.get(self.options.cors)
        if allowed is not None:
            self.bank.headers = [
                ("Access-Control-Allow-Origin", allowed),
                ("Access-Control-Allow-Credentials", "true"),
            ]

    def __enter__(self) -> "Heist":
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop both servers."""
        self._opened.close()

    def outcome(self) -> Outcome | None:
        """What the last visit to the attack page brought; what was recorded, if there was none; None without either."""
        if not self.attacker.attacks:
            return self._recorded
        request, status = self._last_handshake()
        origins = {self.attacker.origin: "the attack page", self.bank.origin: "the bank"}
        return Outcome(
            "Your browser brought",
            self.attacker.attacks[-1],
            origins.get(request.headers.get("Origin"), "another page"),
            COOKIE in request.headers.get("Cookie"),
            status,
        )

    def _last_handshake(self) -> tuple[Request, int]:
        """The last handshake that came from the attack page, and the status of the answer."""
        for number in reversed(self._recording.connections):
            asked = parse_request(self._recording.bytes_sent(number, Direction.CLIENT_TO_SERVER))
            answered = parse_response(self._recording.bytes_sent(number, Direction.SERVER_TO_CLIENT))
            if asked is not None and answered is not None and asked[0].headers.get("Origin") == self.attacker.origin:
                return asked[0], answered[0].status
        raise RuntimeError("an attack was reported without a handshake")

    def __repr__(self) -> str:
        return NO_LINKS

    def _repr_html_(self) -> str:
        frontend = find_frontend()
        if frontend is None or frontend.is_public:
            return f"<p>{escape(NO_LINKS)}</p>"
        links = [(self.bank.origin, "1. The bank"), (self.attacker.origin, "2. You have won!")]
        shown = " · ".join(f'<a href="{url}/" target="_blank" rel="noopener">{escape(name)}</a>' for url, name in links)
        return f"<p>{shown}</p><p>{escape(ADVICE)}</p>"


def load_heists(path: Path) -> Mapping[Options, Outcome]:
    """The recorded outcomes in a file, by their options. Raises OSError or ValueError if it cannot be read."""
    found = json.loads(path.read_bytes())
    source = f"What {found['browser']} brought when this was recorded"
    return {
        Options(**entry.pop("options")): Outcome(source, Attack(**entry.pop("attack")), **entry)
        for entry in found["heists"]
    }


def save_heists(path: Path, browser: str, outcomes: Mapping[Options, Outcome]) -> None:
    """Write the outcomes that `browser` brought, one to a line."""
    entries = []
    for options, outcome in outcomes.items():
        entry = {"options": asdict(options)} | asdict(outcome)
        del entry["source"]
        entries.append(f"    {json.dumps(entry)}")
    text = f'{{\n  "browser": {json.dumps(browser)},\n  "heists": [\n' + ",\n".join(entries) + "\n  ]\n}\n"
    path.write_text(text, encoding="utf-8")
