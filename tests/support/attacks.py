"""Attacks: what may happen to a server that is open to everybody, at full size; each returns what it has done.

Each is a function without arguments against a server in a process of its own, with a polite client beside it.
"""

import contextlib
import functools
import random
import socket
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from support.heads_and_frames import DEFLATE, ZERO_KEY, masked, request, text
from support.measured_attack import Figures, MeasuredAttack, measured_attack
from support.raw_peer import Answer, RawPeer
from support.server_process import HALF_A_MESSAGE, MIB, WHOLE_MESSAGES, ServerProcess, numbered
from support.waiting import PATIENCE, running, wait_until
from wslab import Connection, Direction, Frame, Limits, Opcode, Recording, connect, parse_frame, serialize_frame

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None

# What free-threaded Python takes for each thread, as each has heaps of its own, also one that does nothing.
IS_FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()
HEAPS = 0.2 if IS_FREE_THREADED else 0.0  # MiB more: at least 182 KiB instead of 33 (Python 3.13)
END_OF_HEAPS = 0.002 if IS_FREE_THREADED else 0.0  # seconds more at its end: 1,490 end in 1.6 s instead of 0.1
QUICK = Limits(close_timeout=1.0)


def announced(length: int) -> bytes:
    """The header of a binary frame from a client, with a payload of `length` bytes to come."""
    return b"\x82\xff" + length.to_bytes(8, "big") + ZERO_KEY


def goes_on_sending(peer: RawPeer, data: bytes, times: int) -> None:
    """Send `data` again and again, as long as the server takes it."""
    with contextlib.suppress(OSError):
        for _ in range(times):
            peer.send(data)


def close_code(frame: Frame) -> str:
    return f"close {int.from_bytes(frame.payload[:2], 'big')}"


def read_close_code(peer: RawPeer) -> str:
    """Read up to the close frame; its code."""
    while (frame := peer.read_frame()).opcode is not Opcode.CLOSE:
        pass
    return close_code(frame)


# Lengths that lie, and data that grow


def announce(length: int) -> Figures:
    """50 clients announce a frame of `length` bytes at once, and send 4 MiB of it each, asked or not."""
    with measured_attack(QUICK) as it, contextlib.ExitStack() as stack:
        peers = [stack.enter_context(RawPeer.upgraded(it.server)) for _ in range(50)]
        for peer in peers:
            peer.send(announced(length))
        it.see_others_served()
        for peer in peers:
            goes_on_sending(peer, bytes(64 * 1024), 64)
            it.told[read_close_code(peer)] += 1
    return it.figures


def a_frame_that_announces_2_to_the_40() -> Figures:
    return announce(2**40)


def a_length_with_the_top_bit_set() -> Figures:
    return announce(2**63 + 5)


