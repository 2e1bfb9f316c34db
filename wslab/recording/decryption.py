"""Decryption: what TLS connections in a capture have carried, decrypted by tshark with their keys."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from wslab.recording.packets import Endpoint
from wslab.recording.tcp import Piece, TcpConversation

KEY_LOG = "SSLKEYLOGFILE"  # the variable in which browsers, curl and Python look for the file of keys, too
TIMEOUT = 300.0  # seconds
# What would join records to messages, as Wireshark does, is switched off: each record is shown by itself.
_OPTIONS = ["--disable-protocol", "http", "--disable-protocol", "http2", "-n", "-Y", "tls && data", "-T", "fields"]
_FIELDS = ["frame.number", "frame.time_epoch", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "tcp.srcport", "tcp.dstport"]
_HIDDEN = "has {count} TCP connection{s} with TLS, which {reason}"


class _Record(NamedTuple):
    """What TLS has carried in one packet, with the possible ends of its connection: tunnels have others around it."""

    number: int
    time: float
    sources: list[Endpoint]
    destinations: list[Endpoint]
    data: bytes


def decrypt(conversations: list[TcpConversation], path: Path | None, has_keys: bool) -> list[str]:
    """Put what TLS has carried in place of the bytes of these conversations, which all have TLS.

    `has_keys` says that the keys are in the capture itself; else they are in the file that SSLKEYLOGFILE names. Returns
    why some of them cannot be read, as the end of a sentence that begins with the name of the file.
    """
    keys = os.environ.get(KEY_LOG, "")
    reason, read = f"only its keys can decrypt: {KEY_LOG} says in which file they are", set()
    if path is not None and (has_keys or keys):
        tshark = shutil.which("tshark")
        reason = "tshark would decrypt with its keys: it comes with Wireshark, and is not installed here"
        if tshark is not None:
            reason = "its keys do not decrypt"
            read = _replace(conversations, _records(tshark, path, keys))
    left = len(conversations) - len(read)
    return [_HIDDEN.format(count=left, s="s" * (left != 1), reason=reason)] if left else []


def _replace(conversations: list[TcpConversation], records: Iterable[_Record]) -> set[int]:
    """Put the records in place of the pieces; the places of the conversations of which there were some."""
    places = {conversation.ends: place for place, conversation in enumerate(conversations)}
    pieces: dict[int, list[Piece]] = {}
    for record in records:
        for source in record.sources:
            for destination in record.destinations:
                for side, ends in enumerate([(source, destination), (destination, source)]):
                    if (place := places.get(ends)) is not None:
                        pieces.setdefault(place, []).append(Piece(record.number, record.time, side, record.data))
    for place, decrypted in pieces.items():
        conversations[place].pieces = decrypted
    return set(pieces)


def _records(tshark: str, path: Path, keys: str) -> Iterator[_Record]:
    """What tshark decrypts; nothing if it cannot read the file."""
    fields = [option for field in [*_FIELDS, "data.data"] for option in ("-e", field)]
    preferences = ["-o", f"tls.keylog_file:{keys}"] if keys else []
    command = [tshark, "-r", str(path), *preferences, *_OPTIONS, *fields]
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
            yield _record(line.decode().rstrip("\n").split("\t"))


def _record(cells: list[str]) -> _Record:
    number, time, *addresses, source_port, destination_port, data = cells
    sources, destinations = (
        [
            Endpoint(ip_address(address).packed, int(port))
            for address in ",".join(both).split(",")
            if address
            for port in ports.split(",")
        ]
        for both, ports in ((addresses[:2], source_port), (addresses[2:], destination_port))
    )
    return _Record(int(number) - 1, float(time), sources, destinations, bytes.fromhex(data.replace(",", "")))
