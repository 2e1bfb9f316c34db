"""FaultSettings: which fault each direction of a tap has now, set by any thread and followed by every relay."""

import threading

from wslab.protocol.states import Direction
from wslab.tap.faults import Fault


class FaultSettings:
    """The fault of each direction.

    All that a relay may wait for is told by `change`: another fault, the end of a direction, the end of the relay.
    """

    def __init__(self, to_server: Fault | None = None, to_client: Fault | None = None) -> None:
        self.lock = threading.RLock()  # `with change` would leave it locked if a Ctrl-C comes in its own code
        self.change = threading.Condition(self.lock)
        self._faults = {
            Direction.CLIENT_TO_SERVER: _checked(to_server),
            Direction.SERVER_TO_CLIENT: _checked(to_client),
        }
        self._versions = dict.fromkeys(Direction, 1)

    def set(self, direction: Direction, fault: Fault | None) -> None:
        """Let `fault` begin in this direction of every connection. Raises TypeError for what is no fault."""
        with self.lock:
            self._faults[direction] = _checked(fault)
            self._versions[direction] += 1
            self.change.notify_all()

    def get(self, direction: Direction) -> Fault | None:
        """The fault of this direction."""
        return self._faults[direction]

    def version(self, direction: Direction) -> int:
        """How often the fault of this direction has been set: the same fault, set again, begins again."""
        return self._versions[direction]


def _checked(fault: Fault | None) -> Fault | None:
    if fault is not None and not isinstance(fault, Fault):
        raise TypeError(f"a fault is made by wslab.faults, as chop(1) is, or None: not {fault!r}")
    return fault
