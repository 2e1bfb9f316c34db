"""Bulk: the fast path reads and writes what the plain one does, and leaves to it whatever is not plain."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import BAD_UTF8, KEY, ROLES, naive_mask, outcome

from wslab.protocol import frames
from wslab.protocol.batch import LONG, WORTH_READING_ALONE, parse_messages, serialize_messages
from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.endpoint import Protocol
from wslab.protocol.frames import Frame, Opcode, serialize_frame
from wslab.protocol.limits import Limits
from wslab.protocol.masking import WORTH_NUMPY
from wslab.protocol.states import State

LIMITS = Limits(max_size=5000)
EDGE = min(WORTH_NUMPY, 512)  # without numpy there is none
SIZES = [0, 1, 125, 126, 127, EDGE - 1, EDGE, 999, 1000]
LONG_SIZES = [WORTH_READING_ALONE + more for more in (-1, 0, 1, 2, 3)]
HI = bytes.fromhex("8102 4869")

# The same functions, but not the reference ones: a codec with them takes no short cut.
ONE_BY_ONE = Codec(parse_header=lambda data: frames.parse_header(data))
WHOLE_FRAMES = Codec(parse_frame=lambda data: frames.parse_frame(data))


def to_server(data):
    """An unmasked frame, masked."""
    header, payload = data[:2], data[2:]
    return header[:1] + bytes((header[1] | 0x80,)) + KEY + naive_mask(payload, KEY)


def parse_runs(data, start, masked, max_size):
    """The messages of one run after the other, and where the last one ends."""
    messages, run = [], None
    while run is None or run:
        run, start = parse_messages(data, start, masked, max_size)
        messages += run
    return messages, start


# Reading


@pytest.mark.parametrize("size", [*SIZES, *LONG_SIZES, 65535, 65536])
@pytest.mark.parametrize("masking_key", [None, KEY])
def test_messages_of_every_form_of_length_are_read(size, masking_key):
    text, binary = "x" * size, bytes(range(256)) * 257
    data = serialize_frame(Frame(Opcode.TEXT, text.encode()), masking_key)
    data += serialize_frame(Frame(Opcode.BINARY, binary[:size]), masking_key)

    for start in (0, 3):
        read = parse_runs(b"..."[:start] + data, start, masking_key is not None, 65536)
        assert read == ([text, binary[:size]], start + len(data))


def test_a_long_masked_message_is_a_run_of_its_own():
    short, text = to_server(HI), "x" * WORTH_READING_ALONE
    long = serialize_frame(Frame(Opcode.TEXT, text.encode()), KEY)
    data, end = short + long + short, len(short + long)

    assert parse_messages(data, 0, True, 5000) == (["Hi"], len(short))
    assert parse_messages(data, len(short), True, 5000) == ([text], end)
    assert parse_messages(data, end, True, 5000) == (["Hi"], len(data))


def test_one_short_message_that_is_not_utf_8_is_left_alone():
    wrong = serialize_frame(Frame(Opcode.TEXT, b"caf\xe9"), KEY)

    assert parse_messages(wrong, 0, True, 100) == ([], 0)
    assert parse_messages(b"..." + to_server(HI), 3, True, 100) == (["Hi"], 3 + len(to_server(HI)))
    assert parse_messages(to_server(HI), 0, True, 1) == ([], 0)


def test_a_long_masked_message_that_is_not_utf_8_is_left_alone():
    data = serialize_frame(Frame(Opcode.TEXT, b"x" * WORTH_READING_ALONE + b"\xff"), KEY)

    assert parse_messages(data, 0, True, 5000) == ([], 0)


@pytest.mark.parametrize("size", SIZES)
def test_a_message_cut_short_anywhere_is_left_alone(size):
    whole = to_server(HI)
    data = serialize_frame(Frame(Opcode.TEXT, b"x" * size), KEY)

    for cut in range(len(data)):
        assert parse_messages(whole + data[:cut], 0, True, 1000) == (["Hi"], len(whole))


@pytest.mark.parametrize(
    "frame",
    [
        "89 00",  # a ping
        "88 00",  # a close frame
        "01 02 4869",  # a fragment
        "80 02 4869",  # a continuation
        "c1 02 4869",  # compressed
        "a1 02 4869",  # RSV2
        "91 02 4869",  # RSV3
        "83 02 4869",  # a reserved opcode
        "81 7e 0002 4869",  # a length that is not in its shortest form
        "81 7e 007d" + "78" * 125,
        "81 7f 0000000000000002 4869",
        "81 7f 000000000000ffff" + "78" * 65535,
        "81 7f 8000000000000002 4869",  # its top bit set
        "81 7e 03e9 " + "78" * 1001,  # more than the limit
        "81 01 ff",  # not UTF-8
        "81 01 c3",  # cut in a character
        "81 82 00000000 4869",  # masked, though it comes from a server
    ],
)
def test_the_run_ends_before_whatever_is_not_plain(frame):
    frame = bytes.fromhex(frame)

    assert parse_messages(HI + frame + HI, 0, False, 1000 if frame[1] < 127 else 100_000) == (["Hi"], len(HI))


def test_the_run_ends_before_a_frame_of_a_client_that_is_not_masked():
    data = to_server(HI)

    assert parse_messages(data + HI + data, 0, True, 1000) == (["Hi"], len(data))


# The same as the plain path


@st.composite
def streams(draw):
    """What a peer may send: mostly messages, among them everything else that frames can be, and faults."""
    payloads = st.one_of(
        st.text(max_size=20).map(str.encode),
        st.binary(max_size=20),
        st.sampled_from(BAD_UTF8),
        st.sampled_from([*SIZES, *LONG_SIZES, 5000, 5001]).map(lambda size: b"x" * size),
        st.sampled_from(BAD_UTF8).map(lambda end: b"x" * WORTH_READING_ALONE + end),
    )
    role, data = draw(st.sampled_from(ROLES)), b""
    for _ in range(draw(st.integers(1, 8))):
        opcode = draw(st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.TEXT, Opcode.BINARY, *Opcode]))
        plain = draw(st.integers(0, 3)) > 0
        bits = {} if plain else {name: draw(st.booleans()) for name in ("fin", "rsv1", "rsv2")}
        right_key = KEY if role == "server" else None
        masking_key = right_key if plain else draw(st.sampled_from([KEY, None, right_key, right_key]))
        data += serialize_frame(Frame(opcode, draw(payloads), **bits), masking_key)
    return role, data


def results(protocol, data, sizes=()):
    """All that can be seen of a protocol that was given `data`."""
    return outcome(protocol, data, sizes), protocol.data_to_send(), protocol.state


def opened(role, codec=None, **options):
    keys = count()
    return Protocol(
        role,
        state=State.OPEN,
        limits=LIMITS,
        codec=codec,
        masking_keys=lambda: next(keys).to_bytes(4, "big"),
        **options,
    )


@given(streams(), st.lists(st.integers(1, 300), max_size=5), st.booleans())
def test_whatever_arrives_the_fast_path_gives_what_the_plain_one_gives(stream, sizes, deflate):
    role, data = stream
    agreed = PermessageDeflate() if deflate else None
    fast, slow = opened(role, permessage_deflate=agreed), opened(role, ONE_BY_ONE, permessage_deflate=agreed)

    assert results(fast, data, sizes) == results(slow, data, sizes)


@given(streams(), st.lists(st.integers(1, 300), max_size=5))
def test_frames_read_as_they_arrive_give_what_frames_read_as_a_whole_give(stream, sizes):
    role, data = stream

    assert results(opened(role), data, sizes) == results(opened(role, WHOLE_FRAMES), data, sizes)


MESSAGES = st.lists(
    st.one_of(st.text(max_size=20), st.binary(max_size=20), st.sampled_from([126, 65535, 65536, LONG]).map(bytes)),
    max_size=6,
)


@given(st.sampled_from(ROLES), MESSAGES)
def test_messages_written_together_are_the_bytes_of_messages_written_one_by_one(role, messages):
    fast, slow = opened(role), opened(role, Codec(serialize_frame=lambda *both: frames.serialize_frame(*both)))
    fast.send_messages(messages)
    slow.send_messages(messages)

    assert fast.data_to_send() == slow.data_to_send()


# Writing


@pytest.mark.parametrize("size", [*SIZES, 65535, 65536])
@pytest.mark.parametrize("masking_key", [None, KEY])
def test_messages_of_every_form_of_length_are_written(size, masking_key):
    written = b"".join(serialize_messages(["x" * size, bytes(size)], masking_key and (lambda: masking_key)))

    text, binary = Frame(Opcode.TEXT, b"x" * size), Frame(Opcode.BINARY, bytes(size))
    assert written == serialize_frame(text, masking_key) + serialize_frame(binary, masking_key)


def test_short_messages_are_one_piece_and_a_long_payload_is_one_of_its_own():
    pieces = serialize_messages(["a", bytes(LONG), "b", "c"])

    assert [len(piece) for piece in pieces] == [3 + 4, LONG, 6]
    assert serialize_messages([]) == []
