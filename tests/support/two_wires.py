"""Scenes of sockets and of WebSocket, each played on the loopback interface and in memory.

Run as a program, with `memory` or without, it plays all of them and prints what each has returned as JSON.
"""

import json
import queue
import select
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

KEY, NONCE = bytes.fromhex("37fa213d"), "dGhlIHNhbXBsZSBub25jZQ=="
MEMORY = "memory"


def tour() -> list[object]:
    """The tour of lesson 00: both recordings, the ladder, and what each call returned."""
    import wslab

    seen, served = wslab.Recording(clock=lambda: 0.0), wslab.Recording(clock=lambda: 0.0)
    with wslab.EchoServer(recording=served) as server:
        client = wslab.connect(server.url, recording=seen, key=NONCE, masking_key=KEY)
        said: list[object] = [str(server.connections)]
        for message in ("Hello", "Hello", bytes(70_000).hex()):
            client.send(message)
            said.append(client.receive()[:9])
        client.ping(b"17")
        said.append(str(client.receive_event()))
        client.close(4001, "that was all")
        said += [client.state.name, client.close_code, client.close_reason]
    for recording in (seen, served):
        said += [recording.bytes_sent(1, way).partition(b"\r\n\r\n")[2].hex() for way in wslab.Direction]
    return [*said, *str(wslab.draw_ladder(seen, times=False)).splitlines()[1:]]


def handlers() -> list[object]:
    """A server that speaks first, one that remembers, one that raises: messages and close codes."""
    import wslab

    def remember(connection: wslab.Connection) -> None:
        connection.send("welcome")
        for number, message in enumerate(connection):
            connection.send(f"{number} {message}")

    def fail(connection: wslab.Connection) -> None:
        raise LookupError("nothing here")

    said: list[object] = []
    with (
        wslab.EchoServer(handler=remember) as server,
        wslab.connect(server.url) as one,
        wslab.connect(server.url) as other,
    ):
        for client in (one, other, one):
            client.send("hi")
        said += [[client.receive() for _ in range(many)] for client, many in ((one, 3), (other, 2))]
    said += [one.close_code, other.close_code]
    with wslab.EchoServer(handler=fail) as server, wslab.connect(server.url) as client:
        said += [list(client), client.close_code, client.close_reason]
    return said


def faults_and_limits() -> list[object]:
    """Broken rules, limits, refusals, a tap that chops, a peer that vanishes: the words and codes of each."""
    import wslab

    said: list[object] = []
    with wslab.EchoServer(limits=wslab.Limits(max_size=10), origins=["https://here.example"]) as server:
        for data in (b"\x83\x80" + KEY, b"\x81\x8b" + KEY + bytes(11)):
            with wslab.connect(server.url, origin="https://here.example") as client:
                client.send_raw(data)
                said += [str(error_of(client.receive)), client.close_code]
        said.append(str(error_of(lambda: wslab.connect(server.url, origin="https://there.example"))))
    with (
        wslab.EchoServer() as server,
        wslab.Tap(server, to_server=wslab.faults.chop(7)) as tap,
        wslab.connect(tap.url) as client,
    ):
        client.send("chopped")
        said += [client.receive(), error_of(lambda: client.receive(timeout=0.1)) is not None]
        client.abort()
        said += [client.close_code, client.state.name]
    said.append(str(error_of(lambda: wslab.connect(server.url, timeout=5))).replace(str(server.port), "PORT"))
    return said


