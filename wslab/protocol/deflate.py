"""permessage-deflate: its negotiation, and payloads compressed and back (RFC 7692)."""

import re
import zlib
from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol as Interface

from wslab.protocol.handshake import Extension
from wslab.protocol.handshake_rules import ANSWER_IGNORES_OFFER, EXTENSION_NOT_OFFERED
from wslab.protocol.rules import INFLATED_IS_TOO_BIG, NOT_DEFLATE, TOO_MANY_FINAL_BLOCKS
from wslab.protocol.states import Role

NAME = "permessage-deflate"
TAIL = b"\x00\x00\xff\xff"
MAX_FINAL_BLOCKS = 100
# zlib makes no raw deflate stream with a window of 2^8 bytes (deflateInit2 refuses it), so neither can anyone above it.
SMALLEST_DEFLATE_WINDOW = 9

_WINDOW_BITS = re.compile(r"[89]|1[0-5]")
_PARAMETERS = {
    "server_no_context_takeover",
    "client_no_context_takeover",
    "server_max_window_bits",
    "client_max_window_bits",
}


@dataclass(frozen=True)
class PermessageDeflate:
    """The parameters of the extension, as wished for before the handshake or as agreed after it (RFC 7692 §7.1).

    The window bits are 8 to 15: the base-2 logarithm of the window, in bytes, that a side compresses with.
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int = 15
    client_max_window_bits: int = 15

    def window_of(self, role: Role) -> tuple[int, bool]:
        """How `role` compresses: its window bits, and whether it keeps its window from one message to the next."""
        if role is Role.SERVER:
            return self.server_max_window_bits, not self.server_no_context_takeover
        return self.client_max_window_bits, not self.client_no_context_takeover


def build_offer(wish: PermessageDeflate) -> Extension:
    """The client's offer; it always says that the server may limit the client's window (RFC 7692 §7.1.2.2).

    >>> str(build_offer(PermessageDeflate()))
    'permessage-deflate; client_max_window_bits'
    """
    bits = None if wish.client_max_window_bits == 15 else str(wish.client_max_window_bits)
    return Extension(NAME, (*_stated(wish), ("client_max_window_bits", bits)))


def answer_offers(
    offers: list[Extension], wish: PermessageDeflate
) -> tuple[PermessageDeflate, Extension] | tuple[None, None]:
    """The first offer that the server can accept: (what is agreed, the answer), or (None, None) to decline them all.

    An offer with an unknown, repeated or bad parameter is declined (RFC 7692 §7.1), and so is one that asks the
    server for a window of 2^8 bytes, as other libraries on top of zlib do.
    """
    for offer in offers:
        if offer.name == NAME and (parameters := _read_parameters(offer)) is not None:
            agreed = _agree(parameters, wish)
            if agreed.server_max_window_bits >= SMALLEST_DEFLATE_WINDOW:
                return agreed, Extension(NAME, _stated(agreed, parameters))
    return None, None


def _agree(offered: dict[str, int | None], wish: PermessageDeflate) -> PermessageDeflate:
    server_bits = min(wish.server_max_window_bits, offered.get("server_max_window_bits") or 15)
    client_bits = 15
    if "client_max_window_bits" in offered:  # §7.1.2.2: without the offer, the server must not limit the client
        client_bits = min(wish.client_max_window_bits, offered["client_max_window_bits"] or 15)
    return PermessageDeflate(
        wish.server_no_context_takeover or "server_no_context_takeover" in offered,
        wish.client_no_context_takeover or "client_no_context_takeover" in offered,
        server_bits,
        client_bits,
    )


def check_answer(answer: Extension, wish: PermessageDeflate) -> PermessageDeflate:
    """What the server's answer agrees to; HandshakeError if it goes beyond the offer of `wish` (RFC 7692 §7.1)."""
    parameters = _read_parameters(answer) if answer.name == NAME else None
    # §7.1.2.2: in an answer, client_max_window_bits must have a value.
    if parameters is None or parameters.get("client_max_window_bits", 15) is None:
        raise EXTENSION_NOT_OFFERED.broken(answer=str(answer))
    agreed = PermessageDeflate(
        "server_no_context_takeover" in parameters,
        "client_no_context_takeover" in parameters or wish.client_no_context_takeover,
        parameters.get("server_max_window_bits") or 15,
        min(parameters.get("client_max_window_bits") or 15, wish.client_max_window_bits),
    )
    ignored_takeover = wish.server_no_context_takeover and not agreed.server_no_context_takeover
    if ignored_takeover or agreed.server_max_window_bits > wish.server_max_window_bits:
        raise ANSWER_IGNORES_OFFER.broken(answer=str(answer))
    return agreed


