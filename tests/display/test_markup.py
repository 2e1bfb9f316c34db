"""What a peer or a file says is text in every view: it is neither HTML to a notebook nor a command to a terminal."""

import pytest
from support.all_views import pictures, recorded, views
from support.heads_and_frames import close_frame, request, response, text
from support.markup import Elements

from wslab import Direction, Frame, Opcode, serialize_frame
from wslab.display.figures.canvas import LEFT_TO_RIGHT

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
MARKUP = "<img/src=x/onerror=alert(1)>\"'><script>alert(2)</script>&lt;b&gt;"
COMMANDS = "\x1b[2J\x1b]0;title\x07\x9b31m\r\x08\u202e\u2028"
IN_A_HEAD = COMMANDS.encode("latin-1", "ignore").decode("latin-1").replace("\r", "").replace("\x1b", "\x9b") + MARKUP


def conversations(words):
    """The words wherever a peer can put them; some of these heads nobody accepts."""
    lines = [f"X-{words}: a", f"X: {words}", f"Origin: {words}", f"User-Agent: {words}", f"{words}"]
    lines += [f"Sec-WebSocket-Protocol: {words}", f"Sec-WebSocket-Extensions: permessage-deflate; {words}"]
    for line in lines:
        yield recorded(request(more=(line,)), response(line))
    yield recorded(request(f"GET /{words} HTTP/1.1"), response(status=f"101 {words}"))
    yield recorded(request(f"GET / {words}"), response(status=f"403 {words}") + words.encode())
    yield recorded(request(Sec_WebSocket_Key=words, Sec_WebSocket_Version=words, Host=words), response())
    yield recorded(words.encode(), words.encode())


def messages():
    words = COMMANDS + MARKUP
    frames = [(UP, text(words)), (DOWN, serialize_frame(Frame(Opcode.TEXT, words.encode())))]
    frames += [(DOWN, serialize_frame(close_frame(1000, words[:100]))), (UP, b"\x8f\x80abcd" + words.encode())]
    recording = recorded(request(), response(), frames=frames)
    for name in "send", "receive", "unreachable", "connect":
        recording.mark(1, UP, name, words)
    return recording


RECORDINGS = [*conversations(MARKUP), *conversations(IN_A_HEAD), messages()]
OURS = {
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "b",
    "br",
    "wbr",
    "p",
    "div",
    "pre",
    "details",
    "summary",
}


@pytest.mark.parametrize("recording", RECORDINGS, ids=range(len(RECORDINGS)))
def test_no_view_of_it_has_an_element_or_a_control_character_of_a_peer(recording):
    for name, shown in [*views(recording), *pictures(recording)]:
        # What is drawn or written as text may say <img ...>; as HTML it must not have such an element.
        html = shown[shown.index("<table") :] if "<table" in shown else ""
        assert {tag for tag, _ in Elements(html).found} <= OURS, name
        assert shown.replace("\n", "").replace(LEFT_TO_RIGHT, "").isprintable(), name


def test_the_markup_is_found_where_nothing_is_escaped():
    assert {tag for tag, _ in Elements(MARKUP).found} == {"img", "script"}
