"""Wireshark's own reading of a capture file, by way of tshark: the frames it sees, and what it complains about."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

MISSING_TSHARK = "needs tshark: install it with Wireshark (on Debian and Ubuntu `apt install tshark`)"
CHECKSUMS = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]
# All that is marked in any way, except what is no more than a remark on an opening or closing in good order.
COMPLAINTS = "_ws.malformed || tcp.analysis.flags || _ws.expert.severity >= 4194304 && !(tcp.flags.fin == 1)"
COMPLAINTS += " || _ws.expert.severity >= 6291456"
PAYLOADS = {f"websocket.payload.{kind}" for kind in ("text", "ping", "pong", "unknown")} | {"data.data"}


@dataclass(frozen=True)
class Dissected:
    """A frame as Wireshark sees it. The payload is unmasked and decompressed, and stands at the end of its message."""

    stream: int
    from_port: int
    fin: bool
    rsv: int
    opcode: int
    masking_key: bytes | None
    length: int
    payload: bytes
    close_code: int | None
    close_reason: str


def tshark(path: Path, *options: str) -> str:
    """What tshark prints about a capture file; the test is skipped where there is no tshark."""
    if shutil.which("tshark") is None:
        pytest.skip(MISSING_TSHARK)
    command = ["tshark", "-n", "-r", str(path), *CHECKSUMS, *options]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def complaints(path: Path) -> list[str]:
    """A line for every packet that Wireshark finds fault with."""
    fields = [option for name in ("frame.number", "_ws.expert.message", "_ws.malformed") for option in ("-e", name)]
    return tshark(path, "-Y", COMPLAINTS, "-T", "fields", *fields).splitlines()


def dissect(path: Path) -> list[Dissected]:
    """The WebSocket frames in a capture file, told nothing but the file."""
    packets = ElementTree.fromstring(tshark(path, "-Y", "websocket", "-T", "pdml"))
    return [frame for packet in packets.iter("packet") for frame in _frames(packet)]


def _frames(packet: ElementTree.Element) -> Iterator[Dissected]:
    protocols = list(packet)
    starts = [place for place, protocol in enumerate(protocols) if protocol.get("name") == "websocket"]
    shown = {field.get("name"): field.get("show") for field in packet.iter("field")}
    for start, end in zip(starts, [*starts[1:], len(protocols)], strict=True):
        # What is reassembled or decompressed stands behind the frame.
        fields = {f.get("name"): f for protocol in protocols[start:end] for f in protocol.iter("field")}
        values = {name: field.get("show", "") for name, field in fields.items()}
        yield Dissected(
            stream=int(shown["tcp.stream"]),
            from_port=int(shown["tcp.srcport"]),
            fin=values["websocket.fin"] == "1",
            rsv=int(values["websocket.rsv"], 0),
            opcode=int(values["websocket.opcode"]),
            masking_key=_bytes(fields, "websocket.masking_key") if values["websocket.mask"] == "1" else None,
            length=int(next(values[name] for name in _LENGTHS if name in values)),
            payload=next((_bytes(fields, name) for name in fields if name in PAYLOADS), b""),
            close_code=int(values.get("websocket.payload.close.status_code", "0")) or None,
            close_reason=values.get("websocket.payload.close.reason", ""),
        )


_LENGTHS = ["websocket.payload_length_ext_64", "websocket.payload_length_ext_16", "websocket.payload_length"]


def _bytes(fields: dict[str | None, ElementTree.Element], name: str | None) -> bytes:
    return bytes.fromhex(fields[name].get("value", ""))
