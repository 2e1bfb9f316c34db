"""browser: the reader's own browser against the learner's server, or the recorded bytes of one."""

import re
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

from wslab.browser.console import BrowserConsole, BrowserRun
from wslab.browser.report import BrowserEvent
from wslab.exercises.judges.finding import Finding, joined, said_in
from wslab.exercises.judges.line import Line
from wslab.exercises.judges.sides import found_by, learners_server
from wslab.exercises.judges.watch import Broken, Waited, Watch
from wslab.protocol.codec import Codec
from wslab.protocol.frames import Frame, parse_frame, serialize_frame
from wslab.protocol.http import parse_response
from wslab.protocol.states import Direction, Role
from wslab.recording.recording import Recording

NAME = "a browser"
RECORDED = "send-in-all-states.pcapng"  # Chromium sends a text, gets it back and closes
HERE = Path("recordings")
LESSONS = Path(__file__).parents[3] / "notebooks" / "recordings"
MISSING = f"no browser shows this notebook, and recordings/{RECORDED} is not here; open the lesson in JupyterLab"
SECONDS = 5.0
SCRIPT = """
const messages = ["Hello", "", "é".repeat(63), "WebSocket ".repeat(7000)];
const socket = new WebSocket(url);
let echoed = 0;
socket.onopen = () => messages.forEach((message) => socket.send(message));
socket.onmessage = (event) => {
  log(`${event.data === messages[echoed]}`);
  echoed += 1;
  if (echoed === messages.length) socket.close(1000, "bye");
};
socket.onclose = () => done();
"""
SENT = 4  # messages in the script


def find_recording(name: str = RECORDED) -> Path | None:
    """A recording of Chromium, beside the notebook or where the lessons come from."""
    return next((folder / name for folder in (HERE, LESSONS) if (folder / name).is_file()), None)


def judge_by_recording(codec: Codec) -> Finding:
    """Send what Chromium has sent, and see that its every frame is answered as it was then."""
    path = find_recording()
    if path is None:
        return Finding(NAME, missing=MISSING)
    watch, lines, recording = Watch(codec), list[Line](), Recording.load(path)
    broken = found_by(watch, partial(_replay, recording, watch, lines))
    said = joined(lines[-1].said) if broken and lines else ()
    return Finding(NAME, broken, said=said, note=f"a recording of {_name_in(recording)}, replayed")


def _name_in(recording: Recording) -> str:
    """The browser and its version, as its request says."""
    found = re.search(rb"Chrome/(\d+)", recording.bytes_sent(1, Direction.CLIENT_TO_SERVER))
    return f"Chromium {found[1].decode()}" if found else "a browser"


def _replay(recording: Recording, watch: Watch, lines: list[Line]) -> None:
    request, frames = _read(recording, Direction.CLIENT_TO_SERVER)
    response, due = _read(recording, Direction.SERVER_TO_CLIENT)
    with (
        learners_server(watch, Recording(), deflate=False) as server,
        socket.create_connection(("127.0.0.1", server.port)) as sock,
    ):
        line = Line(sock, Role.SERVER)
        lines.append(line)
        line.send([request])
        answer, _ = parse_response(response) or (None, 0)
        got = line.receive_response()
        if answer is None or got.status != answer.status:
            raise Broken(f"your server answered {got.status}, where the browser had an agreement")
        for name in ("Upgrade", "Connection", "Sec-WebSocket-Accept"):
            if got.headers.get(name) != answer.headers.get(name):
                raise Broken(f"your server answered {name}: {got.headers.get(name)}, not {answer.headers.get(name)}")
        for frame, answered in zip(frames, due, strict=True):
            line.send([serialize_frame(frame, frame.masking_key)])
            line.expect(answered)
        line.expect_end()


def _read(recording: Recording, direction: Direction) -> tuple[bytes, list[Frame]]:
    """The head and the frames that one side of the recorded connection has sent."""
    head, mark, rest = recording.bytes_sent(1, direction).partition(b"\r\n\r\n")
    frames = []
    while found := parse_frame(rest):
        frames.append(found[0])
        rest = rest[found[1] :]
    return head + mark, frames


def judge_live(codec: Codec, show: Callable[[BrowserRun], object]) -> Finding | None:
    """Let the browser in which `show` puts a box talk to the learner's server; None if none comes."""
    watch, wires = Watch(codec), list[Recording]()
    broken = found_by(watch, partial(_let_browser_talk, show, watch, wires))
    if not wires:
        return None
    return Finding(NAME, broken, said=said_in(wires[0]) if broken else (), note="your own")


def _let_browser_talk(show: Callable[[BrowserRun], object], watch: Watch, wires: list[Recording]) -> None:
    recording = Recording()
    with learners_server(watch, recording, deflate=True) as server:
        console = BrowserConsole(server)
        run = console.run(SCRIPT, "judge")
        show(run)
        run.wait(SECONDS)
        if not run.run.is_claimed:
            return
        wires.append(console.wire())
        if not run.run.is_done:
            raise Waited(f"the browser was not done within {SECONDS:g} s: {_count(run.events)} texts had come back")
        _judge_events(run.events)


def _count(events: list[BrowserEvent]) -> int:
    return sum(event["what"] == "log" and event["text"] == "true" for event in events)


def _judge_events(events: list[BrowserEvent]) -> None:
    closes = [event for event in events if event["what"] == "close"]
    if not any(event["what"] == "open" for event in events):
        raise Broken("the browser did not take your server's answer for an agreement: the socket has not opened")
    if _count(events) < SENT:
        code = closes[0]["code"] if closes else 1006
        raise Broken(f"{_count(events)} of {SENT} texts came back; then the socket closed with {code}")
    if not closes or not closes[0]["wasClean"]:
        raise Broken("your server did not answer the browser's close frame: wasClean is false")
