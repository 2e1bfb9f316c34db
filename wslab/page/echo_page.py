"""The Echo test page: what a browser gets at the address of a server, if it does not ask for WebSocket (RFC 9110)."""

import re
from functools import cache
from pathlib import Path

from wslab.page.answer import answer_html
from wslab.page.bundle import bundle
from wslab.protocol.handshake_rules import has_legal_host, has_one_host
from wslab.protocol.http import Request, Response

FILE = Path(__file__).with_name("echo.html")


def answer_page(request: Request) -> Response | None:
    """Return the page for a request that asks for HTML at `/`; None for any other, including a faulty handshake."""
    return _build_page() if asks_for_page(request) else None


def asks_for_page(request: Request) -> bool:
    """Whether a request asks for HTML at `/`, and for nothing else.

    Programs do not list `text/html` in Accept, so they are still told with 426 that this is a WebSocket server.
    """
    headers = request.headers
    return (
        request.method in ("GET", "HEAD")
        and "Upgrade" not in headers
        and "Transfer-Encoding" not in headers
        and has_one_host(request)
        and has_legal_host(request)
        and request.resource_name.partition("?")[0] == "/"
        and headers.get("Content-Length", "0") == "0"
        and any(_is_html(accepted) for accepted in headers.tokens("Accept"))
    )


def _is_html(media_range: str) -> bool:
    """Return True if an element of Accept names HTML, with a weight other than 0 (RFC 9110 §12.5.1)."""
    name, *parameters = media_range.lower().replace(" ", "").replace("\t", "").split(";")
    return name == "text/html" and not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)


@cache
def _build_page() -> Response:
    """Build the page, whose policy lets it open any WebSocket and ask its own server, but make no HTML of text."""
    rules = {"connect-src": "'self' ws: wss:", "require-trusted-types-for": "'script'", "trusted-types": "'none'"}
    return answer_html(bundle(FILE), rules)
