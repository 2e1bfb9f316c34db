"""probes_of_handshakes: for each bug in the handshake a probe that the good one passes and the bad one fails."""

from base64 import b64decode
from typing import Any

from wslab.exercises.zoo.line import answer, dial
from wslab.labs.by_hand import KEY
from wslab.protocol.frames import Frame, Opcode
from wslab.protocol.handshake import build_request

ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 §1.3, and computed by nothing here


def probe_suave_706(server: Any) -> bool:
    """Whether a request as Firefox long sent it is let in."""
    request = build_request("localhost", key=KEY).serialize()
    request = request.replace(b"Connection: Upgrade", b"Connection: keep-alive, Upgrade")
    with dial(server, request=request) as line:
        return line.response is not None and line.response.status == 101


def probe_arduino_websockets_8(server: Any) -> bool:
    """Whether small letters in the names of headers do no harm."""
    start, *headers = build_request("localhost", key=KEY).serialize().split(b"\r\n")
    small = [name.lower() + colon + value for name, colon, value in (it.partition(b":") for it in headers)]
    with dial(server, request=b"\r\n".join([start, *small])) as line:
        return line.response is not None and line.response.status == 101


def probe_cheetahclaws_91(server: Any) -> bool:
    """Whether the answer to the key in the RFC is the one in the RFC."""
    with dial(server) as line:
        return line.response is not None and line.response.headers.get("Sec-WebSocket-Accept") == ACCEPT


def probe_php_websocket_6(server: Any) -> bool:
    """Whether no subprotocol is chosen where none is offered."""
    with dial(server) as line:
        return line.response is not None and not line.response.headers.get("Sec-WebSocket-Protocol")


def probe_websocketd_7(server: Any) -> bool:
    """Whether the header for the subprotocol is absent where none is offered."""
    with dial(server) as line:
        return line.response is not None and "Sec-WebSocket-Protocol" not in line.response.headers


def probe_nodejs_websocket_39(server: Any) -> bool:
    """Whether of two subprotocols one is chosen, or none."""
    with dial(server, subprotocols=["one", "two"]) as line:
        return line.response is not None and line.response.headers.get("Sec-WebSocket-Protocol") in ("", "one", "two")


def probe_freerdp_8166(client: Any) -> bool:
    """Whether the client believes the right answer, and talks."""
    with answer(client) as line:
        line.send(Frame(Opcode.TEXT, b"hi"))
        return line.receive() == Frame(Opcode.TEXT, b"hi")


def probe_websocketpp_275(client: Any) -> bool:
    """Whether the client believes an answer with names in small letters."""

    def small(response: Any) -> bytes:
        start, *headers = response.serialize().split(b"\r\n")
        pairs = (it.partition(b":") for it in headers)
        return b"\r\n".join([start, *(name.lower() + colon + value for name, colon, value in pairs)])

    with answer(client, response=small) as line:
        line.send(Frame(Opcode.TEXT, b"hi"))
        return line.receive() == Frame(Opcode.TEXT, b"hi")


def probe_fs2_http_8(client: Any) -> bool:
    """Whether its key stands for 16 bytes."""
    with answer(client) as line:
        return line.request is not None and len(b64decode(line.request.headers.get("Sec-WebSocket-Key"))) == 16


def probe_faye_websocket_node_73(client: Any) -> bool:
    """Whether a message in one piece with the 101 arrives."""
    with answer(client, more=b"\x81\x02hi") as line:
        return line.receive() == Frame(Opcode.TEXT, b"hi")
