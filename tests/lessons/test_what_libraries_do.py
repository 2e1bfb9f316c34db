"""What lesson 06 says of wsproto and websockets, and no cell of it shows: those that are installed do it still."""

import pytest
from websockets.frames import Frame, Opcode
from wsproto.frame_protocol import FrameDecoder, ParseFailed

LONG_FORM = bytes.fromhex("81 7e 00 05") + b"Hello"
SHORT_FORM = bytes.fromhex("81 05") + b"Hello"


def read_by_wsproto(data):
    decoder = FrameDecoder(client=True)
    decoder.receive_bytes(data)
    return bytes(decoder.process_buffer().payload)


def read_by_websockets(data):
    at = 0

    def read_exact(size):
        nonlocal at
        at += size
        return data[at - size : at]
        yield

    parser = Frame.parse(read_exact, mask=False)
    with pytest.raises(StopIteration) as end:
        next(parser)
    return end.value.value


def test_wsproto_refuses_a_length_in_a_longer_form_than_it_needs():
    with pytest.raises(ParseFailed, match="used 2 bytes when 1 would have sufficed"):
        read_by_wsproto(LONG_FORM)
    assert read_by_wsproto(SHORT_FORM) == b"Hello"


def test_websockets_takes_a_length_in_a_longer_form_than_it_needs():
    assert read_by_websockets(LONG_FORM) == read_by_websockets(SHORT_FORM) == Frame(Opcode.TEXT, b"Hello")
