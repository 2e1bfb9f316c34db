"""Layers: what stands around an IP packet in a capture, as a table from each layer to what takes its header off.

A layer is a space of numbers and a number in it, as ("ethernet type", 0x8100) is a VLAN. Each function is handed the
bytes of its layer, and returns the next layer with the bytes in that. Bytes that end too early are an IndexError or a
struct.error: there is no packet in them.
"""

import struct
from collections.abc import Callable, Iterator

LINK, ETHERNET_TYPE, PPP, IP_PROTOCOL, UDP_PORT = (
    "link type",
    "ethernet type",
    "PPP protocol",
    "IP protocol",
    "UDP port",
)
Layer = tuple[str, int]
Stripped = tuple[Layer, bytes]
ENCRYPTED_WLAN, AGGREGATE, NOTHING = ("wireless LAN", 1), ("wireless LAN", 2), ("nothing", 0)
ETHERNET, IPV4, IPV6 = (LINK, 1), (ETHERNET_TYPE, 0x0800), (ETHERNET_TYPE, 0x86DD)
IP = (LINK, 101)  # of either version
LLC = (LINK, 100)
MPLS = (ETHERNET_TYPE, 0x8847)
_LEAST_TYPE = 0x600  # below it, the type of an Ethernet frame is its length (IEEE 802.3)

Strip = Callable[[bytes], Stripped]


def _number(data: bytes, start: int, size: int = 2) -> int:
    """The number in these bytes, most significant byte first."""
    data[start + size - 1]
    return int.from_bytes(data[start : start + size], "big")


def _skip(size: int, layer: Layer) -> Strip:
    """Take a header of `size` bytes off, behind which there is always the same layer."""
    return lambda data: (layer, data[size:])


def _typed(place: int, size: int) -> Strip:
    """Take a header of `size` bytes off, in which the type of an Ethernet frame stands at `place`."""

    def strip(data: bytes) -> Stripped:
        kind = _number(data, place)
        return (_llc if kind < _LEAST_TYPE else lambda rest: ((ETHERNET_TYPE, kind), rest))(data[size:])

    return strip


def _llc(data: bytes) -> Stripped:
    """A header of IEEE 802.2: SNAP (RFC 1042 §2), or the service access point of IP."""
    if data[:2] == b"\xaa\xaa" and data[3:6] in (b"\0\0\0", b"\0\0\xf8"):
        return (ETHERNET_TYPE, _number(data, 6)), data[8:]
    return (IP, data[3:]) if data[:2] == b"\x06\x06" else (NOTHING, b"")


# Point to point


def _ppp(data: bytes) -> Stripped:
    """PPP, with or without the framing of HDLC, and its protocol in one byte or two (RFC 1661 §2, §6.5; RFC 1662)."""
    if data[:2] == b"\xff\x03":
        data = data[2:]
    size = 1 if data[0] & 1 else 2
    return (PPP, _number(data, 0, size)), data[size:]


def _ppp_or_hdlc(data: bytes) -> Stripped:
    """PPP in the framing of HDLC, or Cisco's HDLC, in which a type follows (RFC 1662, RFC 4349)."""
    return _typed(2, 4)(data) if data[0] in (0x0F, 0x8F) else _ppp(data)


# Wireless LAN (IEEE 802.11-2020 §9.2, §9.3.2)


def _wlan(data: bytes, is_padded: bool = False) -> Stripped:
    control, flags = data[0], data[1]
    if control & 0b0000_1100 != 0b0000_1000 or control & 0b0100_0000:  # no data frame, or one without data
        return NOTHING, b""
    size = 30 if flags & 0b11 == 0b11 else 24  # between two access points there is a fourth address
    is_aggregate = False
    if control & 0b1000_0000:  # quality of service
        is_aggregate = bool(data[size] & 0b1000_0000)
        size += 2 + (4 if flags & 0b1000_0000 else 0)
    if flags & 0b0100_0000:
        return ENCRYPTED_WLAN, b""
    size += -size % 4 if is_padded else 0
    return (AGGREGATE, data[size:]) if is_aggregate else _llc(data[size:])


def frames_in_aggregate(data: bytes) -> Iterator[bytes]:
    """What a wireless LAN has put into one frame: each begins with IEEE 802.2, and is padded to units of 4 bytes."""
    start = 0
    while start + 14 <= len(data):
        size = 14 + _number(data, start + 12)
        yield data[start + 14 : start + size]
        start += size + -size % 4


def _radiotap(data: bytes) -> Stripped:
    """Radiotap (radiotap.org): a header of so many bytes, whose flags may tell of padding behind that of 802.11."""
    (size,) = struct.unpack_from("<H", data, 2)
    present, fields = _little(data, 4), 8
    while _little(data, fields - 4) & 1 << 31:
        fields += 4
    fields = fields + -fields % 8 + 8 if present & 1 else fields  # TSFT, aligned to its size
    flags = data[fields] if present & 2 else 0
    return _wlan(data[size:], bool(flags & 0x20))


