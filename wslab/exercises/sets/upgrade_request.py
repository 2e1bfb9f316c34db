"""Lesson 02, the Upgrade request: wants_websocket, two lists in header lines (RFC 6455 §4.2.1)."""

import random
import re
from collections.abc import Callable, Iterator

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function, Mistake
from wslab.exercises.sets.inputs import any_case, some_name
from wslab.exercises.solutions.wants_websocket import wants_websocket

SECTION = "RFC 6455 §4.2.1"
Lines = list[tuple[str, str]]


def request(source: random.Random, *lines: tuple[str, str]) -> Case:
    """A request with these lines and others around them."""
    around = [("Host", f"{some_name(source)}.example"), ("Sec-WebSocket-Version", "13")]
    both = [*around, *lines]
    source.shuffle(both)
    told = "; ".join(f"{name}: {value}" for name, value in lines) or "neither Upgrade nor Connection"
    return Case(told, (both,))


def plain(source: random.Random) -> Iterator[Case]:
    """As the RFC writes it, and neither line."""
    yield request(source, ("Upgrade", "websocket"), ("Connection", "Upgrade"))
    yield request(source)


def cases_of_letters(source: random.Random) -> Iterator[Case]:
    """Names and tokens in any case."""
    yield request(source, ("upgrade", "WebSocket"), ("CONNECTION", "upgrade"))
    for _ in range(3):
        names = any_case(source, "Upgrade"), any_case(source, "Connection")
        yield request(source, (names[0], any_case(source, "websocket")), (names[1], any_case(source, "Upgrade")))
    yield request(source, (any_case(source, "Upgrade"), "h2c"), ("Connection", "Upgrade"))


def lists(source: random.Random) -> Iterator[Case]:
    """Lists with commas and blanks."""
    yield request(source, ("Upgrade", "websocket, h2c"), ("Connection", "Upgrade, close"))
    yield request(source, ("Upgrade", "websocket"), ("Connection", "keep-alive, Upgrade"))
    yield request(source, ("Upgrade", "websocket"), ("Connection", "close,Upgrade"))
    yield request(source, ("Upgrade", "h2c, websocket"), ("Connection", "Upgrade"))
    yield request(source, ("Upgrade", "h2c,websocket"), ("Connection", "Upgrade ,close"))
    yield request(source, ("Upgrade", " websocket "), ("Connection", f"{some_name(source)} ,\t Upgrade"))
    yield request(source, ("Upgrade", "h2c, foo"), ("Connection", "keep-alive, Upgrade"))


def several_lines(source: random.Random) -> Iterator[Case]:
    """The same name in several lines."""
    websocket, upgrade = ("Upgrade", "websocket"), ("Connection", "Upgrade")
    yield request(source, websocket, ("Connection", "keep-alive"), upgrade)
    yield request(source, websocket, upgrade, ("Connection", "keep-alive"))
    yield Case("two Upgrade lines, websocket first", ([websocket, ("Upgrade", "h2c"), upgrade],))
    yield Case("two Upgrade lines, websocket last", ([("Upgrade", "h2c"), websocket, upgrade],))
    yield Case("two Connection lines, upgrade first", ([websocket, upgrade, ("Connection", "close")],))
    yield Case("two Connection lines, upgrade last", ([websocket, ("Connection", "close"), upgrade],))
    yield request(source, websocket, ("Connection", "keep-alive"), ("Connection", "close"))


def refused(source: random.Random) -> Iterator[Case]:
    """What only looks alike."""
    websocket, upgrade = ("Upgrade", "websocket"), ("Connection", "Upgrade")
    yield request(source, websocket, upgrade)
    yield request(source, websocket)
    yield request(source, upgrade)
    yield request(source, websocket, ("Connection", "close"))
    yield request(source, ("Upgrade", "websockets"), upgrade)
    yield request(source, ("Upgrade", "notwebsocket"), upgrade)
    yield request(source, ("Upgrade", "websocket/13"), upgrade)
    yield request(source, websocket, ("Connection", "no-upgrade"))
    yield request(source, websocket, ("Connection", "keep-alive Upgrade"))
    yield request(source, websocket, ("Connection", "keep-alive; Upgrade"))
    yield request(source, ("Upgrade", "Upgrade"), ("Connection", "websocket"))
    yield request(source, ("X-Upgrade", "websocket"), upgrade)
    yield request(source, ("Upgrade-Insecure-Requests", "websocket"), upgrade)
    yield request(source, websocket, ("Proxy-Connection", "Upgrade"))
    yield Case("no lines at all", ([],))


def _values(headers: Lines, name: str) -> list[str]:
    return [value for found, value in headers if found.lower() == name]


def _whole_value(headers: Lines) -> bool:
    upgrade, connection = _values(headers, "upgrade"), _values(headers, "connection")
    return any(it.lower() == "websocket" for it in upgrade) and any(it.lower() == "upgrade" for it in connection)


def _last_line(headers: Lines) -> bool:
    return wants_websocket([*{name.lower(): (name, value) for name, value in headers}.values()])


def _first_line(headers: Lines) -> bool:
    return _last_line(headers[::-1])


def _substring(headers: Lines) -> bool:
    lines = {name: ",".join(_values(headers, name)).lower() for name in ("upgrade", "connection")}
    return "websocket" in lines["upgrade"] and "upgrade" in lines["connection"]


