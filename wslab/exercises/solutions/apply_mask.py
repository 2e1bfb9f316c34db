"""Byte number n is XORed with byte n modulo 4 of the key, so the same function masks and unmasks."""


def apply_mask(data: bytes, key: bytes) -> bytes:
    """`data` XORed with the key, repeated."""
    return bytes(byte ^ key[n % 4] for n, byte in enumerate(data))