def _prism(data: bytes) -> Stripped:
    """Prism, or the header of AVS, which says how long it is."""
    is_avs = data[:2] == b"\x80\x21"
    return _wlan(data[_number(data, 4, 4) if is_avs else 144 :])


def _ppi(data: bytes) -> Stripped:
    size, link_type = struct.unpack_from("<2xHI", data)
    return (LINK, link_type), data[size:]


def _little(data: bytes, start: int) -> int:
    (number,) = struct.unpack_from("<I", data, start)
    return int(number)


# What operating systems put before a packet


def _pktap(data: bytes) -> Stripped:
    """Apple's PKTAP."""
    return (LINK, _little(data, 8)), data[_little(data, 0) :]


def _pflog(data: bytes) -> Stripped:
    """OpenBSD's log of packets: its header is padded to units of 4 bytes."""
    return IP, data[data[0] + -data[0] % 4 :]


def _nflog(data: bytes) -> Stripped:
    """Linux's log of packets: fields of a size and a type, one of which (9) is the packet."""
    start = 4
    while True:
        size, kind = struct.unpack_from("<HH", data, start)
        if kind == 9:
            return IP, data[start + 4 : start + size]
        start += max(4, size + -size % 4)


# Tags and tunnels


def _mpls(data: bytes) -> Stripped:
    """A stack of labels (RFC 3032 §2.1); below it is IP, or Ethernet behind a control word (RFC 4448 §4.6)."""
    start = 0
    while not data[start + 2] & 1:
        start += 4
    inner = data[start + 4 :]
    version = inner[0] >> 4
    return (IP, inner) if version in (4, 6) else (ETHERNET, inner[0 if version else 4 :])


def _gre(data: bytes) -> Stripped:
    """Generic routing encapsulation, with PPP in its version 1 (RFC 2784 §2.1, RFC 2890, RFC 2637 §4.1)."""
    flags, kind = _number(data, 0), _number(data, 2)
    size = 4 + 4 * sum(bool(flags & bit) for bit in (0x8000 | 0x4000, 0x2000, 0x1000))
    size += 4 if flags & 1 and flags & 0x0080 else 0  # the acknowledgement of version 1
    if kind == 0x88BE and not flags & 0x1000:  # ERSPAN without a header of its own
        return ETHERNET, data[size:]
    return (ETHERNET_TYPE, kind), data[size:]


def _erspan_3(data: bytes) -> Stripped:
    return ETHERNET, data[20 if data[11] & 1 else 12 :]


def _authentication(data: bytes) -> Stripped:
    """The authentication header of IPsec, which encrypts nothing (RFC 4302 §2)."""
    return (IP_PROTOCOL, data[0]), data[(data[1] + 2) * 4 :]


def _udp(data: bytes) -> Stripped:
    """Tunnels over UDP, known by the port of either end."""
    ports = _number(data, 2), _number(data, 0)
    found = [(UDP_PORT, port) for port in ports if (UDP_PORT, port) in LAYERS]
    return (found[0], data[8:]) if found else (NOTHING, b"")


_GPE_LAYERS = {1: IPV4, 2: IPV6, 3: ETHERNET, 5: MPLS}


def _vxlan_gpe(data: bytes) -> Stripped:
    return _GPE_LAYERS.get(data[3], NOTHING), data[8:]


def _geneve(data: bytes) -> Stripped:
    """Geneve, with options counted in units of 4 bytes (RFC 8926 §3.4)."""
    return (ETHERNET_TYPE, _number(data, 2)), data[8 + (data[0] & 0b0011_1111) * 4 :]


def _gtp(data: bytes) -> Stripped:
    """The packets of a mobile phone (3GPP TS 29.281 §5)."""
    if data[1] != 255:
        return NOTHING, b""
    start = 8
    if data[0] & 0b0000_0111:
        following, start = data[11], 12
        while following:
            start += data[start] * 4 or len(data)
            following = data[start - 1]
    return IP, data[start:]


def _l2tp(data: bytes) -> Stripped:
    """Layer 2 tunnelling (RFC 2661 §3.1); a control message carries no packet."""
    flags = _number(data, 0)
    if flags & 0x8000 or flags & 0xF != 2:
        return NOTHING, b""
    size = 6 + (2 if flags & 0x4000 else 0) + (4 if flags & 0x0800 else 0)
    if flags & 0x0200:
        size += 2 + _number(data, size)
    return _ppp(data[size:])


def _tzsp(data: bytes) -> Stripped:
    """The frames that a switch or an access point sends to whoever watches it: behind tags, up to the tag 1."""
    start = 4
    while data[start] != 1:
        start += 2 + data[start + 1] if data[start] else 1
    return {1: ETHERNET, 18: (LINK, 105)}.get(_number(data, 2), NOTHING), data[start + 1 :]


