"""recording_table: a row for each head and frame of a recording, each of which leads to its bytes."""

import re
import tracemalloc
import zlib

import pytest
from support.heads_and_frames import GREETING, MASKED_HELLO, request, response, text
from support.markup import assert_is_well_formed
from support.raw_peer import live_server
from support.recordings import recorded

from wslab import Direction, Frame, Opcode, Recording, connect, inspect, serialize_frame
from wslab.display.inspector import recording_table as recorded_module
from wslab.recording.recorded_frames import dissect_recording

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
AGREED = response("Sec-WebSocket-Extensions: permessage-deflate")
ASKED = request(more=("Sec-WebSocket-Extensions: permessage-deflate", "Cookie: a=sesame"))


def test_a_recording_has_a_row_for_each_head_and_frame_where_its_last_byte_arrived():
    recording = recorded(
        (7, UP, request()[:9]),
        (7, UP, request()[9:] + MASKED_HELLO[:4]),
        (7, DOWN, response() + b"\x89\x00"),
        (7, UP, MASKED_HELLO[4:]),
    )
    assert repr(inspect(recording)).splitlines() == [
        "row  connection  direction        bytes  what",
        "0    7           client → server  148    GET / HTTP/1.1",
        "1    7           server → client  129    HTTP/1.1 101 Switching Protocols",
        "2    7           server → client  2      ping",
        '3    7           client → server  11     text "Hello"',
    ]


def test_the_rows_of_two_connections_are_in_the_order_of_time():
    recording = recorded((1, UP, request()), (2, UP, request()), (1, DOWN, response()))
    assert [row[1] for row in inspect(recording).rows] == ["1", "2", "1"]


def test_what_is_illegal_is_marked_and_does_not_hide_the_rest():
    recording = recorded((1, UP, request()), (1, DOWN, response() + b"\x83\x00\x89\x00"), (1, UP, MASKED_HELLO))
    table = inspect(recording)
    assert table.faulty == {2}
    assert [row[4] for row in table.rows[2:]] == [
        "what follows is not read - illegal: opcode 0x3 is reserved",
        'text "Hello"',
    ]
    assert_is_well_formed(table._repr_html_())
    behind = table.row(2)
    assert [row[4] for row in behind.rows if row[3] == "opcode"] == ["0x3: reserved", "0x9: ping"]


def test_a_row_can_be_looked_into_with_all_that_is_known_of_the_conversation():
    stream = zlib.compressobj(wbits=-15)
    once, twice = ((stream.compress(b"Hello") + stream.flush(zlib.Z_SYNC_FLUSH))[:-4] for _ in range(2))
    frames = [serialize_frame(Frame(Opcode.TEXT, data, rsv1=True)) for data in (once, twice)]
    recording = recorded((1, UP, ASKED), (1, DOWN, AGREED + frames[0]), (1, DOWN, frames[1]), (1, UP, MASKED_HELLO))
    table = inspect(recording)
    assert len(twice) < len(once)
    assert table.row(3).rows[-1][3:5] == ("payload", '"Hello"')
    assert table.row(3).rows[5][1] == twice.hex(" ")
    assert table.row(4).rows == inspect(MASKED_HELLO).rows
    assert "the answer fits the key (§4.1)" in {row[-1] for row in table.row(1).rows}
    assert "sesame" not in repr(table.row(0))
    with pytest.raises(IndexError, match="there is no row 5 here: the rows are 0 to 4"):
        table.row(5)


def test_a_secret_that_fragments_cut_is_not_shown_in_any_of_them():
    parts = Frame(Opcode.TEXT, b"/?token=ses", fin=False), Frame(Opcode.CONTINUATION, b"zzz&x")
    sent = b"".join(serialize_frame(part, bytes(4)) for part in parts)
    table = inspect(recorded((1, UP, request()), (1, DOWN, response()), (1, UP, sent)))
    assert 'continuation "[redacted]&x"' in str(table)
    assert '"xxx&x"' in str(table.row(3))
    assert '"xxx&x"' in str(inspect(sent))
    for view in (table, table.row(3), inspect(sent)):
        assert not re.search("zzz|7a 7a 7a", str(view) + view._repr_html_())


def test_behind_an_illegal_frame_nothing_is_decompressed_since_what_came_before_is_needed():
    stream = zlib.compressobj(wbits=-15)
    once, twice = ((stream.compress(b"Hello") + stream.flush(zlib.Z_SYNC_FLUSH))[:-4] for _ in range(2))
    first, second = (serialize_frame(Frame(Opcode.TEXT, data, rsv1=True)) for data in (once, twice))
    table = inspect(recorded((1, UP, ASKED), (1, DOWN, AGREED + first + b"\x83\x00" + second)))
    behind = table.row(3)
    assert [row[3] for number, row in enumerate(behind.rows) if number in behind.faulty] == ["opcode"]
    assert behind.rows[-2][1] == twice.hex(" ")


