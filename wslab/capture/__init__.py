"""Capture: recordings as files that Wireshark opens, and its files as recordings."""

from pathlib import Path
from typing import TYPE_CHECKING

from wslab.capture.conversation import conversations, segments_of
from wslab.capture.errors import CaptureError
from wslab.capture.packets import RAW_IP, build_packet, parse_packet
from wslab.capture.pcapng import read_packets, write_packets

if TYPE_CHECKING:
    from wslab.recording import Recording

__all__ = ["CaptureError", "load_pcapng", "save_pcapng"]


def save_pcapng(recording: "Recording", path: Path, *, secrets: bool) -> None:
    """Write every connection of `recording` as a TCP conversation, its secrets overwritten if they are not wanted.

    What was not recorded is made up: how TCP was opened, acknowledged and closed. Nothing is lost or sent twice.
    """
    segments = [segment for number in recording.connections for segment in segments_of(recording, number, secrets)]
    segments.sort(key=lambda segment: segment.time)
    with path.open("wb") as file:
        write_packets(file, RAW_IP, ((segment.time, build_packet(segment)) for segment in segments))


def load_pcapng(recording: "Recording", path: Path) -> None:
    """Add the WebSocket conversations in a .pcapng or .pcap file to `recording`.

    Raises CaptureError for what is no such file, for one that is cut short and for one without WebSocket in it.
    """
    with path.open("rb") as file:
        segments = (parse_packet(packet.link_type, packet.time, packet.data) for packet in read_packets(file))
        found = conversations(segment for segment in segments if segment is not None)
    if not found:
        raise CaptureError("it holds no WebSocket conversation: no request with 'Upgrade: websocket'")
    for number, conversation in enumerate(found, max(recording.connections, default=0) + 1):
        recording.addresses[number] = (conversation.client, conversation.server)
        conversation.add_to(recording, number)
    recording.chunks.sort(key=lambda chunk: chunk.time)
