"""wording: times, numbers of bytes and lines in words."""

from wslab.dissector.wording import in_bytes, shorten, since


def test_lines_are_short():
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "abc…"


def test_times_are_milliseconds_until_they_are_seconds():
    assert (since(0.9994), since(-0.5), since(1), since(-2)) == ("+999.4 ms", "-500.0 ms", "+1.00 s", "-2.00 s")


def test_one_byte_is_no_plural():
    assert (in_bytes(0), in_bytes(1), in_bytes(1000)) == ("0 bytes", "1 byte", "1,000 bytes")
