"""draw_one_page: a sheet of A4 that can be read in print, says what wslab does, and is drawn anew by one command."""

import re
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from draw_one_page import FOLDER, PDF, PNG, write_one_page
from PIL import Image
from support.figures import keeps_the_rules

from wslab import CloseCode, Opcode, ProtocolError, State, draw_one_page, parse_header
from wslab.display.figures import one_page_facts as facts
from wslab.protocol.errors import is_valid_close_code
from wslab.protocol.handshake import check_request, check_response
from wslab.protocol.http import parse_request, parse_response

A4 = (8.27, 11.69)  # inches
SMALLEST = 7.0  # points
MOST_BYTES = 200_000
ROOT = FOLDER.parents[1]


def head(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def test_it_is_a_sheet_of_a4_on_which_nothing_overlaps_and_everything_is_large_enough():
    page = draw_one_page()

    assert tuple(page.figure.get_size_inches().round(2)) == A4
    keeps_the_rules(page, width=A4[0])
    texts = page.figure.axes[0].texts
    assert min(text.get_fontsize() for text in texts) >= SMALLEST
    assert {text.get_fontfamily()[0] for text in texts if text.get_text()} == {"DejaVu Sans", "DejaVu Sans Mono"}


def test_whatever_the_picture_says_the_text_says_too():
    page = draw_one_page()

    said = re.sub(r"\s+", " ", repr(page))
    drawn = {text.get_text() for text in page.figure.axes[0].texts} - {str(bit) for bit in range(8)}
    names = {"first two", "masking key", "payload", "from the client", "from the server", "RFC 6455, RFC 7692", ""}
    assert {words for words in drawn - names if words not in said} == {"Close codes (§7.4), and who may send them"}


def test_its_handshake_is_one_that_wslab_accepts():
    request, _ = parse_request(head(facts.request_lines()))
    response, _ = parse_response(head(facts.response_lines()))

    check_request(request)
    check_response(response, request)


@pytest.mark.parametrize("form", facts.length_forms(), ids=str)
def test_each_form_of_a_length_is_the_only_legal_one_from_its_first_to_its_last(form):
    field = "{:02x}"
    for length in (form.first, form.last):
        seven = length if form.extended_size == 0 else form.seven_bits
        data = bytes.fromhex("82" + field.format(seven)) + length.to_bytes(form.extended_size or 1, "big")
        header, used = parse_header(data[: 2 + form.extended_size])
        assert (header.payload_length, used) == (length, form.header_size)

    if form.extended_size:
        with pytest.raises(ProtocolError):
            parse_header(bytes([0x82, form.seven_bits]) + (form.first - 1).to_bytes(form.extended_size, "big"))
    if form.last == 2**63 - 1:
        with pytest.raises(ProtocolError):
            parse_header(bytes([0x82, form.seven_bits]) + (form.last + 1).to_bytes(form.extended_size, "big"))


def test_it_has_all_opcodes_close_codes_and_states():
    assert [int(number, 16) for number, name, _ in facts.opcode_rows() if name != "reserved"] == list(Opcode)
    assert [number for number, name, _ in facts.opcode_rows() if name == "reserved"] == ["3-7", "b-f"]
    codes = {int(code): who for code, _, who in facts.close_code_rows() if code.isdigit()}
    assert list(codes) == list(CloseCode)
    assert {code for code, who in codes.items() if who.startswith("nobody")} == {1005, 1006, 1015}
    for first, last, _ in facts.OWN_CODES:
        assert is_valid_close_code(first)
        assert is_valid_close_code(last)
    assert {row[0] for row in facts.state_rows()} == {f"{state.value} {state.name}" for state in list(State)[:-1]}


def test_the_command_draws_the_page_that_is_there(tmp_path):
    command = [sys.executable, ROOT / "tests", "onepage", tmp_path]
    subprocess.run(command, check=True, timeout=100)

    with Image.open(FOLDER / PNG) as there, Image.open(tmp_path / PNG) as fresh:
        assert there.size == fresh.size
        one, other = (numpy.asarray(picture.convert("L"), dtype=int) for picture in (there, fresh))
    assert abs(one - other).mean() < 1  # of 255; edges of letters may differ in another version of matplotlib
    assert (FOLDER / PNG).stat().st_size < MOST_BYTES


def test_the_pdf_is_one_page_without_a_date_and_the_same_each_time(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        write_one_page(folder)

    one, other = ((folder / PDF).read_bytes() for folder in folders)
    assert one == other
    for pdf in (one, Path(FOLDER / PDF).read_bytes()):
        assert b"Date" not in pdf
        assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
        assert re.search(rb"/MediaBox \[ 0 0 595\.\d+ 841\.\d+ \]", pdf)
