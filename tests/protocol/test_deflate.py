"""permessage-deflate: its negotiation, and payloads compressed and back."""

import zlib
from dataclasses import FrozenInstanceError
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import HELLO_COMPRESSED, fault

from wslab.protocol.deflate import (
    MAX_FINAL_BLOCKS,
    Decompressor,
    PermessageDeflate,
    answer_offers,
    build_offer,
    check_answer,
    deflate,
    inflate,
    new_compressor,
)
from wslab.protocol.errors import HandshakeError, ProtocolError
from wslab.protocol.handshake import parse_extensions
from wslab.protocol.states import Role

PMD = "permessage-deflate"
NO_TAKEOVER = "server_no_context_takeover; client_no_context_takeover"
BITS = range(8, 16)
ALL_WISHES = [PermessageDeflate(*parameters) for parameters in product([False, True], [False, True], BITS, BITS)]


def wish(text=""):
    """`wish("server_no_context_takeover; client_max_window_bits=10")`, as the parameters are written on the wire."""
    (extension,) = parse_extensions(f"permessage-deflate; {text}" if text else "permessage-deflate")
    return PermessageDeflate(
        **{name: True if name.endswith("takeover") else int(value) for name, value in extension.parameters}
    )


def test_parameters_are_a_value_that_nobody_can_change():
    with pytest.raises(FrozenInstanceError):
        PermessageDeflate().server_max_window_bits = 9


# The client's offer


@pytest.mark.parametrize(
    ("wished", "offer"),
    [
        ("", "client_max_window_bits"),
        ("server_no_context_takeover", "server_no_context_takeover; client_max_window_bits"),
        ("client_no_context_takeover", "client_no_context_takeover; client_max_window_bits"),
        ("server_max_window_bits=9", "server_max_window_bits=9; client_max_window_bits"),
        ("client_max_window_bits=14", "client_max_window_bits=14"),
        ("client_max_window_bits=8", "client_max_window_bits=8"),
        (
            f"{NO_TAKEOVER}; server_max_window_bits=14; client_max_window_bits=9",
            f"{NO_TAKEOVER}; server_max_window_bits=14; client_max_window_bits=9",
        ),
    ],
)
def test_the_client_offers_what_it_wishes_and_to_have_its_window_limited(wished, offer):
    assert str(build_offer(wish(wished))) == f"permessage-deflate; {offer}"


# The server's answer


@pytest.mark.parametrize(
    ("offers", "wished", "answer"),
    [
        (PMD, "", PMD),
        (f"{PMD}; client_max_window_bits", "", PMD),
        (f"{PMD}; client_max_window_bits, x-webkit-deflate-frame", "", PMD),  # Chrome in 2014
        # RFC 7692 §7.1.1: context takeover
        (f"{PMD}; server_no_context_takeover", "", f"{PMD}; server_no_context_takeover"),
        (f"{PMD}; client_no_context_takeover", "", f"{PMD}; client_no_context_takeover"),
        (PMD, "server_no_context_takeover", f"{PMD}; server_no_context_takeover"),
        (PMD, "client_no_context_takeover", f"{PMD}; client_no_context_takeover"),
        # §7.1.2.1: the server's window is the smaller one, and an offered value is always answered
        (f"{PMD}; server_max_window_bits=15", "", f"{PMD}; server_max_window_bits=15"),
        (f"{PMD}; server_max_window_bits=9", "", f"{PMD}; server_max_window_bits=9"),
        (f"{PMD}; server_max_window_bits=12", "server_max_window_bits=10", f"{PMD}; server_max_window_bits=10"),
        (f"{PMD}; server_max_window_bits=10", "server_max_window_bits=12", f"{PMD}; server_max_window_bits=10"),
        (PMD, "server_max_window_bits=12", f"{PMD}; server_max_window_bits=12"),
        (f'{PMD}; server_max_window_bits="10"', "", f"{PMD}; server_max_window_bits=10"),
        # §7.1.2.2: the client's window is limited only if it offered that
        (PMD, "client_max_window_bits=10", PMD),
        (f"{PMD}; client_max_window_bits", "client_max_window_bits=10", f"{PMD}; client_max_window_bits=10"),
        (f"{PMD}; client_max_window_bits=15", "", PMD),
        (f"{PMD}; client_max_window_bits=8", "", f"{PMD}; client_max_window_bits=8"),
        (f"{PMD}; client_max_window_bits=9", "client_max_window_bits=12", f"{PMD}; client_max_window_bits=9"),
        (f"{PMD}; client_max_window_bits=12", "client_max_window_bits=9", f"{PMD}; client_max_window_bits=9"),
        # §7.1: an offer that cannot be accepted is declined, and the next one is looked at
        (f"{PMD}; server_max_window_bits=8", "", None),
        (PMD, "server_max_window_bits=8", None),
        (f"{PMD}; server_max_window_bits=8, {PMD}", "", PMD),
        (f"{PMD}; unknown", "", None),
        (f"{PMD}; unknown, x, {PMD}; client_no_context_takeover", "", f"{PMD}; client_no_context_takeover"),
        (f"{PMD}; server_no_context_takeover; server_no_context_takeover", "", None),
        (f"{PMD}; server_no_context_takeover=1", "", None),
        (f"{PMD}; client_no_context_takeover=true", "", None),
        (f"{PMD}; server_max_window_bits", "", None),
        (f"{PMD}; server_max_window_bits=7", "", None),
        (f"{PMD}; server_max_window_bits=16", "", None),
        (f"{PMD}; server_max_window_bits=010", "", None),
        (f"{PMD}; server_max_window_bits=100", "", None),
        (f"{PMD}; client_max_window_bits=7", "", None),
        (f"{PMD}; client_max_window_bits=16", "", None),
        (f"{PMD}; client_max_window_bits=+9", "", None),
        (f"{PMD}; client_max_window_bits; client_max_window_bits=9", "", None),
        ("PERMESSAGE-DEFLATE", "", None),
        ("x-webkit-deflate-frame", "", None),
        ("", "", None),
    ],
)
def test_the_server_answers_the_first_offer_that_it_can_accept(offers, wished, answer):
    agreed, extension = answer_offers(parse_extensions(offers), wish(wished))

    assert (extension and str(extension)) == answer
    assert agreed == (answer and wish(answer.partition("; ")[2]))


