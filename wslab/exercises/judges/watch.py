"""watch: which part of a learner's Codec is running or has failed, so that a broken conversation has its cause."""

import ctypes
import functools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from wslab.dissector.wording import shorten
from wslab.exercises.checks.outcome import Stopped
from wslab.protocol.codec import Codec
from wslab.protocol.errors import PartError, ProtocolError
from wslab.redaction.redact import harmless

PATIENCE = 2.0  # seconds to wait for what the learner's side has to send


class Broken(Exception):
    """The conversation broke; the text says how, in the words of the protocol."""


class Waited(Broken):
    """The learner's side has said nothing for too long: one of its parts may be running still."""


class Watch:
    """Sees every call of the replaced parts: `codec` is the learner's Codec with each of them watched."""

    def __init__(self, codec: Codec) -> None:
        self._running: dict[int, str] = {}  # by the thread in which it runs
        self._refused: list[tuple[str, ProtocolError]] = []
        self.failed = ""  # the part that failed, and how
        replaced = {
            field.name: part.__wrapped__
            for field in fields(codec)
            if (part := getattr(codec, field.name)) is not field.default and hasattr(part, "__wrapped__")
        }
        self.codec = Codec(**{name: self._watched(name, part) for name, part in replaced.items()})

    def _watched(self, name: str, part: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(part)
        def watched(*arguments: Any, **options: Any) -> Any:
            thread = threading.get_ident()
            self._running[thread] = name
            try:
                return part(*arguments, **options)
            except Stopped:
                raise TimeoutError(f"it had not returned within {PATIENCE:g} s") from None
            except BaseException as error:  # a learner's function may raise anything, SystemExit too
                if isinstance(error, ProtocolError):  # a right part may raise it
                    self._refused.append((name, error))
                else:
                    self.failed = self.failed or f"{name} raised {_said(error)}"
                raise
            finally:
                self._running.pop(thread, None)

        return watched

    def look_for_hang(self) -> None:
        """If a part is running still, say so, and stop it if it can be."""
        for thread, name in list(self._running.items()):
            self.failed = self.failed or f"{name} had not returned within {PATIENCE:g} s"
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Stopped))

    @contextmanager
    def blaming(self) -> Iterator[None]:
        """Take what a server or a client raises because of a part for the fault of that part."""
        try:
            yield
        except Broken:
            raise
        except Exception as error:
            name = next((name for name, raised in self._refused if raised is error), "")
            if not self.failed and name:
                self.failed = f"{name} raised {_said(error)}"
            elif not self.failed and isinstance(error, PartError):
                self.failed = _plain(str(error))
            elif not self.failed:
                raise


def _said(error: BaseException) -> str:
    """The class of an error and its text, without what a terminal would obey."""
    try:
        text = str(error.reason if isinstance(error, ProtocolError) else error)
    except Exception:  # its own __str__ fails
        text = ""
    return _plain(f"{type(error).__name__}: {text}".removesuffix(": "))


def _plain(text: str) -> str:
    return shorten(harmless(re.sub(r" at 0x[0-9a-fA-F]+", "", text)))
