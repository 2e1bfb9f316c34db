"""connect: open a WebSocket connection to an address (RFC 6455 §3, §4.1)."""

import os
import re
import socket
import ssl as ssl_module
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.endpoint import Protocol
from wslab.protocol.handshake import build_request
from wslab.protocol.limits import Limits
from wslab.protocol.states import Role
from wslab.recording.recording import Recording
from wslab.sockets.connection import Connection
from wslab.sockets.stream import keep_memory_for

DEFAULT_PORTS = {"ws": 80, "wss": 443}

_AUTHORITY = re.compile(r"(\[[^\[\]@]+\]|[^\[\]@:\s]+)(:[^:@]*)?")
_HOST = re.compile(r"[\w.~!$&'()*+,;=%:-]+", re.ASCII)  # RFC 3986 §3.2.2


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
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError(f"a WebSocket address begins with ws:// or wss://, not {url[:40]!r}")
    if parts.fragment or url.endswith("#"):
        raise ValueError("a WebSocket address has no #fragment (RFC 6455 §3)")
    if not _AUTHORITY.fullmatch(parts.netloc) or not parts.hostname:
        raise ValueError("a WebSocket address is ws://host:port/path, with no user name in it")
    host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    if not _HOST.fullmatch(host):  # what IDNA makes of a name can hold a blank
        raise ValueError(f"{host[:40]!r} is not the name of a host")
    port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    resource_name = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
        "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~-._") if parts.query else ""
    )
    return Address(parts.scheme == "wss", host, port, resource_name)


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
