"""inspect: every byte of a handshake and of frames has a name, and what is wrong is told at its place."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.bad_frames import FAULTS
from support.heads_and_frames import MASKED_HELLO, compressed, deflated, raw_frame, request, response
from support.markup import assert_is_well_formed
from support.tables import faults, meanings
from support.wire import CAPTURE_2014, COMPRESSED, FRAMES, HANDSHAKES, RFC_HANDSHAKE, named

from wslab import Direction, Frame, Opcode, inspect, serialize_frame
from wslab.display.table import Table
from wslab.dissector.conversation import Conversation
from wslab.dissector.frames import Dissected, FrameDissector
from wslab.dissector.handshake_lines import begins_a_head
from wslab.dissector.payloads import RESERVED, UNKNOWN_BITS
from wslab.protocol.states import Role

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
EVERYTHING = 10**9


def rows(data: bytes, **options: object) -> list[tuple[str, ...]]:
    """Byte, hex, bits, field, value and meaning of each row."""
    return [tuple(row) for row in inspect(data, **options).rows]


# A frame


def test_a_masked_frame_shows_every_field_with_its_bytes_bits_value_and_meaning():
    assert repr(inspect(MASKED_HELLO)).splitlines() == [
        "byte  hex             bits      field           value           meaning",
        "0     81              1.......  FIN             1               the last frame of its message (§5.4)",
        "                      .000....  RSV1-3          000             reserved for extensions (§5.2)",
        "                      ....0001  opcode          0x1: text       a message of text (§5.6)",
        "1     85              1.......  MASK            1: masked       as every frame from a client (§5.1)",
        "                      .0000101  payload length  5               in bytes (§5.2)",
        "2-5   37 fa 21 3d               masking key                     4 bytes that nobody can foresee, "
        "new for each frame (§5.3)",
        "6-10  7f 9f 4d 51 58            masked payload  48 65 6c 6c 6f  XOR with the masking key, over and over, "
        "gives the value (§5.3)",
        '                                payload         "Hello"         text in UTF-8 (§5.6)',
    ]


def test_what_was_not_masked_stands_beside_its_bytes():
    assert rows(b"\x81\x05Hello")[-1] == ("2-6", "48 65 6c 6c 6f", "", "payload", '"Hello"', "text in UTF-8 (§5.6)")
    assert rows(b"\x82\x01\xff")[-1][:5] == ("2", "ff", "", "payload", "")


def test_an_extended_length_is_a_field_of_its_own():
    two_bytes = rows(serialize_frame(Frame(Opcode.BINARY, bytes(126))))
    assert ("", "", ".1111110", "payload length", "126", "the next 2 bytes tell it (§5.2)") in two_bytes
    assert ("2-3", "00 7e", "", "extended length", "126") in [row[:5] for row in two_bytes]
    eight_bytes = rows(serialize_frame(Frame(Opcode.BINARY, bytes(65536)), b"\0\0\0\1"))
    assert ("2-9", "00 00 00 00 00 01 00 00", "", "extended length", "65536") in [row[:5] for row in eight_bytes]
    assert ("10-13", "00 00 00 01", "", "masking key", "") in [row[:5] for row in eight_bytes]


def test_a_close_frame_shows_its_code_and_its_reason():
    shown = {row[3]: row[4] for row in rows(raw_frame(0x88, b"\x03\xe8bye"))}
    assert (shown["close code"], shown["close reason"]) == ("1000 normal closure", '"bye"')
    assert {row[3]: row[4] for row in rows(b"\x88\x00")}["close code"] == "none"


def test_frames_behind_each_other_are_all_shown():
    table = rows(serialize_frame(Frame(Opcode.PING)) + serialize_frame(Frame(Opcode.CLOSE, b"\x03\xe8bye")))
    assert [row[4] for row in table if row[3] == "opcode"] == ["0x9: ping", "0x8: close"]


def test_a_continuation_is_read_as_what_its_message_is():
    fragments = bytes.fromhex("0103 48656c 8900 8002 6c6f")
    assert rows(fragments)[-1][3:5] == ("payload", '"lo"')
    assert rows(bytes.fromhex("8002 6c6f"))[-1][3:] == (
        "payload",
        "",
        "of a message whose beginning is not here (§5.4)",
    )


@pytest.mark.parametrize("size", range(1, len(MASKED_HELLO)))
def test_a_frame_cut_short_says_what_is_missing(size):
    *_, last = rows(MASKED_HELLO[:size])
    missing = 1 if size == 1 else 6 - size if size < 6 else 11 - size
    part = "header" if size < 6 else "payload"
    assert last[3] == "cut short"
    assert last[5] == f"missing: {missing} byte{'s' if missing > 1 else ''} of the {part}"


def test_nothing_has_no_rows():
    assert rows(b"") == []
    assert "<tbody>" in inspect(b"")._repr_html_()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("8a00", "not str: bytes.fromhex makes bytes of hex digits"),
        ("talk.PCAPNG", "not str: Recording.load reads a file"),
        (Path("talk.har"), f"not {type(Path()).__name__}: Recording.load reads a file"),
        (Frame(Opcode.PING, b""), "not Frame: serialize_frame makes bytes of a frame"),
        (5, "not int"),
        ([1], "not list"),
        (None, "not NoneType"),
    ],
)
def test_what_is_neither_bytes_nor_a_recording_is_told(value, sentence):
    with pytest.raises(TypeError) as caught:
        inspect(value)
    assert str(caught.value) == f"inspect takes bytes or a Recording, {sentence}"


def test_every_kind_of_bytes_is_taken():
    assert rows(bytearray(b"\x8a\x00")) == rows(memoryview(b"\x8a\x00")) == rows(b"\x8a\x00")


def test_a_start_below_zero_is_refused():
    with pytest.raises(ValueError, match="start counts from 0"):
        inspect(b"", -1)


# Compression


@pytest.mark.parametrize("example", named(COMPRESSED))
def test_what_is_compressed_is_shown_decompressed_when_deflate_says_so(example):
    table = rows(example.wire, deflate=True)
    texts = [row[4] for row in table if row[3] == "payload" and row[4]]
    assert "".join(text[1:-1] for text in texts) == "".join(example.messages)
    assert faults(inspect(example.wire, deflate=True)) == []


def test_without_deflate_nobody_knows_and_with_false_it_is_illegal():
    data = compressed(deflated(b"Hello"), 0xC1)
    assert faults(inspect(data)) == []
    assert meanings(data)["RSV1-3"] == "RSV1: compressed, if permessage-deflate was agreed on (RFC 7692 §6)"
    assert "deflate=True" in meanings(data)["payload"]
    assert faults(inspect(data, deflate=False))[0][0] == "RSV1-3"


def test_a_handshake_in_the_same_bytes_tells_whether_deflate_was_agreed_on():
    agreed = response("Sec-WebSocket-Extensions: permessage-deflate")
    squeezed = serialize_frame(Frame(Opcode.TEXT, deflated(b"Hello"), rsv1=True))
    assert rows(agreed + squeezed)[-1][4] == '"Hello"'
    assert faults(inspect(response() + squeezed))[0][0] == "RSV1-3"


# What is illegal


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in FAULTS if fault.code != 1009])
def test_whatever_is_wrong_is_told_and_what_follows_is_read(fault):
    opened = response("Sec-WebSocket-Extensions: permessage-deflate" if fault.deflate else "X: none")
    table = inspect(opened + fault.sent, direction=UP)
    assert fault.words in faults(table)[0][1]
    if table.rows[-1][3] != "cut short":
        assert "61 66 74 65 72" in [
            row[4] for row in rows(opened + fault.sent + raw_frame(0x8A, b"after"), direction=UP)
        ]


def test_each_fault_stands_at_its_field():
    data = bytes.fromhex("bb fe 00 05 00000000") + b"Hello"
    assert [name for name, _ in faults(inspect(data, direction=DOWN))] == [
        "RSV1-3",
        "opcode",
        "MASK",
        "extended length",
    ]


def test_the_wrong_byte_of_a_text_is_told_by_its_place():
    ((name, sentence),) = faults(inspect(b"\x81\x05caf\xe9!"))
    assert (name, sentence) == ("payload", "the text is not UTF-8: 21 in byte 6 is wrong (§8.1): close with 1007")
    table = inspect(raw_frame(0x81, b"x" * 20 + b"\xff"))
    assert [row[0] for number, row in enumerate(table.rows) if number in table.faulty] == ["22-26"]
    ((_, sentence),) = faults(inspect(compressed(deflated(b"Hi \xff"), 0xC1), deflate=True))
    assert "byte 3 of the decompressed text is wrong" in sentence
    ((_, sentence),) = faults(inspect(b"\x81\x04caf\xc3"))
    assert "it ends within a character" in sentence
    assert faults(inspect(b"\x01\x01\xc3\x80\x00"))[0][1].startswith("the text is not UTF-8: it ends within")


def test_each_byte_of_a_close_frame_belongs_to_its_code_or_its_reason():
    reason = b"because of many a thing"
    table = inspect(serialize_frame(Frame(Opcode.CLOSE, b"\x03\xe8" + reason)))
    assert [(row[0], row[1], *row[3:5]) for row in table.rows[5:]] == [
        ("2-3", "03 e8", "close code", "1000 normal closure"),
        ("4-11", reason[:8].hex(" "), "close reason", '"because of many a thing"'),
        ("12-19", reason[8:16].hex(" "), "close reason", ""),
        ("20-26", reason[16:].hex(" "), "close reason", ""),
    ]
    assert faults(inspect(bytes.fromhex("88 02 03 ed"))) == [
        ("close code", "close code 1005 must not be sent (§7.4): close with 1002")
    ]
    assert spans(inspect(bytes.fromhex("88 02 03 ed")))[-1] == (2, 4)


def test_a_payload_that_nobody_can_read_says_so():
    assert inspect(b"\x83\x02 !").rows[-1][3:] == ("payload", "", RESERVED)
    assert inspect(b"\xf1\x02\x11\x22").rows[-1][3:] == ("payload", "", UNKNOWN_BITS)
    assert "deflate=True" in inspect(b"\xc1\x02\x11\x22").rows[-1][-1]


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"\x88\x01\x03", "close code"), (b"\x88\x02\x03\xee", "close code"), (b"\x88\x04\x03\xe8a\xff", "close reason")],
)
def test_a_close_frame_is_wrong_in_its_code_or_reason(data, name):
    assert [field for field, _ in faults(inspect(data))] == [name]


def test_the_code_of_a_close_frame_that_cannot_be_read_is_judged_all_the_same():
    assert ("close code", "close code 27756 must not be sent (§7.4): close with 1002") in faults(inspect(b"Hello"))


def test_who_may_mask_is_only_known_with_a_direction():
    for data, wrong in ((MASKED_HELLO, DOWN), (b"\x81\x05Hello", UP)):
        assert faults(inspect(data)) == []
        assert [name for name, _ in faults(inspect(data, direction=wrong))] == ["MASK"]


def test_the_frames_of_two_sides_are_told_apart_by_their_masks():
    begun = serialize_frame(Frame(Opcode.TEXT, b"Hel", fin=False)), MASKED_HELLO
    assert faults(inspect(b"".join(begun))) == []
    assert "inside a fragmented message" in faults(inspect(begun[0] + b"\x81\x00"))[0][1]


@given(st.binary(max_size=60), st.sampled_from(list(Direction)), st.booleans())
@example(b"\x88\x00\x03\x00", DOWN, False)
def test_frames_are_judged_as_a_tap_judges_them(data, direction, deflate):
    sender = Role.CLIENT if direction is UP else Role.SERVER
    reader = FrameDissector(sender, deflate=deflate, from_start=False)
    seen = reader.read(data) + reader.end()
    told = " ".join(sentence for _, sentence in faults(inspect(data, deflate=deflate, direction=direction)))
    if not begins_a_head(data):
        assert all(one.illegal.removeprefix("bytes after a close frame: ") in told for one in seen)
        # Of a frame that is cut short, a byte may be wrong already.
        assert bool(told) is any(one.illegal for one in seen) or str(seen[-1]).startswith("cut short")


def verdicts(said: list[tuple[Role, bytes]]) -> list[Dissected]:
    conversation = Conversation()
    return [one for sender, data in said for one in conversation.receive(sender, data)]


@pytest.mark.parametrize(
    "asked",
    [
        *(request(**{name.replace("-", "_"): None}) for name in ("Host", "Connection", "Sec-WebSocket-Key")),
        request(Sec_WebSocket_Version="12"),
        request(Sec_WebSocket_Key="U3RyZWFtKDIsID8p"),
        request(more=("Content-Length: 5",)),
        request(more=("Host: again",)),
        request("POST / HTTP/1.1"),
        request(),
    ],
)
def test_requests_are_judged_as_a_tap_judges_them(asked):
    (seen,) = verdicts([(Role.CLIENT, asked)])
    told = {sentence.partition(" (§")[0] for _, sentence in faults(inspect(asked))}
    assert told == ({seen.illegal} if seen.illegal else set())


@pytest.mark.parametrize(
    "answer",
    [
        response(),
        response().replace(b"s3pP", b"S3pP"),
        response().replace(b"Connection: Upgrade", b"Connection: close"),
        response("Sec-WebSocket-Protocol: chat"),
    ],
)
def test_responses_are_judged_as_a_tap_judges_them(answer):
    *_, seen = verdicts([(Role.CLIENT, request()), (Role.SERVER, answer)])
    told = [sentence for _, sentence in faults(inspect(request() + answer))]
    assert [sentence.partition(" (§")[0] for sentence in told] == ([seen.illegal] if seen.illegal else [])


# Long ones


def test_a_long_payload_is_shown_as_a_window_that_can_be_moved():
    data = serialize_frame(Frame(Opcode.BINARY, bytes(range(250)) * 4), b"\1\2\3\4")
    shown = inspect(data)
    assert shown.rows[-1][0] == "40-1007"
    assert shown.rows[-1][-1] == "968 more bytes: start=40 shows them"
    moved = rows(data, start=41, most_bytes=4)
    assert [row[0] for row in moved[-3:]] == ["8-40", "41-44", "45-1007"]
    assert moved[-2][1:5] == (
        bytes(a ^ b for a, b in zip(range(33, 37), b"\2\3\4\1", strict=True)).hex(" "),
        "",
        "masked payload",
        "21 22 23 24",
    )
    assert len(rows(data, most_bytes=1000)) == 7 + 125


def test_many_frames_are_shown_in_parts_without_a_gap():
    data = b"\x89\x01?" * 1000
    shown, start, count = inspect(data), 0, 0
    while shown.more:
        assert 150 < len(shown.rows) <= 200
        count += sum(row[3] == "opcode" for row in shown.rows)
        start = int(shown.more.partition("start=")[2].split()[0])
        shown = inspect(data, start)
    assert count + sum(row[3] == "opcode" for row in shown.rows) == 1000


def test_a_long_head_is_shown_in_parts_without_a_gap():
    data = request(more=tuple(f"X-{number}: a" for number in range(300)))
    seen, start = set(), 0
    while True:
        shown = inspect(data, start)
        seen |= {row[1] for row in shown.rows}
        if not shown.more:
            break
        start = int(shown.more.partition("start=")[2].split()[0])
    assert {f"X-{number}" for number in range(300)} < seen


# Any bytes


ANY_BYTES = st.one_of(
    st.binary(max_size=80),
    st.tuples(
        st.sampled_from([b"GET / ", b"HTTP/1.1 ", *(h.request_bytes for h in HANDSHAKES)]), st.binary(max_size=80)
    ).map(b"".join),
    st.lists(st.sampled_from([example.wire for example in FRAMES if len(example.wire) < 200]), max_size=5).map(
        b"".join
    ),
    st.tuples(st.sampled_from([h.request_bytes + h.response_bytes for h in HANDSHAKES]), st.binary(max_size=40)).map(
        b"".join
    ),
)


def spans(table: Table) -> list[tuple[int, int]]:
    places = [row[0].partition("-") for row in table.rows if row[0]]
    return [(int(first), int(last or first) + 1) for first, _, last in places]


@given(ANY_BYTES, st.sampled_from([None, True, False]), st.sampled_from([None, UP, DOWN]), st.integers(1, 40))
def test_the_rows_cover_every_byte_of_any_bytes_exactly_once(data, deflate, direction, most_bytes):
    table = inspect(data, most=EVERYTHING, most_bytes=most_bytes, deflate=deflate, direction=direction)
    places = spans(table)
    assert [start for start, _ in places] == [0, *(end for _, end in places)][: len(places)]
    assert (places[-1][1] if places else 0) == len(data)
    assert repr(table).replace("\n", "").isprintable()
    assert_is_well_formed(table._repr_html_())


@given(ANY_BYTES, st.integers(0, 200), st.integers(1, 30))
@example(bytes(10), 8, 1)
@example(HANDSHAKES[0].request_bytes * 4, 0, 1)
def test_from_wherever_any_bytes_are_shown_the_rest_is_told(data, start, most):
    table = inspect(data, start, most)
    end = spans(table)[-1][1] if spans(table) else 0
    left = int(table.more.split()[1].replace(",", "")) if table.more.startswith("…") else 0
    assert start >= len(data) or end + left == len(data)


def test_html_of_a_peer_is_text():
    payload = b"<script>alert(1)</script>&amp;"
    source = inspect(serialize_frame(Frame(Opcode.TEXT, payload)))._repr_html_()
    assert "<script" not in source
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;" in source
    assert_is_well_formed(source)


def test_the_drawing_stands_above_the_rows_of_a_single_frame_only():
    assert inspect(MASKED_HELLO)._repr_html_().count("<table") == 2
    assert inspect(MASKED_HELLO * 2)._repr_html_().count("<table") == 1
    assert inspect(RFC_HANDSHAKE.request_bytes)._repr_html_().count("<table") == 1


@pytest.mark.parametrize("line", [b"GET /?token=sesame", b"a\r\nCookie: sesame", b"\nauthorization:sesame\r!"])
def test_nothing_secret_is_shown_of_what_a_frame_says(line):
    squeezed = compressed(deflated(line), 0xC1)
    for data in (
        raw_frame(0x81, line),
        raw_frame(0x88, b"\x03\xe8" + line),
        squeezed,
        squeezed.replace(b"\xc1", b"\xc2"),
    ):
        shown = repr(inspect(data, deflate=True))
        assert "sesame" not in shown
        assert b"sesame".hex(" ") not in shown
        assert "xxxxxx" in shown or "78 78 78" in shown


def test_nothing_secret_is_shown_of_a_frame():
    words = b"see http://a/?token=sesame&x=1"
    for data in (serialize_frame(Frame(Opcode.TEXT, words), key) for key in (None, b"abcd")):
        for start in (0, len(data) - 8):
            table = inspect(data, start)
            assert "same" not in repr(table) + table._repr_html_()
            assert b"same".hex(" ") not in repr(table)
            assert "xx xx xx" in repr(table)


def test_the_capture_of_2014_is_explained():
    data = CAPTURE_2014.request_bytes + CAPTURE_2014.response_bytes
    table = inspect(data)
    assert faults(table) == []
    assert "__utma" not in repr(table)
    assert ("", "expected", CAPTURE_2014.accept, "the answer fits the key (§4.1)") in table.rows


def test_where_there_is_nothing_to_show_a_sentence_says_why():
    assert inspect(b"").more == "No bytes, no fields."
    assert inspect(MASKED_HELLO, 500).more == "Nothing to show from byte 500 on: there are 11 bytes."
    assert repr(inspect(b"", 7)).splitlines()[1:] == ["No bytes, no fields."]


def test_what_is_missing_is_told_with_thousands_apart():
    assert inspect(b"\x82\x7e\xff\xff" + bytes(10)).rows[-1][-1] == "missing: 65,525 bytes of the payload"
    assert inspect(b"\x82\x7e\xff").rows[-1][-1] == "missing: 1 byte of the header"


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE])
def test_a_secret_that_is_cut_short_with_its_frame_is_not_shown(opcode):
    said = b"\x03\xe8" * (opcode is Opcode.CLOSE) + b"wss://ada:sesame@host/"
    for frame in (serialize_frame(Frame(opcode, said)), serialize_frame(Frame(opcode, said), bytes(4))):
        shown = repr(inspect(frame[:-6], most_bytes=100))
        assert "sesa" not in shown
        assert b"sesa".hex(" ") not in shown
        assert "cut short" in shown
