"""Codec: the parts that a learner can build, with the reference ones as defaults."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from http import HTTPStatus
from typing import Any

from wslab.protocol import deflate as _deflate
from wslab.protocol import frames, handshake, http, masking
from wslab.protocol.errors import HandshakeError, PartError, ProtocolError, is_valid_close_code
from wslab.protocol.frames import Frame, FrameHeader, Opcode
from wslab.protocol.http import Headers, Request, Response
from wslab.protocol.masking import Buffer

_PARSED: dict[str, type] = {
    "parse_request": Request,
    "parse_response": Response,
    "parse_header": FrameHeader,
    "parse_frame": Frame,
}
_RESULTS: dict[str, type] = {
    "accept_key": str,
    "build_response": Response,
    "apply_mask": bytes,
    "serialize_frame": bytes,
    "deflate": bytes,
    "inflate": bytes,
}
_FIELDS: dict[str, type] = {"headers": Headers, "opcode": Opcode, "payload_length": int, "payload": bytes}
_SERVER_HANDSHAKE = {"parse_request", "check_request", "build_response", "accept_key"}
_CLIENT_HANDSHAKE = {"parse_response", "check_response"}
_REFUSALS = {int(status) for status in HTTPStatus if status >= 400}


@dataclass(frozen=True)
class Codec:
    """The functions that an endpoint uses for each step of the protocol; replace any of them by your own.

    `EchoServer(codec=Codec(apply_mask=mine))` puts `mine` into a live server. What a replaced part raises (other than
    ProtocolError) or returns wrongly becomes a PartError with the exception as its cause. A parser returns
    (value, bytes used), None while more bytes are needed, or raises ProtocolError.

    >>> Codec(accept_key=lambda key: "x").accept_key("dGhlIHNhbXBsZSBub25jZQ==")
    'x'
    """

    accept_key: Callable[[str], str] = handshake.accept_key
    parse_request: Callable[[bytes], tuple[Request, int] | None] = http.parse_request
    check_request: Callable[[Request], None] = handshake.check_request
    build_response: Callable[..., Response] = handshake.build_response
    parse_response: Callable[[bytes], tuple[Response, int] | None] = http.parse_response
    check_response: Callable[[Response, Request], None] = handshake.check_response
    apply_mask: Callable[[Buffer, bytes], bytes] = masking.apply_mask
    parse_header: Callable[[Buffer], tuple[FrameHeader, int] | None] = frames.parse_header
    parse_frame: Callable[[Buffer], tuple[Frame, int] | None] = frames.parse_frame
    serialize_frame: Callable[[Frame, bytes | None], bytes] = frames.serialize_frame
    deflate: Callable[[bytes, _deflate.Compressor, bool], bytes] = _deflate.deflate
    inflate: Callable[[bytes, _deflate.Decompressor, bool], bytes] = _deflate.inflate

    def __post_init__(self) -> None:
        """Guard the replaced parts, and give them to the reference parts that use them."""
        replaced: dict[str, Callable[..., Any]] = {}
        for field in fields(self):
            part = getattr(self, field.name)
            if part is not field.default:
                replaced[field.name] = _guard(field.name, part)
        inner: dict[str, Any] = {name: replaced[name] for name in ("apply_mask", "parse_header") if name in replaced}
        if inner:
            replaced.setdefault("parse_frame", functools.partial(frames.parse_frame, **inner))
        if mask := replaced.get("apply_mask"):
            replaced.setdefault("serialize_frame", functools.partial(frames.serialize_frame, apply_mask=mask))
        if accept := replaced.get("accept_key"):
            replaced.setdefault("build_response", functools.partial(handshake.build_response, accept_key=accept))
            replaced.setdefault("check_response", functools.partial(handshake.check_response, accept_key=accept))
        for name, part in replaced.items():
            object.__setattr__(self, name, part)

    @property
    def reads_in_pieces(self) -> bool:
        """Whether a payload may be read as it arrives: `parse_frame`, which needs whole frames, is not replaced."""
        return getattr(self.parse_frame, "func", self.parse_frame) is frames.parse_frame

    @property
    def reads_in_batches(self) -> bool:
        """Whether `batch.parse_messages` may read instead of the parts for frames, none of which is replaced."""
        return self.parse_frame is frames.parse_frame

    @property
    def writes_in_batches(self) -> bool:
        """Whether `batch.serialize_messages` may write instead of `serialize_frame`, which is not replaced."""
        return self.serialize_frame is frames.serialize_frame


def _guard(name: str, part: Callable[..., Any]) -> Callable[..., Any]:
    """`part`, given bytes and no memoryview, with what it raises or returns wrongly turned into a PartError.

    A bytearray or a memoryview that it returns is as good as bytes.
    """

    @functools.wraps(part)
    def guarded(*arguments: Any, **options: Any) -> Any:
        arguments = tuple(bytes(a) if isinstance(a, memoryview) else a for a in arguments)
        try:
            result = _with_bytes(part(*arguments, **options))
        except Exception as error:  # a learner's function may raise anything; the server must survive it
            if isinstance(error, ProtocolError) and _can_be_told(name, error):
                raise
            raise PartError(f"{name} raised {type(error).__name__}: {error}") from error
        if name in _PARSED:
            _check_parsed(name, result, len(arguments[0]))
        elif name in _RESULTS:
            _check_result(name, result, arguments)
        return result

    return guarded


def _with_bytes(result: Any) -> Any:
    match result:
        case bytearray() | memoryview():
            return bytes(result)
        case (value, used) if isinstance(value, Frame):
            return replace(value, payload=_with_bytes(value.payload)), used
    return result


def _can_be_told(name: str, error: ProtocolError) -> bool:
    """Whether the peer can be told this error: with an HTTP status in the handshake, with a close code after it."""
    if name in _CLIENT_HANDSHAKE:
        return isinstance(error, HandshakeError)
    if name in _SERVER_HANDSHAKE:
        return isinstance(error, HandshakeError) and error.status in _REFUSALS
    return not isinstance(error, HandshakeError) and is_valid_close_code(error.code)


def _check_result(name: str, result: Any, arguments: tuple[Any, ...]) -> None:
    kind: Any = _RESULTS[name]
    if not isinstance(result, kind):
        raise PartError(f"{name} must return {kind.__name__}; it returned {result!r:.80}")
    if name == "apply_mask" and len(result) != len(arguments[0]):
        raise PartError(f"apply_mask must return as many bytes as it gets: {len(arguments[0])}, not {len(result)}")
    try:
        if name == "accept_key":
            Response(101, "", Headers((("Sec-WebSocket-Accept", result),))).serialize()
        elif name == "build_response":
            result.serialize()
    except ValueError as error:
        raise PartError(f"{name} returned what cannot be sent: {error}") from None


def _check_parsed(name: str, result: object, available: int) -> None:
    match result:
        case None:
            return
        case (value, int(used)) if isinstance(value, _PARSED[name]):
            if used <= 0:
                raise PartError(f"{name} returned a value but reports {used} bytes used: it would find it for ever")
            if used > available:
                raise PartError(f"{name} reports {used} bytes used of only {available}")
            _check_fields(name, value)
        case _:
            expected = f"({_PARSED[name].__name__}, bytes used), or None while more bytes are needed"
            raise PartError(f"{name} must return {expected}; it returned {result!r:.80}")


def _check_fields(name: str, value: object) -> None:
    for field, kind in _FIELDS.items():
        if hasattr(value, field) and not isinstance(found := getattr(value, field), kind):
            raise PartError(f"{name} returned the {field} {found!r:.80}; it must be {kind.__name__}")
    key = getattr(value, "masking_key", None)
    if key is not None and not (isinstance(key, bytes) and len(key) == 4):
        raise PartError(f"{name} returned the masking_key {key!r:.80}; it must be 4 bytes or None")
