"""Head rules: what RFC 9112 forbids in the head of a request or a response, each rule once, as data.

`parse_request` and `parse_response` refuse by them, and the inspector, which asks these about each line. A client has
no status to answer with: its own are 0.
"""

from typing import NamedTuple

from wslab.protocol.errors import HandshakeError


class Refusal(NamedTuple):
    """A rule that a request or a response breaks: in which header, why in words, the section, the status to answer."""

    field: str
    reason: str
    section: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()

    def error(self) -> HandshakeError:
        """The error by which an endpoint refuses it."""
        return HandshakeError(self.reason, self.status, self.headers)


class HandshakeRule(NamedTuple):
    """A rule: the field of the head that breaks it, the sentence that says how, its section, and how to answer."""

    field: str
    sentence: str
    section: str
    status: int = 400
    headers: tuple[tuple[str, str], ...] = ()

    def refusal(self, **values: object) -> Refusal:
        """This rule, broken: `values` are what its sentence names."""
        return Refusal(self.field, self.sentence.format(**values), self.section, self.status, self.headers)

    def broken(self, **values: object) -> HandshakeError:
        """The error by which an endpoint refuses what breaks this rule."""
        return self.refusal(**values).error()


IS_TLS = HandshakeRule(
    "start line", "these bytes look like TLS, but this port speaks plain HTTP: use ws://, not wss://", "RFC 9112 §3"
)
NO_METHOD = HandshakeRule("start line", "the first line does not begin with an HTTP method", "RFC 9112 §3.1")
NO_REQUEST_LINE = HandshakeRule("start line", "the request line is not 'GET /path HTTP/1.1'", "RFC 9112 §3")
NO_VERSION = HandshakeRule("start line", "{version!r} is not an HTTP version", "RFC 9112 §2.3")
WRONG_VERSION = HandshakeRule("start line", "this server speaks HTTP/1.1, not {version}", "RFC 9110 §15.6.6", 505)
SPEAKS_TLS = HandshakeRule("start line", "the other end speaks TLS: use wss://, not ws://", "RFC 9112 §4", 0)
NO_RESPONSE = HandshakeRule("start line", "this is not an HTTP response: {line!r}", "RFC 9112 §4", 0)
FORBIDDEN_OCTET = HandshakeRule("header line", "{octet} in the header block", "RFC 9112 §2.2")
# "A server that receives an obs-fold in a request message [...] MUST either reject the message [...]"
FOLDED_LINE = HandshakeRule("header line", "a folded header line", "RFC 9112 §5.2")
NO_HEADER_LINE = HandshakeRule("header line", "not a header line: {line!r}", "RFC 9112 §5")

# Limits: more than this endpoint takes (RFC 6585 §5)

HEAD_IS_TOO_BIG = HandshakeRule("header line", "a header block of more than {limit} bytes", "RFC 6585 §5", 431)
TOO_MANY_LINES = HandshakeRule("header line", "more than {limit} header lines", "RFC 6585 §5", 431)
TOO_MANY_ANSWERS = HandshakeRule("status", "more than {limit} interim answers before the final one", "RFC 9110 §15.2")
