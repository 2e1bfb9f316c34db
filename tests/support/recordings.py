"""Recordings: of chunks that a test makes, and of conversations that a client really has with a server."""

import itertools

from support.heads_and_frames import masked, request, response
from wslab import Direction, Frame, Opcode, Recording, connect, serialize_frame

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
HANDSHAKE = [(1, UP, request()), (1, DOWN, response())]
GOODBYE = (1000).to_bytes(2, "big")
BYE_UP, BYE_DOWN = masked(Opcode.CLOSE, GOODBYE), serialize_frame(Frame(Opcode.CLOSE, GOODBYE))
TEXT = "κόσμε 😀 " * 9


def recorded(*chunks: tuple[int, Direction, bytes]) -> Recording:
    """A recording of chunks, one a second."""
    recording = Recording(clock=itertools.count().__next__)
    for chunk in chunks:
        recording.add(*chunk)
    return recording


def talk(recording: Recording, url: str, messages: list[str | bytes], **options: object) -> None:
    with connect(url, recording=recording, **options) as connection:
        for message in messages:
            connection.send(message)
            assert connection.receive() == message
        connection.ping(b"?")
        connection.ping()
        connection.send("!")
        assert connection.receive() == "!"
        connection.close(4001, "bye κόσμε")


def talk_in_fragments(recording: Recording, url: str, **options: object) -> None:
    with connect(url, recording=recording, **options) as connection:
        for kind in ("Hel", "lo"), (b"\x00", b"\x01"):
            connection.send_fragment(kind[0])
            connection.ping(b"between")
            connection.send_fragment(kind[0][:0])
            connection.send_fragment(kind[1], fin=True)
            assert connection.receive() == kind[0] + kind[1]
