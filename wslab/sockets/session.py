"""Session: one connection of a server from first byte to last: handshake, page, Origin, handler (RFC 6455 §4.2).

Strategy: everything happens in one thread, in this order: the request is read, a page may answer it, its Origin is
checked, the handshake is agreed on, the handler runs, and the connection is closed with the code that tells how the
handler ended. An error ends this connection only; none gets out of `run`.

Locks: none is held while a session waits for the peer or runs the handler, so a handler may use any connection and may
even close its server.
"""

from collections.abc import Callable
from dataclasses import dataclass

from wslab.protocol.errors import CloseCode, ConnectionClosed, HandshakeError, PartError, ProtocolError
from wslab.protocol.http import Response
from wslab.protocol.limits import Limits
from wslab.redaction.redact import harmless
from wslab.sockets.connection import Connection
from wslab.sockets.log import Target, log

REFUSAL_TIMEOUT = 2.0

Handler = Callable[[Connection], object]
Page = Callable[[Connection], Response | None]


@dataclass(frozen=True)
class Service:
    """What a server offers on each connection. `part_failed` is called with what a replaced part of the codec raised.

    Each of `pages` is asked whether it answers a request with plain HTTP, before that is taken for a handshake.
    """

    handler: Handler
    limits: Limits
    pages: list[Page]
    origins: frozenset[str] | None
    subprotocols: tuple[str, ...]
    part_failed: Callable[[PartError], None]


class Session:
    """One connection and what a server does with it. If there is a `refusal`, the client is only told that."""

    def __init__(self, connection: Connection, service: Service, refusal: str | None) -> None:
        self.connection = connection
        self.is_full = refusal is not None
        self._refusal = refusal
        self._service = service

    def run(self) -> None:
        """Do the opening handshake, run the handler and end the connection. Raises nothing."""
        try:
            if self._open():
                self._handle()
        except PartError as error:
            self._service.part_failed(error)
            self.connection.fail(str(error))
        except Exception:
            log.exception("connection %d failed", self.connection.number)
        finally:
            self.connection.abort()

    def _open(self) -> bool:
        """Return True if the handshake was agreed on; if not, the client was told why, or wanted only the page."""
        connection = self.connection
        try:
            self._await_request()
            if self._answer_page():
                return False
            self._check_origin()
            connection.accept(subprotocols=self._service.subprotocols)
            who = (connection.number, Target(connection.request), *connection.remote_address)
            log.info("connection %d opened: %s from %s port %d", *who)
            return True
        except HandshakeError as error:
            connection.reject(error)
            log.info("connection %d: refused %s with %s", connection.number, Target(connection.request), error)
        except PartError as error:
            self._service.part_failed(error)
            connection.reject(HandshakeError(f"a part of the codec failed: {error}", 500))
        except ConnectionClosed as error:
            log.info("connection %d ended before its handshake did: %s", connection.number, error)
        return False

    def _await_request(self) -> None:
        limits = self._service.limits
        try:
            self.connection.receive_event(REFUSAL_TIMEOUT if self.is_full else limits.handshake_timeout)
        except TimeoutError:
            if not self.is_full:
                raise HandshakeError(f"no whole request within {limits.handshake_timeout:g} s", 408) from None
        if self._refusal is not None:
            raise HandshakeError(self._refusal, 503)

    def _answer_page(self) -> bool:
        """Return True if one of the pages has answered the request, which then was no handshake."""
        connection = self.connection
        answer = next((found for page in self._service.pages if (found := page(connection)) is not None), None)
        if answer is not None and connection.request is not None:
            connection.answer(answer)
            log.info("connection %d: answered %s with %d", connection.number, Target(connection.request), answer.status)
        return answer is not None

    def _check_origin(self) -> None:
        """RFC 6455 §10.2: a server that is not for every page checks the Origin header."""
        if self._service.origins is not None and self.connection.request is not None:
            origin = self.connection.request.headers.get("Origin")
            if origin.lower() not in self._service.origins:
                raise HandshakeError(f"a page from {harmless(origin) or 'nowhere'} may not connect to this server", 403)

    def _handle(self) -> None:
        """Run the handler, and close the connection when it is done."""
        connection, code, reason = self.connection, CloseCode.NORMAL_CLOSURE, ""
        try:
            self._service.handler(connection)
        except PartError:
            raise
        except BaseException as error:  # a handler may raise anything, even SystemExit; other sessions must not notice
            is_over = isinstance(error, ConnectionClosed | ProtocolError) and not connection.is_open
            if not is_over:  # otherwise the handler has only learned that its own connection has come to an end
                log.exception("connection %d: the handler failed", connection.number)
                code, reason = CloseCode.INTERNAL_ERROR, f"{type(error).__name__:.27} in the handler"  # 123 bytes fit
        connection.close(code, reason)
        log.info("connection %d closed: %s", connection.number, connection.error or connection.close_code)
