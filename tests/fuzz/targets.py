"""Targets of the fuzzing: each feeds the bytes that it gets to one part of wslab and checks what the part promises."""

import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from support.wire import RFC_HANDSHAKE, ROLES, pieces

from fuzz.conversation import Opening, check_conversation
from fuzz.recordings import check_capture, check_har, check_recorded, check_segments
from fuzz.views import check_inspect, check_raw_frame, check_transcripts, check_view
from wslab.browser.console_endpoint import body_length
from wslab.browser.report import parse_report
from wslab.browser.transcript import Transcript
from wslab.protocol.deflate import TAIL, Decompressor, PermessageDeflate, answer_offers, check_answer, inflate
from wslab.protocol.errors import HandshakeError, ProtocolError, is_valid_close_code
from wslab.protocol.frames import (
    MAX_CONTROL_PAYLOAD,
    parse_close,
    parse_frame,
    parse_header,
    serialize_close,
    serialize_frame,
)
from wslab.protocol.handshake import (
    accept_key,
    build_request,
    build_response,
    check_request,
    check_response,
    offered_subprotocols,
    parse_extensions,
)
from wslab.protocol.http import Headers, Request, build_refusal, parse_request, parse_response
from wslab.protocol.messages import TextDecoder
from wslab.sockets.url import WebSocketUrl, parse_url
from wslab.tap.tap import parse_target

# Unicode 15, table 3-7: whole characters, then perhaps the beginning of one more.
_TAIL = rb"[\x80-\xbf]"
_UTF8_SO_FAR = re.compile(
    rb"(?:[\x00-\x7f]|[\xc2-\xdf]T|\xe0[\xa0-\xbf]T|[\xe1-\xec\xee\xef]TT|\xed[\x80-\x9f]T"
    rb"|\xf0[\x90-\xbf]TT|[\xf1-\xf3]TTT|\xf4[\x80-\x8f]TT)*"
    rb"(?:[\xc2-\xdf]|\xe0(?:[\xa0-\xbf])?|[\xe1-\xec\xee\xef]T?|\xed(?:[\x80-\x9f])?"
    rb"|\xf0(?:[\x90-\xbf]T?)?|[\xf1-\xf3](?:TT?)?|\xf4(?:[\x80-\x8f]T?)?)?".replace(b"T", _TAIL)
)
_WISHES = [PermessageDeflate(), PermessageDeflate(True, True), PermessageDeflate(False, False, 9, 8)]


def _attempt(function: Callable[..., Any], *arguments: Any) -> tuple[Any, ProtocolError | None]:
    """What the function returns, or None and the ProtocolError that it raises."""
    try:
        return function(*arguments), None
    except ProtocolError as error:
        error.reason.encode()  # it goes into a close frame or a body
        return None, error


def _told(error: ProtocolError | None) -> tuple[object, ...]:
    return type(error), getattr(error, "code", None), getattr(error, "status", None)


