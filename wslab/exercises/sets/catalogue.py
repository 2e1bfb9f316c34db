"""catalogue: all exercises by name, in the order of the lessons, and how the exercise of a function is found.

`EXERCISES` are the functions of the lessons; the tasks of the bug zoo can be found beside them.
"""

from typing import Any

from wslab.exercises.checks.exercise import Exercise
from wslab.exercises.sets import (
    before_websocket,
    browsers_websocket,
    compression,
    echo_server_with_threads,
    masking,
    messages,
    negotiation,
    ping_silence_goodbye,
    reading_frames,
    security,
    the_frame,
    the_key_and_the_answer,
    upgrade_request,
    watching_connections,
)
from wslab.exercises.zoo.tasks import TASKS

SETS = (
    before_websocket,
    upgrade_request,
    the_key_and_the_answer,
    negotiation,
    the_frame,
    reading_frames,
    masking,
    messages,
    echo_server_with_threads,
    watching_connections,
    browsers_websocket,
    ping_silence_goodbye,
    compression,
    security,
)
EXERCISES: dict[str, Exercise] = {exercise.name: exercise for module in SETS for exercise in module.EXERCISES}
_PLAIN = {name.lower().replace("_", ""): name for name in (*EXERCISES, *TASKS)}


def find(name: str) -> Exercise | None:
    """The exercise or the task of this name, if there is one."""
    return EXERCISES.get(name) or TASKS.get(name)


def name_of(function: Any) -> str:
    """The name of the exercise that a function, a class or an object that can be called is meant for.

    >>> class ApplyMask:
    ...     def __call__(self, data, key): ...
    >>> name_of(ApplyMask())
    'apply_mask'
    """
    for _ in range(10):  # functools.partial and decorators have the function inside
        inner = getattr(function, "func", None) or getattr(function, "__wrapped__", None)
        if inner is None or hasattr(function, "__name__"):
            break
        function = inner
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        name = type(function).__name__
    return _PLAIN.get(name.lower().replace("_", ""), name)
