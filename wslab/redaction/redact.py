"""redact: cookies, credentials and tokens taken out of what is shown or saved."""

import re
from collections.abc import Iterable

REDACTED = "[redacted]"

_SECRET_HEADERS = {
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "wslab-ticket",
    "wslab-token",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-csrftoken",
    "x-xsrf-token",
    "x-xsrftoken",
}
_SECRET_NAMES = r"(?:[\w-]{0,20}token|api[_-]?key|session[_-]?id|_xsrf|password)"
# In the query of an address; also of one that is itself a parameter: %3F is "?", %26 is "&", %3D is "=", %25 is "%".
_SECRET_PARAMETER = rf"((?:[?&]|%(?:25)*(?:3F|26)){_SECRET_NAMES}(?:=|%(?:25)*3D))[^&#\s]+"
_USER_AND_PASSWORD = r"(://)[^/?#\s\"',<>]+(?=@)"
_BEARER_SUBPROTOCOL = r"(bearer\.authorization\.k8s\.io\.)[\w-]+"  # how a browser, which sets no header, sends one
_SECRETS_IN_TEXT = [re.compile(text, re.IGNORECASE) for text in (_SECRET_PARAMETER, _USER_AND_PASSWORD)]
_BEARER = re.compile(_BEARER_SUBPROTOCOL, re.IGNORECASE)
# The same in bytes, and leniently: a head that nobody accepts may have bare line feeds, blanks and folded lines.
_SECRET_LINE = rb"((?:\A|[\r\n])[ \t]*(?:%s)[ \t]*:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*" % (
    "|".join(sorted(_SECRET_HEADERS)).encode()
)
_SECRETS_IN_HEADS = [
    re.compile(octets, re.IGNORECASE)
    for octets in (
        _SECRET_LINE,
        *(text.encode() for text in (_SECRET_PARAMETER, _USER_AND_PASSWORD, _BEARER_SUBPROTOCOL)),
    )
]
_SECRETS_IN_BODIES = [
    re.compile(text.encode(), re.IGNORECASE)
    for text in (
        rf'("{_SECRET_NAMES}"\s*:\s*")(?:\\.|[^"])+',  # a page tells its scripts, as that of JupyterLab does
        rf"((?:\A|[\r\n]){_SECRET_NAMES}=)[^&\s]+",  # the first field of a form
    )
]


def redact_target(target: str) -> str:
    """The request target, or any text, without the tokens, keys and passwords in the addresses in it.

    >>> redact_target("/lab?token=abc123&reset")
    '/lab?token=[redacted]&reset'
    """
    for secret in _SECRETS_IN_TEXT:
        target = secret.sub(rf"\1{REDACTED}", target)
    return _BEARER.sub(r"\1xxx", target)  # the name of a subprotocol has no brackets


def redact_header(name: str, value: str) -> str:
    """The header value, or `[redacted]` where it holds cookies or credentials; tokens in addresses go as well."""
    return REDACTED if name.lower() in _SECRET_HEADERS else redact_target(value)


def redact_line(line: str) -> str:
    """A line that is no header line, for the eyes; its name may be one of those with secrets, misspelt."""
    letters = re.sub("[^a-z-]", "", line.lower())
    return REDACTED if any(name in letters for name in _SECRET_HEADERS) else redact_target(line)[:40]


def redact_bytes(head: bytes) -> bytes:
    r"""The bytes of a head, legal or not, whole or not, with an x for each byte of what is secret: as many as before.

    >>> redact_bytes(b"GET /?token=abc HTTP/1.1\r\nCookie: a=1; b=2")
    b'GET /?token=xxx HTTP/1.1\r\nCookie: xxxx xxx'
    """
    return _cross_out(head, _SECRETS_IN_HEADS)


def redact_body(body: bytes) -> bytes:
    """The bytes of a body, or of heads and bodies, crossed out as in a head; JSON and forms hold secrets, too.

    >>> redact_body(b'{"token": "abc", "x": "y"}')
    b'{"token": "xxx", "x": "y"}'
    """
    return _cross_out(redact_bytes(body), _SECRETS_IN_BODIES)


def _cross_out(data: bytes, secrets: Iterable[re.Pattern[bytes]]) -> bytes:
    for secret in secrets:
        data = secret.sub(lambda match: match[1] + re.sub(rb"\S", b"x", match[0][len(match[1]) :]), data)
    return data


def printable(text: str) -> str:
    r"""`text` with an escape for each character that moves the cursor of a terminal, or does worse.

    >>> printable("Hello\r\x1b[2J")
    'Hello\\r\\x1b[2J'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def harmless(words: str) -> str:
    """`words` without secrets, and without what would move the cursor of a terminal."""
    return printable(redact_target(words))
