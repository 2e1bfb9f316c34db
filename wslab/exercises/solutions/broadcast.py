"""The loop goes over a copy: other threads change the set meanwhile, and a set that changes cannot be looped over.

A connection may close at any time, also between a look at its state and the send. So the send is tried, and what it
raises stops nobody else.
"""

from typing import Any

from wslab.protocol.errors import ConnectionClosed


def broadcast(members: set[Any], message: str | bytes) -> int:
    """Send a message to all members; how many it was sent to."""
    count = 0
    for member in members.copy():
        try:
            member.send(message)
        except ConnectionClosed:
            continue
        count += 1
    return count