# What the client makes of the answer


@pytest.mark.parametrize(
    ("answer", "wished", "agreed"),
    [
        ("", "", ""),
        ("server_no_context_takeover", "", "server_no_context_takeover"),
        ("client_no_context_takeover", "", "client_no_context_takeover"),
        ("server_max_window_bits=9", "", "server_max_window_bits=9"),
        ("server_max_window_bits=8", "", "server_max_window_bits=8"),
        ("client_max_window_bits=9", "", "client_max_window_bits=9"),
        ("client_max_window_bits=8", "", "client_max_window_bits=8"),
        ('client_max_window_bits="9"', "", "client_max_window_bits=9"),
        # What the client wished for its own side holds, whatever the server says of it
        ("", "client_no_context_takeover", "client_no_context_takeover"),
        ("", "client_max_window_bits=10", "client_max_window_bits=10"),
        ("client_max_window_bits=12", "client_max_window_bits=10", "client_max_window_bits=10"),
        ("client_max_window_bits=9", "client_max_window_bits=10", "client_max_window_bits=9"),
        # What it asked of the server has been agreed to
        ("server_no_context_takeover", "server_no_context_takeover", "server_no_context_takeover"),
        ("server_max_window_bits=10", "server_max_window_bits=10", "server_max_window_bits=10"),
        ("server_max_window_bits=9", "server_max_window_bits=10", "server_max_window_bits=9"),
    ],
)
def test_the_client_agrees_to_an_answer_within_its_offer(answer, wished, agreed):
    (extension,) = parse_extensions(f"{PMD}; {answer}" if answer else PMD)

    assert check_answer(extension, wish(wished)) == wish(agreed)


@pytest.mark.parametrize(
    ("answer", "wished", "reason"),
    [
        ("x-webkit-deflate-frame", "", "which was not offered"),
        (f"{PMD}; unknown", "", "which was not offered"),
        (f"{PMD}; client_max_window_bits", "", "which was not offered"),
        (f"{PMD}; client_max_window_bits=7", "", "which was not offered"),
        (f"{PMD}; server_max_window_bits", "", "which was not offered"),
        (f"{PMD}; server_max_window_bits=16", "", "which was not offered"),
        (f"{PMD}; server_no_context_takeover=1", "", "which was not offered"),
        (f"{PMD}; server_no_context_takeover; server_no_context_takeover", "", "which was not offered"),
        (PMD, "server_no_context_takeover", "ignores what was asked"),
        (f"{PMD}; client_no_context_takeover", "server_no_context_takeover", "ignores what was asked"),
        (PMD, "server_max_window_bits=10", "ignores what was asked"),
        (f"{PMD}; server_max_window_bits=11", "server_max_window_bits=10", "ignores what was asked"),
    ],
)
def test_the_client_refuses_an_answer_beyond_its_offer(answer, wished, reason):
    (extension,) = parse_extensions(answer)

    with pytest.raises(HandshakeError, match=reason) as caught:
        check_answer(extension, wish(wished))
    assert caught.value.status == 101
    assert repr(str(extension)) in caught.value.reason


