"""answer: a page or a value in, the HTTP response that brings it to a browser out (RFC 9110 §15.3.1)."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256

from wslab.protocol.http import Headers, Response

# A notebook may show a page in a frame: behind a proxy it has the same origin, on this machine another port.
FRAMED_BY = "'self' http://localhost:* http://127.0.0.1:*"


def answer_html(text: str, rules: Mapping[str, str]) -> Response:
    """A page with a policy that lets it run its own script and style, show its icon, and what `rules` add."""
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
    return _answer("text/html; charset=utf-8", text.encode(), [("Content-Security-Policy", joined)])


def answer_json(value: object) -> Response:
    """A value for the script of a page."""
    return _answer("application/json", json.dumps(value).encode(), [])


def _answer(content_type: str, body: bytes, headers: list[tuple[str, str]]) -> Response:
    lines = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        *headers,
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),  # the address may hold a token
        ("Cache-Control", "no-store"),
        ("Connection", "close"),
    ]
    return Response(200, "OK", Headers(tuple(lines)), body)


def _hash_of(element: str, text: str) -> str:
    """The one element of this name, as a policy names it."""
    [content] = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
