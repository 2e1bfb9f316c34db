"""class_saver: what a class has, saved while it goes on, so that no end of the program loses all of it."""

import json
import threading
from pathlib import Path

from wslab.classroom.room import Room
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import complain, show
from wslab.recording.replacing import replacing

INTERVAL = 10.0  # seconds between two looks at whether there is anything new


class ClassSaver:
    """Saves a room to `path`: at the end of a `with` block, and meanwhile whenever there is something new.

    Each file takes the place of the one before it. Raises CommandError at the end if it cannot be saved then.
    """

    def __init__(self, room: Room, path: Path) -> None:
        self._room = room
        self._path = path
        self._saved = 0  # changes
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wslab-class-saver", daemon=True)

    def __enter__(self) -> "ClassSaver":
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._save()
        show(f"Saved to {self._path}")

    def save_if_changed(self) -> None:
        """Save if anything has happened since the last time."""
        changes = self._room.changes
        if changes != self._saved:
            self._save()
            self._saved = changes

    def _save(self) -> None:
        text = json.dumps(self._room.summary(), indent=1, ensure_ascii=False)
        try:
            with replacing(self._path) as file:
                file.write(text.encode())
        except OSError as problem:
            raise CommandError(f"cannot save to {self._path}: {reason(problem)}") from problem

    def _run(self) -> None:
        while not self._is_over.wait(INTERVAL):
            try:
                self.save_if_changed()
            except CommandError as error:  # it is tried again when there is more, and at the end
                complain("class", error)
