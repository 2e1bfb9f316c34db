"""States: the two roles, and the states of a connection with what leads from one to the next (RFC 6455 §4.1, §7.1)."""

from enum import Enum, StrEnum


class Role(StrEnum):
    """Which end of the connection: the client masks what it sends, the server does not (RFC 6455 §5.1)."""

    CLIENT = "client"
    SERVER = "server"


class State(Enum):
    """The states of a connection, numbered as `readyState` of the browser's WebSocket numbers them."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


class Step(Enum):
    """What moves a connection from one state to the next."""

    HANDSHAKE_DONE = "handshake done"
    CLOSE_SENT = "close frame sent"
    CLOSE_RECEIVED = "close frame received"
    TCP_CLOSED = "TCP closed"


TRANSITIONS = {
    (State.CONNECTING, Step.HANDSHAKE_DONE): State.OPEN,
    (State.CONNECTING, Step.TCP_CLOSED): State.CLOSED,
    (State.OPEN, Step.CLOSE_SENT): State.CLOSING,  # §7.1.3: the closing handshake is started
    (State.OPEN, Step.CLOSE_RECEIVED): State.CLOSING,
    (State.OPEN, Step.TCP_CLOSED): State.CLOSED,
    (State.CLOSING, Step.CLOSE_SENT): State.CLOSING,
    (State.CLOSING, Step.CLOSE_RECEIVED): State.CLOSING,
    (State.CLOSING, Step.TCP_CLOSED): State.CLOSED,  # §7.1.4: only the end of TCP closes the connection
}


class Direction(StrEnum):
    """Which way bytes went, whoever recorded them."""

    CLIENT_TO_SERVER = "client → server"
    SERVER_TO_CLIENT = "server → client"


SENDERS = {Direction.CLIENT_TO_SERVER: Role.CLIENT, Direction.SERVER_TO_CLIENT: Role.SERVER}


DIRECTIONS = {sender: direction for direction, sender in SENDERS.items()}
