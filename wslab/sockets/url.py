"""Url: a WebSocket address read into its parts, strictly, by our own rule (RFC 6455 §3, RFC 3986)."""

import re
import socket
from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from urllib.parse import quote, unquote, unquote_to_bytes

try:
    import idna
except ImportError:  # it comes with JupyterLab
    idna = None  # type: ignore[assignment]

from wslab.redaction.redact import redact_target

DEFAULT_PORTS = {"ws": 80, "wss": 443}

# RFC 3986 appendix B, without what a browser ignores, too: blanks and controls around an address, line breaks in it.
# What urlsplit forgives, and what it says of the rest, depends on the version of Python.
_IGNORED = re.compile(r"\A[\x00- ]+|[\t\n\r]+|[\x00- ]+\Z")
_URL = re.compile(r"(wss?):(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(#.*)?", re.IGNORECASE | re.DOTALL)
# A browser takes a backslash for the end of the host, so that it would go to another one.
_AUTHORITY = re.compile(r"(?:([^\\]*)@)?(?:\[([^\[\]@]+)\]|([^\[\]@:\s]+))(?::([^:@]*))?", re.DOTALL)
_LABEL = r"[\w~!$&'()*+;=-]{1,63}"  # no comma: the Host header would seem to name two (RFC 9110 §5.3)
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)  # RFC 3986 §3.2.2
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")
_ZONE = re.compile(r"(?:25)?([\w.~-]+)", re.ASCII)  # RFC 6874: %25 is how an address spells the percent sign
_PORT = re.compile(r"0*[0-9]{1,5}")
_UNQUOTED = "/%:@!$&'()*+,;=~-._"
BAD_PLACE = "what stands before the path is no host and port (a / in a user name or a password is written %2F)"
_JOINERS = "\u200c\u200d"
_NOT_IN_IDNA_2003 = re.compile(f"[ßẞς{_JOINERS}]")  # it takes them for others


@dataclass(frozen=True)
class WebSocketUrl:
    """The parts of a WebSocket address: what to connect to, and what to ask for there (RFC 6455 §3).

    `authorization` is the value of that header, if a user name stands before the host (RFC 7617).
    """

    secure: bool
    host: str
    port: int
    resource_name: str
    authorization: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """The host as others know it: without the zone of an IPv6 address, and without the dot at the end of a name."""
        return self.host.partition("%")[0].removesuffix(".")

    @property
    def host_header(self) -> str:
        """The Host header: the port is left out where it is the default one."""
        host = f"[{self.name}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS["wss" if self.secure else "ws"] else f"{host}:{self.port}"


def parse_url(url: str) -> WebSocketUrl:
    """Read a `ws://` or `wss://` address. Raises ValueError that says what is wrong with it.

    >>> parse_url("ws://localhost:8765/chat?room=1")
    WebSocketUrl(secure=False, host='localhost', port=8765, resource_name='/chat?room=1')
    """
    if not isinstance(url, str):
        raise TypeError(f"an address is text, such as the `url` of a server, not {type(url).__name__}")
    url = _IGNORED.sub("", url)
    parts = _URL.fullmatch(url)
    if parts is None:
        begin = "" if "@" in url else f", not {redact_target(url)[:40]!r}"
        raise ValueError(f"a WebSocket address begins with ws:// or wss://{begin}")
    scheme, authority, path, query, fragment = parts.groups()
    if fragment is not None:
        raise ValueError("a WebSocket address has no #fragment (RFC 6455 §3)")
    place = _AUTHORITY.fullmatch(authority or "")
    if place is None:
        raise ValueError("a WebSocket address is ws://host:port/path, an IPv6 host in brackets")
    userinfo, ip_literal, name, port = place.groups()
    try:
        resource_name = quote(path or "/", _UNQUOTED) + ("?" + quote(query, _UNQUOTED + "?") if query else "")
        user, _, password = (userinfo or "").partition(":")
        credentials = b64encode(unquote_to_bytes(user) + b":" + unquote_to_bytes(password)).decode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair is no character, and cannot be sent") from None
    scheme = scheme.lower()
    try:
        host = _parse_name(name) if ip_literal is None else _parse_ip_literal(ip_literal)
        port_number = _parse_port(port, DEFAULT_PORTS[scheme])
    except ValueError as error:
        raise ValueError(BAD_PLACE if "@" in url else str(error)) from None  # it may be a piece of a password
    return WebSocketUrl(scheme == "wss", host, port_number, resource_name, f"Basic {credentials}" if userinfo else "")


def _parse_name(name: str) -> str:
    """The name as DNS knows it and browsers make it of what is written: ASCII in small letters, or four numbers."""
    try:
        host = ".".join(map(_to_ascii, _map(unquote(name, errors="strict")).split(".")))
        if _ENDS_IN_A_NUMBER.fullmatch(host):  # as a browser sees it, that is an address
            return socket.inet_ntoa(socket.inet_aton(host.removesuffix(".")))
    except (UnicodeError, OSError):
        host = ""
    if not _HOST.fullmatch(host):  # what is made of a name can hold a blank
        raise ValueError(f"{name[:40]!r} is not the name of a host")
    return host


def _map(name: str) -> str:
    """The name in small letters and in the usual spelling of each (UTS 46)."""
    if name.isascii():
        return name.lower()
    if idna is not None:
        return idna.uts46_remap(name, std3_rules=False)
    if _NOT_IN_IDNA_2003.search(name):
        raise ValueError("which host this is, the package `idna` can tell: pip install idna")
    return name.lower().encode("idna").decode()


def _to_ascii(label: str) -> str:
    """What stands between two dots, in ASCII (UTS 46 §4.1; like a browser, without the rules on hyphens)."""
    if label.isascii() and not (idna and label.startswith("xn--")):
        return label
    text = label[4:].encode().decode("punycode") if label.startswith("xn--") else label
    if text.isascii() or _map(text) != text:
        raise UnicodeError
    idna.check_initial_combiner(text)
    idna.check_bidi(text)
    if not all(idna.valid_contextj(text, place) for place, letter in enumerate(text) if letter in _JOINERS):
        raise UnicodeError
    return "xn--" + text.encode("punycode").decode()


def _parse_ip_literal(text: str) -> str:
    """What stands in brackets (RFC 3986 §3.2.2); the case of a zone, as in `fe80::1%eth0`, is kept."""
    address, percent, written = text.partition("%")
    try:
        address = IPv6Address(address).compressed
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no IPv6 address, which is what stands in brackets") from None
    zone = _ZONE.fullmatch(written)
    if percent and zone is None:
        raise ValueError(f"{written[:40]!r} is no zone of an IPv6 address")
    return address + (f"%{zone[1]}" if zone else "")


def _parse_port(text: str | None, default: int) -> int:
    if not text:
        return default
    if not _PORT.fullmatch(text) or int(text[-5:]) > 65535:
        raise ValueError(f"a port is a number from 0 to 65535, not {text[:40]!r}")
    return int(text[-5:])
