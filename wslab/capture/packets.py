"""Packets: TCP segments in IPv4 or IPv6 to bytes and back (RFC 9293 §3.1, RFC 791, RFC 8200)."""

import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address

Address = tuple[str, int]

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
TCP = 6
# Types of link layers, as the list of tcpdump.org numbers them.
NULL, ETHERNET, RAW_IP, LINUX_COOKED, IPV4_ONLY, IPV6_ONLY, LINUX_COOKED_2 = 0, 1, 101, 113, 228, 229, 276
BEFORE_IP = {NULL: 4, ETHERNET: 14, RAW_IP: 0, LINUX_COOKED: 16, IPV4_ONLY: 0, IPV6_ONLY: 0, LINUX_COOKED_2: 20}
VLAN_TAG = b"\x81\x00"


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment: time in seconds, (address, port) of both ends, `flags` as in its header."""

    time: float
    source: Address
    destination: Address
    sequence: int
    acknowledgement: int
    flags: int
    payload: bytes = b""


def build_packet(segment: Segment) -> bytes:
    """The segment in an IP packet, with both checksums."""
    source, destination = (ip_address(host).packed for host, _ in (segment.source, segment.destination))
    ports, data_offset, window = (segment.source[1], segment.destination[1]), 5 << 4, 0xFFFF
    numbers = segment.sequence % 2**32, segment.acknowledgement % 2**32
    header = struct.pack(">HHIIBBHHH", *ports, *numbers, data_offset, segment.flags, window, 0, 0)
    size = len(header) + len(segment.payload)
    pseudo_header = source + destination + struct.pack(">II", size, TCP)
    check = checksum(pseudo_header + header + segment.payload)
    tcp = header[:16] + struct.pack(">H", check) + header[18:] + segment.payload
    if len(source) == 16:
        return struct.pack(">IHBB", 6 << 28, size, TCP, 64) + source + destination + tcp
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, 64, TCP, 0) + source + destination
    return ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + tcp


def checksum(data: bytes) -> int:
    """The Internet checksum: the ones' complement of the ones' complement sum of all 16-bit words (RFC 1071).

    >>> hex(checksum(bytes.fromhex("45000073000040004011 0000 c0a80001c0a800c7")))
    '0xb861'
    """
    # A number modulo 2^16 - 1 is the ones' complement sum of its 16-bit digits.
    total = int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF
    return 0xFFFF - total if total or not any(data) else 0


def parse_packet(link_type: int, time: float, data: bytes) -> Segment | None:
    """The TCP segment in a packet; None for any other packet, for fragments of IP and for one that is not all there."""
    start = BEFORE_IP.get(link_type)
    if start is None:
        return None
    while link_type == ETHERNET and data[start - 2 : start] == VLAN_TAG:
        start += 4
    packet = data[start:]
    try:
        if packet[0] >> 4 == 4:
            return _parse_ipv4(time, packet)
        return _parse_ipv6(time, packet) if packet[0] >> 4 == 6 else None
    except (struct.error, IndexError):
        return None


def _parse_ipv4(time: float, packet: bytes) -> Segment | None:
    size, fragment, protocol = struct.unpack_from(">2xH2xHxB", packet)
    if protocol != TCP or fragment & 0x3FFF:  # more fragments, or not the first one
        return None
    hosts = [socket.inet_ntop(socket.AF_INET, packet[i : i + 4]) for i in (12, 16)] if len(packet) >= 20 else []
    # A network card that cuts long segments itself leaves the size to be filled in later.
    return _parse_tcp(time, hosts, packet[(packet[0] & 0x0F) * 4 : size or None])


def _parse_ipv6(time: float, packet: bytes) -> Segment | None:
    size, next_header = struct.unpack_from(">4xHB", packet)
    if next_header != TCP or len(packet) < 40:
        return None
    hosts = [socket.inet_ntop(socket.AF_INET6, packet[i : i + 16]) for i in (8, 24)]
    return _parse_tcp(time, hosts, packet[40 : 40 + size if size else None])


def _parse_tcp(time: float, hosts: list[str], data: bytes) -> Segment:
    source, destination, sequence, acknowledgement, offset, flags = struct.unpack_from(">HHIIBB", data)
    payload = data[(offset >> 4) * 4 :]
    ends = (hosts[0], source), (hosts[1], destination)
    return Segment(time, *ends, sequence, acknowledgement, flags, payload)
