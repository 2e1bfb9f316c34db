"""probes_of_messages: for each bug in messages, closing and compression a probe that tells it from the good one."""

from typing import Any

from wslab.exercises.zoo.line import DEFLATE, answer, dial
from wslab.protocol.frames import Frame, Opcode


def probe_embedded_websocket_31(server: Any) -> bool:
    """Whether a message comes back whole although a ping came between its fragments."""
    start, end = Frame(Opcode.TEXT, b"hel", fin=False), Frame(Opcode.CONTINUATION, b"lo")
    with dial(server) as line:
        line.send(start, Frame(Opcode.PING, b"x"), end)
        return [line.receive(), line.receive()] == [Frame(Opcode.PONG, b"x"), Frame(Opcode.TEXT, b"hello")]


def probe_fastwebsockets_123(server: Any) -> bool:
    """Whether a character that is cut between two fragments comes back."""
    with dial(server) as line:
        line.send(Frame(Opcode.TEXT, b"\xc3", fin=False), Frame(Opcode.CONTINUATION, b"\xa9"))
        return line.receive() == Frame(Opcode.TEXT, "é".encode())


def probe_aiohttp_1951(server: Any) -> bool:
    """Whether a ping is answered although its first byte comes alone, in one packet with a message before it."""
    with dial(server) as line:
        line.send(Frame(Opcode.TEXT, b"first"), b"\x89")
        first = line.receive(more=True)
        line.send(bytes.fromhex("80 37 fa 21 3d"))
        return [first, line.receive()] == [Frame(Opcode.TEXT, b"first"), Frame(Opcode.PONG)]


def probe_lib_23(server: Any) -> bool:
    """Whether ten messages in one piece bring ten answers."""
    texts = [Frame(Opcode.TEXT, b"%d" % number) for number in range(10)]
    with dial(server) as line:
        line.send(*texts)
        return [line.receive() for _ in texts] == texts


def probe_websockify_312(server: Any) -> bool:
    """Whether an empty message comes back, and the one after it."""
    texts = [Frame(Opcode.TEXT), Frame(Opcode.TEXT, b"a")]
    with dial(server) as line:
        line.send(*texts)
        return [line.receive() for _ in texts] == texts


def probe_uwsgi_1690(server: Any) -> bool:
    """Whether a pong carries what the ping carried."""
    with dial(server) as line:
        line.send(Frame(Opcode.PING, bytes.fromhex("2981920f")))
        return line.receive() == Frame(Opcode.PONG, bytes.fromhex("2981920f"))


def probe_websocket4net_38(client: Any) -> bool:
    """Whether a pong carries bytes that are no UTF-8 as the ping carried them."""
    payload = bytes.fromhex("0000014fdc21f78b")
    with answer(client) as line:
        line.send(Frame(Opcode.PING, payload))
        return line.receive() == Frame(Opcode.PONG, payload)


def probe_robyn_536(server: Any) -> bool:
    """Whether a pong that nobody asked for is left without an answer: only the text comes back."""
    with dial(server) as line:
        line.send(Frame(Opcode.PONG, b"unasked"), Frame(Opcode.TEXT, b"hi"))
        return line.receive() == Frame(Opcode.TEXT, b"hi")


def probe_userver_1308(server: Any) -> bool:
    """Whether a ping of 126 bytes is not answered: a close frame may come, or nothing."""
    with dial(server) as line:
        line.send(Frame(Opcode.PING, b"x" * 126))
        return line.read(1) in (b"", b"\x88")


def probe_websocket_for_python_263(server: Any) -> bool:
    """Whether a close frame without a code is not answered with 1005."""
    with dial(server) as line:
        line.send(Frame(Opcode.CLOSE))
        frame = line.receive()
        return frame is not None and frame.opcode is Opcode.CLOSE and frame.payload[:2] in (b"", b"\x03\xe8")


def probe_cwist_137(server: Any) -> bool:
    """Whether a close frame is answered with one."""
    with dial(server) as line:
        line.send(Frame(Opcode.CLOSE, b"\x03\xe8"))
        return line.receive() == Frame(Opcode.CLOSE, b"\x03\xe8")


def probe_jetty_3159(server: Any) -> bool:
    """Whether RSV1 on the second fragment of a compressed message is refused: no message comes back."""
    start, end = bytes.fromhex("f248cd"), bytes.fromhex("c9c90700")  # RFC 7692 §7.2.3.1
    with dial(server, extensions=DEFLATE) as line:
        line.send(Frame(Opcode.TEXT, start, fin=False, rsv1=True), Frame(Opcode.CONTINUATION, end, rsv1=True))
        return all(frame.opcode is Opcode.CLOSE for frame in line.rest())


def probe_bun_33001(server: Any) -> bool:
    """Whether RSV1 on a ping is refused: no pong comes."""
    with dial(server, extensions=DEFLATE) as line:
        line.send(Frame(Opcode.PING, b"x", rsv1=True))
        return all(frame.opcode is Opcode.CLOSE for frame in line.rest())


def probe_mwebsockets_23(server: Any) -> bool:
    """Whether RSV1 is 0 where no extension was agreed on."""
    with dial(server) as line:
        line.send(Frame(Opcode.TEXT, b"hi"))
        return line.receive() == Frame(Opcode.TEXT, b"hi")


def probe_kitura_websocket_nio_22(server: Any) -> bool:
    """Whether a message that is compressed with the window of the one before it is understood."""
    hello = Frame(Opcode.TEXT, bytes.fromhex("f248cdc9c90700"), rsv1=True)
    again = Frame(Opcode.TEXT, bytes.fromhex("f200110000"), rsv1=True)  # RFC 7692 §7.2.3.2
    with dial(server, extensions=DEFLATE) as line:
        line.send(hello, again)
        frames = [line.receive(), line.receive()]
        return all(frame is not None and frame.opcode is Opcode.TEXT for frame in frames)


def probe_java_websocket_1093(client: Any) -> bool:
    """Whether a message that is not compressed is taken although compression was agreed on."""
    with answer(client, extensions=DEFLATE) as line:
        line.send(Frame(Opcode.TEXT, b"hi"), Frame(Opcode.CLOSE, b"\x03\xe8"))
        return any(frame.opcode is Opcode.TEXT for frame in line.rest())