def _read_parameters(extension: Extension) -> dict[str, int | None] | None:
    """Parameter names and their window bits; None if one is unknown, stands there twice or has a bad value."""
    parameters: dict[str, int | None] = {}
    for name, value in extension.parameters:
        if name not in _PARAMETERS or name in parameters:
            return None
        if name.endswith("_max_window_bits"):
            needs_value = name.startswith("server")
            if (value is None and needs_value) or (value is not None and not _WINDOW_BITS.fullmatch(value)):
                return None
        elif value is not None:
            return None
        parameters[name] = None if value is None else int(value)
    return parameters


def _stated(parameters: PermessageDeflate, offered: Container[str] = ()) -> tuple[tuple[str, str | None], ...]:
    stated: list[tuple[str, str | None]] = []
    if parameters.server_no_context_takeover:
        stated.append(("server_no_context_takeover", None))
    if parameters.client_no_context_takeover:
        stated.append(("client_no_context_takeover", None))
    # §7.1.2.1: an answer repeats the server's bits if they were offered; §7.1.2.2: it has the client's only then.
    if parameters.server_max_window_bits < 15 or "server_max_window_bits" in offered:
        stated.append(("server_max_window_bits", str(parameters.server_max_window_bits)))
    if parameters.client_max_window_bits < 15 and "client_max_window_bits" in offered:
        stated.append(("client_max_window_bits", str(parameters.client_max_window_bits)))
    return tuple(stated)


class Compressor(Interface):
    """What `zlib.compressobj` returns, as far as `deflate` needs it."""

    def compress(self, data: bytes, /) -> bytes:
        """Take `data` in; return what is ready."""

    def flush(self, mode: int, /) -> bytes:
        """Return what is left."""


def new_compressor(window_bits: int) -> Compressor:
    """A raw deflate stream with a window of 2^`window_bits` bytes. Raises ValueError for 8 bits: zlib cannot make it.

    A side that may not use more than 8 bits sends its messages uncompressed, which is always allowed (RFC 7692 §6).
    """
    # The hash table of memLevel 5 is an eighth of the default one (15 bits: 144 KiB for a compressor instead of 256).
    # What comes out is not 2 % longer, and with 12 bits, 64 KiB of prose take 9 % less time.
    return zlib.compressobj(wbits=-window_bits, memLevel=5)


class Decompressor:
    """A raw inflate stream that gives at most `room` bytes more and goes on after a final block (RFC 7692 §7.2.3.4)."""

    def __init__(self, window_bits: int = 15, room: int = 2**31) -> None:
        self.room = room
        self.final_blocks = 0
        self._window_bits = window_bits
        self._stream = zlib.decompressobj(wbits=-window_bits)

    def decompress(self, data: bytes) -> bytes:
        """Inflate `data`. Raises ProtocolError 1009 when there is no room left, 1007 for bytes that are not DEFLATE."""
        pieces = []
        while self.final_blocks <= MAX_FINAL_BLOCKS:
            try:
                piece = self._stream.decompress(data, self.room + 1)
            except zlib.error:
                raise NOT_DEFLATE.broken() from None
            self.room -= len(piece)
            if self.room < 0:
                raise INFLATED_IS_TOO_BIG.broken()
            pieces.append(piece)
            if not self._stream.eof:
                return b"".join(pieces)
            self.final_blocks += 1
            data = self._stream.unused_data
            self._stream = zlib.decompressobj(wbits=-self._window_bits)
        raise TOO_MANY_FINAL_BLOCKS.broken(limit=MAX_FINAL_BLOCKS)


def deflate(payload: bytes, compressor: Compressor, fin: bool = True) -> bytes:
    """Compress the payload of one frame of a message (RFC 7692 §7.2.1).

    A sync flush ends on a byte boundary with 00 00 ff ff, which the last frame of a message leaves out; so an empty
    message is the single byte 00 (§7.2.3.6).

    >>> deflate(b"Hello", new_compressor(15)).hex(" ")
    'f2 48 cd c9 c9 07 00'
    """
    data = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(TAIL) if fin else data


def inflate(payload: bytes, decompressor: Decompressor, fin: bool = True) -> bytes:
    """Decompress a piece of a message, the last one with the 00 00 ff ff that was left out (RFC 7692 §7.2.2).

    >>> inflate(bytes.fromhex("f248cdc9c90700"), Decompressor())
    b'Hello'
    """
    return decompressor.decompress(payload + TAIL if fin else payload)
