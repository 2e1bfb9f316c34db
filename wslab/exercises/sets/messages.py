"""Lesson 09, messages: join_messages (RFC 6455 §5.4, §5.6)."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Any

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Mistake
from wslab.exercises.sets.inputs import KINDS, some_bytes, some_text
from wslab.exercises.solutions.join_messages import join_messages
from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import Frame, Opcode

SECTION, UTF8 = "RFC 6455 §5.4", "RFC 6455 §8.1"
CONTROL = (Opcode.PING, Opcode.PONG, Opcode.CLOSE)


def fragments(opcode: Opcode, *payloads: bytes, ends: bool = True) -> list[Frame]:
    """A message in so many frames; without an end, more are to come."""
    last = len(payloads) - 1 if ends else len(payloads)
    return [Frame(opcode if n == 0 else Opcode.CONTINUATION, it, fin=n == last) for n, it in enumerate(payloads)]


def told(situation: str, frames: list[Frame]) -> Case:
    """A list of frames, in words."""
    return Case(situation, (frames,))


def whole(source: random.Random) -> Iterator[Case]:
    """Messages of one frame."""
    yield told("one text", fragments(Opcode.TEXT, b"Hello"))
    text, data = some_text(source, 8), some_bytes(source, 8)
    yield told("a text and a binary message", [*fragments(Opcode.TEXT, text.encode()), *fragments(Opcode.BINARY, data)])
    yield told("an empty text and an empty binary message", [Frame(Opcode.TEXT), Frame(Opcode.BINARY)])
    yield told("a binary message that is no UTF-8", fragments(Opcode.BINARY, b"\xff\xfe"))
    yield told("a text with blanks and line ends", fragments(Opcode.TEXT, b" \r\ne\xcc\x81\0\r\n \0"))
    yield told("a text that begins with U+FEFF", fragments(Opcode.TEXT, "\ufeffHello".encode()))


def in_fragments(source: random.Random) -> Iterator[Case]:
    """Messages of several frames."""
    yield told("Hello in two frames", fragments(Opcode.TEXT, b"Hel", b"lo"))
    pieces = [some_bytes(source, source.randrange(1, 5)) for _ in range(source.randrange(3, 6))]
    yield told(f"a binary message in {len(pieces)} frames", fragments(Opcode.BINARY, *pieces))
    yield told("an empty last fragment", fragments(Opcode.TEXT, b"Hello", b""))
    yield told("an empty first fragment", fragments(Opcode.BINARY, b"", some_bytes(source, 3)))
    two = [*fragments(Opcode.TEXT, b"a", b"b"), *fragments(Opcode.BINARY, b"c", b"d"), *fragments(Opcode.TEXT, b"e")]
    yield told("three messages, two of them in two frames", two)
    for kind in KINDS:
        frames = [*fragments(Opcode.TEXT, kind(b"Hel"), kind(b"lo")), Frame(Opcode.TEXT, kind(b"Hi"))]
        yield told(f"two messages, and each payload is a {kind.__name__}", frames)


def control_between(source: random.Random) -> Iterator[Case]:
    """Control frames anywhere."""
    for control in CONTROL:
        first, last = fragments(Opcode.TEXT, b"Hel", b"lo")
        between = Frame(control, b"\x03\xe8" if control is Opcode.CLOSE else b"")
        yield told(f"a {control.name.lower()} between two fragments", [first, between, last])
    first, last = fragments(Opcode.BINARY, some_bytes(source, 3), some_bytes(source, 3))
    yield told(
        "pings with a payload around and between", [Frame(Opcode.PING, b"x"), first, Frame(Opcode.PING, b"y"), last]
    )
    yield told(
        "a text between two pongs", [Frame(Opcode.PONG), *fragments(Opcode.TEXT, b"Hi"), Frame(Opcode.PONG, b"z")]
    )


def cut_characters(source: random.Random) -> Iterator[Case]:
    """A border of frames inside a character."""
    yield told("a character of two bytes in two frames", fragments(Opcode.TEXT, b"\xc3", b"\xa9"))
    payload = ("\ufeff" + some_text(source, 3) + "😀é").encode()
    yield told("a text in frames of one byte", fragments(Opcode.TEXT, *(bytes([byte]) for byte in payload)))


def unfinished(source: random.Random) -> Iterator[Case]:
    """What is not complete at the end."""
    done = fragments(Opcode.TEXT, b"done")
    yield told("a message, and the beginning of another", [*done, *fragments(Opcode.TEXT, b"He", ends=False)])
    rest = fragments(Opcode.BINARY, some_bytes(source, 2), some_bytes(source, 2), ends=False)
    yield told("a message, and two fragments of another", [*done, *rest])
    yield told("half a character, and no end", [*done, *fragments(Opcode.TEXT, b"\xc3", ends=False)])
    yield told("no frames", [])


def out_of_order(source: random.Random) -> Iterator[Case]:
    """Continuations without a beginning, beginnings without an end."""
    yield told("one text in two frames", fragments(Opcode.TEXT, b"Hel", b"lo"))
    done, begun = fragments(Opcode.TEXT, b"Hi"), fragments(Opcode.TEXT, b"Hel", ends=False)
    yield told("a continuation, and nothing has begun", [Frame(Opcode.CONTINUATION, b"lo")])
    yield told(
        "a continuation that is not the last, and nothing has begun", [Frame(Opcode.CONTINUATION, b"lo", fin=False)]
    )
    yield told("a continuation after a whole message", [*done, Frame(Opcode.CONTINUATION, some_bytes(source, 2))])
    yield told("a new text inside a message", [*begun, Frame(Opcode.TEXT, b"Hi")])
    yield told("a new binary message inside a text", [*begun, Frame(Opcode.BINARY, b"Hi", fin=False)])
    yield told("a ping, then a new text inside a message", [*begun, Frame(Opcode.PING), Frame(Opcode.TEXT, b"Hi")])


def not_utf8(source: random.Random) -> Iterator[Case]:
    """Bytes that are no text."""
    yield told("good text", fragments(Opcode.TEXT, some_text(source, 5).encode()))
    for bad, what in ((b"\xff", "a byte that never stands in UTF-8"), (b"\xed\xa0\x80", "half of a surrogate pair")):
        yield told(what, fragments(Opcode.TEXT, b"a" + bad))
    yield told("a text that ends inside a character", fragments(Opcode.TEXT, b"ab", b"\xc3"))
    yield told("a byte of Latin-1", fragments(Opcode.TEXT, "Größe".encode("latin-1")))


# Ways to get it wrong


def _join(frames: list[Frame], **ways: Any) -> list[Any]:
    """join_messages in other ways: what each of them does wrong is said where it is used."""
    messages: list[Any] = []
    kind, payload = None, b""
    for frame in frames:
        if frame.opcode >= 8 and not ways.get("control"):
            continue
        if frame.opcode != 0:
            kind = kind if ways.get("first_kind") and kind is not None else frame.opcode
            payload = b""
        payload += frame.payload
        if frame.fin or ways.get("each"):
            messages.append(
                payload.decode(ways.get("encoding", "utf-8"), ways.get("errors", "strict")) if kind == 1 else payload
            )
            payload, kind = b"", kind if ways.get("each") else None
    if ways.get("rest") and payload:
        messages.append(payload.decode(errors="replace") if kind == 1 else payload)
    return messages


def _control_joins(frames: list[Frame]) -> list[Any]:
    """A control frame is one more fragment, and its FIN ends the message."""
    messages: list[Any] = []
    kind, payload = None, b""
    for frame in frames:
        kind = frame.opcode if kind is None else kind
        payload += frame.payload
        if frame.fin:
            messages.append(payload.decode(errors="replace") if kind == 1 else payload)
            kind, payload = None, b""
    return messages


def _decodes_frames(frames: list[Frame]) -> list[Any]:
    kind, ends = None, [n for n, frame in enumerate(frames, 1) if frame.opcode < 8 and frame.fin]
    for frame in frames[: max(ends, default=0)]:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            kind = frame.opcode
        if frame.opcode < 8 and kind == Opcode.TEXT:
            try:
                frame.payload.decode()
            except UnicodeDecodeError:
                raise ProtocolError("not UTF-8", 1007) from None
    return join_messages(frames)


def _open_before(frames: list[Frame]) -> list[bool]:
    """For each frame whether a message has begun before it and not ended."""
    opened = [False]
    for frame in frames:
        opened.append(opened[-1] if frame.opcode >= 8 else not frame.fin)
    return opened[:-1]


def _control_payload_joins(frames: list[Frame]) -> list[Any]:
    joined = [
        replace(frame, opcode=Opcode.CONTINUATION, fin=False) if is_open and frame.opcode >= 8 else frame
        for frame, is_open in zip(frames, _open_before(frames), strict=True)
    ]
    return join_messages(joined)


def _control_forgets(frames: list[Frame]) -> list[Any]:
    kept: list[Frame] = []
    for frame, is_open in zip(frames, _open_before(frames), strict=True):
        while frame.opcode >= 8 and is_open and kept and not kept[-1].fin:
            kept.pop()
        kept.append(frame)
    return join_messages(kept)


def _kind_of_last(frames: list[Frame]) -> list[Any]:
    ends = [frame.opcode for frame in frames if frame.opcode < 8 and frame.fin]
    return [
        it.encode() if isinstance(it, str) and opcode == Opcode.CONTINUATION else it
        for it, opcode in zip(join_messages(frames), ends, strict=True)
    ]


def _until_close(frames: list[Frame]) -> list[Any]:
    return join_messages(list(takewhile(lambda frame: frame.opcode != Opcode.CLOSE, frames)))


def _accepts_anything(frames: list[Frame]) -> list[Any]:
    return _join(frames)


def _all_binary(frames: list[Frame]) -> list[Any]:
    return [it.encode() if isinstance(it, str) else it for it in join_messages(frames)]


def _all_text(frames: list[Frame]) -> list[Any]:
    return [it if isinstance(it, str) else it.decode(errors="replace") for it in join_messages(frames)]


def _control_too(frames: list[Frame]) -> list[Any]:
    return [*join_messages(frames), *(frame.payload for frame in frames if frame.opcode >= 8)]


def _no_empty(frames: list[Frame]) -> list[Any]:
    return [it for it in join_messages(frames) if it]


EXERCISES = (
    Exercise(
        "join_messages",
        "09-messages",
        "join_messages(frames) -> list[str | bytes]",
        "Return the complete messages in a list of frames, text as `str`. Control frames may stand anywhere between,"
        " and are no part of a message. What is not finished at the end is left out. Raise `ProtocolError(reason, "
        "code)`: 1002 for a continuation without a beginning and for a new data frame inside a message, 1007 for "
        "text that is not UTF-8.",
        "`join_messages([Frame(Opcode.TEXT, b'Hel', fin=False), Frame(Opcode.PING), Frame(Opcode.CONTINUATION, "
        "b'lo')])` "
        "is `['Hello']`.",
        (
            Aspect("messages of one frame", 1, "RFC 6455 §5.6", whole),
            Aspect("messages of several frames", 2, SECTION, in_fragments),
            Aspect("control frames between fragments", 2, SECTION, control_between),
            Aspect("a character cut by the border of two frames", 1, "RFC 6455 §5.6", cut_characters),
            Aspect("what is not finished is left out", 1, SECTION, unfinished),
            Aspect("frames out of order are refused: 1002", 1, SECTION, out_of_order),
            Aspect("text that is not UTF-8 is refused: 1007", 1, UTF8, not_utf8),
        ),
        (
            "A ping has FIN set as well. Does it end the message around it?",
            "Keep two things: the kind of the message that has begun (None between messages) and its bytes so far. "
            "Skip "
            "control frames before anything else, and decode only whole messages.",
            "if opcode >= 8: continue; if it is a continuation and kind is None, or no continuation and kind is not "
            "None: "
            "raise ProtocolError(..., 1002); add the payload; if fin: append and set kind = None.",
        ),
        join_messages,
        ("frames",),
        (
            Mistake(
                "A control frame was taken for a fragment: a ping or pong between fragments is no part of the message, "
                "and "
                "its FIN does not end it.",
                _control_joins,
            ),
            Mistake(
                "Each frame came back as a message: a message ends with the frame whose FIN is set.",
                lambda it: _join(it, each=True),
            ),
            Mistake(
                "A single frame need not be UTF-8: a character may be cut by the border of two frames. Decode the "
                "whole message.",
                _decodes_frames,
            ),
            Mistake(
                "The end of the list is not the end of a message: what is not finished is left out.",
                lambda it: _join(it, rest=True),
            ),
            Mistake(
                "Frames out of order, or text that is no UTF-8, went through: they must be refused.", _accepts_anything
            ),
            Mistake(
                "Bad UTF-8 was repaired with replacement characters: it must be refused with 1007.",
                lambda it: _join(it, errors="replace"),
            ),
            Mistake("Bad UTF-8 was left out: it must be refused with 1007.", lambda it: _join(it, errors="ignore")),
            Mistake(
                "The first character, U+FEFF, is lost: it belongs to the text (utf-8, not utf-8-sig).",
                lambda it: _join(it, encoding="utf-8-sig"),
            ),
            Mistake("A text message comes back as str: decode it.", _all_binary),
            Mistake("A binary message comes back as bytes: its opcode says so, decode only text.", _all_text),
            Mistake("Control frames are no messages.", _control_too),
            Mistake("An empty message is a message too.", _no_empty),
            Mistake("The payload of a control frame was joined to the message around it.", _control_payload_joins),
            Mistake(
                "A control frame made it forget the fragments before: the message goes on after it.", _control_forgets
            ),
            Mistake("The first frame says whether a message is text; its continuations do not.", _kind_of_last),
            Mistake("A close frame is passed over here, like any other control frame.", _until_close),
        ),
    ),
)
