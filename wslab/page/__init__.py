"""The Echo test page: what a browser gets at the address of a server, if it does not ask for WebSocket (RFC 9110)."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from wslab.http import Headers, Request, Response

FILE = Path(__file__).with_name("echo.html")

# A notebook may show the page in a frame: behind a proxy it has the same origin, on this machine another port.
FRAMED_BY = "'self' http://localhost:* http://127.0.0.1:*"


def answer_page(request: Request) -> Response | None:
    """The page for a request that asks for HTML at `/`; None for every other, a faulty handshake among them.

    Programs do not list `text/html` in Accept, so that they are still told with 426 what they have reached.
    """
    headers = request.headers
    asks_for_page = (
        request.method in ("GET", "HEAD")
        and request.resource_name.partition("?")[0] == "/"
        and len(headers.get_all("Host")) == 1
        and not any(name in headers for name in ("Upgrade", "Transfer-Encoding"))
        and headers.get("Content-Length", "0") == "0"
        and any(_is_html(accepted) for accepted in headers.tokens("Accept"))
    )
    return _build_page() if asks_for_page else None


def _is_html(media_range: str) -> bool:
    """Whether an element of Accept names HTML, and not to refuse it with a weight of 0 (RFC 9110 §12.5.1)."""
    name, *parameters = media_range.lower().replace(" ", "").replace("\t", "").split(";")
    return name == "text/html" and not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)


@cache
def _build_page() -> Response:
    text = FILE.read_text(encoding="utf-8")
    body = text.encode()
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Content-Security-Policy", _policy_for(text)),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),  # the address may hold a token
        ("Cache-Control", "no-store"),
        ("Connection", "close"),
    ]
    return Response(200, "OK", Headers(tuple(headers)), body)


def _policy_for(text: str) -> str:
    """What the page may do: run its own script and style, show its icon, and open WebSockets to anywhere."""
    rules = {
        "default-src": "'none'",
        "script-src": _hash_of("script", text),
        "style-src": _hash_of("style", text),
        "img-src": "data:",
        "connect-src": "ws: wss:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": FRAMED_BY,
        "require-trusted-types-for": "'script'",  # a browser that knows this refuses to make HTML of a peer's text
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash_of(element: str, text: str) -> str:
    """The one element of this name, as a policy names it."""
    [content] = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
