"""connect: open a WebSocket connection to an address (RFC 6455 §3, §4.1)."""

import os
import re
import socket
import ssl as ssl_module
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import quote

from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.endpoint import Protocol
from wslab.protocol.handshake import build_request
from wslab.protocol.limits import Limits
from wslab.protocol.states import Role
from wslab.recording.recording import Recording
from wslab.sockets.connection import Connection
from wslab.sockets.memory import keep_memory_for

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
class Address:
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


def parse_url(url: str) -> Address:
    """Read a `ws://` or `wss://` address. Raises ValueError that says what is wrong with it.

    >>> parse_url("ws://localhost:8765/chat?room=1")
    Address(secure=False, host='localhost', port=8765, resource_name='/chat?room=1')
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
    return Address(scheme.lower() == "wss", host, _parse_port(port, DEFAULT_PORTS[scheme.lower()]), resource_name)


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


def connect(
    url: str,
    *,
    deflate: bool | PermessageDeflate = True,
    max_size: int = Limits.max_size,
    timeout: float | None = 10.0,
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    headers: Iterable[tuple[str, str]] = (),
    ssl: ssl_module.SSLContext | None = None,
    recording: Recording | None = None,
    codec: Codec | None = None,
    key: str | None = None,
    masking_key: bytes | None = None,
) -> Connection:
    """Open a connection to `url`; use it in a `with` block, or call its `close`.

    `timeout` in seconds bounds the handshake, each write and, unless `receive` is told otherwise, each wait for a
    message (None: no bound). `max_size` in bytes bounds a received message. `ssl` is for `wss://` (default: the
    system's certificates). `key` and `masking_key` make the bytes the same in every run, for lessons; by default
    they are random, as RFC 6455 §4.1 and §5.3 demand. Raises OSError if there is no TCP connection to be had,
    HandshakeError if the server does not agree, ValueError for a bad address.
    """
    address = parse_url(url)
    request = build_request(
        address.host_header,
        address.resource_name,
        key=b64encode(os.urandom(16)).decode() if key is None else key,
        origin=origin,
        subprotocols=subprotocols,
        headers=headers,
    )
    request.serialize()  # a header that cannot be sent is found before anything is opened
    protocol = Protocol(
        Role.CLIENT,
        deflate=PermessageDeflate() if deflate is True else deflate or None,
        limits=Limits(max_size=max_size),
        codec=codec,
        masking_keys=None if masking_key is None else lambda: masking_key,
    )
    keep_memory_for(max_size)
    sock = _open_tcp(address, timeout, ssl)
    try:
        connection = Connection(
            sock,
            protocol,
            remote_address=sock.getpeername()[:2],
            number=1 if recording is None else recording.new_number(),
            timeout=timeout,
            write_timeout=timeout,
            recording=recording,
        )
        connection.open(request, timeout)
    except BaseException:
        sock.close()
        raise
    return connection


def _open_tcp(address: Address, timeout: float | None, context: ssl_module.SSLContext | None) -> socket.socket:
    sock = socket.create_connection((address.host, address.port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not address.secure:
        return sock
    try:
        return (context or ssl_module.create_default_context()).wrap_socket(sock, server_hostname=address.host)
    except BaseException:
        sock.close()
        raise
