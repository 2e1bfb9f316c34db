"""wslab: the WebSocket protocol, small and complete, to be read, run and taken apart (RFC 6455, RFC 7692)."""

from wslab.client import connect
from wslab.codec import Codec
from wslab.deflate import PermessageDeflate
from wslab.display.inspect import inspect
from wslab.errors import CloseCode, ConnectionClosed, HandshakeError, PartError, ProtocolError
from wslab.frames import Frame, FrameHeader, Opcode, apply_mask, parse_frame, parse_header, serialize_frame
from wslab.handshake import accept_key, build_request, build_response, check_request, check_response
from wslab.http import Headers, Request, Response, parse_request, parse_response
from wslab.limits import Limits
from wslab.link import Connection
from wslab.messages import Binary, Text
from wslab.protocol import TRANSITIONS, Close, Ping, Pong, Protocol, Role, State, Step
from wslab.recording import Direction, Recording
from wslab.server import EchoServer, echo

__all__ = [
    "TRANSITIONS",
    "Binary",
    "Close",
    "CloseCode",
    "Codec",
    "Connection",
    "ConnectionClosed",
    "Direction",
    "EchoServer",
    "Frame",
    "FrameHeader",
    "HandshakeError",
    "Headers",
    "Limits",
    "Opcode",
    "PartError",
    "PermessageDeflate",
    "Ping",
    "Pong",
    "Protocol",
    "ProtocolError",
    "Recording",
    "Request",
    "Response",
    "Role",
    "State",
    "Step",
    "Text",
    "accept_key",
    "apply_mask",
    "build_request",
    "build_response",
    "check_request",
    "check_response",
    "connect",
    "echo",
    "inspect",
    "parse_frame",
    "parse_header",
    "parse_request",
    "parse_response",
    "serialize_frame",
]