def test_whatever_two_sides_of_wslab_wish_they_agree_on_the_same_or_on_nothing():
    for client in ALL_WISHES[::7]:
        for server in ALL_WISHES[::5]:
            agreed, answer = answer_offers([build_offer(client)], server)
            if agreed is None:
                assert min(client.server_max_window_bits, server.server_max_window_bits) == 8
            else:
                assert check_answer(answer, client) == agreed


# Compressing


def test_hello_is_compressed_as_in_the_rfc():
    assert deflate(b"Hello", new_compressor(15)) == HELLO_COMPRESSED
    assert inflate(HELLO_COMPRESSED, Decompressor()) == b"Hello"


def test_unless_told_otherwise_a_decompressor_has_the_largest_window():
    data, compressor, decompressor = Random(0).randbytes(2**15 - 300), new_compressor(15), Decompressor()

    assert [inflate(deflate(data, compressor), decompressor) for _ in range(2)] == [data, data]


def test_a_message_can_refer_to_those_before_it():
    compressor, decompressor = new_compressor(15), Decompressor()
    payloads = [deflate(b"Hello", compressor) for _ in range(3)]

    assert payloads[:2] == [HELLO_COMPRESSED, bytes.fromhex("f200110000")]
    assert [len(payload) for payload in payloads] == [7, 5, 4]
    assert [inflate(payload, decompressor) for payload in payloads] == [b"Hello"] * 3


def test_only_the_last_fragment_leaves_out_the_tail():
    compressor = new_compressor(15)
    first, last = deflate(b"Hel", compressor, fin=False), deflate(b"lo", compressor)

    assert first.endswith(bytes.fromhex("0000ffff"))
    assert not last.endswith(bytes.fromhex("0000ffff"))
    decompressor = Decompressor()
    assert inflate(first, decompressor, fin=False) + inflate(last, decompressor) == b"Hello"


@pytest.mark.parametrize("before", [[], [b"Hello"], [b"Hello", b""]])
def test_an_empty_message_is_one_zero_byte(before):
    compressor = new_compressor(15)
    for payload in before:
        deflate(payload, compressor)

    assert deflate(b"", compressor) == b"\x00"
    assert inflate(b"\x00", Decompressor()) == b""


def test_an_empty_last_fragment_is_one_zero_byte_too():
    compressor, decompressor = new_compressor(15), Decompressor()
    first, last = deflate(b"Hello", compressor, fin=False), deflate(b"", compressor)

    assert last == b"\x00"
    assert inflate(first, decompressor, fin=False) + inflate(last, decompressor) == b"Hello"


@given(st.integers(9, 15), st.lists(st.binary(max_size=200) | st.binary(min_size=1, max_size=9).map(lambda b: b * 200)))
def test_any_messages_come_back_as_they_were(bits, messages):
    compressor, decompressor = new_compressor(bits), Decompressor(bits)

    assert [inflate(deflate(message, compressor), decompressor) for message in messages] == messages


@given(st.lists(st.binary(max_size=200) | st.binary(min_size=1, max_size=9).map(lambda b: b * 200), max_size=5))
def test_no_message_is_written_with_a_final_block(messages):
    compressor, decompressor = new_compressor(15), Decompressor()

    for message in messages:
        inflate(deflate(message, compressor), decompressor)
    assert decompressor.final_blocks == 0


@pytest.mark.parametrize("bits", range(9, 15))
def test_the_window_reaches_back_as_far_as_its_bits_say(bits):
    # zlib looks back over all of its window but the last 262 bytes.
    data = Random(bits).randbytes(2 ** (bits + 1) - 300)
    compressor, larger = new_compressor(bits), new_compressor(bits + 1)
    first, again = deflate(data, compressor), deflate(data, compressor)

    assert len(again) > len(data)
    decompressor = Decompressor(bits)
    assert [inflate(payload, decompressor) for payload in (first, again)] == [data, data]

    first, again = deflate(data, larger), deflate(data, larger)
    assert len(again) < len(data) // 10
    decompressor = Decompressor(bits)
    assert inflate(first, decompressor) == data
    assert fault(inflate, again, decompressor) == 1007


