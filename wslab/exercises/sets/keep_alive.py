"""Lesson 14, ping, silence, goodbye: KeepAlive, when to ping and when to give up (RFC 6455 §5.5.2)."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function, Mistake
from wslab.exercises.solutions.keep_alive import KeepAlive

PINGS = "RFC 6455 §5.5.2"


def live(
    function: Function, interval: float, timeout: float, start: float, steps: Sequence[tuple[str, float]]
) -> list[Any]:
    """What it says when it is asked at each of these times, and what it does when something is heard."""
    policy, said = function(interval, timeout, start), []
    for what, now in steps:
        if what == "heard":
            policy.heard(now)
        else:
            said.append(policy.next_action(now))
    return said


def steps_case(situation: str, interval: float, timeout: float, start: float, *steps: tuple[str, float]) -> Case:
    """One life of a connection, with all times counted from `start`."""
    shifted = [(what, start + at) for what, at in steps]
    told = ", ".join(f"{what} at {at:g}" for what, at in shifted)
    given = f"KeepAlive({interval:g}, {timeout:g}, {start:g}), then {told}"
    return Case(situation, (interval, timeout, start, shifted), live, given=given)


def beginnings(source: random.Random) -> list[tuple[float, float, float]]:
    """Interval, timeout and the clock at the start; one of the clocks is at 0 when a ping is due."""
    drawn = [(source.randrange(10, 60) + 0.75, source.randrange(3, 9) + 0.75) for _ in range(2)]
    return [(20, 10, 0), (*drawn[0], source.randrange(1000, 9000)), (*drawn[1], -drawn[1][0])]


def quiet(source: random.Random) -> Iterator[Case]:
    """A peer that talks needs no ping."""
    for interval, timeout, start in beginnings(source):
        part = interval * 0.75
        talks = [(what, part * n) for n in range(1, 6) for what in ("heard", "ask")]
        yield steps_case("something is heard all the time", interval, timeout, start, ("ask", 0), *talks)
        yield steps_case(
            "something is heard once, then silence",
            interval,
            timeout,
            start,
            ("heard", part),
            ("ask", interval),
            ("ask", part + interval),
        )


def pings(source: random.Random) -> Iterator[Case]:
    """One ping after the interval."""
    for interval, timeout, start in beginnings(source):
        asked = [("ask", interval - 0.5), ("ask", interval), ("ask", interval + 0.5), ("ask", interval + timeout - 0.5)]
        yield steps_case("silence, asked again and again", interval, timeout, start, *asked)


def gives_up(source: random.Random) -> Iterator[Case]:
    """No answer."""
    for interval, timeout, start in beginnings(source):
        asked = [("ask", interval + 1), ("ask", interval + timeout), ("ask", interval + timeout + 1)]
        more = [("ask", interval + timeout + 2), ("ask", 9 * interval)]
        yield steps_case("a ping that nobody answers", interval, timeout, start, *asked, *more)


def starts_over(source: random.Random) -> Iterator[Case]:
    """An answer."""
    for interval, timeout, start in beginnings(source):
        heard = interval + timeout - 0.5
        steps = [("ask", interval), ("heard", heard), ("ask", interval + timeout), ("ask", heard + interval - 0.5)]
        again = [
            ("ask", heard + interval),
            ("ask", heard + interval + timeout - 0.5),
            ("ask", heard + interval + timeout),
        ]
        yield steps_case("a ping that is answered, then one that is not", interval, timeout, start, *steps, *again)
        at_once = [("ask", interval), ("heard", interval), ("ask", interval + timeout), ("ask", 2 * interval)]
        yield steps_case("a ping that is answered at once", interval, timeout, start, *at_once)


def asleep(source: random.Random) -> Iterator[Case]:
    """The program was not asked for long."""
    for interval, timeout, start in beginnings(source):
        late = 10 * (interval + timeout)
        steps = [("ask", late), ("ask", late + timeout - 0.5), ("ask", late + timeout)]
        yield steps_case("asked for the first time after hours", interval, timeout, start, *steps)


def two_at_once(source: random.Random) -> Iterator[Case]:
    """Two connections do not share a policy."""

    def both(function: Function, interval: float, timeout: float) -> list[Any]:
        one, other = function(interval, timeout, 0), function(2 * interval, 2 * timeout, 0)
        said = [one.next_action(interval), other.next_action(interval)]
        one.heard(interval + 1)
        late = 2 * (interval + timeout)
        return [*said, other.next_action(2 * interval), one.next_action(2 * interval), other.next_action(late)]

    def silent(function: Function, interval: float, timeout: float) -> list[Any]:
        one, other = function(interval, timeout, 0), function(2 * interval, 2 * timeout, 0)
        return [one.next_action(interval), other.next_action(2 * interval), one.next_action(2 * interval)]

    interval, timeout, _ = beginnings(source)[1]
    objects = [f"KeepAlive({times * interval:g}, {times * timeout:g}, 0)" for times in (1, 2)]
    told = f"{objects[0]}, which hears something, and {objects[1]}"
    yield Case("two connections at once", (interval, timeout), both, given=told)
    yield Case("two that hear nothing", (interval, timeout), silent, given=" and ".join(objects))


class _Changed(KeepAlive):
    def heard(self, now: float) -> None:
        self.last = now


class _PingsAgain(KeepAlive):
    def next_action(self, now: float) -> Any:
        action = super().next_action(now)
        return "ping" if action is None and self.pinged is not None else action


class _NeverGivesUp(KeepAlive):
    def next_action(self, now: float) -> Any:
        return "ping" if now - self.last >= self.interval else None


class _FromLast(KeepAlive):
    def next_action(self, now: float) -> Any:
        if now - self.last >= self.interval + self.timeout:
            return "give up"
        return super().next_action(now)


class _Deaf(KeepAlive):
    def heard(self, now: float) -> None:
        pass


class _Once(KeepAlive):
    def next_action(self, now: float) -> Any:
        action = super().next_action(now)
        if action == "give up":
            self.heard(now)
        return action


class _GivesUpAtOnce(KeepAlive):
    def next_action(self, now: float) -> Any:
        return "give up" if now - self.last >= self.interval else None


class _FromZero(KeepAlive):
    def __init__(self, interval: float, timeout: float, now: float) -> None:
        super().__init__(interval, timeout, 0.0)


class _Late(KeepAlive):
    def next_action(self, now: float) -> Any:
        waits = self.pinged is None and now - self.last == self.interval
        return (
            None
            if waits or (self.pinged is not None and now - self.pinged == self.timeout)
            else super().next_action(now)
        )


class _LatePing(KeepAlive):
    def next_action(self, now: float) -> Any:
        return None if self.pinged is None and now - self.last == self.interval else super().next_action(now)


class _LateEnd(KeepAlive):
    def next_action(self, now: float) -> Any:
        return None if self.pinged is not None and now - self.pinged == self.timeout else super().next_action(now)


class _Falsy(KeepAlive):
    def next_action(self, now: float) -> Any:
        self.pinged = self.pinged or None
        return super().next_action(now)


class _Shared(KeepAlive):
    latest: tuple[float, float] = (0, 0)

    def __init__(self, interval: float, timeout: float, now: float) -> None:
        super().__init__(interval, timeout, now)
        _Shared.latest = interval, timeout

    def next_action(self, now: float) -> Any:
        self.interval, self.timeout = _Shared.latest
        return super().next_action(now)


class _SharedPing(KeepAlive):
    latest: float | None = None

    def __init__(self, interval: float, timeout: float, now: float) -> None:
        super().__init__(interval, timeout, now)
        _SharedPing.latest = None

    def heard(self, now: float) -> None:
        super().heard(now)
        _SharedPing.latest = None

    def next_action(self, now: float) -> Any:
        self.pinged = _SharedPing.latest
        action = super().next_action(now)
        _SharedPing.latest = self.pinged
        return action


class _AllShared(KeepAlive):
    shared: ClassVar[dict[str, Any]] = {}

    def __init__(self, interval: float, timeout: float, now: float) -> None:
        self.__dict__ = _AllShared.shared
        super().__init__(interval, timeout, now)


class _Rounded(KeepAlive):
    def __init__(self, interval: float, timeout: float, now: float) -> None:
        super().__init__(int(interval), int(timeout), now)


class _Swapped(KeepAlive):
    def __init__(self, interval: float, timeout: float, now: float) -> None:
        super().__init__(timeout, interval, now)


EXERCISES = (
    Exercise(
        "KeepAlive",
        "14-ping-silence-goodbye",
        "class KeepAlive: KeepAlive(interval, timeout, now), next_action(now), heard(now)",
        "A policy without a clock of its own; all times are seconds. `next_action(now)` returns `'ping'` once "
        "`interval` "
        "seconds have passed since something was heard (or since the start), and then None until `timeout` seconds "
        "have "
        "passed since that ping was asked for; from then on `'give up'`. `heard(now)`, called for whatever arrives, "
        "answers "
        "a ping and starts the interval again.",
        "With `KeepAlive(20, 10, now=0)`: at 19 `None`, at 20 `'ping'`, at 25 `None`, at 30 `'give up'`.",
        (
            Aspect("a peer that talks is left alone", 1, PINGS, quiet),
            Aspect("one ping after the interval", 2, PINGS, pings),
            Aspect("no answer: give up", 1, PINGS, gives_up),
            Aspect("an answer starts over", 1, PINGS, starts_over),
            Aspect("after a long sleep a ping comes first", 1, PINGS, asleep),
            Aspect("each object stands for itself", 1, PINGS, two_at_once),
        ),
        (
            "Your laptop sleeps for an hour. Is the peer dead when it wakes up, or has nobody asked it?",
            "Keep two moments: when something was heard, and when a ping that is not answered yet was asked for (None "
            "if there "
            "is none).",
            "if self.pinged is not None: 'give up' if now - self.pinged >= self.timeout else None; elif now - "
            "self.last >= "
            "self.interval: self.pinged = now, return 'ping'.",
        ),
        KeepAlive,
        ("interval", "timeout", "now"),
        (
            Mistake("What was heard does not answer the ping: heard must forget it.", _Changed),
            Mistake("It asks for a ping again and again: one is enough until the timeout.", _PingsAgain),
            Mistake("It never gives up, or pings again and again: after the timeout the peer is lost.", _NeverGivesUp),
            Mistake(
                "It gave up before it had asked for a ping: the timeout counts from the ping, not from what was heard "
                "last.",
                _FromLast,
            ),
            Mistake("heard changes nothing: it must start the interval again.", _Deaf),
            Mistake("It gave up only once: a peer that is lost stays lost.", _Once),
            Mistake("It gives up without having asked: a ping comes first.", _GivesUpAtOnce),
            Mistake("The interval counts from 0; it counts from `now`, the time of the start.", _FromZero),
            Mistake("When exactly `interval` or `timeout` seconds have passed, the time is over: >=, not >.", _Late),
            Mistake("When exactly `interval` seconds have passed, it is time for the ping: >=, not >.", _LatePing),
            Mistake("When exactly `timeout` seconds have passed, it is time to give up: >=, not >.", _LateEnd),
            Mistake("`interval` and `timeout` have changed places.", _Swapped),
            Mistake("A clock may stand at 0 when a ping is asked for: compare with None.", _Falsy),
            Mistake("What belongs to one object was written into the class, where all objects share it.", _Shared),
            Mistake("All that an object keeps was written into the class, where all objects share it.", _AllShared),
            Mistake("The ping was written into the class, where all objects share it.", _SharedPing),
            Mistake("`interval` and `timeout` may be fractions of a second: do not round them.", _Rounded),
        ),
        is_class=True,
    ),
)
