"""Decapsulation: captured packets in; out, the TCP segments in them, whatever is around these."""

import struct
from collections import Counter
from collections.abc import Iterator

from wslab.recording.fragments import Fragments
from wslab.recording.layers import (
    AGGREGATE,
    ENCRYPTED_WLAN,
    IP,
    IP_PROTOCOL,
    LAYERS,
    LINK,
    LLC,
    Layer,
    frames_in_aggregate,
)
from wslab.recording.packets import TCP_PROTOCOL, Segment, parse_ip, parse_tcp
from wslab.recording.pcapng import Packet

MAX_LAYERS = 32  # around a segment: no network is as deep
_TCP, _ESP = (IP_PROTOCOL, TCP_PROTOCOL), (IP_PROTOCOL, 50)
_ENCRYPTED = {ENCRYPTED_WLAN: "encrypted frame{s} of a wireless LAN", _ESP: "encrypted packet{s} of IPsec"}


class Decapsulator:
    """Takes the headers off captured packets, and joins fragments; it counts what it cannot read."""

    def __init__(self) -> None:
        self._fragments = Fragments()
        self._unread: Counter[str] = Counter()
        self._full = ""

    @property
    def held(self) -> int:
        """How many bytes of fragments are held, whose packets are not whole."""
        return self._fragments.held

    def tell_full(self, number: int, limit: int) -> None:
        """Take note that only so many packets are read: more would take more memory than there may be."""
        self._full = f"is read only up to its packet {number:,}: TCP would take more than {limit:,} bytes of memory"

    def segments(self, packet: Packet) -> Iterator[Segment]:
        """The TCP segments in a packet: none, one, or several where a wireless LAN has put them into one frame."""
        return self._strip(packet.time, (LINK, packet.link_type), packet.data, 0)

    def _strip(self, time: float, layer: Layer, data: bytes, depth: int) -> Iterator[Segment]:
        source = destination = b""
        for number in range(depth, MAX_LAYERS):
            if layer == _TCP:
                segment = parse_tcp(source, destination, data)
                yield from [] if segment is None else [segment]
                return
            if layer == AGGREGATE:
                for frame in frames_in_aggregate(data):
                    yield from self._strip(time, LLC, frame, number + 1)
                return
            if layer == IP:
                found = parse_ip(data)
                found = found and self._fragments.add(time, found)
                if found is None:
                    return
                source, destination, protocol, data, _ = found
                layer = (IP_PROTOCOL, protocol)
            elif layer in LAYERS:
                try:
                    layer, data = LAYERS[layer](data)
                except (IndexError, struct.error):
                    return
            else:
                break
        self._count(layer)

    def _count(self, layer: Layer) -> None:
        """Take note of a packet that was not read, unless it is of another kind than TCP."""
        if layer in LAYERS or layer in (_TCP, IP, AGGREGATE):
            self._unread[f"packet{{s}} in more than {MAX_LAYERS} layers"] += 1
        elif layer[0] == LINK:
            self._unread[f"packet{{s}} of link type {layer[1]}"] += 1
        elif layer in _ENCRYPTED:
            self._unread[_ENCRYPTED[layer]] += 1

    def faults(self) -> list[str]:
        """What could not be read, each as the end of a sentence that begins with the name of the file."""
        told = [(count, f"{what}, which wslab cannot read") for what, count in self._unread.items()]
        if missing := self._fragments.missing:
            told.append((missing, "IP packet{s} of which fragments are missing"))
        faults = [f"has {count} {what.format(s='s' * (count != 1))}" for count, what in told]
        return [*faults, self._full] if self._full else faults