def _ipv6_extension(data: bytes) -> Stripped:
    """Behind a fragment; those before it are taken off with the header of IPv6 (RFC 8200 §4)."""
    return (IP_PROTOCOL, data[0]), data[8 + data[1] * 8 :]


LAYERS: dict[Layer, Strip] = {
    # https://www.tcpdump.org/linktypes.html
    **dict.fromkeys(((LINK, 0), (LINK, 108)), _skip(4, IP)),  # BSD loopback: the packet itself tells its version
    ETHERNET: _typed(12, 14),
    **dict.fromkeys(((LINK, 12), (LINK, 14), (LINK, 228), (LINK, 229)), _skip(0, IP)),
    (LINK, 9): _ppp,
    (LINK, 50): _ppp_or_hdlc,
    (LINK, 51): _skip(6, (LINK, 9)),  # PPPoE
    LLC: _llc,  # of RFC 1483
    (LINK, 104): _typed(2, 4),  # Cisco's HDLC
    (LINK, 105): _wlan,
    (LINK, 109): _skip(12, IP),  # OpenBSD, inside IPsec
    (LINK, 113): _typed(14, 16),  # Linux, the interface "any"
    (LINK, 117): _pflog,
    **dict.fromkeys(((LINK, 119), (LINK, 163)), _prism),
    (LINK, 127): _radiotap,
    (LINK, 138): _typed(16, 18),  # Apple, IP over FireWire
    (LINK, 166): lambda data: _ppp(b"\xff" + data[1:]),  # pppd, with the direction instead of the address
    (LINK, 192): _ppi,
    (LINK, 204): _skip(1, (LINK, 9)),  # PPP, with the direction before it
    (LINK, 239): _nflog,
    (LINK, 258): _pktap,
    (LINK, 276): _typed(0, 20),  # Linux, the interface "any"
    # https://www.iana.org/assignments/ieee-802-numbers
    **dict.fromkeys((IPV4, IPV6), _skip(0, IP)),
    **dict.fromkeys(((ETHERNET_TYPE, tag) for tag in (0x8100, 0x88A8, 0x9100, 0x9200, 0x9300)), _typed(2, 4)),
    **dict.fromkeys((MPLS, (ETHERNET_TYPE, 0x8848)), _mpls),
    (ETHERNET_TYPE, 0x8864): _skip(6, (LINK, 9)),  # PPPoE
    **dict.fromkeys(((ETHERNET_TYPE, 0x880B), (ETHERNET_TYPE, 0x876B)), _ppp),  # behind GRE
    (ETHERNET_TYPE, 0x6558): _skip(0, ETHERNET),  # behind GRE and Geneve
    (ETHERNET_TYPE, 0x88BE): _skip(8, ETHERNET),  # ERSPAN
    (ETHERNET_TYPE, 0x22EB): _erspan_3,
    (ETHERNET_TYPE, 0x88E7): _skip(4, ETHERNET),  # provider backbone bridges
    (ETHERNET_TYPE, 0x8926): _typed(4, 6),  # VN-Tag
    (ETHERNET_TYPE, 0x883E): _skip(4, IP),  # WCCP, behind GRE
    # https://www.iana.org/assignments/ppp-numbers
    **dict.fromkeys(((PPP, 0x21), (PPP, 0x57)), _skip(0, IP)),
    **dict.fromkeys(((PPP, 0x281), (PPP, 0x283)), _mpls),
    (PPP, 0x31): lambda data: (ETHERNET, data[2:]) if data[1] in (1, 3) else (NOTHING, b""),  # bridging
    # https://www.iana.org/assignments/protocol-numbers
    **dict.fromkeys(((IP_PROTOCOL, 4), (IP_PROTOCOL, 41), (IP_PROTOCOL, 94)), _skip(0, IP)),
    **dict.fromkeys(((IP_PROTOCOL, number) for number in (0, 43, 60, 135, 139, 140)), _ipv6_extension),
    (IP_PROTOCOL, 17): _udp,
    (IP_PROTOCOL, 47): _gre,
    (IP_PROTOCOL, 51): _authentication,
    (IP_PROTOCOL, 97): _skip(2, ETHERNET),  # EtherIP
    (IP_PROTOCOL, 137): _mpls,
    (IP_PROTOCOL, 143): _skip(0, ETHERNET),
    # https://www.iana.org/assignments/service-names-port-numbers
    **dict.fromkeys(((UDP_PORT, 4789), (UDP_PORT, 8472)), _skip(8, ETHERNET)),  # VXLAN
    (UDP_PORT, 1701): _l2tp,
    (UDP_PORT, 2152): _gtp,
    (UDP_PORT, 3544): _skip(0, IP),  # Teredo
    (UDP_PORT, 4754): _gre,
    (UDP_PORT, 4790): _vxlan_gpe,
    (UDP_PORT, 6081): _geneve,
    (UDP_PORT, 6635): _mpls,
    (UDP_PORT, 37008): _tzsp,
}
