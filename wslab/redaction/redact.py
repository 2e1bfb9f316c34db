"""redact: text or bytes in, the same without cookies, credentials and tokens out; `secrets` has the list."""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from wslab.redaction.find import find_compressed, find_in_subprotocols, find_secrets
from wslab.redaction.names import is_mangled, is_public, is_secret, lists_subprotocols
from wslab.redaction.secrets import Place

REDACTED = "[redacted]"
MOST_OF_A_LINE = 40  # characters

_CROSSED_OUT = bytes(byte if byte in b" \t\n\r\f\v" else ord("x") for byte in range(256))
_CONTINUATIONS = bytes(range(0x80, 0xC0))  # of UTF-8
_WORDS = re.compile(rb"[\t\n\r -~]{12,}|[\w-]{3,}=[!-~]{3,}")  # in noise, shorter ones look like anything now and then

# What may follow a part of a text that is not all there: more of a token, the end of a password.
_FOLLOWING = ("a" * 20 + ".aaaa", "@a")

Span = tuple[int, int]


def redact_target(target: str) -> str:
    """The request target, or any text, without the tokens, keys and passwords in it.

    >>> redact_target("/lab?token=abc123&reset")
    '/lab?token=[redacted]&reset'
    """
    return _replace(target, find_secrets(target), REDACTED)


def redact_part(part: str, before: str, has_more: bool) -> str:
    """A part of a text, as `redact_target` shows a whole one: a secret may have begun `before` it, and end after it.

    >>> redact_part('same"}', before='{"token": "se', has_more=False)
    '[redacted]"}'
    """
    return _replace(part, _spans_in_part(part, before, has_more), REDACTED)


def redact_header(name: str, value: str) -> str:
    """The header value, or `[redacted]` where it holds cookies or credentials; what is secret in others goes as well.

    >>> redact_header("Sec-WebSocket-Protocol", "access_token, abc, chat")
    'access_token, xxx, chat'
    """
    if is_secret(name, Place.HEADER) and not is_public(value):
        return REDACTED
    if lists_subprotocols(name):  # whose names have no brackets
        return _replace(value, chain(find_secrets(value), find_in_subprotocols(value)), "xxx")
    return redact_target(value)


def redact_line(line: str) -> str:
    """A line that is no header line, for the eyes; its name may be one of those with secrets, misspelt."""
    return REDACTED if is_mangled(line) else redact_target(line)[:MOST_OF_A_LINE]


def cross_out(text: str) -> str:
    """`text` with an x for each character of what is secret: as many as before.

    >>> cross_out('x; token="abc"')
    'x; token="xxx"'
    """
    crossed = list(text)
    for start, end in _merged(find_secrets(text), len(text)):
        crossed[start:end] = re.sub(r"\S", "x", text[start:end], flags=re.ASCII)
    return "".join(crossed)


def redact_bytes(head: bytes) -> bytes:
    r"""The bytes of a head, legal or not, whole or not, with an x for each byte of what is secret: as many as before.

    >>> redact_bytes(b"GET /?token=abc HTTP/1.1\r\nCookie: a=1; b=2")
    b'GET /?token=xxx HTTP/1.1\r\nCookie: xxxx xxx'
    """
    return _cross_out_bytes(head, is_head=True)


def redact_body(body: bytes, coding: str = "") -> bytes:
    """The bytes of a body, or of a message, crossed out in the same way; all of them if they are compressed.

    `coding` is its Content-Encoding.

    >>> redact_body(b'{"token": "abc", "x": "y"}')
    b'{"token": "xxx", "x": "y"}'
    """
    if coding.lower() not in ("", "identity"):
        return b"x" * len(body)
    return _cross_out_bytes(body, is_body=True)


def redact_payload(payload: bytes) -> bytes:
    r"""The bytes of a message or of a part of it. In what is no text, only words are searched: in noise is everything.

    >>> redact_payload(b"\xff\x00\x09token=abc\x00//\x01@")
    b'\xff\x00\ttoken=xxx\x00//\x01@'
    """
    if _is_text(payload):
        return redact_body(payload)
    return _WORDS.sub(lambda words: redact_body(words[0]), payload)


def redact_part_of_payload(part: bytes, before: bytes, has_more: bool) -> bytes:
    r"""A part of a message, as `redact_payload` shows a whole one.

    >>> redact_part_of_payload(b"ame&x=1", before=b"/?token=ses", has_more=False)
    b'xxx&x=1'
    """
    start, end = len(before), len(before) + len(part)
    clean = bytearray(redact_payload(before + part)[start:])
    for following in _FOLLOWING if has_more else ():
        other = redact_payload(before + part + following.encode())[start:end]
        clean = bytearray(a if a != b else c for a, b, c in zip(clean, part, other, strict=True))
    return bytes(clean)


def redact_stream(data: bytes) -> bytes:
    """All that one side has sent, heads and bodies, or what it may be."""
    return _cross_out_bytes(data, is_head=True, is_body=True)


def printable(text: str) -> str:
    r"""`text` with an escape for each character that moves the cursor of a terminal, or does worse.

    >>> printable("Hello\r\x1b[2J")
    'Hello\\r\\x1b[2J'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def harmless(words: str) -> str:
    """`words` without secrets, and without what would move the cursor of a terminal."""
    return printable(redact_target(words))


def _is_text(part: bytes) -> bool:
    """Return True if this may be a part of a text, which may be cut within its first or last character."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(part.lstrip(_CONTINUATIONS))
    except UnicodeDecodeError:
        return False
    return True


def _spans_in_part(part: str, before: str, has_more: bool) -> Iterator[Span]:
    first, text = len(before), before + part
    for following in ("", *_FOLLOWING) if has_more else ("",):
        for start, end in find_secrets(text + following):
            clipped = max(start, first) - first, min(end, len(text)) - first
            if clipped[0] < clipped[1]:
                yield clipped


# Crossing out


def _cross_out_bytes(data: bytes, *, is_head: bool = False, is_body: bool = False) -> bytes:
    text, clean = data.decode("latin-1"), bytearray(data)  # a character for each byte
    spans = find_secrets(text, is_head=is_head, is_body=is_body)
    for start, end in _merged(chain(spans, find_compressed(data) if is_body else ()), len(data)):
        clean[start:end] = data[start:end].translate(_CROSSED_OUT)
    return bytes(clean)


def _replace(text: str, spans: Iterable[Span], by: str) -> str:
    pieces, position = [], 0
    for start, end in _merged(spans, len(text)):
        pieces += [text[position:start], by]
        position = end
    return "".join([*pieces, text[position:]])


def _merged(spans: Iterable[Span], size: int) -> Iterator[Span]:
    """The spans in order, each of `size` characters in one of them at the most."""
    marked = bytearray(size)
    for start, end in spans:
        marked[start:end] = b"x" * (end - start)
    return (run.span() for run in re.finditer(b"x+", marked))
