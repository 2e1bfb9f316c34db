"""Codec: the parts that a learner can build, with the reference ones as defaults."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from wslab import deflate as _deflate
from wslab import frames, handshake, http
from wslab.errors import PartError, ProtocolError
from wslab.frames import Buffer, Frame, FrameHeader, Opcode
from wslab.http import Request, Response

_RESULTS: dict[str, type] = {
    "parse_request": Request,
    "parse_response": Response,
    "parse_header": FrameHeader,
    "parse_frame": Frame,
}


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
    apply_mask: Callable[[bytes, bytes], bytes] = frames.apply_mask
    parse_header: Callable[[Buffer], tuple[FrameHeader, int] | None] = frames.parse_header
    parse_frame: Callable[[Buffer], tuple[Frame, int] | None] = frames.parse_frame
    serialize_frame: Callable[[Frame, bytes | None], bytes] = frames.serialize_frame
    deflate: Callable[[bytes, _deflate.Compressor, bool], bytes] = _deflate.deflate
    inflate: Callable[[bytes, _deflate.Decompressor, bool], bytes] = _deflate.inflate

    def __post_init__(self) -> None:
        """Guard the replaced parts, and give them to the reference parts that use them."""
        replaced = {}
        for field in fields(self):
            part = getattr(self, field.name)
            if part is not field.default:
                replaced[field.name] = _guard(field.name, part)
        if mask := replaced.get("apply_mask"):
            replaced.setdefault("parse_frame", functools.partial(frames.parse_frame, apply_mask=mask))
            replaced.setdefault("serialize_frame", functools.partial(frames.serialize_frame, apply_mask=mask))
        if accept := replaced.get("accept_key"):
            replaced.setdefault("build_response", functools.partial(handshake.build_response, accept_key=accept))
            replaced.setdefault("check_response", functools.partial(handshake.check_response, accept_key=accept))
        for name, part in replaced.items():
            object.__setattr__(self, name, part)


def _guard(name: str, part: Callable[..., Any]) -> Callable[..., Any]:
    """`part`, given bytes and no memoryview, with what it raises or returns wrongly turned into a PartError."""

    @functools.wraps(part)
    def guarded(*arguments: Any, **options: Any) -> Any:
        arguments = tuple(bytes(a) if isinstance(a, memoryview) else a for a in arguments)
        try:
            result = part(*arguments, **options)
        except ProtocolError:
            raise
        except Exception as error:  # a learner's function may raise anything; the server must survive it
            raise PartError(f"{name} raised {type(error).__name__}: {error}") from error
        if name in _RESULTS and result is not None:
            _check_parsed(name, result, len(arguments[0]))
        return result

    return guarded


def _check_parsed(name: str, result: object, available: int) -> None:
    match result:
        case (value, int(used)) if isinstance(value, _RESULTS[name]):
            if used <= 0:
                raise PartError(f"{name} returned a value but reports {used} bytes used: it would find it for ever")
            if used > available:
                raise PartError(f"{name} reports {used} bytes used of only {available}")
            if isinstance(value, Frame | FrameHeader) and not isinstance(value.opcode, Opcode):
                raise PartError(f"{name} returned the opcode {value.opcode!r}; it must be an Opcode")
        case _:
            expected = f"({_RESULTS[name].__name__}, bytes used), or None while more bytes are needed"
            raise PartError(f"{name} must return {expected}; it returned {result!r}")
