"""IP packets as networks and operating systems wrap them: for each way the link type, and a function that wraps one."""

import struct
from collections.abc import Callable

from wslab.recording.packets import checksum

Wrap = Callable[[bytes], bytes]
MACS = b"\x02" * 6 + b"\x04" * 6
SNAP = b"\xaa\xaa\x03\0\0\0\x08\x00"
RADIOTAP = b"\0\0\x08\0\0\0\0\0"
WLAN_ADDRESSES = b"\x02" * 6 + b"\x04" * 6 + b"\x02" * 6 + b"\0\0"


def ipv4(protocol: int, data: bytes, options: bytes = b"") -> bytes:
    size = 20 + len(options)
    head = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0, size + len(data), 1, 0, 64, protocol, 0)
    head += bytes((10, 0, 0, 1, 10, 0, 0, 2)) + options
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + data


def ipv6(protocol: int, data: bytes) -> bytes:
    return struct.pack("!IHBB", 6 << 28, len(data), protocol, 64) + bytes(15) + b"\x01" + bytes(15) + b"\x02" + data


def udp(port: int, data: bytes, source: int = 40000) -> bytes:
    return ipv4(17, struct.pack("!HHHH", source, port, 8 + len(data), 0) + data)


def ethernet(data: bytes, kind: int = 0x0800) -> bytes:
    return MACS + kind.to_bytes(2, "big") + data


def wlan(control: bytes, data: bytes, more: bytes = b"") -> bytes:
    return control + b"\0\0" + WLAN_ADDRESSES + more + SNAP + data


def aggregate(data: bytes) -> bytes:
    """A frame of a wireless LAN with two frames in it, of which the second one is an IP packet."""
    arp = MACS + (8 + 29).to_bytes(2, "big") + SNAP[:-2] + b"\x08\x06" + bytes(29)
    frame = MACS + (8 + len(data)).to_bytes(2, "big") + SNAP + data
    return b"\x88\x02\0\0" + WLAN_ADDRESSES + b"\x80\0" + arp + bytes(-len(arp) % 4) + frame


def pppoe(data: bytes) -> bytes:
    return b"\x11\0\0\x01" + (len(data) + 2).to_bytes(2, "big") + b"\x00\x21" + data


def nflog(data: bytes) -> bytes:
    return b"\x02\0\0\0" + struct.pack("<HH5s3x", 9, 10, b"hello") + struct.pack("<HH", len(data) + 4, 9) + data


