"""BodyReader: where the body behind a head ends, found as its bytes arrive (RFC 9112 §6, §7.1)."""

import codecs
import contextlib
import re
import sys
import zlib

from wslab.protocol.http import MAX_BODY_SIZE, Headers, Request, Response

MAX_CHUNK_LINE = 1024  # bytes: the size of a chunk with its extensions, or a line of the trailer
PIECE = 4096  # bytes that are handed to a reader at once where much may follow its body
ENDLESS = sys.maxsize

_CHUNK_SIZE = re.compile(rb"0*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_LENGTH = re.compile(r"0*[0-9]{1,18}")
_CODINGS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}  # wbits; deflate should have the header of zlib
_CHARSET = re.compile(r""";[ \t]*charset=["']?([\w.:-]{1,40})""", re.ASCII | re.IGNORECASE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class BodyReader:
    """Takes in what follows a head, and keeps the beginning of it: at most 4 KiB, without the framing of chunks.

    `method` is that of the request, where `head` is a response. `size` counts the bytes that have arrived, `missing`
    those of the body, or of a chunk, that have not. `is_whole` says that the end was found, `is_broken` that none can
    be found, `is_endless` that it is the end of TCP.

    >>> reader = BodyReader(Response(403, "Forbidden", Headers((("Content-Length", "2"),))))
    >>> reader.read(b"no more"), bytes(reader.kept), reader.is_whole
    (2, b'no', True)
    """

    def __init__(self, head: Request | Response, method: str = "GET") -> None:
        length = _length_of(head, method)
        self.kept = bytearray()
        self.size = 0
        self.is_whole = length == 0
        self.is_broken = False
        self.is_endless = length == ENDLESS
        self.is_chunked = length is None
        self.missing = length or 0
        self._line = bytearray()  # around chunks, as far as it has arrived
        self._is_in_trailer = False

    @property
    def is_enough(self) -> bool:
        """Whether nothing that would be kept is still to come, or far more has come than was kept."""
        return self.is_whole or self.is_broken or len(self.kept) == MAX_BODY_SIZE or self.size > 4 * MAX_BODY_SIZE

    def read(self, data: bytes) -> int:
        """Take in `data`; return how many bytes of it belong to the body."""
        position = 0
        while position < len(data) and not (self.is_whole or self.is_broken):
            if self.missing:
                size = min(self.missing, len(data) - position)
                self.kept += data[position : position + min(size, MAX_BODY_SIZE - len(self.kept))]
                self.missing -= size
                self.is_whole = not (self.missing or self.is_chunked)
                position += size
            else:
                position = self._read_line(data, position)
        self.size += position
        return position

    def _read_line(self, data: bytes, start: int) -> int:
        """Take in a line before, between or after chunks, or a part of it; return where it ends."""
        end = data.find(b"\n", start) + 1
        self._line += data[start : end or len(data)]
        self.is_broken = len(self._line) > MAX_CHUNK_LINE
        if not end:
            return len(data)
        line, self._line = bytes(self._line).strip(b"\r\n"), bytearray()
        if self._is_in_trailer:
            self.is_whole = not line
        elif line:  # an empty one ends a chunk
            found = _CHUNK_SIZE.fullmatch(line)
            self.is_broken = self.is_broken or found is None
            self.missing = int(found[1], 16) if found else 0
            self._is_in_trailer = not self.missing
        return end


def _length_of(head: Request | Response, method: str) -> int | None:
    """How many bytes of body there are, by the head (RFC 9112 §6.3); None for a body in chunks."""
    if isinstance(head, Response):
        has_none = head.status < 200 or head.status in (204, 304) or method == "HEAD"
        if has_none or (method == "CONNECT" and head.status < 300):
            return 0
    if codings := head.headers.tokens("Transfer-Encoding"):
        return None if codings[-1].lower() == "chunked" else ENDLESS
    lengths = set(head.headers.tokens("Content-Length"))
    if not lengths and isinstance(head, Request):
        return 0
    return int(lengths.pop()[-18:]) if len(lengths) == 1 and all(map(_LENGTH.fullmatch, lengths)) else ENDLESS


def text_of_body(headers: Headers, body: bytes) -> str:
    r"""The beginning of a body as text: in the charset that its head or its first bytes name, else in UTF-8.

    >>> text_of_body(Headers((("Content-Type", "text/plain; charset=iso-8859-1"),)), b"gr\xfc\xdfe")
    'grüße'
    """
    body, found = decode_body(headers, body), _CHARSET.search(headers.get("Content-Type"))
    charset = "utf-16" if body.startswith(_UTF_16) else found[1] if found else "utf-8"
    try:
        text = body.decode(charset, "replace")
    except (LookupError, ValueError):  # nobody knows it, or it is no charset
        text = body.decode(errors="replace")
    return text.removeprefix("\ufeff")  # a byte order mark


def decode_body(headers: Headers, body: bytes) -> bytes:
    """The beginning of a body without the coding of its content and its transfer, at most 4 KiB.

    Only what stands before the damage, where there is one; nothing where a coding is unknown.

    >>> decode_body(Headers((("Content-Encoding", "deflate"),)), zlib.compress(b"Hello"))
    b'Hello'
    """
    transfer = [coding for coding in headers.tokens("Transfer-Encoding") if coding.lower() != "chunked"]
    for coding in reversed([*headers.tokens("Content-Encoding"), *transfer]):
        if coding.lower() != "identity":
            body = _decompress(body, _CODINGS.get(coding.lower(), ()))
    return body


def _decompress(body: bytes, windows: tuple[int, ...]) -> bytes:
    plain = b""
    for wbits in windows:
        decompressor = zlib.decompressobj(wbits)
        with contextlib.suppress(zlib.error):
            for octet in body:  # one by one: in its last call, what finds damage gives nothing
                if len(plain) < MAX_BODY_SIZE:
                    plain += decompressor.decompress(bytes((octet,)), MAX_BODY_SIZE)
        if plain:
            break
    return plain[:MAX_BODY_SIZE]
