"""connect: open a WebSocket connection to an address (RFC 6455 §3, §4.1)."""

import contextlib
import os
import socket
import ssl as ssl_module
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.endpoint import Protocol
from wslab.protocol.handshake import build_request
from wslab.protocol.handshake_rules import are_names
from wslab.protocol.http import HeaderLines, Request, lines_of
from wslab.protocol.limits import Limits
from wslab.protocol.states import Role
from wslab.recording.recording import Recording
from wslab.sockets.connection import Connection
from wslab.sockets.failures import name_missing_tls, no_connection
from wslab.sockets.memory import keep_memory_for
from wslab.sockets.stream import deadline_in, seconds_to, send_at_once
from wslab.sockets.url import WebSocketUrl, parse_url


def connect(
    url: str,
    *,
    deflate: bool | PermessageDeflate = True,
    max_size: int = Limits.max_size,
    timeout: float | None = 10.0,
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    headers: HeaderLines = (),
    ssl: ssl_module.SSLContext | None = None,
    recording: Recording | None = None,
    codec: Codec | None = None,
    key: str | None = None,
    masking_key: bytes | None = None,
) -> Connection:
    """Open a connection to `url`; use it in a `with` block, or call its `close`.

    `timeout` in seconds bounds the opening of TCP, TLS and WebSocket together, each write and, unless `receive` is told
    otherwise, each wait for a message (None: no bound). `max_size` in bytes bounds a received message. `headers` are
    pairs of a name and a value, or a mapping. `ssl` is for `wss://` (default: the system's certificates). `key` and
    `masking_key` make the bytes the same in every run, for lessons; by default they are random, as RFC 6455 §4.1 and
    §5.3 demand. Raises OSError if there is no TCP connection to be had, HandshakeError if the server does not agree,
    ValueError for a bad address.
    """
    address, deadline = parse_url(url), deadline_in(timeout)
    key = b64encode(os.urandom(16)).decode() if key is None else key
    request = _build_request(address, key, origin, subprotocols, headers)
    protocol = Protocol(
        Role.CLIENT,
        deflate=PermessageDeflate() if deflate is True else deflate or None,
        limits=Limits(max_size=max_size),
        codec=codec,
        masking_keys=None if masking_key is None else lambda: masking_key,
    )
    keep_memory_for(max_size)
    sock = _secure(_open_tcp(address, deadline), address, ssl, deadline)
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
        connection.open(request, timeout, deadline)
    except BaseException:
        sock.close()
        raise
    return connection


def _build_request(
    address: WebSocketUrl,
    key: str,
    origin: str | None,
    subprotocols: Sequence[str],
    headers: HeaderLines,
) -> Request:
    """The request for this address. Raises ValueError for what cannot be sent, before anything is opened."""
    lines = _add_credentials(address, headers)
    request = build_request(
        address.host_header, address.resource_name, key=key, origin=origin, subprotocols=subprotocols, headers=lines
    )
    request.serialize()
    if not are_names([*subprotocols]):  # §4.1, 10
        raise ValueError("subprotocols are distinct names, without blanks and commas")
    return request


def _add_credentials(address: WebSocketUrl, headers: HeaderLines) -> list[tuple[str, str]]:
    """The headers, with the credentials in the address unless there are others."""
    lines = list(lines_of(headers))
    if address.authorization and not any(name.lower() == "authorization" for name, _ in lines):
        lines.append(("Authorization", address.authorization))
    return lines


# §4.1, 2 lets a client have one connection to an address in CONNECTING: a page of strangers must not flood a server. A
# program is its user's own. Connecting is one call to it, so that only its own threads connect at once, and they must
# not wait for a server that is slow with one of them.
def _open_tcp(address: WebSocketUrl, deadline: float | None) -> socket.socket:
    is_here = f".{address.name}".endswith(".localhost")  # RFC 6761 §6.3, whatever the resolver knows
    try:
        places = socket.getaddrinfo("localhost" if is_here else address.host, address.port, type=socket.SOCK_STREAM)
        for left in range(len(places), 1, -1):
            with contextlib.suppress(OSError):  # the next one may do
                return _connected(places[-left], deadline, left)
        return _connected(places[-1], deadline)
    except OSError as error:
        raise no_connection(error, address.host, address.port) from None


def _connected(place: tuple[Any, ...], deadline: float | None, left: int = 1) -> socket.socket:
    """A connection to one of the places of a host, `left` of which have to share the time up to `deadline`."""
    patience, sock = _patience_until(deadline), socket.socket(*place[:3])
    try:
        sock.settimeout(None if patience is None else patience / left)
        sock.connect(place[-1])  # for an IPv6 address with its zone
    except BaseException:
        sock.close()
        raise
    send_at_once(sock)
    return sock


def _secure(
    sock: socket.socket, address: WebSocketUrl, context: ssl_module.SSLContext | None, deadline: float | None
) -> socket.socket:
    if not address.secure:
        return sock
    try:
        sock.settimeout(_patience_until(deadline))
        return (context or ssl_module.create_default_context()).wrap_socket(sock, server_hostname=address.name)
    except BaseException as error:
        sock.close()
        if isinstance(error, ssl_module.SSLError):
            name_missing_tls(error)
        elif isinstance(error, TimeoutError):
            raise TimeoutError("the server did not answer the TLS handshake in time") from None
        raise


def _patience_until(deadline: float | None) -> float | None:
    """How long a socket may wait, in seconds; 0 would let it return at once with nothing done."""
    return None if deadline is None else max(seconds_to(deadline), 0.001)
