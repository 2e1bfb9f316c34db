"""record_by_hand: calls, then reads cut where one wants, and the same bytes whatever the cut."""

import pytest

import wslab
from wslab.labs.by_hand import record_by_hand

UP = wslab.Direction.CLIENT_TO_SERVER
FRAGMENTS = [("one ", False), ("message", False), ("!", True)]


def reads(recording):
    return [chunk.data for chunk in recording.chunks if chunk.direction is UP][1:]  # without the handshake


@pytest.mark.parametrize(("cut", "sizes"), [(7, [7, 7, 7, 7, 2]), (30, [30]), (1000, [30]), (1, [1] * 30)])
def test_the_reads_are_cut_where_one_wants(cut, sizes):
    assert [len(data) for data in reads(record_by_hand(FRAGMENTS, cut))] == sizes


def test_the_bytes_are_those_of_a_client_that_makes_the_calls():
    data = b"".join(reads(record_by_hand(FRAGMENTS, 7)))
    server = wslab.Protocol("server", state=wslab.State.OPEN)
    assert server.receive_data(data) == [wslab.Text("one message!")]


def test_a_call_is_named_after_what_a_program_would_call():
    calls = record_by_hand([*FRAGMENTS, ("two", True)], 7).calls
    assert [call.name for call in calls] == ["send_fragment"] * 3 + ["send"]
