"""outcome: what one call of a learner's function did, as plain data."""

import contextlib
import inspect
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any

from wslab.exercises.checks.exercise import Case, Function
from wslab.exercises.checks.values import fresh, full_name, pack, unpack
from wslab.protocol.errors import ProtocolError


class Stopped(BaseException):
    """Raised in a thread whose time is over."""


NEVER_RETURNED = "never returned"
ENDED = "ended the program"


@dataclass(frozen=True)
class Raised:
    """An exception: the full names of its class and of those above it, its text, and where it was raised."""

    kinds: tuple[str, ...]
    text: str = ""
    code: int | None = None
    line: int = 0

    @property
    def name(self) -> str:
        """The name of its class."""
        module, _, name = self.kinds[0].rpartition(".")
        return name if module.partition(".")[0] in ("builtins", "__main__", "wslab") else self.kinds[0]

    def __str__(self) -> str:
        code = "" if self.code is None else f" {self.code}"
        return f"{self.name}{code}" + (f" ({self.text})" if self.text else "")

    def is_a(self, other: "Raised") -> bool:
        """Whether this is what was expected: the class or one below it, with the same close code."""
        return other.kinds[0] in self.kinds and self.code == other.code


@dataclass(frozen=True)
class Outcome:
    """What a call gave or raised; `ended` says why there is neither.

    `changed` are the numbers of the arguments that it changed, `borrowed` is the function of wslab that did the work,
    `threads` are those that it has started and that run on.
    """

    value: Any = None
    raised: Raised | None = None
    printed: int = 0
    changed: tuple[int, ...] = ()
    borrowed: str = ""
    threads: int = 0
    ended: str = ""

    def to_data(self) -> Any:
        """As plain data."""
        raised = self.raised and (self.raised.kinds, self.raised.text, self.raised.code, self.raised.line)
        return (pack(self.value), raised, self.printed, self.changed, self.borrowed, self.threads)

    @classmethod
    def from_data(cls, data: Any) -> "Outcome":
        """What `to_data` gave."""
        value, raised, *rest = data
        return cls(unpack(value), Raised(*raised) if raised else None, *rest)


class Sink:
    """Where output goes during a call: it is counted and forgotten."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.count = 0

    def write(self, text: str) -> int:
        """Count the characters."""
        self.count += len(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing."""

    def isatty(self) -> bool:
        """Say that nobody reads it."""
        return False


def try_case(function: Function, case: Case, same: frozenset[str] = frozenset(), sink: Sink | None = None) -> Outcome:
    """Play a case with a function, whatever it does; what it raises is part of the outcome."""
    arguments = fresh(case.arguments)
    before = pack(list(arguments))
    printed = sink.count if sink else 0
    value, raised, borrowed = None, None, ""
    running = set(threading.enumerate())
    try:
        with _watching(same) as found:
            value = case.play(function, *arguments)
        borrowed = found[0] if found else ""
        if inspect.iscoroutine(value):
            value.close()  # nobody will await it
    except Stopped:
        raise
    except BaseException as error:  # a learner's function may raise anything, SystemExit too
        raised = _raised(error, function)
    after = pack(list(arguments))
    changed = tuple(n for n, (old, new) in enumerate(zip(before[1], after[1], strict=True)) if old != new)
    printed = (sink.count if sink else 0) - printed
    threads = len(set(threading.enumerate()) - running)
    return Outcome(unpack(pack(value)), raised, printed, changed, borrowed, threads)


@contextmanager
def _watching(same: frozenset[str]) -> Iterator[list[str]]:
    """Notice whether a function of wslab with one of these names is called: it would do the learner's work."""
    found: list[str] = []

    def look(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_name in same:
            module = str(frame.f_globals.get("__name__"))
            if module.startswith("wslab.") and not found:
                found.append(frame.f_code.co_name)

    if not same:
        yield found
        return
    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(before)


def _raised(error: BaseException, function: Function) -> Raised:
    kinds = tuple(full_name(kind) for kind in type.__dict__["__mro__"].__get__(type(error)))
    code = error.code if isinstance(error, ProtocolError) else None
    try:
        text = str(error)[:200]
    except (Exception, SystemExit):  # its own __str__ fails
        text = ""
    return Raised(kinds, text, code if type(code) is int else None, _line_in(function, error.__traceback__))


def _line_in(function: Function, traceback: TracebackType | None) -> int:
    """The line of the function, counted from its `def`, in which the exception came up; 0 if it is not known."""
    codes = codes_of(function)
    line = 0
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code in codes and traceback.tb_lineno is not None:
            line = traceback.tb_lineno - code.co_firstlineno + 1
        traceback = traceback.tb_next
    return line


def codes_of(function: Function) -> list[CodeType]:
    """The code of a function, or that of each method of a class."""
    if isinstance(function, type):
        return [it.__code__ for it in vars(function).values() if isinstance(it, FunctionType)]
    code = code_of(function)
    return [code] if code is not None else []


def code_of(function: Any) -> CodeType | None:
    """The code of a function, or of an object that can be called; None for what is written in C."""
    method = vars(type(function)).get("__call__")
    with contextlib.suppress(Exception, SystemExit):  # a learner's __getattr__ may do anything
        code = getattr(function, "__code__", None) or getattr(method, "__code__", None)
        return code if isinstance(code, CodeType) else None
    return None


def peak_of(work: Callable[[], Any]) -> tuple[Any, int]:
    """What `work` gives, or the close code of the ProtocolError that it raises, and how much memory it took at most."""
    tracemalloc.start()
    try:
        try:
            result = work()
        except ProtocolError as error:
            result = error.code
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def outcomes_of(
    function: Function, cases: Sequence[Case], same: frozenset[str], sink: Sink | None = None
) -> Iterator[Outcome]:
    """Play one case after the other."""
    for case in cases:
        yield try_case(function, case, same, sink)
