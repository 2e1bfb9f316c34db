"""probes_of_frames: for each bug in lengths and masks a probe that the good one passes and the bad one fails."""

from typing import Any

from wslab.exercises.zoo.line import answer, dial
from wslab.protocol.frames import Frame, Opcode


def probe_oven_media_engine_2315(server: Any) -> bool:
    """Whether 125 bytes come back in the short form."""
    with dial(server) as line:
        line.send(Frame(Opcode.TEXT, b"x" * 125))
        return line.read(2) == b"\x81\x7d"


def probe_crystal_1341(server: Any) -> bool:
    """Whether 126 bytes come back with two bytes for their length."""
    with dial(server) as line:
        line.send(Frame(Opcode.TEXT, b"x" * 126))
        return line.read(4) == b"\x81\x7e\x00\x7e"


def probe_vert_x_260(server: Any) -> bool:
    """Whether 65,536 bytes come back with eight bytes for their length."""
    with dial(server) as line:
        line.send(Frame(Opcode.TEXT, b"x" * 65_536))
        return line.read(10) == b"\x81\x7f" + (65_536).to_bytes(8, "big")


def probe_cro_websocket_23(server: Any) -> bool:
    """Whether 32,768 bytes come back."""
    message = Frame(Opcode.TEXT, b"x" * 32_768)
    with dial(server) as line:
        line.send(message)
        return line.receive() == message


def probe_alchemy_websockets_4(server: Any) -> bool:
    """Whether the length of 300 bytes comes back with its high byte first."""
    with dial(server) as line:
        line.send(Frame(Opcode.TEXT, b"x" * 300))
        return line.read(4) == b"\x81\x7e\x01\x2c"


def probe_em_websocket_86(server: Any) -> bool:
    """Whether a text with longer characters comes back, and the next one, too."""
    texts = [Frame(Opcode.TEXT, text.encode()) for text in ("é", "漢字", "a")]
    with dial(server) as line:
        line.send(*texts)
        return [line.receive() for _ in texts] == texts


def probe_netcoreserver_213(server: Any) -> bool:
    """Whether its messages are not masked."""
    with dial(server) as line:
        line.send(Frame(Opcode.TEXT, b"hi"))
        frame = line.receive()
        return frame is not None and frame.masking_key is None


def probe_arduino_websockets_208(server: Any) -> bool:
    """Whether its pongs are not masked."""
    with dial(server) as line:
        line.send(Frame(Opcode.PING))
        frame = line.receive()
        return frame is not None and frame.masking_key is None


def probe_websocket_node_226(server: Any) -> bool:
    """Whether a frame without a mask is not answered."""
    with dial(server) as line:
        line.send(b"\x81\x05Hello")
        return Frame(Opcode.TEXT, b"Hello") not in line.rest()


def probe_beast_1061(server: Any) -> bool:
    """Whether a payload that is cut after its third byte comes back whole.

    The first piece follows a message in the same packet: once that has come back, the server has read both.
    """
    start, rest = bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d"), bytes.fromhex("51 58")
    with dial(server) as line:
        line.send(Frame(Opcode.TEXT, b"first"), start)
        first = line.receive(more=True)
        line.send(rest)
        return first == Frame(Opcode.TEXT, b"first") and line.receive() == Frame(Opcode.TEXT, b"Hello")


def probe_websocket_kit_26(client: Any) -> bool:
    """Whether its pong and its close frame are masked."""
    with answer(client) as line:
        line.send(Frame(Opcode.PING), Frame(Opcode.CLOSE))
        frames = line.rest()
        return len(frames) == 2 and all(frame.masking_key for frame in frames)


def probe_websocket_sharp_12(client: Any) -> bool:
    """Whether an empty message is masked, too."""
    with answer(client) as line:
        line.send(Frame(Opcode.TEXT))
        return line.read(2) == b"\x81\x80"


def probe_cross_socket_198(client: Any) -> bool:
    """Whether a message is masked."""
    with answer(client) as line:
        line.send(Frame(Opcode.TEXT, b"hi"))
        return line.read(2) == b"\x81\x82"


def probe_ws_634(client: Any) -> bool:
    """Whether of ten messages no two are masked with the same key."""
    with answer(client) as line:
        line.send(*[Frame(Opcode.TEXT, b"hi")] * 10)
        frames = [line.receive() for _ in range(10)]
        return len({frame.masking_key for frame in frames if frame}) == 10