def bytes_of_tcp() -> list[object]:
    """Plain sockets: a stream without boundaries, waits, the end, a reset, and a peer that does not read."""
    one, other = socket.socketpair()
    for word in (b"one", b"two"):
        one.sendall(word)
    said: list[object] = [other.recv(4).hex(), other.recv(4, socket.MSG_PEEK).hex(), other.recv(4).hex()]
    other.settimeout(0.01)
    said.append(str(error_of(lambda: other.recv(1))))
    other.setblocking(False)
    said += [
        type(error_of(lambda: other.recv(1))).__name__,
        select.select([other], [other], [], 0) == ([], [other], []),
    ]
    one.shutdown(socket.SHUT_WR)
    said += [other.recv(1).hex(), select.select([other], [], [], 5) == ([other], [], [])]
    other.sendall(b"still")
    said.append(one.recv(9).hex())
    one.setblocking(False)
    while error_of(lambda: other.send(bytes(65536))) is None:
        pass
    said.append(select.select([], [other], [], 0)[1] == [])
    one.close()
    said += [type(error_of(lambda: one.recv(1))).__name__, isinstance(error_of(lambda: other.send(b"x")), OSError)]
    other.close()
    return said


def connecting() -> list[object]:
    """Ports: a free one, one that is taken, one where nobody listens any more; a file over a socket."""
    said: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        said.append(type(error_of(lambda: socket.create_server(address))).__name__)
        with socket.create_connection(address, timeout=5) as client:
            served, where = listener.accept()
            said += [where == client.getsockname(), client.getpeername() == address == served.getsockname()]
            with served, served.makefile("rwb") as file:
                client.sendall(b"line\nrest")
                said.append(file.readline().decode())
                file.write(b"answer")
                file.flush()
                said.append(client.recv(9).decode())
            client.settimeout(5)
            said.append(isinstance(error_of(lambda: client.sendall(bytes(10**6))), OSError))
    said.append(type(error_of(lambda: socket.create_connection(address, timeout=5))).__name__)
    return said


def threads() -> list[object]:
    """Threads, locks, queues and pools, which wait for one another."""
    waiting, order, lock = queue.Queue(), [], threading.Lock()
    gate = threading.Event()

    def work(name: str) -> None:
        gate.wait()
        with lock:
            order.append(threading.current_thread().name == name)
        waiting.put(name)

    workers = [threading.Thread(target=work, name=name, args=(name,)) for name in "ab"]
    for worker in workers:
        worker.start()
    said: list[object] = [[worker.is_alive() for worker in workers], error_of(waiting.get_nowait) is not None]
    gate.set()
    said += [sorted(waiting.get(timeout=5) for _ in workers), order]
    for worker in workers:
        worker.join()
    said += [[worker.is_alive() for worker in workers], str(error_of(workers[0].start))]
    with ThreadPoolExecutor() as pool:
        said += [pool.submit(pow, 2, 10).result(timeout=5), list(pool.map(str, range(3)))]
    said += [lock.acquire(timeout=5), lock.acquire(timeout=0.01), lock.acquire(blocking=False), lock.locked()]
    lock.release()
    return [*said, str(error_of(lock.release)), gate.wait(timeout=5), threading.Event().wait(timeout=0.01)]


def what_memory_lacks() -> list[object]:
    """What can be had on a network only, in the words of who asks for it in memory."""
    import wslab

    with wslab.EchoServer() as server:
        said = [str(error_of(lambda: wslab.connect(server.url.replace("ws:", "wss:"))))]
    for host in ("example.com", "192.0.2.1"):
        said.append(str(error_of(lambda host=host: wslab.connect(f"ws://{host}/"))))
    return [*said, str(error_of(lambda: socket.socket(type=socket.SOCK_DGRAM)))]


def error_of(act: Callable[[], object]) -> Exception | None:
    """What `act` raises."""
    try:
        act()
    except Exception as error:
        return error
    return None


SCENES = (tour, handlers, faults_and_limits, bytes_of_tcp, connecting, threads)


def main() -> None:
    if MEMORY in sys.argv:
        from support.green_strands import GreenStrands
        from wslab.in_memory.install import install

        install(GreenStrands())
    scenes = [*SCENES, what_memory_lacks] if MEMORY in sys.argv else SCENES
    print(json.dumps({scene.__name__: scene() for scene in scenes}))


if __name__ == "__main__":
    main()