# https://www.tcpdump.org/linktypes.html
LINKS: dict[str, tuple[int, Wrap]] = {
    "BSD loopback": (0, lambda ip: b"\x02\0\0\0" + ip),
    "OpenBSD loopback": (108, lambda ip: b"\0\0\0\x02" + ip),
    "raw": (101, lambda ip: ip),
    "raw IPv4": (228, lambda ip: ip),
    "PPP": (9, lambda ip: b"\xff\x03\x00\x21" + ip),
    "PPP without framing": (9, lambda ip: b"\x00\x21" + ip),
    "PPP with a short protocol": (9, lambda ip: b"\x21" + ip),
    "PPP in HDLC": (50, lambda ip: b"\xff\x03\x00\x21" + ip),
    "Cisco's HDLC": (104, lambda ip: b"\x0f\x00\x08\x00" + ip),
    "PPP with direction": (204, lambda ip: b"\x01\xff\x03\x00\x21" + ip),
    "PPPoE": (51, pppoe),
    "ATM": (100, lambda ip: SNAP + ip),
    "Linux cooked": (113, lambda ip: b"\0\0\0\x01\0\x06" + bytes(8) + b"\x08\x00" + ip),
    "Linux cooked VLAN": (113, lambda ip: b"\0\0\0\x01\0\x06" + bytes(8) + b"\x81\x00\0\x01\x08\x00" + ip),
    "Linux cooked 2": (276, lambda ip: b"\x08\x00" + bytes(6) + b"\0\x01\0\x06" + bytes(8) + ip),
    "Linux cooked 2 VLAN": (
        276,
        lambda ip: b"\x81\x00" + bytes(6) + b"\0\x01\0\x06" + bytes(8) + b"\0\x01\x08\x00" + ip,
    ),
    "FireWire": (138, lambda ip: bytes(16) + b"\x08\x00" + ip),
    "802.11": (105, lambda ip: wlan(b"\x08\x02", ip)),
    "802.11 QoS": (105, lambda ip: wlan(b"\x88\x02", ip, b"\0\0")),
    "802.11 QoS with HT control": (105, lambda ip: wlan(b"\x88\x82", ip, b"\0\0\0\0\0\0")),
    "802.11 between access points": (105, lambda ip: wlan(b"\x08\x03", ip, b"\x06" * 6)),
    "802.11 several in one": (105, aggregate),
    "radiotap": (127, lambda ip: RADIOTAP + wlan(b"\x08\x02", ip)),
    "radiotap with time": (
        127,
        lambda ip: b"\0\0\x11\0\x03\0\0\0" + bytes(8) + b"\0" + wlan(b"\x08\x02", ip),
    ),
    "radiotap with padding": (
        127,
        lambda ip: b"\0\0\x09\0\x02\0\0\0\x20" + wlan(b"\x88\x02", ip, b"\0\0\0\0"),
    ),
    "radiotap with more fields": (
        127,
        lambda ip: b"\0\0\x0d\0\x02\0\0\x80\0\0\0\0\x20" + wlan(b"\x88\x02", ip, b"\0\0\0\0"),
    ),
    "Prism": (119, lambda ip: b"\0\0\0\x44\0\0\0\x90" + bytes(136) + wlan(b"\x08\x02", ip)),
    "AVS": (163, lambda ip: b"\x80\x21\x10\x01\0\0\0\x40" + bytes(56) + wlan(b"\x08\x02", ip)),
    "PPI": (192, lambda ip: struct.pack("<BBHI", 0, 0, 8, 105) + wlan(b"\x08\x02", ip)),
    "NFLOG": (239, nflog),
    "PKTAP": (258, lambda ip: struct.pack("<III", 108, 1, 1) + bytes(96) + ethernet(ip)),
    "Ethernet": (1, ethernet),
    "Ethernet LLC/SNAP": (1, lambda ip: ethernet(SNAP + ip, len(SNAP + ip))),
    "Ethernet LLC": (1, lambda ip: ethernet(b"\x06\x06\x03" + ip, 3 + len(ip))),
}
# Behind an Ethernet header
ETHERNET_TYPES: dict[str, tuple[int, Wrap]] = {
    "VLAN": (0x8100, lambda ip: b"\0\x01\x08\x00" + ip),
    "QinQ 88a8": (0x88A8, lambda ip: b"\0\x01\x81\x00\0\x02\x08\x00" + ip),
    "QinQ 9100": (0x9100, lambda ip: b"\0\x01\x81\x00\0\x02\x08\x00" + ip),
    "QinQ 8100 twice": (0x8100, lambda ip: b"\0\x01\x81\x00\0\x02\x08\x00" + ip),
    "VLAN and LLC/SNAP": (0x8100, lambda ip: b"\0\x01" + len(SNAP + ip).to_bytes(2, "big") + SNAP + ip),
    "PPPoE session": (0x8864, pppoe),
    "VLAN and PPPoE": (0x8100, lambda ip: b"\0\x01\x88\x64" + pppoe(ip)),
    "MPLS": (0x8847, lambda ip: b"\0\x01\x01\x40" + ip),
    "MPLS with two labels": (0x8847, lambda ip: b"\0\x01\0\x40\0\x02\x01\x40" + ip),
    "Ethernet over MPLS": (0x8847, lambda ip: b"\0\x01\x01\x40" + bytes(4) + ethernet(ip)),
    "provider backbone": (0x88E7, lambda ip: bytes(4) + ethernet(ip)),
    "VN-Tag": (0x8926, lambda ip: bytes(4) + b"\x08\x00" + ip),
}
# Over IP
TUNNELS: dict[str, Wrap] = {
    "IP in IP": lambda ip: ipv4(4, ip),
    "IP in IPv6": lambda ip: ipv6(4, ip),
    "IP with options": lambda ip: ipv4(4, ip, b"\x01\x01\x01\x00"),
    "6in4": lambda ip: ipv4(41, ipv6(4, ip)),
    "GRE": lambda ip: ipv4(47, b"\0\0\x08\x00" + ip),
    "GRE with key and sequence": lambda ip: ipv4(47, b"\x30\0\x08\x00" + bytes(8) + ip),
    "GRE with checksum": lambda ip: ipv4(47, b"\x80\0\x08\x00" + bytes(4) + ip),
    "Ethernet over GRE": lambda ip: ipv4(47, b"\0\0\x65\x58" + ethernet(ip)),
    "PPTP": lambda ip: ipv4(
        47, b"\x30\x81\x88\x0b" + (len(ip) + 4).to_bytes(2, "big") + bytes(10) + b"\xff\x03\0\x21" + ip
    ),
    "ERSPAN": lambda ip: ipv4(47, b"\x10\0\x88\xbe" + bytes(4) + b"\x10\x01" + bytes(6) + ethernet(ip)),
    "ERSPAN 3": lambda ip: ipv4(47, b"\x10\0\x22\xeb" + bytes(4) + b"\x20\x01" + bytes(10) + ethernet(ip)),
    "authentication header": lambda ip: ipv4(51, b"\x04\x04\0\0" + bytes(20) + ip),
    "WCCP": lambda ip: ipv4(47, b"\0\0\x88\x3e" + bytes(4) + ip),
    "Teredo": lambda ip: udp(3544, ipv6(4, ip)),
    "EtherIP": lambda ip: ipv4(97, b"\x30\0" + ethernet(ip)),
    "MPLS in IP": lambda ip: ipv4(137, b"\0\x01\x01\x40" + ip),
    "VXLAN": lambda ip: udp(4789, b"\x08" + bytes(3) + b"\0\0\x01\0" + ethernet(ip)),
    "VXLAN with a VLAN": lambda ip: udp(
        4789, b"\x08" + bytes(3) + b"\0\0\x01\0" + ethernet(b"\0\x01\x08\x00" + ip, 0x8100)
    ),
    "VXLAN in IPv6": lambda ip: ipv6(41, ipv6(4, udp(4789, b"\x08" + bytes(3) + b"\0\0\x01\0" + ethernet(ip)))),
    "VXLAN-GPE": lambda ip: udp(4790, b"\x0c\0\0\x01\0\0\x01\0" + ip),
    "Geneve": lambda ip: udp(6081, b"\x01\0\x65\x58\0\0\x01\0" + b"\0\0\x80\0" + ethernet(ip)),
    "GTP": lambda ip: udp(2152, b"\x30\xff" + len(ip).to_bytes(2, "big") + bytes(4) + ip),
    "GTP with an extension": lambda ip: udp(
        2152, b"\x34\xff" + (len(ip) + 8).to_bytes(2, "big") + bytes(7) + b"\x85\x01\x10\x09\0" + ip
    ),
    "L2TP": lambda ip: udp(1701, b"\0\x02\0\x01\0\x01\xff\x03\0\x21" + ip, 1701),
    "L2TP with length and sequence": lambda ip: udp(
        1701,
        b"\x48\x02" + (len(ip) + 16).to_bytes(2, "big") + b"\0\x01\0\x01" + bytes(4) + b"\xff\x03\0\x21" + ip,
        1701,
    ),
    "MPLS in UDP": lambda ip: udp(6635, b"\0\x01\x01\x40" + ip),
    "TZSP": lambda ip: udp(37008, b"\x01\0\0\x01" + b"\x0a\x01\x20\0\x01" + ethernet(ip)),
}


def _in_ethernet(kind: int, wrap: Wrap) -> Wrap:
    return lambda ip: ethernet(wrap(ip), kind)


ENCAPSULATIONS: dict[str, tuple[int, Wrap]] = (
    LINKS
    | {name: (1, _in_ethernet(*both)) for name, both in ETHERNET_TYPES.items()}
    | {name: (101, wrap) for name, wrap in TUNNELS.items()}
)
