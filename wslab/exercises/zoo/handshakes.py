"""handshakes: bugs in the opening handshake, of servers and of clients (RFC 6455 §4)."""

from base64 import b64decode, b64encode
from hashlib import sha1
from typing import Any

from wslab.exercises.zoo.bug import Parts, a_client, a_server
from wslab.protocol.codec import Codec
from wslab.protocol.errors import HandshakeError
from wslab.protocol.handshake import GUID, build_response, check_request, check_response
from wslab.protocol.http import Request, Response, parse_response


@a_server("SuaveIO/suave/issues/706", 2018, "RFC 6455 §4.2.1")
def suave_706() -> Parts:
    """It wants the whole value of Connection to be Upgrade, and refuses a list that holds more."""

    def check(request: Request) -> None:
        if request.headers.get("Connection").lower() != "upgrade":
            raise HandshakeError("Connection must be Upgrade", 400)
        check_request(request)

    return {"codec": Codec(check_request=check)}


@a_server("Links2004/arduinoWebSockets/issues/8", 2015, "RFC 6455 §4.1", "RFC 6455 §4.2.1", "RFC 9110 §5.1")
def arduino_websockets_8() -> Parts:
    """It finds the key only if the name of the header is spelt with the same capitals."""

    def check(request: Request) -> None:
        if not any(name == "Sec-WebSocket-Key" for name, _ in request.headers):
            raise HandshakeError("Sec-WebSocket-Key is missing", 400)
        check_request(request)

    return {"codec": Codec(check_request=check)}


@a_server("SAIL-Research-Lab/cheetahclaws/pull/91", 2026, "RFC 6455 §1.3", "RFC 6455 §4.2.2")
def cheetahclaws_91() -> Parts:
    """The last twelve characters of its GUID are misprinted; its own tests had the same misprint."""

    def misprinted(key: str) -> str:
        return b64encode(sha1((key + "258EAFA5-E914-47DA-95CA-5AB9DC11B5AB").encode()).digest()).decode()

    return {"codec": Codec(accept_key=misprinted)}


@a_server("bloatless/php-websocket/pull/6", 2012, "RFC 6455 §4.2.2", "RFC 6455 §4.1")
def php_websocket_6() -> Parts:
    """It chooses a subprotocol although the client offers none."""

    def build(request: Request, **options: Any) -> Response:
        return build_response(request, **options | {"subprotocol": "chat"})

    return {"codec": Codec(build_response=build)}


@a_server("joewalnes/websocketd/issues/7", 2013, "RFC 6455 §4.2.2", "RFC 6455 §4.3")
def websocketd_7() -> Parts:
    """It sends Sec-WebSocket-Protocol without a value if the client offers none."""

    def build(request: Request, **options: Any) -> Response:
        return build_response(request, **options | {"subprotocol": ""})

    return {"codec": Codec(build_response=build)}


@a_server("sitegui/nodejs-websocket/pull/39", 2016, "RFC 6455 §4.2.2")
def nodejs_websocket_39() -> Parts:
    """It sends back the whole list of subprotocols in place of one of them."""

    def build(request: Request, **options: Any) -> Response:
        offered = request.headers.get("Sec-WebSocket-Protocol")
        return build_response(request, **options | {"subprotocol": offered or None})

    return {"codec": Codec(build_response=build)}


@a_client("FreeRDP/FreeRDP/issues/8166", 2022, "RFC 6455 §4.1", "RFC 6455 §4.2.2")
def freerdp_8166() -> Parts:
    """It hashes the 16 bytes of its key, and not the 24 characters, and so refuses every good answer."""

    def of_bytes(key: str) -> str:
        return b64encode(sha1(b64decode(key) + GUID.encode()).digest()).decode()

    return {"codec": Codec(accept_key=of_bytes)}


@a_client("zaphoyd/websocketpp/issues/275", 2013, "RFC 6455 §4.1", "RFC 9110 §5.1")
def websocketpp_275() -> Parts:
    """It refuses an answer that spells the names of headers in small letters."""

    def check(response: Response, request: Request) -> None:
        if not any(name == "Sec-WebSocket-Accept" for name, _ in response.headers):
            raise HandshakeError("Sec-WebSocket-Accept is missing", response.status)
        check_response(response, request)

    return {"codec": Codec(check_response=check)}


@a_client("Spinoco/fs2-http/issues/8", 2017, "RFC 6455 §4.1")
def fs2_http_8() -> Parts:
    """Its key decodes to 12 bytes, which are the text of a program's value: "Stream(2, ?)"."""
    return {"key": "U3RyZWFtKDIsID8p"}


@a_client("faye/faye-websocket-node/issues/73", 2019, "RFC 6455 §4.1")
def faye_websocket_node_73() -> Parts:
    """It throws away what comes in the same piece as the end of the 101."""

    def parse(data: bytes) -> tuple[Response, int] | None:
        found = parse_response(data)
        return None if found is None else (found[0], len(data))

    return {"codec": Codec(parse_response=parse)}
