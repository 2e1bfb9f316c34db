"""Url: a WebSocket address read into its parts, strictly, by our own rule (RFC 6455 §3, RFC 3986)."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import quote

DEFAULT_PORTS = {"ws": 80, "wss": 443}

# RFC 3986 appendix B, without the blanks around an address and the line breaks in it, which a browser ignores, too.
# What urlsplit forgives, and what it says of the rest, depends on the version of Python.
_IGNORED = re.compile(r"\A[\t\n\r ]+|[\t\n\r]+|[\t\n\r ]+\Z")
_URL = re.compile(r"(wss?):(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(#.*)?", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(?:\[([^\[\]@]+)\]|([^\[\]@:\s]+))(?::([^:@]*))?")
_HOST = re.compile(r"[\w.~!$&'()*+,;=%-]+", re.ASCII)  # RFC 3986 §3.2.2
_PORT = re.compile(r"0*[0-9]{1,5}")
_UNQUOTED = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class WebSocketUrl:
    """The parts of a WebSocket address: what to connect to, and what to ask for there (RFC 6455 §3)."""

    secure: bool
    host: str
    port: int
    resource_name: str

    @property
    def host_header(self) -> str:
        """The Host header: the port is left out where it is the default one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS["wss" if self.secure else "ws"] else f"{host}:{self.port}"


def parse_url(url: str) -> WebSocketUrl:
    """Read a `ws://` or `wss://` address. Raises ValueError that says what is wrong with it.

    >>> parse_url("ws://localhost:8765/chat?room=1")
    WebSocketUrl(secure=False, host='localhost', port=8765, resource_name='/chat?room=1')
    """
    parts = _URL.fullmatch(_IGNORED.sub("", url))
    if parts is None:
        raise ValueError(f"a WebSocket address begins with ws:// or wss://, not {url[:40]!r}")
    scheme, authority, path, query, fragment = parts.groups()
    if fragment is not None:
        raise ValueError("a WebSocket address has no #fragment (RFC 6455 §3)")
    place = _AUTHORITY.fullmatch(authority or "")
    if place is None:
        raise ValueError("a WebSocket address is ws://host:port/path, an IPv6 host in brackets, no user name before it")
    ip_literal, name, port = place.groups()
    host = _parse_ip_literal(ip_literal) if name is None else _parse_name(name)
    try:
        resource_name = quote(path or "/", _UNQUOTED) + ("?" + quote(query, _UNQUOTED + "?") if query else "")
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair is no character, and cannot be sent") from None
    scheme = scheme.lower()
    return WebSocketUrl(scheme == "wss", host, _parse_port(port, DEFAULT_PORTS[scheme]), resource_name)


def _parse_name(name: str) -> str:
    """The name as DNS knows it: ASCII, in small letters, at most 63 of them between two dots."""
    try:
        host = name.lower().encode("idna").decode()
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):  # what IDNA makes of a name can hold a blank
        raise ValueError(f"{name[:40]!r} is not the name of a host")
    return host


def _parse_ip_literal(text: str) -> str:
    """What stands in brackets (RFC 3986 §3.2.2); the case of a zone, as in `fe80::1%eth0`, is kept."""
    address, percent, zone = text.partition("%")
    try:
        IPv6Address(address)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no IPv6 address, which is what stands in brackets") from None
    if percent and not _HOST.fullmatch(zone):
        raise ValueError(f"{zone[:40]!r} is no zone of an IPv6 address")
    return address.lower() + percent + zone


def _parse_port(text: str | None, default: int) -> int:
    if not text:
        return default
    if not _PORT.fullmatch(text) or int(text[-5:]) > 65535:
        raise ValueError(f"a port is a number from 0 to 65535, not {text[:40]!r}")
    return int(text[-5:])
