"""innocents: legal exchanges, drawn at random, some of which look suspicious (RFC 6455 §5, RFC 7692 §6)."""

import random
from collections.abc import Callable

from wslab.exercises.sets.inputs import some_key, some_text
from wslab.protocol.deflate import deflate, new_compressor
from wslab.protocol.frames import Frame, Opcode, serialize_close, serialize_frame
from wslab.protocol.states import Role

Sent = tuple[Role, bytes]
Exchange = Callable[[random.Random], list[Sent]]


def from_client(source: random.Random, frame: Frame) -> Sent:
    """A frame as a client sends it."""
    return Role.CLIENT, serialize_frame(frame, some_key(source))


def from_server(_source: random.Random, frame: Frame) -> Sent:
    """A frame as a server sends it."""
    return Role.SERVER, serialize_frame(frame)


def text(source: random.Random) -> Frame:
    """A text of some characters, of one byte and of more."""
    return Frame(Opcode.TEXT, some_text(source, source.randint(2, 7)).encode())


def echo(source: random.Random) -> list[Sent]:
    """A text and its echo."""
    frame = text(source)
    return [from_client(source, frame), from_server(source, frame)]


def long_echo(source: random.Random) -> list[Sent]:
    """Bytes whose length needs two more bytes."""
    frame = Frame(Opcode.BINARY, source.randbytes(source.randint(126, 300)))
    return [from_client(source, frame), from_server(source, frame)]


def nothing(source: random.Random) -> list[Sent]:
    """An empty message: it is masked, too."""
    return [from_client(source, Frame(Opcode.TEXT)), from_server(source, Frame(Opcode.TEXT))]


def ping_between_fragments(source: random.Random) -> list[Sent]:
    """A control frame may stand between the fragments of a message (§5.4)."""
    start, end, ping = text(source).payload, text(source).payload, source.randbytes(3)
    return [
        from_client(source, Frame(Opcode.TEXT, start, fin=False)),
        from_client(source, Frame(Opcode.PING, ping)),
        from_server(source, Frame(Opcode.PONG, ping)),
        from_client(source, Frame(Opcode.CONTINUATION, end)),
        from_server(source, Frame(Opcode.TEXT, start + end)),
    ]


def cut_character(source: random.Random) -> list[Sent]:
    """A fragment need not be UTF-8 by itself (§5.6)."""
    whole = source.choice("éßж漢字😀").encode()
    cut = source.randint(1, len(whole) - 1)
    return [
        from_client(source, Frame(Opcode.TEXT, whole[:cut], fin=False)),
        from_client(source, Frame(Opcode.CONTINUATION, whole[cut:])),
        from_server(source, Frame(Opcode.TEXT, whole)),
    ]


def ping_of_server(source: random.Random) -> list[Sent]:
    """A ping, also of 125 bytes, and its pong."""
    payload = source.randbytes(source.choice([0, 4, 125]))
    return [from_server(source, Frame(Opcode.PING, payload)), from_client(source, Frame(Opcode.PONG, payload))]


def unasked_pong(source: random.Random) -> list[Sent]:
    """A sign of life that nobody has asked for (§5.5.3)."""
    return [from_client(source, Frame(Opcode.PONG, source.randbytes(2)))]


def one_pong_for_two(source: random.Random) -> list[Sent]:
    """Of several pings only the newest need be answered (§5.5.3)."""
    pings = [from_server(source, Frame(Opcode.PING, bytes((number,)))) for number in (1, 2)]
    return [*pings, from_client(source, Frame(Opcode.PONG, b"\x02"))]


def compressed(source: random.Random) -> list[Sent]:
    """A compressed text, answered without compression, which each message may choose (RFC 7692 §6)."""
    plain = text(source)
    packed = deflate(plain.payload, new_compressor(15))
    return [from_client(source, Frame(Opcode.TEXT, packed, rsv1=True)), from_server(source, plain)]


def compressed_fragments(source: random.Random) -> list[Sent]:
    """Of a compressed message only the first fragment has RSV1 (RFC 7692 §6.1)."""
    plain = text(source)
    packed = deflate(plain.payload, new_compressor(15))
    return [
        from_client(source, Frame(Opcode.TEXT, packed[:2], fin=False, rsv1=True)),
        from_client(source, Frame(Opcode.CONTINUATION, packed[2:])),
        from_server(source, plain),
    ]


def farewell(source: random.Random) -> list[Sent]:
    """Both close frames, with a code that may be sent, or with none (§5.5.1, §7.4)."""
    payload = source.choice([b"", serialize_close(1000, "bye"), serialize_close(1001), serialize_close(4321, "é")])
    return [from_client(source, Frame(Opcode.CLOSE, payload)), from_server(source, Frame(Opcode.CLOSE, payload[:2]))]


ALWAYS: tuple[Exchange, ...] = (
    echo,
    long_echo,
    nothing,
    ping_between_fragments,
    cut_character,
    ping_of_server,
    unasked_pong,
    one_pong_for_two,
)
WITH_DEFLATE: tuple[Exchange, ...] = (compressed, compressed_fragments)
