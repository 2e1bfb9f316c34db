"""Packets: TCP segments to IP packets and back, with their checksums (RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1)."""

import struct
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
_MORE_FRAGMENTS, _FRAGMENT_OFFSET = 0x2000, 0x1FFF  # the offset counts units of 8 bytes
_IPV6_FRAGMENT = 44
# Hop-by-hop options, routing, fragment, destination options, mobility, host identity, Shim6 (RFC 7045 §4)
_IPV6_EXTENSIONS = {0, 43, _IPV6_FRAGMENT, 60, 135, 139, 140}


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


class Fragment(NamedTuple):
    """Which part of an IP packet a fragment is: of the packet `identification`, from the byte `start` on."""

    identification: int
    start: int
    is_last: bool


class IpPacket(NamedTuple):
    """An IP packet or a fragment of one: what is in it is of the IP protocol `protocol`, behind all headers of IP.

    `data` may end early where the capture cut it.
    """

    source: bytes
    destination: bytes
    protocol: int
    data: bytes
    fragment: Fragment | None = None


def parse_segment(packet: bytes) -> Segment | None:
    """The TCP segment in an IP packet. None if there is none, or only a part of one."""
    found = parse_ip(packet)
    if found is None or found.protocol != TCP_PROTOCOL or found.fragment is not None:
        return None
    return parse_tcp(found.source, found.destination, found.data)


def parse_tcp(source: bytes, destination: bytes, data: bytes) -> Segment | None:
    """The segment between two IP addresses. None if not even its header is there.

    Checksums are ignored: a network card may fill them in after the packet has been captured.
    """
    if len(data) < _TCP.size:
        return None
    source_port, destination_port, sequence, acknowledgement, offset, flags, *_ = _TCP.unpack_from(data)
    ends = Endpoint(source, source_port), Endpoint(destination, destination_port)
    return Segment(*ends, sequence, acknowledgement, flags, data[(offset >> 4) * 4 :])


def parse_ip(packet: bytes) -> IpPacket | None:
    """The IP packet of either version with which these bytes begin. None if they are none."""
    version = packet[0] >> 4 if packet else 0
    return _parse_ipv4(packet) if version == 4 else _parse_ipv6(packet) if version == 6 else None


def _parse_ipv4(packet: bytes) -> IpPacket | None:
    if len(packet) < _IPV4.size:
        return None
    first, _, length, identification, part, _, protocol, _, source, destination = _IPV4.unpack_from(packet)
    # A network card that cuts segments itself is given packets longer than the field can tell, with 0 in it.
    data = packet[(first & 0b0000_1111) * 4 : length or len(packet)]
    fragment = None
    if part & (_MORE_FRAGMENTS | _FRAGMENT_OFFSET):
        fragment = Fragment(identification, (part & _FRAGMENT_OFFSET) * 8, not part & _MORE_FRAGMENTS)
    return IpPacket(source, destination, protocol, data, fragment)


def _parse_ipv6(packet: bytes) -> IpPacket | None:
    if len(packet) < _IPV6.size:
        return None
    _, length, protocol, _, source, destination = _IPV6.unpack_from(packet)
    start = _IPV6.size
    end = min(start + length if length else len(packet), len(packet))
    fragment = None
    while protocol in _IPV6_EXTENSIONS and start + 8 <= end and fragment is None:
        following, size = packet[start], 8
        if protocol == _IPV6_FRAGMENT:
            part, identification = struct.unpack_from("!HI", packet, start + 2)
            if part & ~0b110:  # RFC 8200 §4.5: else it is the whole packet
                fragment = Fragment(identification, part & ~0b111, not part & 1)
        else:
            size += packet[start + 1] * 8
        protocol, start = following, start + size
    return IpPacket(source, destination, protocol, packet[start:end], fragment)
