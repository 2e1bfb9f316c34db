"""Events: what the bytes of a peer turn into, as `Protocol.receive_data` returns it."""

from dataclasses import dataclass

from wslab.protocol.http import Request, Response


@dataclass(frozen=True, slots=True)
class Text:
    """A whole text message."""

    data: str


@dataclass(frozen=True, slots=True)
class Binary:
    """A whole binary message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping arrived, and a pong with the same payload is on its way (RFC 6455 §5.5.2)."""

    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Pong:
    """A pong arrived (RFC 6455 §5.5.3)."""

    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Close:
    """A close frame arrived; code 1005 stands for one without a code (RFC 6455 §7.1.5)."""

    code: int
    reason: str = ""


Message = str | bytes  # a whole message as it is: text as `str`, binary as `bytes`
Event = Request | Response | Text | Binary | Ping | Pong | Close
MESSAGE: tuple[type[Message], ...] = (str, bytes)  # for isinstance, which takes these faster than a union
MESSAGE_TYPES = frozenset(MESSAGE)
EVENT: tuple[type, ...] = (str, bytes, Ping, Pong, Request, Response)  # what a receiver of events is given


def as_event(received: Message | Event) -> Event:
    """The event for what was received, where a message may stand for itself.

    >>> as_event("Hello"), as_event(Ping())
    (Text(data='Hello'), Ping(payload=b''))
    """
    if isinstance(received, str):
        return Text(received)
    return Binary(received) if isinstance(received, bytes) else received


def as_bytes(data: bytes) -> bytes:
    """The data of a binary message: anything like `bytes`, but no number, of which `bytes` would make zero bytes.

    >>> as_bytes(bytearray(b"Hello"))
    b'Hello'
    """
    if isinstance(data, bytes):
        return data
    try:
        return bytes(memoryview(data))
    except TypeError:
        wanted = "bytes" if isinstance(data, str) else "str or bytes"  # a ping takes no text, a message both
        raise TypeError(f"{wanted} can be sent here, not {type(data).__name__}") from None
