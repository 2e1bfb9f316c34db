"""A TCP socket is a stream of bytes: recv gives what is there, at least one byte and at most as many as asked for.

So the loop asks again, each time for what is still missing and never for more: a byte too many belongs to whoever reads
next. No bytes at all mean that the peer has ended the connection, and that no more will ever come.
"""

import socket


def read_exactly(sock: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes from a blocking socket. Raises EOFError if the peer ends before."""
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise EOFError(f"the peer has ended after {len(data)} of {count} bytes")
        data += piece
    return data