def _exact_case(headers: Lines) -> bool:
    values = {
        name: [it.strip() for n, v in headers if n == name for it in v.split(",")] for name in ("Upgrade", "Connection")
    }
    return "websocket" in values["Upgrade"] and "Upgrade" in values["Connection"]


def _no_connection(headers: Lines) -> bool:
    return wants_websocket([*headers, ("Connection", "upgrade")])


def _no_upgrade(headers: Lines) -> bool:
    return wants_websocket([*headers, ("Upgrade", "websocket")])


def _any_upgrade(headers: Lines) -> bool:
    return bool(_values(headers, "upgrade")) and _no_upgrade(headers)


def _longer_names(known: Callable[[str, str], bool]) -> Function:
    """Takes lines of other headers, whose name is known by a part."""
    names = ("upgrade", "connection")
    return lambda headers: wants_websocket(
        [(part, value) for name, value in headers for part in names if known(name.lower(), part)]
    )


def _one_of(at: int) -> Function:
    """Looks at one item of each list only."""
    return lambda headers: wants_websocket([(name, value.split(",")[at]) for name, value in headers])


def _either_line(headers: Lines) -> bool:
    both = [(name, value) for name, value in headers if name.lower() in ("upgrade", "connection")]
    return wants_websocket([(name, value) for _, value in both for name in ("upgrade", "connection")])


def _edited(old: str, new: str) -> Function:
    """The right answer to the same lines with some of their text replaced."""
    return lambda headers: wants_websocket([(name, re.sub(old, new, value)) for name, value in headers])


def _one_upgrade(headers: Lines) -> bool:
    return _whole_value(
        [(n, v.strip()) for n, v in headers if n.lower() == "upgrade"] + [("Connection", "upgrade")]
    ) and (wants_websocket(headers))


EXERCISES = (
    Exercise(
        "wants_websocket",
        "02-the-upgrade-request",
        "wants_websocket(headers) -> bool",
        "`headers` is a list of `(name, value)` pairs in the order of arrival. Return True if some `Upgrade` line "
        "lists "
        "the token `websocket` and some `Connection` line lists the token `upgrade`: names and tokens in any case, "
        "lists "
        "with commas and blanks, over several lines.",
        "`wants_websocket([('Upgrade', 'websocket'), ('Connection', 'keep-alive, Upgrade')])` is `True`.",
        (
            Aspect("the request as the RFC writes it", 1, SECTION, plain),
            Aspect("names and tokens in any case", 1, SECTION, cases_of_letters),
            Aspect("lists with commas and blanks", 2, "RFC 6455 §4.2.1, item 4", lists),
            Aspect("several lines of one name", 1, "RFC 6455 §4.2.1", several_lines),
            Aspect("what only looks alike is refused", 2, SECTION, refused),
        ),
        (
            "Firefox long sent `Connection: keep-alive, Upgrade`. What is `keep-alive, Upgrade`: one value or two?",
            "Take all lines of the name, split each value at its commas, and compare whole tokens, stripped and in "
            "small "
            "letters.",
            "tokens = [item.strip().lower() for n, v in headers if n.lower() == 'connection' for item in "
            "v.split(',')]; "
            "the same for 'upgrade'; then look with `in`.",
        ),
        wants_websocket,
        ("headers",),
        (
            Mistake(
                "The whole value is compared: the line is a list, `keep-alive, Upgrade` has two tokens.", _whole_value
            ),
            Mistake(
                "Only the last line of a name counts here: a dict keeps one, the list may go over several.", _last_line
            ),
            Mistake("Only the first line of a name counts here: the list may go over several lines.", _first_line),
            Mistake("A part of a word matches: compare whole tokens, not substrings.", _substring),
            Mistake("Upper and lower case are told apart: neither names nor tokens have a case.", _exact_case),
            Mistake("The Connection line is not asked: both headers must say so.", _no_connection),
            Mistake("The Upgrade line is not asked: both headers must say so.", _no_upgrade),
            Mistake("It does not matter here what the Upgrade line lists: it must be websocket.", _any_upgrade),
            Mistake("No blank needs to follow a comma: split the list at the comma alone.", _edited(r",(?=\S)", "_")),
            Mistake("A tab is a blank too: strip blanks and tabs.", _edited("\t", "_")),
            Mistake("A blank does not divide a list, only a comma does.", _edited(r"(?<=\w) (?=\w)", ",")),
            Mistake("Upgrade is a list as well: it may name other protocols beside websocket.", _one_upgrade),
            Mistake("A semicolon does not divide a list, only a comma does.", _edited(";", ",")),
            Mistake(
                "The name of another header contains this one: compare whole names.", _longer_names(str.__contains__)
            ),
            Mistake(
                "The name of another header begins like this one: compare whole names.", _longer_names(str.startswith)
            ),
            Mistake("Only the first item of a list counts here: the token may stand anywhere in it.", _one_of(0)),
            Mistake("Only the last item of a list counts here: the token may stand anywhere in it.", _one_of(-1)),
            Mistake("Each token belongs to its own header: websocket to Upgrade, upgrade to Connection.", _either_line),
            Mistake("A version after a slash belongs to the token: websocket/13 is another one.", _edited("/.*", "")),
        ),
        frozenset({"check_request", "broken_by_request", "wants_websocket"}),
    ),
)
