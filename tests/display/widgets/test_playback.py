"""playback: each step of a recorded conversation, with the bytes and the states of both ends after it."""

import itertools

from support.heads_and_frames import GREETING, deflated, masked, request, response, text
from support.recordings import BYE_DOWN, BYE_UP, DOWN, HANDSHAKE, UP, recorded

from wslab import Frame, Opcode, Recording, Role, State, serialize_frame
from wslab.display.widgets.playback import LOOKED_AT, MOST_COMPLETED, MOST_FRAMES, EndpointState, Playback

CLIENT, SERVER = Role.CLIENT, Role.SERVER


def states(playback: Playback) -> list[str]:
    return [" ".join(endpoint.state.name for endpoint in moment.endpoints.values()) for moment in playback.moments]


def completed(playback: Playback) -> list[tuple[str, ...]]:
    return [moment.completed for moment in playback.moments]


def test_a_conversation_from_the_handshake_to_the_end():
    recording = recorded(*HANDSHAKE, (1, UP, text("Hello")), (1, DOWN, BYE_DOWN), (1, UP, BYE_UP))
    playback = Playback(recording, 1)
    assert [(moment.time, moment.what) for moment in playback.moments] == [
        (0, f"{len(request())} bytes, client → server"),
        (1, f"{len(response())} bytes, server → client"),
        (2, "11 bytes, client → server"),
        (3, "4 bytes, server → client"),
        (4, "8 bytes, client → server"),
    ]
    assert completed(playback) == [
        ("GET / HTTP/1.1",),
        ("HTTP/1.1 101 Switching Protocols",),
        ('text "Hello"',),
        ("close 1000",),
        ("close 1000",),
    ]
    assert states(playback) == ["CONNECTING CONNECTING", *["OPEN OPEN"] * 2, *["CLOSING CLOSING"] * 2]


def test_bytes_wait_until_a_frame_is_complete():
    hello = text("Hello")
    playback = Playback(recorded(*HANDSHAKE, (1, UP, hello + hello[:3]), (1, UP, hello[3:])), 1)
    head = len(request())
    assert [moment.endpoints[CLIENT] for moment in playback.moments[1:]] == [
        EndpointState(State.OPEN, used=head),
        EndpointState(State.OPEN, used=head + 11, waiting=3, preview="81 85 37"),
        EndpointState(State.OPEN, used=head + 22),
    ]
    assert playback.moments[2].endpoints[CLIENT].sent == head + 14
    assert playback.moments[2].endpoints[SERVER] == EndpointState(State.OPEN, used=len(response()))


def test_many_bytes_that_wait_are_shown_in_short():
    playback = Playback(recorded(*HANDSHAKE, (1, UP, text("x" * 100)[:-1])), 1)
    assert playback.moments[-1].endpoints[CLIENT].preview.count(" ") == 24
    assert playback.moments[-1].endpoints[CLIENT].preview.endswith(" …")


def test_a_head_that_is_not_complete_is_shown_by_its_first_line_without_secrets():
    start = request("GET /?token=sesame HTTP/1.1", more=("Cookie: a=sesame",))
    playback = Playback(
        recorded((1, UP, start[:9]), (1, UP, start[9:17]), (1, UP, start[17:-2]), (1, UP, start[-2:])), 1
    )
    assert [moment.endpoints[CLIENT].preview for moment in playback.moments] == [
        "GET /?tok",
        "GET /?token=xxxxx",
        "GET /?token=xxxxxx HTTP/1.1 …",
        "",
    ]
    assert "sesame" not in str(playback.moments)


def test_frames_that_come_before_the_answer_wait_for_it():
    playback = Playback(recorded((1, UP, request() + text("early") + b"\x81"), (1, DOWN, response())), 1)
    before, after = (moment.endpoints[CLIENT] for moment in playback.moments)
    assert (before.waiting, before.preview) == (12, "not to be read before the answer")
    assert (after.waiting, after.preview) == (1, "81")
    assert playback.moments[1].completed[1] == 'text "early"'


