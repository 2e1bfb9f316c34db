"""Lesson 14, ping, silence, goodbye: backoff, how long to wait before the next try (RFC 6455 §7.2.3)."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function
from wslab.exercises.solutions.backoff import backoff

RECONNECT = "RFC 6455 §7.2.3"


def draws(function: Function, attempt: int, seed: int, count: int) -> list[float]:
    """So many waits before the same try."""
    source = random.Random(seed)
    return [function(attempt, source) for _ in range(count)]


def waits(source: random.Random, attempt: int, count: int = 400) -> Case:
    """Many draws for one try, judged by how they spread."""
    most = min(30.0, 0.5 * 2**attempt)

    def judge(came: Any) -> str:
        return what_is_wrong_with(came, attempt, most)

    arguments = (attempt, source.randrange(1 << 30), count)
    return Case(
        f"{count} waits before try number {attempt}",
        arguments,
        draws,
        judge,
        f"{attempt}, a random.Random; {count} times",
    )


def what_is_wrong_with(came: Any, attempt: int, most: float) -> str:
    """Why these waits are not uniform between 0 and `most` seconds; nothing if they are."""
    if not isinstance(came, list) or not all(type(it) in (int, float) for it in came):
        return "Each wait is to be a number of seconds (float)."
    limit = f"{most:g} seconds, the smaller of 30 and 0.5·2^{attempt}"
    if min(came) < 0:
        return "A wait below 0 came."
    if max(came) > most:
        return f"A wait of {max(came):.3g} s came; the longest is {limit}."
    if len(set(came)) < len(came) // 2:
        return "The waits are alike: without jitter all clients come back at the same moment."
    if max(came) < 0.95 * most:
        return f"The longest of {len(came)} waits is {max(came):.3g} s; they should reach up to {limit}."
    if min(came) > 0.05 * most:
        return f"The shortest of {len(came)} waits is {min(came):.3g} s; they should begin at 0 (full jitter)."
    below = sum(it < most / 2 for it in came) / len(came)
    if not 0.36 < below < 0.64 or not 0.42 * most < sum(came) / len(came) < 0.58 * most:
        return f"The waits are not uniform: {below:.0%} of them are below the middle."
    return ""


def growing(source: random.Random) -> Iterator[Case]:
    """Doubled with each try."""
    for attempt in (0, 1, 2, 3, source.randrange(4, 6)):
        yield waits(source, attempt)


def capped(source: random.Random) -> Iterator[Case]:
    """Never above 30 seconds."""
    for attempt in (6, 7, source.randrange(8, 40)):
        yield waits(source, attempt)


def many_tries(source: random.Random) -> Iterator[Case]:
    """Up to 1,000."""
    for attempt in (source.randrange(60, 70), source.randrange(100, 999), 1000):
        yield waits(source, attempt)


def twice(function: Function, attempt: int, seeds: Sequence[int]) -> Any:
    """The same try, from a source of each seed."""
    random.seed(seeds[0])
    return [function(attempt, random.Random(seed)) for seed in seeds]


def from_source(source: random.Random) -> Iterator[Case]:
    """From the source that is passed in."""
    one, other = source.sample(range(1 << 30), 2)

    def judge(came: Any) -> str:
        first, second, third = came
        if first != second:
            return (
                "Two sources of the same seed gave two waits: draw from `random`, the argument, and from nothing else."
            )
        if type(first) not in (int, float) or not 0 <= first <= 4:
            return "The wait before try number 3 is a number between 0 and 4 seconds."
        return "Two sources of different seeds gave the same wait: draw from `random`." if first == third else ""

    yield Case(
        "the same seed twice, then another", (3, (one, one, other)), twice, judge, "3, a random.Random; three times"
    )


EXERCISES = (
    Exercise(
        "backoff",
        "14-ping-silence-goodbye",
        "backoff(attempt, random) -> float",
        "Return the seconds to wait before try number `attempt` (0, 1, 2… up to 1,000): uniformly between 0 and the "
        "smaller "
        "of 30 and 0.5·2^attempt, drawn from `random`, a `random.Random`.",
        "`backoff(3, Random(7))` is a number between 0 and 4; the same `Random(7)` gives the same again.",
        (
            Aspect("doubled with each try", 2, RECONNECT, growing),
            Aspect("at most 30 seconds", 1, RECONNECT, capped),
            Aspect("up to 1,000 tries", 1, RECONNECT, many_tries),
            Aspect("drawn from `random`", 1, RECONNECT, from_source),
        ),
        (
            "A server restarts under 1,000 clients. What happens if each waits exactly 4 seconds?",
            "`random.uniform(a, b)` draws; `min` keeps the limit; `2**attempt` doubles.",
            "return random.uniform(0, min(30, 0.5 * ...))",
        ),
        backoff,
        ("attempt", "random"),
    ),
)
