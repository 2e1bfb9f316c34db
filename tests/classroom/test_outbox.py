"""Outbox: messages come in order, and a client that does not read costs its own connection and nobody's time."""

import threading

import pytest
from support.heads_and_frames import masked
from support.raw_peer import RawPeer, live_server
from support.waiting import PATIENCE, wait_until

from wslab import CloseCode, Limits, Opcode, connect
from wslab.classroom.outbox import MAX_SIZE, MAX_WAITING, TOO_SLOW, Outbox


@pytest.fixture
def made():
    """A server whose handler gives its outbox to the test, until the test is over."""
    outboxes, is_over = [], threading.Event()

    def serve(connection):
        with Outbox(connection) as outbox:
            outboxes.append(outbox)
            for _ in connection:
                pass
        is_over.set()

    limits = Limits(close_timeout=1.0, send_timeout=PATIENCE)
    with live_server(handler=serve, deflate=False, limits=limits) as server:
        yield server, outboxes, is_over


def test_messages_come_in_order_texts_and_bytes(made):
    server, outboxes, _ = made
    with connect(server.url, timeout=PATIENCE) as client:
        wait_until(lambda: outboxes)
        for number in range(500):
            outboxes[0].put(str(number) if number % 2 else str(number).encode())
        assert [client.receive() for _ in range(500)] == [str(n) if n % 2 else str(n).encode() for n in range(500)]


@pytest.mark.parametrize(("message", "count"), [("x" * 100, 200_000), (b"x" * 10_000, 2000)])
def test_a_client_that_does_not_read_never_makes_others_wait_and_is_let_go(made, message, count):
    server, outboxes, is_over = made
    with RawPeer.upgraded(server, receive_buffer=4096) as deaf:
        wait_until(lambda: outboxes)
        for _ in range(count):
            outboxes[0].put(message)
        assert outboxes[0]._size <= MAX_SIZE
        assert len(outboxes[0]._waiting) <= MAX_WAITING
        wait_until(lambda: outboxes[0]._has_overflowed)
        frames = []
        while (frame := deaf.read_frame()).opcode is not Opcode.CLOSE:
            frames.append(frame)
        assert frame.payload == CloseCode.POLICY_VIOLATION.to_bytes(2, "big") + TOO_SLOW.encode()
        assert len(frames) < count
        deaf.send(masked(Opcode.CLOSE, frame.payload[:2]))
        assert is_over.wait(PATIENCE)


def test_an_outbox_of_a_connection_that_has_ended_ends(made):
    server, outboxes, is_over = made
    with connect(server.url, timeout=PATIENCE):
        wait_until(lambda: outboxes)
    assert is_over.wait(PATIENCE)
    outboxes[0].put("nobody")
