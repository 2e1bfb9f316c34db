"""Handshakes and frames, written by hand: good ones, except for what is changed, and frames of any form."""

import zlib

from wslab import Frame, Opcode, serialize_frame

KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 §1.3
MASKING_KEY = bytes.fromhex("37fa213d")
ZERO_KEY = bytes(4)  # masks nothing: the payload of such a frame is the payload on the wire
DEFLATE = ("Sec-WebSocket-Extensions: permessage-deflate",)  # a line of a request or of a response
PLAIN = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"  # a request for a page
RESPONSE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"  # the least that is taken for a yes
MASKED_HELLO = bytes.fromhex("818537fa213d7f9f4d5158")  # RFC 6455 §5.7
GREETING = serialize_frame(Frame(Opcode.TEXT, b"Welcome"))


def request(start: str = "GET / HTTP/1.1", *, more: tuple[str, ...] = (), **changed: str | None) -> bytes:
    """A good handshake request, except for what is changed: `Sec_WebSocket_Key=None` leaves that line out."""
    headers: dict[str, str | None] = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [start, *(f"{name}: {value}" for name, value in headers.items() if value is not None), *more]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def response(*more: str, status: str = "101 Switching Protocols", upgrade: str = "websocket") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Upgrade: {upgrade}", "Connection: Upgrade", f"Sec-WebSocket-Accept: {ACCEPT}"]
    return "\r\n".join([*lines, *more, "", ""]).encode()


def masked(opcode: Opcode, payload: bytes = b"", **bits: bool) -> bytes:
    """A frame as a client sends it."""
    return serialize_frame(Frame(opcode, payload, **bits), MASKING_KEY)


def text(words: str) -> bytes:
    return masked(Opcode.TEXT, words.encode())


def close_frame(code: int, reason: str = "") -> Frame:
    return Frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason.encode())


def raw_frame(first: int, payload: bytes = b"", *, length: bytes | None = None, mask: int = 0x80) -> bytes:
    """A frame from its first byte, with a length field of any form."""
    size = length if length is not None else bytes((len(payload),))
    return bytes((first, mask | size[0])) + size[1:] + (ZERO_KEY if mask else b"") + payload


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


def compressed(data: bytes, first: int = 0xC2) -> bytes:
    """A frame whose payload is `data`, as it is, with RSV1 set."""
    return serialize_frame(Frame(Opcode(first & 15), data, fin=bool(first & 0x80), rsv1=bool(first & 0x40)), ZERO_KEY)
