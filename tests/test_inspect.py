"""inspect: every byte of a handshake, of frames and of a recording has a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab import Direction, Frame, Opcode, Recording, inspect, serialize_frame

MASKED_HELLO = bytes.fromhex("818537fa213d7f9f4d5158")
TO_SERVER, TO_CLIENT = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT


def rows(data: bytes) -> list[tuple[str, ...]]:
    return [tuple(row) for row in inspect(data).rows]


def test_a_masked_frame_shows_every_field_with_its_bytes_bits_and_value() -> None:
    assert repr(inspect(MASKED_HELLO)).splitlines() == [
        "byte  hex             bits      field           value",
        "0     81              1.......  FIN             1: the last frame of its message",
        "                      .000....  RSV1-3          000",
        "                      ....0001  opcode          0x1: text",
        "1     85              1.......  MASK            1: masked",
        "                      .0000101  payload length  5",
        "2-5   37 fa 21 3d               masking key",
        "6-10  7f 9f 4d 51 58            masked payload",
        '                                payload         "Hello"',
    ]


def test_an_extended_length_is_a_field_of_its_own() -> None:
    two_bytes = rows(serialize_frame(Frame(Opcode.BINARY, bytes(126))))
    assert ("", "", ".1111110", "payload length", "126: the next 2 bytes tell it") in two_bytes
    assert ("2-3", "00 7e", "", "extended length", "126") in two_bytes
    eight_bytes = rows(serialize_frame(Frame(Opcode.BINARY, bytes(65536)), b"\0\0\0\1"))
    assert ("2-9", "00 00 00 00 00 01 00 00", "", "extended length", "65536") in eight_bytes
    assert ("10-13", "00 00 00 01", "", "masking key", "") in eight_bytes


def test_a_compressed_fragment_says_so() -> None:
    table = rows(serialize_frame(Frame(Opcode.TEXT, b"\xf2", fin=False, rsv1=True)))
    assert ("0", "41", "0.......", "FIN", "0: more frames of its message follow") in table
    assert ("", "", ".100....", "RSV1-3", "100: compressed") in table


def test_frames_behind_each_other_are_all_shown() -> None:
    table = rows(serialize_frame(Frame(Opcode.PING)) + serialize_frame(Frame(Opcode.CLOSE, b"\x03\xe8bye")))
    assert [row[4] for row in table if row[3] == "opcode"] == ["0x9: ping", "0x8: close"]
    assert table[-1] == ("4-8", "03 e8 62 79 65", "", "payload", '1000 "bye"')


@pytest.mark.parametrize("size", range(1, len(MASKED_HELLO)))
def test_a_frame_cut_short_says_what_is_missing(size: int) -> None:
    assert "cut short" in " ".join(rows(MASKED_HELLO[:size])[-1])


def test_illegal_bytes_are_shown_behind_the_legal_ones() -> None:
    assert rows(b"\x89\x00\x83\x00")[-1] == ("2-3", "83 00", "", "illegal", "opcode 0x3 is reserved")


def test_a_handshake_is_shown_without_its_secrets() -> None:
    request = b"GET /lab?token=sesame HTTP/1.1\r\nHost: a\r\nCookie: login=1\r\nAuthorization: Basic abc\r\n\r\n"
    assert repr(inspect(request)).splitlines() == [
        "GET /lab?token=[redacted] HTTP/1.1",
        "Host: a",
        "Cookie: [redacted]",
        "Authorization: [redacted]",
    ]
    assert repr(inspect(request[:20])) == "a handshake, cut short after 20 bytes"


def test_a_head_that_is_not_legal_says_why() -> None:
    assert repr(inspect(b"GET / HTTP/1.1\r\n folded\r\n\r\n")) == "an illegal handshake: a folded header line"


def test_a_response_is_shown_with_its_body() -> None:
    response = b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 3\r\n\r\nno\n"
    assert repr(inspect(response)) == "HTTP/1.1 426 Upgrade Required\nContent-Length: 3\n\nno\n"


def test_nothing_has_no_rows() -> None:
    assert rows(b"") == []


@given(st.tuples(st.sampled_from([b"", b"GET / ", b"HTTP/1.1 "]), st.binary(max_size=80)).map(b"".join))
def test_any_bytes_can_be_inspected(data: bytes) -> None:
    assert isinstance(repr(inspect(data)), str)


def recorded(*chunks: tuple[int, Direction, bytes]) -> Recording:
    recording = Recording(clock=lambda: 0.0)
    for connection, direction, data in chunks:
        recording.add(connection, direction, data)
    return recording


REQUEST = b"GET /chat HTTP/1.1\r\nHost: a\r\n\r\n"
RESPONSE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def test_a_recording_has_a_row_for_each_head_and_frame_where_its_last_byte_arrived() -> None:
    recording = recorded(
        (7, TO_SERVER, REQUEST[:9]),
        (7, TO_SERVER, REQUEST[9:] + MASKED_HELLO[:4]),
        (7, TO_CLIENT, RESPONSE + b"\x89\x00"),
        (7, TO_SERVER, MASKED_HELLO[4:]),
    )
    assert inspect(recording).rows == (
        ("7", "client → server", str(len(REQUEST)), "GET /chat HTTP/1.1"),
        ("7", "server → client", str(len(RESPONSE)), "HTTP/1.1 101 Switching Protocols"),
        ("7", "server → client", "2", "ping"),
        ("7", "client → server", "11", 'text "Hello"'),
    )


def test_a_recording_of_two_connections_keeps_them_apart() -> None:
    recording = recorded((1, TO_SERVER, REQUEST), (2, TO_SERVER, REQUEST), (1, TO_CLIENT, RESPONSE))
    assert [row[0] for row in inspect(recording).rows] == ["1", "1", "2"]


def test_illegal_bytes_in_a_recording_do_not_hide_the_rest() -> None:
    recording = recorded((1, TO_SERVER, REQUEST + b"\x83\x00"), (1, TO_CLIENT, RESPONSE))
    assert [row[3] for row in inspect(recording).rows] == [
        "GET /chat HTTP/1.1",
        "illegal: opcode 0x3 is reserved",
        "HTTP/1.1 101 Switching Protocols",
    ]
