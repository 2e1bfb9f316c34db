"""Where frames begin in the pieces of one side, of which nobody has seen the handshake."""

import pytest
from support.heads_and_frames import masked, text

from wslab import Frame, Opcode, serialize_frame
from wslab.protocol.frames import FrameHeader, parse_header
from wslab.recording.log import Gap
from wslab.recording.runs import Run, find_run

HELLO, HI = serialize_frame(Frame(Opcode.TEXT, b"Hello")), text("Hi")


@pytest.mark.parametrize(
    ("pieces", "run"),
    [
        ([HELLO], Run(0, False, 1)),
        ([HI, HI[:3]], Run(0, True, 1)),
        ([b"rest", HELLO, HELLO + HELLO], Run(1, False, 3)),
        ([HELLO[:4]], Run(0, False, 0)),
        ([], Run(0)),
        ([b"rest"], None),
        ([HELLO, Gap(5), b"rest"], Run(0, False, 1)),
        ([b"rest", Gap(5), b"rest", HELLO], Run(3, False, 1)),
        ([b"rest", Gap(5), Gap(6), HELLO[:3], Gap(7), HELLO], Run(5, False, 1)),
        ([HELLO[:3], Gap(7), b"rest"], Run(0, False, 0)),
        ([Gap(5)], None),
    ],
)
def test_a_run_begins_with_a_piece_and_ends_with_the_pieces_or_a_gap(pieces, run):
    assert find_run(pieces) == run


def test_a_run_of_one_side_has_its_masks():
    assert find_run([HELLO, HI], is_masked=True) == Run(1, True, 1)
    assert find_run([HI, HELLO], is_masked=False) == Run(1, False, 1)
    assert find_run([HI], is_masked=False) is None
    assert find_run([masked(Opcode.TEXT, rsv2=True)], is_masked=True) is None


@pytest.mark.parametrize("end", [b"", b"\x83"], ids=["endless", "illegal"])
def test_bytes_that_could_be_frames_are_not_read_again_from_every_piece_on(monkeypatch, end):
    sizes = []

    def counting(data: bytes) -> tuple[FrameHeader, int] | None:
        sizes.append(len(data))
        return parse_header(data)

    monkeypatch.setattr("wslab.recording.runs.parse_header", counting)
    run = find_run([bytes(99)] * 100 + [end])
    assert run is None or not run.ends
    assert 99 * 100 // 2 < len(sizes) < 99 * 100 + 200
