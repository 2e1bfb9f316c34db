"""room: the class itself: who is there, what they send to all others, and what they hand in. All of it in memory.

Strategy: one thread for each client calls this. Under one lock it is decided what happens and in which order, and put
into the outboxes of those who are to know, which never wait: so all see the same order, and nobody waits for another.

Locks: `_lock` protects everything here; while it is held, nothing is sent and nobody is waited for.
"""

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol as Interface

from wslab.classroom.limits import ClassLimits
from wslab.classroom.rate import Rate
from wslab.classroom.requests import Mark, Say, read_request
from wslab.classroom.students import Student, Students
from wslab.classroom.wall import Event, Wall, as_json, event_of, mark_event, message_event
from wslab.dissector.wording import how_many


class Full(Exception):
    """There is no room for this client now."""


class Outgoing(Interface):
    """Where a client's messages go."""

    def put(self, message: str | bytes) -> None:
        """Send this, without waiting."""


@dataclass(frozen=True, eq=False)
class Client:
    """One connection of a student; `has_page` if it speaks JSON, as the page does."""

    student: Student
    outbox: Outgoing
    has_page: bool


class Room:
    """Everything that a class has, at most as much as `limits` allow."""

    def __init__(self, limits: ClassLimits | None = None) -> None:
        self.limits = limits or ClassLimits()
        self.teacher_token = secrets.token_urlsafe(12)
        self.changes = 0  # since the beginning
        self._lock = threading.Lock()
        self._students = Students(self.limits.students, self.limits.per_address)
        self._students.add_teacher(self.teacher_token, self._new_rate())
        self._clients: list[Client] = []
        self._wall = Wall()
        self._arrivals: dict[str, Rate] = {}  # by address
        self._began = _now()

    def _new_rate(self) -> Rate:
        return Rate(self.limits.messages_per_second, self.limits.burst)

    # Coming and going

    def join(self, name: str, token: str, address: str, outbox: Outgoing, *, has_page: bool) -> Client:
        """Let a client in: with a token as the student it was given to, else as a new one. Raises Full."""
        with self._lock:
            if not self._may_arrive(address):
                raise Full("this address has connected too often")
            student = self._students.find(token)
            if student is None:
                try:
                    student = self._students.add(name, address, self._new_rate(), keeps_name=has_page)
                except ValueError as error:
                    raise Full(str(error)) from error
            elif student.clients >= self.limits.clients_per_student:
                raise Full(f"{student.name} has {how_many(student.clients, 'connection')} already")
            student.clients += 1
            client = Client(student, outbox, has_page)
            outbox.put(as_json(self._welcome(student)) if has_page else f"You are {student.name}.")
            self._clients.append(client)
            self._show(event_of("joined" if student.clients == 1 else "clients", student))
            return client

    def leave(self, client: Client) -> None:
        """Let a client go. Whoever has a token may come back."""
        with self._lock:
            self._clients.remove(client)
            self._students.leave(client.student)
            self._show(event_of("clients" if client.student.clients else "left", client.student))

    def _may_arrive(self, address: str) -> bool:
        if address not in self._arrivals:
            for other in [it for it, rate in self._arrivals.items() if rate.is_untouched]:
                del self._arrivals[other]
            self._arrivals[address] = Rate(self.limits.arrivals_per_second, 3 * self.limits.per_address)
        return self._arrivals[address].take()

    def _welcome(self, student: Student) -> Event:
        """What a page needs to know at first."""
        shown = list(self._students) if student.is_teacher else [student]
        return {
            "kind": "welcome",
            "name": student.name,
            "token": student.token,
            "teacher": student.is_teacher,
            "people": [event_of("clients", it) for it in self._students if it.clients],
            "events": list(self._wall.events),
            "marks": [mark_event(it, kept) for it in shown for kept in it.marks.values()],
        }

    # What clients send

    def receive(self, client: Client, message: str | bytes) -> bool:
        """Do what a client asks for; anything that a plain client sends goes to all others. Return False if too often.

        What cannot be done is told to the client alone.
        """
        with self._lock:
            if not client.student.rate.take():
                return False
            if not client.has_page:
                self._say(client, message)
                return True
            try:
                self._do(client, message)
            except ValueError as error:
                client.outbox.put(as_json({"kind": "refused", "why": str(error)}))
            return True

    def _do(self, client: Client, message: str | bytes) -> None:
        if not isinstance(message, str):
            raise ValueError("a page sends text")
        match read_request(message):
            case Say(text):
                self._say(client, text)
            case Mark() as mark:
                self._keep(client.student, mark)

    def _say(self, client: Client, message: str | bytes) -> None:
        """Send a message to all others, with the name before it, and put it on the wall of all pages."""
        client.student.messages += 1
        name = client.student.name
        plain = f"{name}: {message}" if isinstance(message, str) else f"{name}: ".encode() + message
        for other in self._clients:
            if other is not client and not other.has_page:
                other.outbox.put(plain)
        self._show(message_event(client.student, message))

    def _keep(self, student: Student, mark: Mark) -> None:
        told = as_json(mark_event(student, student.keep(mark)))
        self.changes += 1
        _put(told, (it for it in self._clients if it.student is student or it.student.is_teacher))

    def _show(self, event: Event) -> None:
        self.changes += 1
        self._wall.keep(event)
        _put(as_json(event), self._clients)

    # For the teacher

    def summary(self) -> dict[str, object]:
        """Everything that is worth keeping, as plain values: students and marks, and the last of what has passed."""
        with self._lock:
            students = [
                {
                    "name": student.name,
                    "messages": student.messages,
                    "marks": [{**vars(kept.mark), "tries": kept.tries} for _, kept in sorted(student.marks.items())],
                }
                for student in self._students
                if not student.is_teacher
            ]
            return {
                "class": "wslab",
                "began": self._began,
                "saved": _now(),
                "students": students,
                "events": [*self._wall.events],
            }


def _put(message: str, clients: Iterable[Client]) -> None:
    for client in clients:
        if client.has_page:
            client.outbox.put(message)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
