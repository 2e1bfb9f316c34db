"""exchanges: from the chunks of a connection to its requests for WebSocket, their answers and whole messages."""

import zlib

import pytest
from support.heads_and_frames import ACCEPT, masked, request, text
from support.looked_at import grows_linearly

from wslab import Direction, Frame, Opcode, serialize_frame
from wslab.dissector import frames
from wslab.recording import exchanges
from wslab.recording.exchanges import (
    NO_ROOM,
    NOT_CAPTURED,
    NOT_UTF8,
    TOO_BIG,
    UNKNOWN_BIT,
    Exchange,
    Room,
    read_exchanges,
)
from wslab.recording.log import Chunk, Gap

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
PLAIN = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
REFUSAL = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
CLOSE = bytes.fromhex("8800")


def accepted(extensions: str = "") -> bytes:
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Accept: {ACCEPT}", *([f"Sec-WebSocket-Extensions: {extensions}"] if extensions else [])]
    return "\r\n".join([*lines, "", ""]).encode()


def compressed(data: bytes) -> bytes:
    """A binary message of a server, compressed."""
    compressor = zlib.compressobj(wbits=-15)
    payload = (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
    return serialize_frame(Frame(Opcode.BINARY, payload, rsv1=True))


def read(*said: tuple[Direction, bytes]) -> list[Exchange]:
    return read_exchanges([Chunk(float(time), 1, way, data) for time, (way, data) in enumerate(said)])


def messages(*said: tuple[Direction, bytes], extensions: str = "") -> list[str | bytes]:
    """What was said after the handshake: each message, and each error."""
    [exchange] = read((UP, request()), (DOWN, accepted(extensions)), *said)
    return [message.error if message.content is None else message.content for message in exchange.messages]


def test_an_exchange_has_both_heads_with_their_times_and_the_messages_with_theirs():
    half, rest = text("Hello")[:4], text("Hello")[4:]
    [exchange] = read((UP, request()), (DOWN, accepted()), (UP, half), (DOWN, b"\x82\x01\xff"), (UP, rest))

    assert (exchange.request.method, exchange.response.status) == ("GET", 101)
    assert (exchange.asked, exchange.answered) == (0, 1)
    assert exchange.messages == [(3, DOWN, b"\xff", ""), (4, UP, "Hello", "")]


def test_fragments_with_a_ping_between_them_are_one_message():
    parts = (
        masked(Opcode.TEXT, "é".encode()[:1], fin=False),
        masked(Opcode.PING, b""),
        masked(Opcode.CONTINUATION, "é".encode()[1:]),
    )
    assert messages((UP, b"".join(parts))) == ["é"]


def test_after_a_close_frame_or_an_error_nothing_of_that_direction_is_a_message():
    assert messages((UP, text("one")), (DOWN, CLOSE + CLOSE + b"\x81\x00"), (UP, text("two"))) == ["one", "two"]
    assert messages((DOWN, b"\x83\x00\x81\x00"), (UP, text("one"))) == ["opcode 0x3 is reserved", "one"]


def test_an_error_in_a_frame_that_is_cut_short_is_told_too():
    assert messages((DOWN, b"\x82\x85\0\0\0\0He")) == ["a masked frame from a server"]


def test_a_frame_of_an_unknown_extension_is_an_error_where_nobody_knows_how_to_read_it():
    said = (
        (DOWN, b"\x82\x01\xff\x81\x01\xff\x82\x01a"),
        (UP, text("Hi") + masked(Opcode.TEXT, b"?", rsv2=True) + text("!")),
    )
    assert messages(*said, extensions="x-unknown") == [b"\xff", NOT_UTF8, "Hi", UNKNOWN_BIT]


def test_a_message_is_read_to_its_end_and_one_that_is_too_long_is_an_error(monkeypatch):
    monkeypatch.setattr(frames, "MAX_INFLATED", 5)
    monkeypatch.setattr(exchanges, "MAX_MESSAGE", 100)
    for size, said in (100, [bytes(100)]), (101, [TOO_BIG]):
        fragments = b"\x02\x0a" + bytes(10) + b"\x80" + bytes((size - 10,)) + bytes(size - 10)
        assert messages((DOWN, serialize_frame(Frame(Opcode.BINARY, bytes(size))))) == said
        assert messages((DOWN, fragments)) == said
        assert messages((DOWN, compressed(bytes(size))), extensions="permessage-deflate") == said


def test_requests_for_pages_are_left_out_and_a_refusal_keeps_its_body():
    asked = [(UP, PLAIN), (DOWN, REFUSAL), (UP, request()), (DOWN, REFUSAL[:-1]), (DOWN, REFUSAL[-1:])]
    refused, opened = read(*asked, (UP, request()), (DOWN, accepted() + b"\x82\x00"))

    assert (refused.response.status, refused.response.body, refused.messages) == (401, b"no", [])
    assert (opened.response.status, opened.response.body, len(opened.messages)) == (101, b"", 1)


def test_requests_may_come_before_the_answers_to_those_before_them():
    refused, opened = read((UP, request() + request() + text("Hi")), (DOWN, REFUSAL + accepted()))

    assert (refused.response.status, refused.response.body) == (401, b"no")
    assert [message.content for message in opened.messages] == ["Hi"]


@pytest.mark.parametrize("said", [[], [(UP, PLAIN), (DOWN, accepted() + b"\x81\x00")], [(UP, text("late"))]])
def test_without_a_request_for_websocket_there_is_no_exchange(said):
    assert read(*said) == []


def test_a_request_without_an_answer_is_an_exchange_without_a_response():
    [exchange] = read((UP, request()), (DOWN, b"HTTP/1.1 101 Swi"))
    assert (exchange.response, exchange.asked, exchange.answered, exchange.messages) == (None, 0, 0, [])


def test_what_has_no_room_is_an_error_and_nothing_is_read_after_it():
    room = Room(len(b"oneHello"))
    said = [(UP, request()), (DOWN, accepted("permessage-deflate"))]
    said += [(UP, text("one")), (DOWN, compressed(b"Hello")), (DOWN, compressed(bytes(10_000))), (UP, text("!"))]
    [exchange] = read_exchanges([Chunk(0, 1, way, data) for way, data in said], room)

    assert [message.content or message.error for message in exchange.messages] == ["one", b"Hello", NO_ROOM]
    assert room.is_full


def test_many_refusals_in_one_piece_are_each_looked_at_once():
    def refusals(count):
        answers = (b"HTTP/1.1 403 No\r\nContent-Length: 1\r\nX: %b\r\n\r\na" % (b"x" * 400)) * count
        asked = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n" * count
        chunks = [Chunk(0.0, 1, UP, asked), Chunk(0.0, 1, DOWN, answers)]
        return lambda: read_exchanges(chunks)

    assert len(refusals(5)()) == 5
    assert grows_linearly(refusals, 50)


def test_what_a_capture_has_lost_costs_only_the_messages_that_it_was_in():
    one, two, three = text("one"), text("two"), masked(Opcode.TEXT, b"thr", fin=False)
    rest = masked(Opcode.CONTINUATION, b"ee")
    found = messages((UP, one[:7]), (UP, Gap(2)), (UP, two + three), (UP, Gap(7, 0)), (UP, rest), (UP, two))

    assert found == [
        f"text: 3 bytes, 2 of them missing {NOT_CAPTURED}",
        "two",
        f"7 bytes missing: read on where a segment begins with a frame {NOT_CAPTURED}",
        f"continuation: 2 bytes, what comes before them missing {NOT_CAPTURED}",
        "two",
    ]


def test_compressed_messages_that_refer_to_what_is_lost_cost_no_others():
    compressor = zlib.compressobj(wbits=-15)
    pieces = [
        compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH) for data in (b"Hello!" * 9, b"Hello!", b"Hm")
    ]
    lost, refers, other = (serialize_frame(Frame(Opcode.BINARY, piece[:-4], rsv1=True)) for piece in pieces)
    said = (DOWN, Gap(len(lost), 0)), (DOWN, refers), (DOWN, other), (UP, text("Hi"))

    assert messages(*said, extensions="permessage-deflate") == [
        f"{len(lost)} bytes missing: read on where a segment begins with a frame {NOT_CAPTURED}",
        f"a compressed message that refers to others {NOT_CAPTURED}",
        b"Hm",
        "Hi",
    ]
