"""Errors: what went wrong, with the close code or the HTTP status that tells the peer (RFC 6455 §7.4, §4.2.2)."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from wslab.redaction.redact import harmless


class CloseCode(IntEnum):
    """The close codes of RFC 6455 §7.4.1 and of the IANA registry that it opened."""

    NORMAL_CLOSURE = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS_RECEIVED = 1005
    ABNORMAL_CLOSURE = 1006
    INVALID_PAYLOAD_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015

    @property
    def meaning(self) -> str:
        """The name in words: `CloseCode(1001).meaning` is `"going away"`."""
        return self.name.lower().replace("_", " ")


NEVER_ON_THE_WIRE = {CloseCode.NO_STATUS_RECEIVED, CloseCode.ABNORMAL_CLOSURE, CloseCode.TLS_HANDSHAKE}


def is_valid_close_code(code: int) -> bool:
    """Whether `code` may stand in a close frame (RFC 6455 §7.4.1, §7.4.2).

    >>> [code for code in (999, 1000, 1004, 1005, 1006, 1011, 1016, 3000, 4999, 5000) if is_valid_close_code(code)]
    [1000, 1011, 3000, 4999]
    """
    if 3000 <= code <= 4999:  # §7.4.2: for libraries and frameworks, and for private use
        return True
    return code in CloseCode.__members__.values() and code not in NEVER_ON_THE_WIRE


def describe_close(code: int, reason: str = "") -> str:
    """A close code and its reason as one readable phrase.

    >>> describe_close(1001, "server is stopping")
    '1001 going away: server is stopping'
    """
    known = code in CloseCode.__members__.values()
    text = f"{code} {CloseCode(code).meaning}" if known else str(code)
    return f"{text}: {harmless(reason)}" if reason else text


class Violation(NamedTuple):
    """A rule of the protocol that something breaks: where in it, why in words, the section, and the code to close with.

    `place` counts the bytes of a payload before the wrong one; it is None where no single byte is wrong.
    """

    field: str
    reason: str
    section: str
    code: int = CloseCode.PROTOCOL_ERROR
    place: int | None = None

    def error(self) -> "ProtocolError":
        """The error by which an endpoint refuses it."""
        return ProtocolError(self.reason, self.code, self)


class ProtocolError(Exception):
    """The peer broke a rule of the protocol.

    `code` is the close code that says so in a close frame, `reason` the sentence that goes with it, `violation` the
    rule of wslab that says so, if one does.
    """

    def __init__(self, reason: str, code: int = CloseCode.PROTOCOL_ERROR, violation: Violation | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = int(code)
        self.violation = violation

    def __str__(self) -> str:
        return describe_close(self.code, self.reason)


class HandshakeError(ProtocolError):
    """The opening handshake failed.

    On a server `status` is the HTTP status to answer with and `headers` what the answer must carry besides;
    on a client they are what the server answered. `status` is 0 where there was no such answer.
    """

    def __init__(self, reason: str, status: int = 400, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(reason, CloseCode.ABNORMAL_CLOSURE)
        self.status = status
        self.headers = tuple(headers)

    def __str__(self) -> str:
        return f"{self.status} {self.reason}" if self.status else self.reason


class ConnectionClosed(Exception):
    """There is nothing more to receive, or no way to send: the connection is closing or closed.

    `code` and `reason` are those of the closing handshake; 1005 stands for a close frame without a code and
    1006 for a TCP connection that ended without a close frame (RFC 6455 §7.1.5).
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = int(code)
        self.reason = reason

    def __str__(self) -> str:
        return describe_close(self.code, self.reason)


class PartError(Exception):
    """A part that was put into a `Codec` failed; `__cause__` is the exception that it raised, if it raised one."""
