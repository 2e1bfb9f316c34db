"""bits: a frame as the RFC draws it: every line has 32 bits, and each field has its name on as many as it has."""

import html.parser

import pytest
from support.markup import assert_is_well_formed
from support.wire import FRAMES, named

from wslab import Frame, Opcode, inspect, serialize_frame
from wslab.protocol.frames import parse_header

NAMES = ("masking key", "extended length", "payload length")


class Lines(html.parser.HTMLParser):
    """The cells of each line of the first table of a page: how many bits each has, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.lines: list[list[tuple[int, str]]] = []
        self.feed(source[: source.index("</table>")])

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.lines.append([])
        elif tag == "td":
            self.lines[-1].append((int(dict(attrs)["colspan"]), ""))

    def handle_data(self, data):
        if self.lines and self.lines[-1]:
            bits, text = self.lines[-1].pop()
            self.lines[-1].append((bits, f"{text} {data.strip()}".strip()))


def drawn(data: bytes) -> list[list[tuple[int, str]]]:
    return Lines(inspect(data)._repr_html_()).lines[1:]


def test_the_hello_of_the_rfc_is_three_lines():
    assert drawn(bytes.fromhex("818537fa213d7f9f4d5158")) == [
        [
            (1, "FIN 1"),
            (3, "RSV1-3 000"),
            (4, "opcode 0001 text"),
            (1, "MASK 1"),
            (7, "payload length 0000101"),
            (16, "masking key 37 fa"),
        ],
        [(16, "masking key (continued) 21 3d"), (16, "masked payload 7f 9f  He")],
        [(24, "masked payload (continued) 4d 51 58  llo"), (8, "")],
    ]


@pytest.mark.parametrize("example", named(FRAMES))
def test_every_line_has_32_bits_and_every_field_as_many_as_in_the_rfc(example):
    lines = drawn(example.wire)
    header, size = parse_header(example.wire)
    assert {sum(bits for bits, _ in line) for line in lines} == {32}
    named_bits = {}
    for bits, words in (cell for line in lines for cell in line):
        name = next(
            (name for name in ("masking key", "extended length", "payload length") if words.startswith(name)), ""
        )
        named_bits[name] = named_bits.get(name, 0) + bits
    assert named_bits.get("masking key", 0) == (32 if header.masking_key else 0)
    assert named_bits.get("extended length", 0) == 8 * (size - 2) - named_bits.get("masking key", 0)
    assert named_bits["payload length"] == 7


def test_what_is_illegal_is_said_in_its_cell():
    words = [text for line in drawn(b"\xb3\x00") for _, text in line]
    assert [text for text in words if "illegal" in text] == ["illegal: RSV1-3 011", "illegal: opcode 0011 reserved"]


def test_the_end_of_a_long_payload_is_left_out_and_told():
    source = inspect(serialize_frame(Frame(Opcode.TEXT, b"<&>" * 100)))._repr_html_()
    assert "… 268 more bytes" in source
    assert "&lt;&amp;&gt;" in source
    assert_is_well_formed(source)
