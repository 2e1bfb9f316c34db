"""presets: a server answers each legal one, and refuses each of the others for the rule that its name tells."""

import pytest
from support.raw_peer import live_server
from support.waiting import PATIENCE

from wslab.display.widgets.presets import ILLEGAL, LEGAL, NONE, PRESETS
from wslab.display.widgets.raw_frame import RawFrame

ALONE = [name for name in LEGAL if "last fragment" not in name and "compressed" not in name]
REASONS = {
    "no mask": "a frame from a client without a mask",
    "RSV2 is set": "reserved bit",
    "RSV3 is set": "reserved bit",
    "a reserved opcode": "opcode 0x3 is reserved",
    "a length in too long a form": "shortest form",
    "a length of 2 to the 63rd": "most significant bit",
    "a ping of 126 bytes": "more than 125 bytes",
    "a ping in fragments": "fragmented ping",
    "a close frame with 1005": "must not be sent",
    "a close frame with half a code": "half a close code",
    "a text that is not UTF-8": "not UTF-8",
}


@pytest.mark.parametrize("name", ALONE)
def test_a_server_takes_the_legal_ones(name):
    with live_server() as server:
        assert LEGAL[name].send(server.url, patience=PATIENCE).close_code == 1000


@pytest.mark.parametrize("name", ILLEGAL)
def test_a_server_refuses_the_others(name):
    with live_server() as server:
        answer = ILLEGAL[name].send(server.url, patience=PATIENCE)
    assert answer.close_code == (1007 if "UTF-8" in name else 1002)
    assert REASONS[name] in answer.close_reason


def test_all_can_be_written_as_bytes_and_read_again():
    frames = [frame for name, frame in PRESETS.items() if name != NONE]
    assert [RawFrame.from_bytes(frame.to_bytes()) for frame in frames] == frames
    assert len(frames) == len(LEGAL) + len(ILLEGAL)
