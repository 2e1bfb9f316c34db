"""wslab: the WebSocket protocol, small and complete, to be read, run and taken apart (RFC 6455, RFC 7692)."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import CloseCode, ConnectionClosed, HandshakeError, PartError, ProtocolError
from wslab.protocol.events import Binary, Close, Ping, Pong, Text
from wslab.protocol.frames import Frame, FrameHeader, Opcode, parse_frame, parse_header, serialize_frame
from wslab.protocol.handshake import accept_key, build_request, build_response, check_request, check_response
from wslab.protocol.http import Headers, Request, Response, parse_request, parse_response
from wslab.protocol.limits import Limits
from wslab.protocol.masking import apply_mask
from wslab.protocol.states import TRANSITIONS, Direction, Role, State, Step

if TYPE_CHECKING:
    from wslab import exercises
    from wslab.browser.console import BrowserConsole
    from wslab.classroom.hand_in import hand_in
    from wslab.display.figures.figure import describe
    from wslab.display.figures.ladder import draw_ladder
    from wslab.display.figures.latencies import draw_latencies
    from wslab.display.figures.one_page import draw_one_page
    from wslab.display.figures.sizes import draw_sizes
    from wslab.display.figures.states import draw_states
    from wslab.display.figures.timeline import draw_timeline
    from wslab.display.fold import fold
    from wslab.display.inspector.inspect import inspect
    from wslab.display.netstat.watch import watch
    from wslab.display.widgets.edit_frame import edit_frame
    from wslab.display.widgets.play import play
    from wslab.display.widgets.watch_frames import watch_frames
    from wslab.quiz.class_results import draw_class_results
    from wslab.quiz.knowledge_test import knowledge_test
    from wslab.recording.recording import Recording
    from wslab.sockets.client import connect
    from wslab.sockets.connection import Connection
    from wslab.sockets.server import EchoServer, echo
    from wslab.tap import faults
    from wslab.tap.tap import Tap

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
    "draw_class_results",
    "draw_ladder",
    "draw_latencies",
    "draw_one_page",
    "draw_sizes",
    "draw_states",
    "draw_timeline",
    "echo",
    "edit_frame",
    "exercises",
    "faults",
    "fold",
    "hand_in",
    "inspect",
    "knowledge_test",
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
    "BrowserConsole": "wslab.browser.console",
    "hand_in": "wslab.classroom.hand_in",
    "connect": "wslab.sockets.client",
    "describe": "wslab.display.figures.figure",
    "draw_ladder": "wslab.display.figures.ladder",
    "draw_latencies": "wslab.display.figures.latencies",
    "draw_one_page": "wslab.display.figures.one_page",
    "draw_sizes": "wslab.display.figures.sizes",
    "draw_states": "wslab.display.figures.states",
    "draw_timeline": "wslab.display.figures.timeline",
    "fold": "wslab.display.fold",
    "inspect": "wslab.display.inspector.inspect",
    "watch": "wslab.display.netstat.watch",
    "edit_frame": "wslab.display.widgets.edit_frame",
    "play": "wslab.display.widgets.play",
    "watch_frames": "wslab.display.widgets.watch_frames",
    "draw_class_results": "wslab.quiz.class_results",
    "knowledge_test": "wslab.quiz.knowledge_test",
    "Connection": "wslab.sockets.connection",
    "Recording": "wslab.recording.recording",
    "EchoServer": "wslab.sockets.server",
    "echo": "wslab.sockets.server",
    "Tap": "wslab.tap.tap",
    "exercises": "wslab.exercises",
    "faults": "wslab.tap.faults",
}

if "IPython" in sys.modules:
    from wslab.display.short_tracebacks import shorten_tracebacks

    shorten_tracebacks()


if sys.platform == "emscripten":  # a browser has neither sockets nor threads
    from wslab.in_memory.install import install
    from wslab.in_memory.strands import BrowserStrands

    install(BrowserStrands())


def __getattr__(name: str) -> object:
    if name not in _LOADED_AT_FIRST_USE:
        raise AttributeError(f"module 'wslab' has no attribute {name!r}")
    module = import_module(_LOADED_AT_FIRST_USE[name])
    value: object = (
        module if module.__name__.endswith(f".{name}") and not hasattr(module, name) else getattr(module, name)
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
