"""Lesson 12, the browser's WebSocket: three_echoes, a script, judged by what a browser reports of it."""

import random
from collections.abc import Callable, Iterator
from functools import partial

from wslab.browser.report import BrowserEvent
from wslab.exercises.checks.exercise import Aspect, Case, Exercise
from wslab.exercises.judges.scripts import Ran, forget_late, run_in_browser
from wslab.exercises.solutions.three_echoes import three_echoes

NAME = "three-echoes"
COUNT, CODE = 3, 4001
Judge = Callable[[Ran], str]


def _sends(ran: Ran) -> list[BrowserEvent]:
    return [event for event in ran.events if event["what"] == "send()" and "threw" not in event]


def _judge_open(ran: Ran) -> str:
    events = ran.events
    opened = sum(event["what"] == "new WebSocket()" and "threw" not in event for event in events)
    early = next((event for event in events if event["what"] == "send()" and "threw" in event), None)
    if not opened:
        return "No WebSocket was opened: new WebSocket(url) does it."
    if opened > 1:
        return f"{opened} sockets were opened; one is enough for three texts."
    if early is not None:
        return (
            f"send() threw {early['threw']}: the socket was still CONNECTING. Wait for the event open, not for a time."
        )
    return "" if _sends(ran) else "Nothing was sent: a handler of the event open calls send()."


def _judge_texts(ran: Ran) -> str:
    sends = _sends(ran)
    if any("data" not in event for event in sends):
        return "Not all that was sent is text: send() makes a text message of a string, and of nothing else."
    if len(sends) != COUNT:
        return f"Texts that were sent: {len(sends)}; three were asked for."
    echoes = sum(event["what"] == "message" for event in ran.events)
    return "" if echoes == COUNT else f"Echoes that came back before the end: {echoes} of three."


def _judge_close(ran: Ran) -> str:
    names = [event["what"] for event in ran.events]
    closed = next((event for event in ran.events if event["what"] == "close()"), None)
    if closed is None:
        return "close() was not called."
    if "threw" in closed:
        return f"close() threw {closed['threw']}: it takes a code, 1000 or 3000 to 4999, and then perhaps a reason."
    before = names[: names.index("close()")].count("message")
    if before != COUNT:
        return f"Echoes that had come when close() was called: {before}; it belongs after the third."
    if closed.get("code") != CODE:
        return f"close() was called with {closed.get('code', 'no code')}; {CODE} was asked for."
    if "close" not in names:
        return "The event close was not reported: done() belongs into its handler, not before."
    return "" if ran.is_done else "All is over, and nobody said so: the handler of the event close calls done()."


def _judge(judge: Judge, script: object) -> str:
    if not isinstance(script, str):
        return f"A script is text (str), not {type(script).__name__}."
    ran = run_in_browser(script, NAME)
    fault = judge(ran)
    return f"{fault} {ran.told}" if fault else ""


def _asked_first(judge: Judge, source: random.Random) -> Iterator[Case]:
    forget_late()
    yield from _asked(judge, source)


def _asked(judge: Judge, _source: random.Random) -> Iterator[Case]:
    yield Case("the script in a browser", judge=partial(_judge, judge), given="a live echo server")


EXERCISES = (
    Exercise(
        "three_echoes",
        "12-the-browsers-websocket",
        "three_echoes() -> str",
        "Return a script for the browser console of lesson 12, where `url`, `log`, `until` and `done` are known. It "
        "opens one WebSocket to `url`, waits for the event `open`, sends three texts, and after the third echo closes "
        "with the code 4001. When the event `close` has come, it calls `done()`.\n\n"
        "The check lets a browser run it and reads the events that the browser reports: yours, in a box under the "
        "cell, where JupyterLab shows this notebook; else a Chromium, Chrome or Edge of this machine, unseen.",
        "`const s = new WebSocket(url); s.onopen = () => s.close(); s.onclose = done;` opens and closes.",
        (
            Aspect("waits for open", 2, "WHATWG, the method send()", partial(_asked_first, _judge_open)),
            Aspect("three texts and their echoes", 2, "RFC 6455 §5.6", partial(_asked, _judge_texts)),
            Aspect("closes with 4001 after the third echo", 2, "RFC 6455 §7.4.2", partial(_asked, _judge_close)),
        ),
        (
            "Nothing has happened yet when `new WebSocket(url)` returns. Which event says that you may send?",
            "Count the echoes in `onmessage`: a variable outside of the handler, `let echoes = 0;`, keeps the number.",
            "socket.onopen = () => …send three times…; socket.onmessage = () => { echoes += 1; if (…) "
            "socket.close(4001); }; socket.onclose = () => done();",
        ),
        three_echoes,
        (),
        draws=False,
    ),
)
