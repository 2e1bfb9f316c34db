"""wslab: the WebSocket protocol, small and complete, to be read, run and taken apart (RFC 6455, RFC 7692)."""

from importlib import import_module
from typing import TYPE_CHECKING

from wslab.codec import Codec
from wslab.deflate import PermessageDeflate
from wslab.errors import CloseCode, ConnectionClosed, HandshakeError, PartError, ProtocolError
from wslab.events import Binary, Close, Ping, Pong, Text
from wslab.frames import Frame, FrameHeader, Opcode, apply_mask, parse_frame, parse_header, serialize_frame
from wslab.handshake import accept_key, build_request, build_response, check_request, check_response
from wslab.http import Headers, Request, Response, parse_request, parse_response
from wslab.limits import Limits
from wslab.protocol import Protocol
from wslab.states import TRANSITIONS, Role, State, Step

if TYPE_CHECKING:
    from wslab import faults
    from wslab.client import connect
    from wslab.connection import Connection
    from wslab.display.browser_console import BrowserConsole
    from wslab.display.figure import describe
    from wslab.display.inspect import inspect
    from wslab.display.ladder import draw_ladder
    from wslab.display.latencies import draw_latencies
    from wslab.display.sizes import draw_sizes
    from wslab.display.states import draw_states
    from wslab.display.timeline import draw_timeline
    from wslab.display.watch import watch
    from wslab.display.widgets.edit_frame import edit_frame
    from wslab.display.widgets.play import play
    from wslab.display.widgets.watch_frames import watch_frames
    from wslab.recording import Direction, Recording
    from wslab.server import EchoServer, echo
    from wslab.tap import Tap

__all__ = [
    "TRANSITIONS",
    "Binary",
    "BrowserConsole",
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
    "Tap",
    "Text",
    "accept_key",
    "apply_mask",
    "build_request",
    "build_response",
    "check_request",
    "check_response",
    "connect",
    "describe",
    "draw_ladder",
    "draw_latencies",
    "draw_sizes",
    "draw_states",
    "draw_timeline",
    "echo",
    "edit_frame",
    "faults",
    "inspect",
    "parse_frame",
    "parse_header",
    "parse_request",
    "parse_response",
    "play",
    "serialize_frame",
    "watch",
    "watch_frames",
]

# What needs sockets is loaded at its first use: `import wslab` stays quick, and works where there are no sockets.
_LOADED_AT_FIRST_USE = {
    "BrowserConsole": "wslab.display.browser_console",
    "connect": "wslab.client",
    "describe": "wslab.display.figure",
    "draw_ladder": "wslab.display.ladder",
    "draw_latencies": "wslab.display.latencies",
    "draw_sizes": "wslab.display.sizes",
    "draw_states": "wslab.display.states",
    "draw_timeline": "wslab.display.timeline",
    "inspect": "wslab.display.inspect",
    "watch": "wslab.display.watch",
    "edit_frame": "wslab.display.widgets.edit_frame",
    "play": "wslab.display.widgets.play",
    "watch_frames": "wslab.display.widgets.watch_frames",
    "Connection": "wslab.connection",
    "Direction": "wslab.recording",
    "Recording": "wslab.recording",
    "EchoServer": "wslab.server",
    "echo": "wslab.server",
    "Tap": "wslab.tap",
    "faults": "wslab.faults",
}


def __getattr__(name: str) -> object:
    if name not in _LOADED_AT_FIRST_USE:
        raise AttributeError(f"module 'wslab' has no attribute {name!r}")
    module = import_module(_LOADED_AT_FIRST_USE[name])
    value: object = module if module.__name__ == f"wslab.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
