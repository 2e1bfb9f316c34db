"""wording: times, sizes, bytes and lines, in words and in short."""

from wslab.dissector.wording import how_many, in_hex, shorten, since


def test_lines_are_short():
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "abc…"


def test_times_are_milliseconds_until_they_are_seconds():
    assert (since(0.9994), since(-0.5), since(1), since(-2)) == ("+999.4 ms", "-500.0 ms", "+1.00 s", "-2.00 s")


def test_one_byte_is_no_plural():
    assert (how_many(0), how_many(1), how_many(1000)) == ("0 bytes", "1 byte", "1,000 bytes")


def test_bytes_in_hex_are_cut_short_and_say_so():
    assert (in_hex(b"", 2), in_hex(b"ab", 2)) == ("", "61 62")
    assert (in_hex(b"abc", 2), in_hex(b"abc", 2, counted=False)) == ("61 62 … (3 bytes)", "61 62 …")
