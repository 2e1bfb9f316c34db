"""library: the library websockets as a client of the learner's server, and as a server for the learner's client."""

import logging
import queue
import threading
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from wslab.dissector.wording import how_many
from wslab.exercises.judges.finding import Finding, said_in
from wslab.exercises.judges.sides import LearnersClient, found_by, learners_client, learners_server
from wslab.exercises.judges.watch import PATIENCE, Broken, Waited, Watch
from wslab.protocol.codec import Codec
from wslab.protocol.errors import describe_close
from wslab.recording.recording import Recording

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.connection import Connection

NAME = "websockets"
MISSING = "the library websockets is not installed, so it did not judge; pip install websockets brings it"
MESSAGES = ("Hello", "", "é" * 63, bytes(range(256)) * 2, "WebSocket " * 7_000)
SILENT = logging.Logger("websockets of the judge", logging.CRITICAL + 1)


def judge(codec: Codec) -> Finding:
    """Let websockets talk to the learner's server, then to the learner's client."""
    if find_spec("websockets") is None:
        return Finding(NAME, missing=MISSING)
    plays = {"as a client of your server": _play_with_server, "as a server for your client": _play_with_client}
    for name, play in plays.items():
        watch, recording = Watch(codec), Recording()
        if broken := found_by(watch, partial(play, watch, recording)):
            return Finding(NAME, f"{name}: {broken}", said=said_in(recording))
    return Finding(NAME)


def _play_with_server(watch: Watch, recording: Recording) -> None:
    from websockets.exceptions import InvalidHandshake, InvalidHeader
    from websockets.sync.client import connect

    with learners_server(watch, recording, deflate=True) as server:
        address = server.url
        try:
            peer = connect(
                address, open_timeout=PATIENCE, close_timeout=PATIENCE, ping_interval=None, proxy=None, logger=SILENT
            )
        except InvalidHandshake as error:
            what = f"its {error.name} is wrong" if isinstance(error, InvalidHeader) else str(error)
            raise Broken(f"websockets does not take your server's answer for an agreement: {what}") from None
        except TimeoutError:
            raise Waited(f"your server did not answer the handshake within {PATIENCE:g} s") from None
        with peer:
            _talk(peer, "your server")


def _play_with_client(watch: Watch, recording: Recording) -> None:
    from websockets.sync.server import serve

    opened = threading.Event()
    told: queue.SimpleQueue[Broken | None] = queue.SimpleQueue()

    def handle(peer: "Connection") -> None:
        opened.set()
        try:
            _talk(peer, "your client")
            told.put(None)
        except Broken as broken:
            told.put(broken)

    server = serve(
        handle, "127.0.0.1", 0, open_timeout=PATIENCE, close_timeout=PATIENCE, ping_interval=None, logger=SILENT
    )
    thread = threading.Thread(target=server.serve_forever, name="wslab-judge", daemon=True)
    thread.start()
    try:
        with learners_client(watch, server.socket.getsockname()[1], recording, deflate=True) as client:
            _await(told, opened, client)
    finally:
        server.shutdown()
        thread.join(PATIENCE)


def _await(told: "queue.SimpleQueue[Broken | None]", opened: threading.Event, client: LearnersClient) -> None:
    """Wait for what the server's handler has to tell. It is never called if the client asks for no WebSocket."""
    while True:
        try:
            broken = told.get(timeout=0.05)
            break
        except queue.Empty:
            if client.has_ended and not opened.is_set():
                broken = Broken("your client sent no request that websockets takes for a handshake")
                break
    if broken is not None:
        client.end()
        if client.refusal:
            raise Broken(f"your client refused a good answer: {client.refusal}")
        raise broken


def _talk(peer: "Connection", side: str) -> None:
    """Have every message echoed and a ping answered, and close.

    The masking keys of websockets are random, and so is what comes back when they are misread: that is not told.
    """
    from websockets.exceptions import ConnectionClosed

    for message in MESSAGES:
        try:
            peer.send(message)
            if peer.recv(timeout=PATIENCE) == message:
                continue
            why = ""
        except TimeoutError:
            raise Waited(f"{side} did not send {_named(message)} back within {PATIENCE:g} s") from None
        except ConnectionClosed as error:
            why = _objection(error)
        raise Broken(f"{side} did not send {_named(message)} back as it was{why}")
    if not peer.ping(b"!").wait(PATIENCE):
        raise Waited(f"{side} did not answer a ping within {PATIENCE:g} s")
    peer.close(1000)
    if peer.close_code != 1000:
        raise Broken(f"{side} did not answer the close frame with 1000")


def _objection(error: "ConnectionClosed") -> str:
    """What websockets had against the frames that it got, if it was the first to close."""
    if error.sent is None or error.rcvd_then_sent:
        return ""
    return f": websockets closed the connection with {describe_close(error.sent.code, error.sent.reason)}"


def _named(message: str | bytes) -> str:
    data = message.encode() if isinstance(message, str) else message
    kind = "text" if isinstance(message, str) else "binary message"
    shown = f" {message!r}" if len(data) <= 20 else ""
    return f"the {kind}{shown} ({how_many(len(data))})"