def test_zlib_makes_no_window_of_8_bits_but_reads_one():
    with pytest.raises(ValueError, match="Invalid initialization option"):
        new_compressor(8)
    assert new_compressor(9) is not None
    assert inflate(HELLO_COMPRESSED, Decompressor(8)) == b"Hello"
    with pytest.raises(ValueError, match="Invalid initialization option"):
        zlib.compressobj(wbits=-8)


# Decompressing what a peer sends


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("f2 48 cd c9 c9 07 00", b"Hello"),
        ("00 05 00 fa ff 48 65 6c 6c 6f 00", b"Hello"),
        ("f3 48 cd c9 c9 07 00 00", b"Hello"),
        ("f2 48 05 00 00 00 ff ff ca c9 c9 07 00", b"Hello"),
        ("f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00", b"HelloHello"),
        ("03 00 03 00 00", b""),
        ("00", b""),
        ("02 00", b""),
    ],
)
def test_every_way_to_write_deflate_is_read_whole_or_byte_by_byte(payload, message):
    payload, decompressor = bytes.fromhex(payload), Decompressor()

    assert inflate(payload, Decompressor()) == message
    pieces = [inflate(bytes((octet,)), decompressor, fin=False) for octet in payload]
    assert b"".join(pieces) + inflate(b"", decompressor) == message


@pytest.mark.parametrize("payload", ["07", "ff ff ff", "00 05 00 00 00", "f2 48 cd c9 c9 07 06"])
def test_bytes_that_are_not_deflate_are_refused_with_1007(payload):
    with pytest.raises(ProtocolError, match="not DEFLATE data") as caught:
        inflate(bytes.fromhex(payload), Decompressor())
    assert caught.value.code == 1007


@given(st.binary(max_size=50))
def test_whatever_arrives_is_deflate_or_a_protocol_error(data):
    assert fault(inflate, data, Decompressor()) in (None, 1007)


def test_a_message_that_fills_its_room_is_read_and_one_byte_more_is_refused_with_1009():
    payload = deflate(bytes(1000), new_compressor(15))

    assert inflate(payload, Decompressor(room=1000)) == bytes(1000)
    with pytest.raises(ProtocolError, match="too big") as caught:
        inflate(payload, Decompressor(room=999))
    assert caught.value.code == 1009


def test_room_is_used_up_over_all_pieces_and_all_final_blocks():
    hello = bytes.fromhex("f348cdc9c90700")
    decompressor = Decompressor(room=10)

    assert inflate(hello, decompressor, fin=False) == b"Hello"
    assert decompressor.room == 5
    assert inflate(hello, decompressor, fin=False) == b"Hello"
    assert inflate(b"\x00", decompressor) == b""
    assert fault(inflate, hello * 3, Decompressor(room=14)) == 1009


def test_a_bomb_is_stopped_before_it_fills_the_memory():
    compressor = zlib.compressobj(wbits=-15)
    bomb = b"".join(compressor.compress(bytes(2**20)) for _ in range(64)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    decompressor = Decompressor(room=2**16)

    assert len(bomb) < 2**17
    assert fault(decompressor.decompress, bomb) == 1009
    assert decompressor.room == -1


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_message_has_at_most_100_final_blocks_however_it_is_cut(size):
    def read(blocks):
        decompressor, payload = Decompressor(), bytes.fromhex("0300") * blocks + b"\x00"
        for start in range(0, len(payload), size):
            inflate(payload[start : start + size], decompressor, fin=False)
        inflate(b"", decompressor)

    read(100)
    with pytest.raises(ProtocolError, match="more than 100 final blocks in one message") as caught:
        read(101)
    assert caught.value.code == 1008
    assert MAX_FINAL_BLOCKS == 100


def test_each_end_compresses_with_the_window_that_was_agreed_on_for_it():
    agreed = PermessageDeflate(server_no_context_takeover=True, server_max_window_bits=10, client_max_window_bits=12)

    assert agreed.window_of(Role.SERVER) == (10, False)
    assert agreed.window_of(Role.CLIENT) == (12, True)