@pytest.mark.parametrize("pieces", [["<p>hello", " there</p>"], ["", "<p>hello there</p>"]])
def test_the_body_of_an_answer_is_one_row_and_no_frames(pieces):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n"
    first, *more = [piece.encode() for piece in pieces]
    recording = recorded((1, UP, request()), (1, DOWN, head + first), *((1, DOWN, piece) for piece in more))
    table = inspect(recording)
    assert [row[4] for row in table.rows[1:]] == ["HTTP/1.1 200 OK", "a body of 18 bytes"]
    assert table.row(2).rows == (("0-17", "body", "<p>hello there</p>", "what the server says to it"),)


def test_a_body_of_unknown_length_is_all_that_follows():
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    table = inspect(recorded((1, UP, request()), (1, DOWN, head + b"<p>hello"), (1, DOWN, b" there</p>")))
    assert [row[4] for row in table.rows[1:]] == ["HTTP/1.1 200 OK", "not WebSocket: what follows is not read"]
    assert table.row(2).rows == (("0-17", "body", "<p>hello there</p>", "what the server says to it"),)


def test_a_body_ends_where_the_next_head_begins():
    challenge = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
    table = inspect(
        recorded(*[(1, UP, request()), (1, DOWN, challenge)] * 2, (1, UP, request()), (1, DOWN, response()))
    )
    assert [row[4] for row in table.rows[1::3]] == ["HTTP/1.1 401 Unauthorized"] * 2 + [
        "HTTP/1.1 101 Switching Protocols"
    ]
    assert table.row(2).rows == table.row(5).rows == (("0-1", "body", "no", "what the server says to it"),)


def test_a_body_of_no_bytes_is_no_row():
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    recording = recorded((1, UP, request()), (1, DOWN, head), (2, UP, request()))
    assert [row[4] for row in inspect(recording).rows] == ["GET / HTTP/1.1", "HTTP/1.1 404 Not Found", "GET / HTTP/1.1"]
    assert [entry.number for entry in inspect(recording).entries] == [0, 1, 2]


def test_what_is_no_frame_behind_an_agreement_is_no_body():
    table = inspect(recorded((1, UP, request()), (1, DOWN, response() + b"\x83\x00"), (2, UP, request())))
    assert table.row(2).rows == inspect(b"\x83\x00").rows


def test_a_row_of_many_chunks_is_joined_from_just_these():
    big = text("x" * 1000)
    pieces = [(1, UP, big[start : start + 7]) for start in range(0, len(big), 7)]
    recording = recorded((1, UP, request()), (1, DOWN, response()), *pieces, (1, UP, MASKED_HELLO), (2, UP, big))
    table = inspect(recording)
    assert table.row(2).rows == inspect(big).rows
    assert table.row(3).rows == inspect(MASKED_HELLO).rows


def test_of_an_empty_recording_there_is_a_sentence():
    assert repr(inspect(Recording())).splitlines()[1:] == ["Nothing was recorded."]


def test_a_recording_that_begins_in_mid_conversation_is_said_to_do_so():
    table = inspect(recorded((1, DOWN, GREETING), (1, UP, MASKED_HELLO)))
    begins_late = "begins in mid-conversation: the handshake is missing"
    assert [row[4] for row in table.rows] == [begins_late, 'text "Welcome"', 'text "Hello"']
    assert table.row(2).rows == inspect(MASKED_HELLO).rows
    assert table.row(0).rows == inspect(GREETING).rows


def test_a_live_recording_can_be_inspected():
    recording = Recording()
    with live_server() as server, connect(server.url, recording=recording) as connection:
        connection.send("Hello" * 30)
        connection.receive()
    table = inspect(recording)
    assert len(table.rows) == 6
    assert table.row(2).rows[-1][3:5] == ("payload", f'"{("Hello" * 30)[:60]}…"')
    assert all(table.row(number).faulty == frozenset() for number in range(6))


def test_a_long_recording_shows_a_window_and_keeps_no_more(monkeypatch):
    recording = recorded((1, UP, request()), (1, DOWN, response()))
    for number in range(20_000):
        recording.add(1, DOWN, b"\x81\x05%05d" % number)
    kept = []

    def counted(recording: Recording, kept_bytes: int):
        for one in dissect_recording(recording, kept_bytes):
            kept.append(1)
            yield one

    monkeypatch.setattr(recorded_module, "dissect_recording", counted)
    tracemalloc.start()
    try:
        table = inspect(recording)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(kept) == 20_002
    assert len(table.rows) == len(table.entries) == 200
    assert peak < 2_000_000
    assert repr(table).splitlines()[-1] == "… 19802 more rows: start=200 shows them"
    monkeypatch.undo()
    last = inspect(recording, 20_000)
    assert [row[4] for row in last.rows] == ['text "19998"', 'text "19999"']
    with pytest.raises(IndexError, match=r"are 20000 to 20001; inspect\(recording, start=3\) shows it"):
        last.row(3)
    with pytest.raises(IndexError, match=r"are 20000 to 20001$"):
        last.row(20_002)
    assert last.row(20_001).rows[-1][4] == '"19999"'
    nothing = inspect(recording, 10**6)
    assert nothing.rows == ()
    assert nothing.more == "Nothing to show from row 1000000 on: there are 20002 rows."
