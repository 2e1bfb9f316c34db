"""Opcodes: what the four bits say."""

from wslab.protocol.opcodes import OPCODES, Opcode


def test_control_frames_are_those_with_the_top_bit_of_the_opcode():
    assert {opcode for opcode in Opcode if opcode.is_control} == {Opcode.CLOSE, Opcode.PING, Opcode.PONG}


def test_six_of_sixteen_numbers_are_opcodes():
    assert sorted(OPCODES) == [0x0, 0x1, 0x2, 0x8, 0x9, 0xA]
    assert all(OPCODES[number] is Opcode(number) for number in OPCODES)
