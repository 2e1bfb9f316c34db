"""Decryption: what TLS connections in a capture have carried, decrypted by tshark with their keys.

tshark is not given the capture, whose ports, tunnels and packets it may understand otherwise, but a file with the bytes
of each connection from the start of TLS on, as if they had come from a web server.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from itertools import chain
from pathlib import Path

from wslab.recording.detection import TlsStart, part_pieces
from wslab.recording.packets import Endpoint, serialize_segment
from wslab.recording.pcapng import write_pcapng
from wslab.recording.tcp import CLIENT, SERVER, Piece, TcpConversation, TcpWriter

KEY_LOG = "SSLKEYLOGFILE"  # the variable in which browsers, curl and Python look for the file of keys, too
TIMEOUT = 300.0  # seconds
FIRST_CLIENT, SERVER_END = IPv4Address("10.0.0.1"), Endpoint(bytes((127, 0, 0, 1)), 443)
# What would join records to messages, as Wireshark does, is switched off: each record is shown by itself.
_OPTIONS = ["--disable-protocol", "http", "--disable-protocol", "http2", "-n", "-Y", "tls && data", "-T", "fields"]
_FIELDS = ["-e", "frame.number", "-e", "data.data"]
_HIDDEN = "has {count} TCP connection{s} with TLS, which {reason}"

Encrypted = tuple[TcpConversation, TlsStart]


def decrypt(encrypted: Sequence[Encrypted], keys: bytes) -> list[str]:
    """Put what TLS has carried in place of the bytes of these conversations, which all have TLS.

    The keys are those that the capture itself has, and those in the file that SSLKEYLOGFILE names. Returns why some of
    the conversations cannot be read, as the end of a sentence that begins with the name of the file.
    """
    key_log = os.environ.get(KEY_LOG, "")
    reason, read = f"only its keys can decrypt: {KEY_LOG} says in which file they are", set()
    if keys or key_log:
        tshark = shutil.which("tshark")
        reason = "tshark would decrypt with its keys: it comes with Wireshark, and is not installed here"
        if tshark is not None:
            reason = "its keys do not decrypt"
            read = _replace(encrypted, tshark, keys, key_log)
    left = len(encrypted) - len(read)
    return [_HIDDEN.format(count=left, s="s" * (left != 1), reason=reason)] if left else []


def _replace(encrypted: Sequence[Encrypted], tshark: str, keys: bytes, key_log: str) -> set[int]:
    """Put what is decrypted in place of the pieces; the places of the conversations of which there was some."""
    with tempfile.TemporaryDirectory(prefix="wslab-") as folder:
        capture = Path(folder, "tls.pcapng")
        origins = _write(capture, encrypted)
        all_keys = Path(folder, "keys")
        with all_keys.open("wb") as file:
            file.write(keys)
            with contextlib.suppress(OSError), Path(key_log).open("rb") as others:
                shutil.copyfileobj(others, file)
        pieces: dict[int, list[Piece]] = {}
        for number, data in _records(tshark, capture, all_keys):
            place, piece = origins[number - 1]
            pieces.setdefault(place, []).append(piece._replace(data=data))
    for place, decrypted in pieces.items():
        conversation, tls = encrypted[place]
        conversation.pieces = part_pieces(conversation.pieces, tls.sizes)[0] + decrypted
    return set(pieces)


def _write(path: Path, encrypted: Sequence[Encrypted]) -> list[tuple[int, Piece]]:
    """Write the packets, and return for each its conversation's place and the piece from which it comes."""
    origins: list[tuple[int, Piece]] = []

    def packets() -> Iterator[tuple[float, bytes]]:
        for place, (conversation, tls) in enumerate(encrypted):
            writer = TcpWriter(Endpoint((FIRST_CLIENT + place).packed, 50000), SERVER_END)
            opening = writer.open()
            for piece in part_pieces(conversation.pieces, tls.sizes)[1]:  # behind a gap, no record is authentic
                sent = writer.send(CLIENT if piece.side == tls.client else SERVER, piece.data)
                for segment in chain(opening, sent):
                    origins.append((place, piece))
                    yield 0.0, serialize_segment(segment)

    with path.open("wb") as file:
        write_pcapng(file, packets())
    return origins


def _records(tshark: str, path: Path, keys: Path) -> Iterator[tuple[int, bytes]]:
    """The number of a packet and what it completes, of each packet of which tshark decrypts something."""
    command = [tshark, "-r", str(path), "-o", f"tls.keylog_file:{keys}", *_OPTIONS, *_FIELDS]
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(
                command,
                stdout=output,
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return
        output.seek(0)
        for line in output:
            number, data = line.decode().rstrip("\n").split("\t")
            yield int(number), bytes.fromhex(data.replace(",", ""))
