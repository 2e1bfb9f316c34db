"""The client's order is its preference, so the loop goes over what is offered, not over what is supported.

Names are compared as they are: `Chat` is not `chat`. Where nothing fits, the server leaves the header out.
"""


def choose_subprotocol(offered: list[str], supported: list[str]) -> str | None:
    """The subprotocol to answer with, None for no answer."""
    for name in offered:
        if name in supported:
            return name
    return None
