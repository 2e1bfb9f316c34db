"""saver: a recording that grows, saved while it grows, so that no end of the program loses all of it."""

import threading
import warnings
from pathlib import Path

from wslab.cli.errors import CommandError, reason
from wslab.cli.output import complain, complaining_of_warnings, show
from wslab.recording.recording import Recording

INTERVAL = 1.0  # seconds between two looks at how much has been recorded
GROWTH = 1.25  # times as much as at the last save
ENTRY_SIZE = 100  # bytes that each chunk and call takes in a file besides its data, about


class Saver:
    """Saves `recording` to `path`: at the end of a `with` block, and whenever it has grown by a quarter meanwhile.

    Each file takes the place of the one before it. All of them together are at most five times as long as the last, so
    that the work is in proportion to what is recorded. Raises CommandError at the end if it cannot be saved then.
    """

    def __init__(self, recording: Recording, path: Path) -> None:
        self._recording = recording
        self._path = path
        self._size = self._saved_size = 0  # about as many bytes as a file has
        self._chunks = self._calls = 0  # how many of them are in `_size`
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wslab-saver", daemon=True)

    def __enter__(self) -> "Saver":
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._is_over.set()
        self._thread.join()
        with complaining_of_warnings("tap"):
            self._save()
        show(f"Saved to {self._path}")

    def _save(self) -> None:
        try:
            self._recording.save(self._path)
        except (ValueError, OSError) as problem:
            raise CommandError(f"cannot save to {self._path}: {reason(problem)}") from problem

    def save_if_grown(self) -> None:
        """Save if enough has been recorded since the last time."""
        chunks, calls = self._recording.chunks[self._chunks :], self._recording.calls[self._calls :]
        self._chunks, self._calls = self._chunks + len(chunks), self._calls + len(calls)
        self._size += sum(len(chunk.data) for chunk in chunks) + ENTRY_SIZE * (len(chunks) + len(calls))
        if self._size > GROWTH * self._saved_size:
            self._saved_size = self._size
            with warnings.catch_warnings(action="ignore"):  # they are told at the end
                self._save()

    def _run(self) -> None:
        while not self._is_over.wait(INTERVAL):
            try:
                self.save_if_grown()
            except CommandError as error:  # it is tried again when there is more, and at the end
                complain("tap", error)