@functools.cache
def bomb(mib: int) -> bytes:
    """So many MiB of zeros, deflated about 1000 times."""
    compressor, zeros = zlib.compressobj(9, wbits=-15), bytes(MIB)
    pieces = [compressor.compress(zeros) for _ in range(mib)]
    return (b"".join(pieces) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


def in_fragments(data: bytes, size: int) -> bytes:
    """A compressed binary message in frames of `size` bytes."""
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(
        serialize_frame(
            Frame(Opcode.CONTINUATION if i else Opcode.BINARY, piece, fin=i == len(pieces) - 1, rsv1=not i), ZERO_KEY
        )
        for i, piece in enumerate(pieces)
    )


def a_deflate_bomb_of_300_mib() -> Figures:
    """300 MiB in one frame, and in a thousand."""
    data = bomb(300)
    with measured_attack(QUICK) as it:
        for size in (len(data), 300):
            with RawPeer.upgraded(it.server, more=DEFLATE) as peer:
                goes_on_sending(peer, in_fragments(data, size), 1)
                it.told[read_close_code(peer)] += 1
        it.see_others_served()
    return it.figures


def a_deflate_bomb_in_300_messages() -> Figures:
    """300 messages of 1 MiB each, which is just allowed, come in 300 KiB at once."""
    messages = in_fragments(bomb(1), MIB) * 300 + masked(Opcode.CLOSE, b"\x03\xe8")
    with measured_attack() as it, RawPeer.upgraded(it.server, more=DEFLATE) as peer:
        with running(peer.send, messages):
            *echoes, close = peer.read_frames_to_end()
        it.told["echo"] += sum(echo.opcode is Opcode.BINARY for echo in echoes)
        it.told[close_code(close)] += 1
        it.see_others_served()
    return it.figures


# Frames without end


def sends_until_told(peer: RawPeer, data: bytes) -> str:
    """Send `data` again and again until the server says in a close frame that it has enough; its code."""
    with running(goes_on_sending, peer, data, sys.maxsize):
        code = read_close_code(peer)
        peer.sock.shutdown(socket.SHUT_RDWR)
    return code


def endless_fragments() -> Figures:
    """A message in fragments of 2 bytes, which never ends."""
    with measured_attack(QUICK) as it, RawPeer.upgraded(it.server) as peer:
        peer.send(masked(Opcode.BINARY, b"ab", fin=False))
        it.told[sends_until_told(peer, masked(Opcode.CONTINUATION, b"ab", fin=False) * 1000)] += 1
        it.see_others_served()
    return it.figures


def a_million_empty_fragments() -> Figures:
    """Two letters with a million empty fragments between them, as a text and as a binary message."""
    with measured_attack() as it, RawPeer.upgraded(it.server) as peer:
        for opcode in (Opcode.TEXT, Opcode.BINARY):
            peer.send(masked(opcode, b"a", fin=False))
            for _ in range(1000):
                peer.send(masked(Opcode.CONTINUATION, b"", fin=False) * 1000)
            peer.send(masked(Opcode.CONTINUATION, b"b"))
            it.told[str(peer.read_frame())] += 1
        assert peer.says_goodbye()
    return it.figures


def a_hundred_thousand_pings() -> Figures:
    """All of them at once, with their numbers; the pongs are counted if they come in order."""
    numbers = [str(number).encode() for number in range(100_000)]
    with measured_attack() as it, RawPeer.upgraded(it.server) as peer:
        with running(peer.send, b"".join(masked(Opcode.PING, number) for number in numbers)):
            for number in numbers:
                it.told["pong"] += peer.read_frame() == Frame(Opcode.PONG, number)
        assert peer.says_goodbye()
    return it.figures


# Clients that do not read, that vanish, that talk nonsense


def peers_that_send_and_never_read() -> Figures:
    """36 clients send big messages, small ones or pings and read nothing, until the send timeout of 2 s is up."""
    kinds = [masked(Opcode.BINARY, bytes(MIB)), text("Hello" * 200) * 100, masked(Opcode.PING, bytes(125)) * 1000]
    with measured_attack(Limits(send_timeout=2.0, close_timeout=1.0)) as it, contextlib.ExitStack() as stack:
        for data in kinds * 12:
            deaf = stack.enter_context(RawPeer.upgraded(it.server, receive_buffer=4096))
            stack.enter_context(running(sends_until_it_is_left, it, deaf, data))
        it.see_others_served()
    return it.figures


def sends_until_it_is_left(it: MeasuredAttack, peer: RawPeer, data: bytes) -> None:
    try:
        while True:
            peer.send(data)
    except ConnectionError:
        it.told["left"] += 1


def five_hundred_resets_in_mid_frame() -> Figures:
    """500 clients send the half of a frame and reset the connection, each at another byte."""
    frame = masked(Opcode.BINARY, bytes(500))
    with measured_attack() as it:
        for number in range(500):
            peer = RawPeer.upgraded(it.server)
            peer.send(text("Hello") + frame[: number + 1])
            it.told[str(peer.read_frame())] += 1
            peer.reset()
    return it.figures


def random_bytes(source: random.Random) -> bytes:
    """Noise, or a frame of noise, or noise with a good frame around it."""
    noise = source.randbytes(source.randrange(1, 2000))
    frame = Frame(Opcode(source.choice([0, 1, 2, 8, 9, 10])), noise, *(source.random() < 0.5 for _ in range(2)))
    return source.choice([noise, serialize_frame(frame, source.randbytes(4)), text("Hello") + noise])


def thousands_of_random_byte_strings() -> Figures:
    """3000 clients send noise: a third of them instead of a request, a third behind it, a third with deflate."""
    source = random.Random(6455)
    with measured_attack(QUICK) as it:
        for number in range(3000):
            if number == 500:  # by then every kind of noise has been there
                it.begin()
            handshake = [b"", request(), request(more=DEFLATE)][number % 3]
            with RawPeer(it.server) as peer:
                peer.send(handshake + random_bytes(source))
                peer.sock.shutdown(socket.SHUT_WR)
                it.told[last_word(peer.read_to_end())] += 1
    return it.figures


def last_word(answer: bytes) -> str:
    """The HTTP status of a refusal, or the code of the close frame at the end."""
    head, _, frames = answer.partition(b"\r\n\r\n")
    status, frame = int(head.split(b" ")[1]), None
    while status == 101 and frames:
        frame, used = parse_frame(frames)
        frames = frames[used:]
    if status != 101:
        return f"HTTP {status}"
    return close_code(frame) if frame is not None and frame.opcode is Opcode.CLOSE else "the end of TCP"


# Crowds


def ten_thousand_visits() -> Figures:
    """10,000 clients after the other come, get an echo and say goodbye; measured from the thousandth on."""
    with measured_attack() as it:
        for number in range(10_000):
            if number == 1000:
                it.begin()
            with RawPeer.upgraded(it.server) as peer:
                peer.send(text(f"visit {number}"))
                it.told["served"] += peer.read_frame() == Frame(Opcode.TEXT, f"visit {number}".encode())
                it.told["goodbye"] += peer.says_goodbye()
    return it.figures


def two_hundred_half_handshakes() -> Figures:
    """200 clients send a request without its end, and wait until the handshake time of 1.5 s is up."""
    with measured_attack(Limits(handshake_timeout=1.5)) as it, contextlib.ExitStack() as stack:
        peers = [stack.enter_context(RawPeer(it.server)) for _ in range(200)]
        for peer in peers:
            peer.send(request()[:-2])
        wait_until(lambda: it.server.threads > 200)
        it.see_others_served()
        for peer in peers:
            it.told[f"HTTP {Answer.from_bytes(peer.read_to_end()).status}"] += 1
    return it.figures


CROWD = 1500
FILES_FOR_A_CROWD = CROWD + 500


def most_files() -> int:
    """How many files a process may have open here, if it asks for it."""
    return sys.maxsize if resource is None else resource.getrlimit(resource.RLIMIT_NOFILE)[1]


@contextlib.contextmanager
def many_files(count: int) -> Iterator[None]:
    """Let this process and those that it starts have `count` files open."""
    if resource is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def a_crowd_and_then_more_than_the_limit() -> Figures:
    """1,500 connections at once, which is as many as there may be with the bystander, and then 50 more."""
    limits = Limits(max_connections=CROWD + 1)
    with many_files(FILES_FOR_A_CROWD), measured_attack(limits) as it, contextlib.ExitStack() as stack:
        peers = [stack.enter_context(RawPeer(it.server)) for _ in range(CROWD)]
        for peer in peers:
            peer.send(request())
        for peer in peers:
            it.told[f"HTTP {peer.read_head().status}"] += 1
        it.see_others_served()
        for _ in range(50):
            with RawPeer(it.server) as late:
                late.send(request())
                answer = Answer.from_bytes(late.read_to_end())
                it.told[f"HTTP {answer.status}: {answer.body.decode().strip()}"] += 1
        for number, peer in enumerate(peers):
            peer.send(text(f"one of many, {number}"))
        for number, peer in enumerate(peers):
            it.told["echo"] += peer.read_frame() == Frame(Opcode.TEXT, f"one of many, {number}".encode())
        it.see_others_served()
    return it.figures


# Ends


def ctrl_c_with_open_connections() -> Figures:
    """Ctrl-C while 1,500 clients are there: silent ones, some in mid-message, and ten that do not read."""
    limits = Limits(max_connections=CROWD + 1)
    with many_files(FILES_FOR_A_CROWD), measured_attack(limits) as it, contextlib.ExitStack() as stack:
        deaf = [stack.enter_context(RawPeer.upgraded(it.server, receive_buffer=4096)) for _ in range(10)]
        peers = [stack.enter_context(RawPeer.upgraded(it.server)) for _ in range(CROWD - len(deaf))]
        for peer in deaf:
            goes_on_sending(peer, masked(Opcode.BINARY, bytes(MIB))[:-1], 1)
        for number, peer in enumerate(peers):
            peer.send(masked(Opcode.BINARY, bytes(1000))[: number % 250 * 4])
        it.see_others_served()
        deadline = time.monotonic() + 5.0 + CROWD * END_OF_HEAPS
        it.server.interrupt()
        for peer in peers:
            it.told[read_close_code(peer)] += 1
        it.told[f"exit status {it.server.wait(deadline - time.monotonic())}"] += 1
        it.told[f"the bystander: close {it.bystander.close_code}"] += 1
    return it.figures


def a_handler_that_raises() -> Figures:
    """100 clients make their handlers fail, while 50 others are in the midst of a conversation."""
    with measured_attack(handler="fragile") as it, contextlib.ExitStack() as stack:
        others = [stack.enter_context(RawPeer.upgraded(it.server)) for _ in range(50)]
        for number in range(100):
            with RawPeer.upgraded(it.server) as peer:
                peer.send(text("fail"))
                it.told[str(peer.read_frame())] += 1
            others[number % 50].send(text("go on"))
            it.told[str(others[number % 50].read_frame())] += 1
    return it.figures


def send_numbered(client: Connection, letter: str, count: int) -> None:
    for number in range(count):
        client.send(numbered(letter, number))


def in_order(messages: Iterable[str], count: int) -> int:
    """How many of the messages of two writers have come as they were sent, in the order of each of the two."""
    expected = {letter: iter([numbered(letter, number) for number in range(count)]) for letter in "ab"}
    return sum(message == next(expected[message[0]]) for message in messages)


def two_threads_that_write_to_one_connection() -> Figures:
    """Two threads of a handler send 1000 messages each to one client; two threads of a client do it to the echo."""
    count = 1000
    with measured_attack(handler="two_writers") as it, connect(it.server.url) as connection:
        connection.send(str(count))
        it.told["in order from the server"] = in_order((connection.receive() for _ in range(2 * count)), count)
        with ServerProcess() as echoing, connect(echoing.url) as client, contextlib.ExitStack() as stack:
            for letter in "ab":
                stack.enter_context(running(send_numbered, client, letter, count))
            it.told["in order from the client"] = in_order((client.receive() for _ in range(2 * count)), count)
    return it.figures


def a_server_that_dies_in_the_middle_of_a_message() -> Figures:
    """20 clients have three messages and the half of one when their server is killed; another server has it easy."""
    with measured_attack() as it, ServerProcess(handler="half") as dying, contextlib.ExitStack() as stack:
        recordings = [Recording() for _ in range(20)]
        clients = [stack.enter_context(connect(dying.url, recording=recording)) for recording in recordings]
        threads = stack.enter_context(ThreadPoolExecutor(len(clients)))
        heard = [threads.submit(list, client) for client in clients]
        for recording in recordings:
            wait_until(lambda r=recording: r.bytes_sent(1, Direction.SERVER_TO_CLIENT).endswith(HALF_A_MESSAGE))
        it.see_others_served()
        dying.kill()
        for messages, client in zip(heard, clients, strict=True):
            it.told["all whole messages"] += messages.result(PATIENCE) == WHOLE_MESSAGES
            it.told[f"close {client.close_code}"] += 1
    return it.figures


ATTACKS = [
    a_frame_that_announces_2_to_the_40,
    a_length_with_the_top_bit_set,
    a_deflate_bomb_of_300_mib,
    a_deflate_bomb_in_300_messages,
    endless_fragments,
    a_million_empty_fragments,
    a_hundred_thousand_pings,
    peers_that_send_and_never_read,
    five_hundred_resets_in_mid_frame,
    thousands_of_random_byte_strings,
    ten_thousand_visits,
    two_hundred_half_handshakes,
    a_crowd_and_then_more_than_the_limit,
    ctrl_c_with_open_connections,
    a_handler_that_raises,
    two_threads_that_write_to_one_connection,
    a_server_that_dies_in_the_middle_of_a_message,
]