def test_a_message_in_several_frames_is_told_with_its_last_one():
    frames = [masked(Opcode.TEXT, b"Hel", fin=False), masked(Opcode.PING), masked(Opcode.CONTINUATION, b"lo")]
    playback = Playback(recorded(*HANDSHAKE, *[(1, UP, frame) for frame in frames], (1, UP, text("one"))), 1)
    assert completed(playback)[2:] == [
        ('text "Hel" (more to come)',),
        ("ping",),
        ('continuation "lo"', "a text message of 5 bytes in 2 frames"),
        ('text "one"',),
    ]


def test_calls_stand_before_what_they_send_and_behind_what_they_receive():
    recording = Recording(clock=lambda: 0.0)
    for chunk in HANDSHAKE:
        recording.add(*chunk)
    recording.mark(1, UP, "send", "'Hello'")
    recording.add(1, DOWN, GREETING)
    recording.mark(1, DOWN, "receive", "'Welcome'")
    playback = Playback(recording, 1)
    first, *_, last = playback.moments
    assert first.what == "client calls send('Hello')"
    assert last.what == "client gets from receive(): 'Welcome'"


def test_a_clock_that_is_set_back_changes_no_order():
    times = iter([10.0, 11.0, 5.0, 6.0])
    recording = Recording(clock=times.__next__)
    for chunk in [*HANDSHAKE, (1, UP, text("one")), (1, UP, text("two"))]:
        recording.add(*chunk)
    assert [(moment.time, moment.completed[0]) for moment in Playback(recording, 1).moments[2:]] == [
        (1.0, 'text "one"'),
        (1.0, 'text "two"'),
    ]


def test_only_the_end_of_tcp_in_both_directions_closes():
    recording = recorded(*HANDSHAKE)
    recording.mark(1, DOWN, "end")
    recording.mark(1, UP, "end")
    assert states(Playback(recording, 1))[1:] == ["OPEN OPEN", "OPEN OPEN", "CLOSED CLOSED"]


def test_a_reset_closes_at_once_and_so_does_a_server_that_cannot_be_reached():
    for name, what in (("reset", "client resets TCP"), ("unreachable", "the server cannot be reached: refused")):
        recording = recorded(HANDSHAKE[0])
        recording.mark(1, UP, name, "refused")
        playback = Playback(recording, 1)
        assert playback.moments[-1].what == what
        assert states(playback) == ["CONNECTING CONNECTING", "CLOSED CLOSED"]


def test_a_refusal_opens_nothing_and_what_follows_is_not_read():
    refusal = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"
    playback = Playback(recorded(HANDSHAKE[0], (1, DOWN, refusal), (1, DOWN, b"Go away.\n"), (1, UP, b"sesame")), 1)
    assert states(playback) == ["CONNECTING CONNECTING"] * 4
    last = playback.moments[-1].endpoints
    assert last[SERVER] == EndpointState(State.CONNECTING, used=len(refusal), unread=9)
    assert last[CLIENT] == EndpointState(State.CONNECTING, used=len(request()), unread=6)


def test_a_refusal_that_leaves_the_connection_open_may_be_followed_by_an_upgrade():
    refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 20\r\n\r\n"
    body = [(1, DOWN, b'{"token":"se'), (1, DOWN, b'same"}\r\n')]
    playback = Playback(recorded(HANDSHAKE[0], (1, DOWN, refusal), *body, *HANDSHAKE, (1, DOWN, GREETING)), 1)
    assert states(playback) == ["CONNECTING CONNECTING"] * 5 + ["OPEN OPEN"] * 2
    assert playback.moments[2].endpoints[SERVER] == EndpointState(
        State.CONNECTING, len(refusal), 12, preview='{"token":"xx'
    )
    assert playback.moments[3].completed == ("a body of 20 bytes",)
    assert playback.moments[-1].completed == ('text "Welcome"',)


