"""Capture files as other programs write them: pcap, and the blocks of pcapng, in both byte orders, with options."""

import struct


def pcap(
    packets: list[bytes], order: str = "<", magic: int = 0xA1B2C3D4, link_type: int = 101, ticks: int = 10**6
) -> bytes:
    file = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)
    for number, data in enumerate(packets):
        file += struct.pack(order + "IIII", 1_700_000_000, number * ticks // 1000, len(data), len(data)) + data
    return file


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str, options: bytes = b"") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options)


def interface(order: str, link_type: int = 101, most: int = 0, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, most) + options)


def enhanced(order: str, number: int, ticks: int, data: bytes, options: bytes = b"") -> bytes:
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(order, 6, head + data + bytes(-len(data) % 4) + options)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