def _parse(parser: Callable[[bytes], Any], data: bytes) -> Any:
    """The value that `parser` finds at the start of `data` or None, once what it promises for cut bytes is checked."""
    found, error = _attempt(parser, data)
    size = found[1] if found else len(data)
    assert 0 < size <= len(data) or not found
    for cut in {*range(0, size, 1 + size // 16), max(size - 1, 0)} - {size}:
        part, early = _attempt(parser, data[:cut])
        assert part is None
        assert early is None or _told(early) == _told(error)
    if found is None:
        return None
    assert parser(data[:size]) == parser(data[:size] + b"\x00\n\xff") == found
    return found[0]


# The opening handshake


def _request(data: bytes) -> None:
    request = _parse(parse_request, data)
    if request is None:
        return
    wire = request.serialize()
    assert parse_request(wire) == (request, len(wire))
    assert str(request) + repr(request) != ""
    try:
        check_request(request)
        offered_subprotocols(request)
        response = build_response(request)
    except HandshakeError as error:
        response = build_refusal(error)
    wire = response.serialize()
    assert parse_response(wire) == (response, len(wire))
    if response.status == 101:
        check_response(response, request)
        assert response.headers["Sec-WebSocket-Accept"] == accept_key(request.headers["Sec-WebSocket-Key"])


def _response(data: bytes) -> None:
    response = _parse(parse_response, data)
    if response is None:
        return
    wire = response.serialize()
    assert parse_response(wire) == (response, len(wire))
    assert str(response) + repr(response) != ""
    with suppress(HandshakeError):
        check_response(response, RFC_HANDSHAKE.request)
        assert RFC_HANDSHAKE.accept in response.headers.get_all("Sec-WebSocket-Accept")


def _extensions(data: bytes) -> None:
    extensions, error = _attempt(parse_extensions, data.decode("latin-1"))
    if error is not None:
        assert _told(error) == _told(HandshakeError("", 400))
        return
    assert parse_extensions(", ".join(map(str, extensions))) == extensions
    for wish in _WISHES:
        agreed, answer = answer_offers(extensions, wish)
        if agreed is not None:
            assert parse_extensions(str(answer)) == [answer]
            assert check_answer(answer, PermessageDeflate()) == agreed
        for extension in extensions:
            with suppress(HandshakeError):
                agreed = check_answer(extension, wish)
                assert 8 <= agreed.server_max_window_bits <= wish.server_max_window_bits
                assert 8 <= agreed.client_max_window_bits <= wish.client_max_window_bits


def _subprotocols(data: bytes) -> None:
    lines = tuple(("Sec-WebSocket-Protocol", line) for line in data.decode("latin-1").split("\n"))
    with suppress(HandshakeError):
        names = offered_subprotocols(Request("GET", "/", Headers(lines)))
        assert len(set(names)) == len(names)
        again = Headers((("Sec-WebSocket-Protocol", ", ".join(names)),))
        assert offered_subprotocols(Request("GET", "/", again)) == names


def _url(data: bytes) -> None:
    try:
        address = parse_url(data.decode(errors="surrogateescape"))
    except ValueError:
        return
    request = build_request(address.host_header, address.resource_name, key=RFC_HANDSHAKE.key)
    wire = request.serialize()
    assert parse_request(wire) == (request, len(wire))
    check_request(request)
    assert request.resource_name == address.resource_name
    seen = parse_url(f"ws{'s' * address.secure}://{address.host_header}{address.resource_name}")
    assert seen == _as_the_server_sees(address)


def _as_the_server_sees(address: WebSocketUrl) -> WebSocketUrl:
    """What a server sees of an address: the Host header says neither who asks nor the zone of an IPv6 address."""
    return WebSocketUrl(address.secure, address.host.partition("%")[0], address.port, address.resource_name)


def _tap_target(data: bytes) -> None:
    try:
        scheme, address = parse_target(data.decode(errors="surrogateescape"))
    except ValueError:
        return
    assert scheme in ("ws", "http")
    assert not address.secure
    assert 0 < address.port <= 0xFFFF
    seen = parse_target(f"{scheme}://{address.host_header}{address.resource_name}")
    assert seen == (scheme, _as_the_server_sees(address))


def _body_length(data: bytes) -> None:
    found, _ = _attempt(parse_request, b"POST / HTTP/1.1\r\n" + data + b"\r\n\r\n")
    if found is None:
        return
    length, error = _attempt(body_length, found[0], 1000)
    lines = re.findall(rb"^content-length:[ \t]*(.*?)[ \t]*\r$", found[0].serialize(), re.IGNORECASE | re.MULTILINE)
    if error is None:
        assert 0 <= length <= 1000
        assert [int(line) for line in lines] == [length]
        assert "Transfer-Encoding" not in found[0].headers
    else:
        assert (error.status == 411) is (lines == [] and "Transfer-Encoding" not in found[0].headers)
        assert error.status in (400, 411, 413)


def _report(body: bytes) -> None:
    report, error = _attempt(parse_report, body)
    if error is not None:
        assert _told(error) == _told(HandshakeError("", 400))
        return
    events, is_done = report
    assert parse_report(json.dumps({"events": events, "done": is_done}).encode()) == report
    check_view(Transcript("A page reported:", tuple(events)))


# Frames and messages


def _header(data: bytes) -> None:
    header = _parse(parse_header, data)
    if header is None:
        return
    length, masked = header.payload_length, header.masking_key is not None
    assert parse_header(data)[1] == 2 + (0 if length <= 125 else 2 if length <= 0xFFFF else 8) + 4 * masked
    assert length < 2**63
    assert not header.opcode.is_control or (header.fin and length <= MAX_CONTROL_PAYLOAD)


def _frame(data: bytes) -> None:
    frame = _parse(parse_frame, data)
    if frame is not None:
        assert data.startswith(serialize_frame(frame, frame.masking_key))
        assert str(frame) != ""


def _close(data: bytes) -> None:
    parsed, error = _attempt(parse_close, data)
    assert error is None or is_valid_close_code(error.code)
    if parsed is not None and len(data) <= MAX_CONTROL_PAYLOAD:
        assert serialize_close(parsed[0] if data else None, parsed[1]) == data


def _text(data: bytes) -> None:
    size, data = (1 + data[0] % 8, data[1:257]) if data else (1, b"")
    decoder, text, fed = TextDecoder(), "", 0
    for piece in pieces(data, (size, 1)):
        fed += len(piece)
        part, error = _attempt(decoder.decode, piece)
        assert (error is None) is bool(_UTF8_SO_FAR.fullmatch(data[:fed]))
        if error is not None:
            assert error.code == 1007
            return
        text += part
    part, error = _attempt(decoder.decode, b"", True)
    expected = data.decode(errors="ignore")  # what is missing can only be the end of the last character
    assert text == expected
    assert (error is None) is (expected.encode() == data)


def _inflate(data: bytes) -> None:
    options, data = data[:2].ljust(2, b"\0"), data[2:]
    room, size = 4 * options[0], 1 + options[1] % 32
    whole, cut = (_inflated(data, room, sizes) for sizes in ((), (size,)))
    assert whole == cut
    stream = zlib.decompressobj(wbits=-15)
    with suppress(zlib.error):
        expected = stream.decompress(data + TAIL)
        assert stream.eof or whole == (expected if len(expected) <= room else None)


def _inflated(data: bytes, room: int, sizes: tuple[int, ...]) -> bytes | None:
    """The output; None if it is too big or no DEFLATE data: one call or several may find one or the other first."""
    decompressor, output = Decompressor(room=room), b""
    for piece in [*pieces(data, sizes), b""]:
        part, error = _attempt(inflate, piece, decompressor, not piece)
        if error is not None:
            assert error.code in (1007, 1008, 1009)
            return None
        output += part
        assert len(output) <= room
    return output


def _conversations() -> Iterator[tuple[str, Callable[[bytes], None]]]:
    for role in ROLES:
        for opening in Opening:
            yield f"{role}_{opening.name.lower()}", check_conversation(role, opening)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "request": _request,
    "response": _response,
    "extensions": _extensions,
    "subprotocols": _subprotocols,
    "url": _url,
    "tap_target": _tap_target,
    "body_length": _body_length,
    "header": _header,
    "frame": _frame,
    "close": _close,
    "text": _text,
    "inflate": _inflate,
    "inspect": check_inspect,
    "raw_frame": check_raw_frame,
    "report": _report,
    "transcripts": check_transcripts,
    "capture": check_capture,
    "har": check_har,
    "segments": check_segments,
    "recorded": check_recorded,
    **dict(_conversations()),
}