def test_an_answer_that_a_client_must_refuse_opens_only_the_server():
    wrong = response().replace(b"s3pPLMBi", b"AAAAAAAA")
    assert states(Playback(recorded(HANDSHAKE[0], (1, DOWN, wrong)), 1))[-1] == "CONNECTING OPEN"


def test_an_illegal_close_frame_closes_only_the_side_that_sends_it():
    half = serialize_frame(Frame(Opcode.CLOSE, b"\x03"))
    assert states(Playback(recorded(*HANDSHAKE, (1, DOWN, half)), 1))[-1] == "OPEN CLOSING"


def test_behind_an_illegal_header_one_side_is_not_read_and_the_other_is():
    playback = Playback(recorded(*HANDSHAKE, (1, UP, b"\x83\x00" + bytes(20)), (1, DOWN, GREETING)), 1)
    assert playback.moments[-1].completed == ('text "Welcome"',)
    assert playback.moments[-1].endpoints[CLIENT].unread > 0
    assert playback.moments[-1].endpoints[CLIENT].waiting == 0


def test_compressed_frames_are_read_as_the_handshake_says():
    agreed = response("Sec-WebSocket-Extensions: permessage-deflate")
    offered = request(more=("Sec-WebSocket-Extensions: permessage-deflate",))
    frame = serialize_frame(Frame(Opcode.TEXT, deflated(b"Hello"), rsv1=True))
    playback = Playback(recorded((1, UP, offered), (1, DOWN, agreed), (1, DOWN, frame)), 1)
    assert completed(playback)[-1] == ('text "Hello" (compressed to 7 bytes)',)


def test_a_playback_is_of_one_connection_and_has_no_more_steps_than_asked_for():
    chunks = [(number, *chunk[1:]) for chunk, number in itertools.product(HANDSHAKE, (1, 2))]
    recording = recorded(*chunks, *[(2, DOWN, GREETING)] * 10)
    playback = Playback(recording, 2, most=5)
    assert (len(Playback(recording, 1).moments), len(playback.moments), playback.remaining) == (2, 5, 7)


def test_every_byte_is_used_waiting_or_not_read():
    recording = recorded(*HANDSHAKE, (1, UP, text("Hello")), (1, UP, b"\x89"), (1, UP, b"\x7f\x00\x00"))
    sizes = itertools.accumulate(len(chunk.data) for chunk in recording.chunks)
    moments = Playback(recording, 1).moments
    assert [sum(endpoint.sent for endpoint in moment.endpoints.values()) for moment in moments] == list(sizes)


def test_an_empty_recording_has_no_moments():
    assert Playback(Recording(), 1).moments == ()


def test_of_a_read_with_very_many_frames_the_first_are_told_and_the_others_counted():
    playback = Playback(recorded(*HANDSHAKE, (1, DOWN, b"\x89\x00" * 100)), 1)

    assert completed(playback)[-1] == (*["ping"] * MOST_COMPLETED, f"and {100 - MOST_COMPLETED} more")


def test_a_playback_ends_when_its_moments_have_very_many_frames_in_them():
    pings = [(1, DOWN, b"\x89\x00" * (MOST_FRAMES // 4))] * 8
    recording = recorded(*HANDSHAKE, *pings)
    playback = Playback(recording, 1)

    assert (len(playback.moments), playback.count, playback.remaining) == (6, 10, 4)
    later = Playback(recording, 1, start=6)
    assert list(later.numbers) == [7, 8, 9, 10]
    assert later.moments[-1].endpoints[Role.SERVER].used == sum(len(data) for _, _, data in pings) + len(
        HANDSHAKE[1][2]
    )


def test_a_head_that_drips_in_is_looked_at_up_to_its_first_line():
    head = b"GET /?token=sesame&x=" + b"x" * 4 * LOOKED_AT
    playback = Playback(recorded(*((1, UP, head[at : at + 100]) for at in range(0, len(head), 100))), 1)

    assert playback.moments[-1].endpoints[Role.CLIENT].preview == playback.moments[2].endpoints[Role.CLIENT].preview
    assert "sesame" not in playback.moments[-1].endpoints[Role.CLIENT].preview
