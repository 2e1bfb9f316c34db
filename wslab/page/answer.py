"""Answers: a text, a page or a value in, the HTTP response that brings it to a browser out (RFC 9110 §15, CSP 3)."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from http import HTTPStatus

from wslab.protocol.http import Headers, Response

# A notebook may show a page in a frame: behind a proxy it has the same origin, on this machine another port.
FRAMED_BY = "'self' http://localhost:* http://127.0.0.1:*"


def answer_text(
    text: str = "",
    status: int = 200,
    *,
    content_type: str = "text/plain; charset=utf-8",
    headers: Iterable[tuple[str, str]] = (),
) -> Response:
    """Return the response with this text, which no browser may store, and after which the connection closes."""
    body = text.encode()
    lines = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        *headers,
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),  # the address may hold a token
        ("Cache-Control", "no-store"),
        ("Connection", "close"),
    ]
    return Response(status, HTTPStatus(status).phrase, Headers(tuple(lines)), body)


def answer_html(text: str, rules: Mapping[str, str], headers: Iterable[tuple[str, str]] = ()) -> Response:
    """Return a page with a policy that allows its own script, style and icon, what `rules` add, and nothing else."""
    policy = {
        "default-src": "'none'",
        "script-src": _hash_of("script", text),
        "style-src": _hash_of("style", text),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": FRAMED_BY,
    }
    for name, value in rules.items():
        policy[name] = f"{policy[name]} {value}" if name in policy else value
    joined = "; ".join(f"{name} {value}" for name, value in policy.items())
    secured = [("Content-Security-Policy", joined), *headers]
    return answer_text(text, content_type="text/html; charset=utf-8", headers=secured)


def answer_json(value: object) -> Response:
    """Return a value for the script of a page."""
    return answer_text(json.dumps(value), content_type="application/json")


def _hash_of(element: str, page: str) -> str:
    """Return the only element of this name as a policy names it; `'none'` if the page has none."""
    found = re.findall(rf"<{element}(?: [^>]*)?>(.*?)</{element}>", page, re.DOTALL)
    if not found:
        return "'none'"
    [content] = found
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
