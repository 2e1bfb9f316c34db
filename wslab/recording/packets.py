"""Packets: TCP segments to IP packets and back, with their checksums (RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1)."""

import struct
from collections.abc import Callable
from typing import NamedTuple

FIN, SYN, RST, PSH, ACK = 0b0_0001, 0b0_0010, 0b0_0100, 0b0_1000, 0b1_0000
TCP_PROTOCOL = 6
MSS = 1460  # bytes of data in a segment, at most: what an Ethernet packet has room for
WINDOW = 65535
LINKTYPE_RAW = 101

# version and header length, service, total length; identification, flags and offset; time to live, protocol, checksum
_IPV4 = struct.Struct("!BBH HH BBH 4s4s")
_IPV6 = struct.Struct("!IHBB 16s16s")  # version, class and label; payload length, next header, hop limit
_TCP = struct.Struct("!HH II BBHHH")  # ports; sequence, acknowledgement; data offset, flags, window, checksum, urgent
_MSS_OPTION = struct.pack("!BBH", 2, 4, MSS)
_DO_NOT_FRAGMENT = 0x4000
_FRAGMENT = 0x3FFF  # "more fragments" and the offset
_IPV6_EXTENSIONS = {0, 43, 60}  # hop-by-hop options, routing, destination options
_IPV4_TYPE, _IPV6_TYPE, _VLAN_TYPES = 0x0800, 0x86DD, {0x8100, 0x88A8}


class Endpoint(NamedTuple):
    """One end of a TCP connection: the 4 or 16 bytes of its IP address, and its port."""

    address: bytes
    port: int


class Segment(NamedTuple):
    """A TCP segment between two endpoints of the same IP version."""

    source: Endpoint
    destination: Endpoint
    sequence: int
    acknowledgement: int
    flags: int
    data: bytes = b""


def checksum(data: bytes) -> int:
    """The Internet checksum: the ones' complement of the ones' complement sum of 16-bit words (RFC 1071).

    >>> hex(checksum(bytes.fromhex("0001 f203 f4f5 f6f7")))
    '0x220d'
    """
    if len(data) % 2:
        data += b"\0"
    # 2^16 is 1 modulo 2^16 - 1, so all bytes as one number will do for the sum: 20 times as fast as a loop over words.
    return -int.from_bytes(data, "big") % 0xFFFF


def serialize_segment(segment: Segment) -> bytes:
    """The IP packet with `segment` in it; one with SYN also says how much data fits into a segment (MSS)."""
    source, destination = segment.source, segment.destination
    options = _MSS_OPTION if segment.flags & SYN else b""
    size = _TCP.size + len(options) + len(segment.data)
    head = [source.port, destination.port, segment.sequence % 2**32, segment.acknowledgement % 2**32]
    head += [(_TCP.size + len(options)) // 4 << 4, segment.flags, WINDOW]
    tcp = _TCP.pack(*head, 0, 0) + options + segment.data
    # RFC 9293 §3.1: the checksum also covers the addresses, the protocol and the length.
    pseudo_header = source.address + destination.address + struct.pack("!II", size, TCP_PROTOCOL)
    tcp = _TCP.pack(*head, checksum(pseudo_header + tcp), 0) + tcp[_TCP.size :]
    if len(source.address) == 16:
        return _IPV6.pack(6 << 28, size, TCP_PROTOCOL, 64, source.address, destination.address) + tcp
    start = [4 << 4 | _IPV4.size // 4, 0, _IPV4.size + size, 0, _DO_NOT_FRAGMENT, 64, TCP_PROTOCOL]
    header = _IPV4.pack(*start, 0, source.address, destination.address)
    return _IPV4.pack(*start, checksum(header), source.address, destination.address) + tcp


def parse_segment(packet: bytes) -> Segment | None:
    """The TCP segment in an IP packet. None if there is none; its data may end early where the capture cut it.

    Checksums are ignored: a network card may fill them in after the packet has been captured.
    """
    version = packet[0] >> 4 if packet else 0
    found = _read_ipv4(packet) if version == 4 else _read_ipv6(packet) if version == 6 else None
    if found is None:
        return None
    source, destination, start, end = found
    if end - start < _TCP.size:
        return None
    source_port, destination_port, sequence, acknowledgement, offset, flags, *_ = _TCP.unpack_from(packet, start)
    data = packet[start + (offset >> 4) * 4 : end]
    return Segment(
        Endpoint(source, source_port), Endpoint(destination, destination_port), sequence, acknowledgement, flags, data
    )


def _read_ipv4(packet: bytes) -> tuple[bytes, bytes, int, int] | None:
    """Both addresses, the offset of the TCP header, and the end of its data."""
    if len(packet) < _IPV4.size:
        return None
    first, _, length, _, fragment, _, protocol, _, source, destination = _IPV4.unpack_from(packet)
    if protocol != TCP_PROTOCOL or fragment & _FRAGMENT:
        return None
    # A network card that cuts segments itself is given packets longer than the field can tell, with 0 in it.
    return source, destination, (first & 0b0000_1111) * 4, min(length or len(packet), len(packet))


def _read_ipv6(packet: bytes) -> tuple[bytes, bytes, int, int] | None:
    if len(packet) < _IPV6.size:
        return None
    _, length, protocol, _, source, destination = _IPV6.unpack_from(packet)
    start = _IPV6.size
    end = min(start + length if length else len(packet), len(packet))
    while protocol in _IPV6_EXTENSIONS and start + 2 <= end:
        protocol, start = packet[start], start + 8 + packet[start + 1] * 8
    return (source, destination, start, end) if protocol == TCP_PROTOCOL else None


def _strip_ethernet(data: bytes) -> bytes:
    start = 12
    while (kind := int.from_bytes(data[start : start + 2], "big")) in _VLAN_TYPES:
        start += 4
    return data[start + 2 :] if kind in (_IPV4_TYPE, _IPV6_TYPE) else b""


def _strip_cooked(data: bytes) -> bytes:
    return data[16:] if data[14:16] in (b"\x08\x00", b"\x86\xdd") else b""


def _strip_cooked_2(data: bytes) -> bytes:
    return data[20:] if data[:2] in (b"\x08\x00", b"\x86\xdd") else b""


# The IP packet in what was captured, for each link type that we can read (https://www.tcpdump.org/linktypes.html)
STRIP_LINK_HEADER: dict[int, Callable[[bytes], bytes]] = {
    0: lambda data: data[4:],  # BSD loopback: the address family, in the byte order of the machine
    108: lambda data: data[4:],  # OpenBSD loopback
    1: _strip_ethernet,
    **dict.fromkeys((12, 14, LINKTYPE_RAW, 228, 229), lambda data: data),
    113: _strip_cooked,  # Linux, the interface "any"
    276: _strip_cooked_2,
}
