"""Opcodes: what a frame is (RFC 6455 §5.2, §11.8)."""

from enum import IntEnum


class Opcode(IntEnum):
    """What a frame is (RFC 6455 §5.2, §11.8)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA

    @property
    def is_control(self) -> bool:
        """Whether it is a control frame: the top bit of the opcode says so (RFC 6455 §5.5)."""
        return bool(self & 0b1000)


OPCODES = {int(opcode): opcode for opcode in Opcode}
