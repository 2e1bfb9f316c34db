"""students: who is in a class, each with a name that nobody else has, and with a token by which it stays theirs."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from wslab.classroom.names import clean_name, key_of, unique_name
from wslab.classroom.rate import Rate
from wslab.classroom.requests import Mark

MAX_EXERCISES = 100  # of one student
TEACHER = "Teacher"


@dataclass
class Kept:
    """The best of what a student has handed in for an exercise, and how often that was."""

    mark: Mark
    tries: int = 1


@dataclass(eq=False)
class Student:
    """One person, or one client that has not said whose it is, which has no token and is forgotten when it leaves."""

    name: str
    address: str
    rate: Rate
    token: str | None = None
    is_teacher: bool = False
    clients: int = 0
    messages: int = 0
    marks: dict[str, Kept] = field(default_factory=dict)

    def keep(self, mark: Mark) -> Kept:
        """Keep what was handed in, if it is the best for its exercise. Raises ValueError for one exercise too many."""
        kept = self.marks.get(mark.exercise)
        if kept is None:
            if len(self.marks) >= MAX_EXERCISES:
                raise ValueError(f"there are marks for {MAX_EXERCISES} exercises already")
            kept = self.marks[mark.exercise] = Kept(mark)
            return kept
        kept.tries += 1
        if mark.points / mark.max_points > kept.mark.points / kept.mark.max_points:
            kept.mark = mark
        return kept


class Students:
    """All students of a class, at most `most`, and at most `per_address` of one address. One thread at a time."""

    def __init__(self, most: int, per_address: int) -> None:
        self._most, self._per_address = most, per_address
        self._by_name: dict[str, Student] = {}  # in the order in which they came last
        self._by_token: dict[str, Student] = {}

    def __iter__(self) -> Iterator[Student]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def add_teacher(self, token: str, rate: Rate) -> None:
        """Add the teacher, whose name nobody else can have."""
        teacher = Student(TEACHER, "", rate, token, is_teacher=True)
        self._by_name[key_of(TEACHER)] = self._by_token[token] = teacher

    def find(self, token: str) -> Student | None:
        """Return the student to whom this token was given."""
        return self._by_token.get(token)

    def add(self, name: str, address: str, rate: Rate, *, keeps_name: bool) -> Student:
        """Add a student with this name, or one like it; `keeps_name` gives a token. Raises ValueError if all is full.

        If their address has too many, the first of those who are not connected loses the name, and what was kept.
        """
        here = [student for student in self if student.address == address]
        if len(here) >= self._per_address or len(self) >= self._most:
            self._forget_one_of(here)
        unique = unique_name(clean_name(name), lambda wanted: key_of(wanted) in self._by_name)
        student = Student(unique, address, rate, secrets.token_urlsafe(12) if keeps_name else None)
        self._by_name[key_of(unique)] = student
        if student.token is not None:
            self._by_token[student.token] = student
        return student

    def leave(self, student: Student) -> None:
        """Note that one client of the student has gone."""
        student.clients -= 1
        if not student.clients and student.token is None:
            self._forget(student)

    def _forget_one_of(self, here: list[Student]) -> None:
        gone = [student for student in here if not student.clients]
        if not gone:
            raise ValueError("this class is full")
        self._forget(min(gone, key=lambda student: len(student.marks) > 0))

    def _forget(self, student: Student) -> None:
        del self._by_name[key_of(student.name)]
        if student.token is not None:
            del self._by_token[student.token]
