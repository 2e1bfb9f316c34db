"""Capture: a log to the packets of a pcapng file, and the TCP connections in any capture file to a log.

Strategy of writing: the chunks go out in their order, each as the segments of a TCP connection that is made up around
it: opened before its first chunk, acknowledged, and ended where `find_ends` says, so that Wireshark finds nothing to
complain about. Strategy of reading: every TCP connection is put together again, those that speak WebSocket are kept,
and their pieces are merged by the packets that brought them. What wslab has written itself is taken for WebSocket,
legal or not; what others have captured is looked at by `detect_websocket`.
"""

import heapq
import os
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import chain
from operator import itemgetter
from typing import BinaryIO

from wslab.dissector.wording import how_many
from wslab.protocol.states import Direction
from wslab.recording.decapsulation import Decapsulator
from wslab.recording.decryption import KEY_LOG, decrypt
from wslab.recording.detection import Detected, detect_websocket, find_tls, is_http_2
from wslab.recording.ends import find_ends
from wslab.recording.errors import INCOMPLETE, CaptureError
from wslab.recording.gaps import bridge_gaps
from wslab.recording.log import Chunk, Gap, Log, SocketAddress
from wslab.recording.packets import Endpoint, Segment, serialize_segment
from wslab.recording.pcapng import APPLICATION, CaptureReader, write_pcapng
from wslab.recording.redaction import redact_chunks
from wslab.recording.tcp import CLIENT, SERVER, TcpConversation, TcpWriter, read_conversations

SIDES = {Direction.CLIENT_TO_SERVER: CLIENT, Direction.SERVER_TO_CLIENT: SERVER}
# Where a log does not know better. Wireshark takes what goes to port 80 for HTTP without being told.
SERVER_ADDRESS = ("127.0.0.1", 80)
FIRST_CLIENT_PORT = 50000
MOST_TOLD = 10  # connections of which it is told what they have lost
IPV4_MAPPED = bytes(10) + b"\xff\xff"


# Writing


def write_capture(file: BinaryIO, log: Log, secrets: bool) -> list[str]:
    """Write pcapng, with what is secret in the handshakes crossed out unless `secrets` is true.

    Returns what is left out, which the comment of the file says, too. Raises CaptureError for a time that the format
    cannot hold.
    """
    left_out = log.left_out
    write_pcapng(file, _packets(log, secrets), left_out)
    return [left_out] if left_out else []


def _packets(log: Log, secrets: bool) -> Iterator[tuple[float, bytes]]:
    """The times and IP packets of all connections."""
    original = list(log.chunks)
    chunks = original if secrets else redact_chunks(original)
    ends = find_ends(original, list(log.calls))
    writers: dict[int, TcpWriter] = {}
    free = _FreeEndpoints()
    for index, (time, connection, direction, data) in enumerate(chunks):
        segments: list[Iterator[Segment]] = []
        if connection not in writers:
            both = free.take(connection, log.addresses.get(connection))
            writers[connection] = TcpWriter(*both)
            segments.append(writers[connection].open())
        if isinstance(data, Gap):
            writers[connection].skip(SIDES[direction], data.size)
        segments.append(writers[connection].send(SIDES[direction], data))
        for segment in chain.from_iterable(segments):
            yield time, serialize_segment(segment)
        for end in ends.get(index, ()):
            writer, side = writers[end.connection], SIDES[end.direction]
            for segment in writer.reset(side) if end.name == "reset" else writer.end(side):
                yield max(time, end.time), serialize_segment(segment)


class _FreeEndpoints:
    """Client and server of each connection: as recorded, if that is known and no other connection has the same two.

    Nor may another one have them the other way round, or both be the same: their segments could not be told apart.
    """

    def __init__(self) -> None:
        self._taken: set[frozenset[Endpoint]] = set()
        self._following: dict[tuple[Endpoint, int], int] = {}  # which number to try after one that has been tried

    def take(self, number: int, addresses: tuple[SocketAddress, SocketAddress] | None) -> tuple[Endpoint, Endpoint]:
        """The two ends of the connection with this number."""
        client, server = map(_endpoint, addresses) if addresses else (None, None)
        server = server or Endpoint(ip_address(SERVER_ADDRESS[0]).packed, SERVER_ADDRESS[1])
        while client is None or client == server or {client, server} in self._taken:
            number = self._untried(server, number)
            host, port = divmod(number, 65536 - FIRST_CLIENT_PORT)
            client = Endpoint((IPv4Address("127.0.0.1") + host).packed, FIRST_CLIENT_PORT + port)
            self._following[server, number] = number + 1
        self._taken.add(frozenset((client, server)))
        if len(client.address) == len(server.address):
            return client, server
        return _mapped(client), _mapped(server)

    def _untried(self, server: Endpoint, number: int) -> int:
        """The first number from this one on that has not been tried. The way to it is short the next time."""
        passed = []
        while (following := self._following.get((server, number))) is not None:
            passed.append((server, number))
            number = following
        self._following |= dict.fromkeys(passed, number)
        return number


def _endpoint(address: SocketAddress) -> Endpoint | None:
    """The endpoint at an address. None if this is not one of TCP."""
    try:
        host, port = address
        return Endpoint(ip_address(host).packed, port) if 0 <= port < 65536 else None
    except ValueError:
        return None


def _mapped(endpoint: Endpoint) -> Endpoint:
    """The endpoint with an IPv6 address: IPv4 has a part of that space (RFC 4291 §2.5.5.2)."""
    return endpoint if len(endpoint.address) == 16 else endpoint._replace(address=IPV4_MAPPED + endpoint.address)


# Reading


def read_capture(file: BinaryIO, log: Log) -> list[str]:
    """Read the WebSocket conversations in pcapng or pcap into an empty log.

    What TLS has encrypted is decrypted by tshark where there are keys. Returns what could not be read, each as the end
    of a sentence that begins with the name of the file. Raises CaptureError if there is no such conversation, or this
    is no capture file.
    """
    reader, decapsulator = CaptureReader(file), Decapsulator()
    conversations = read_conversations(reader, decapsulator)
    faults = reader.faults + decapsulator.faults()
    is_ours = reader.application == APPLICATION
    if is_ours and reader.comment.isprintable() and reader.comment:
        faults.append(INCOMPLETE + reader.comment)
    has_tls = [(conversation, tls) for conversation in conversations if (tls := find_tls(conversation)) is not None]
    hidden = decrypt(has_tls, bytes(reader.keys)) if has_tls else []
    found = [
        (conversation, detected)
        for conversation in conversations
        if (detected := _detect(conversation, is_ours)) is not None
    ]
    if not found or reader.keys or os.environ.get(KEY_LOG):
        faults += hidden
    if not found:
        faults += _tell_others(conversations)
        nothing = f"has no WebSocket conversation in {'what can be read of it' if faults else 'it'}"
        raise CaptureError("; it ".join([*faults, nothing]))
    found.sort(key=lambda both: both[1].pieces[0].number)
    for connection, (conversation, detected) in enumerate(found, 1):
        client = detected.client
        log.opened(connection, *(_address(conversation.ends[side]) for side in (client, 1 - client)))
    tracks = (_numbered_chunks(connection, detected) for connection, (_, detected) in enumerate(found, 1))
    for _, chunk in heapq.merge(*tracks, key=itemgetter(0)):
        log.keep(chunk)
    return faults + _tell_missing(found)


def _detect(conversation: TcpConversation, is_ours: bool) -> Detected | None:
    """What can be read of a WebSocket connection; None if that is nothing, or this is another kind of connection."""
    if not is_ours:
        found = detect_websocket(conversation)
    else:
        found = None if conversation.client is None else Detected(conversation.client, conversation.pieces)
    if found is None:
        return None
    pieces = bridge_gaps(found.pieces, found.client)
    return found._replace(pieces=pieces) if any(piece.data for piece in pieces) else None


def _numbered_chunks(connection: int, detected: Detected) -> Iterator[tuple[int, Chunk]]:
    """The chunks of a conversation, each with the number of its packet."""
    client = detected.client
    directions = {client: Direction.CLIENT_TO_SERVER, 1 - client: Direction.SERVER_TO_CLIENT}
    for number, time, side, data in detected.pieces:
        yield number, Chunk(time, connection, directions[side], data)


def _tell_missing(found: list[tuple[TcpConversation, Detected]]) -> list[str]:
    """What is not in the log of these conversations, though it was sent."""
    losses = [
        f"has lost {how_many(stream.missing)} from port {end.port} in connection {connection}"
        for connection, (conversation, _) in enumerate(found, 1)
        for stream, end in zip(conversation.streams, conversation.ends, strict=True)
        if stream.missing
    ]
    told = losses[:MOST_TOLD]
    if (more := len(losses) - MOST_TOLD) > 0:
        told.append(f"has lost bytes in {more} more directions of connections")
    for what, count in Counter(detected.left_out for _, detected in found if detected.left_out).items():
        told.append(f"has {count} connection{'s' * (count != 1)} with {what} before the request, left out here")
    if count := sum(detected.lacks_head for _, detected in found):
        only = f"has only one head of {count} connection{'s' * (count != 1)}"
        told.append(f"{only}: it is left out there, and what follows is taken for frames")
    return told


def _tell_others(conversations: list[TcpConversation]) -> list[str]:
    """Which conversations may be WebSocket, though wslab cannot see it."""
    count = sum(is_http_2(conversation) for conversation in conversations)
    return [f"has {count} TCP connection{'s' * (count != 1)} with HTTP/2, which wslab cannot read"] if count else []


def _address(endpoint: Endpoint) -> SocketAddress:
    host = ip_address(endpoint.address)
    return str((isinstance(host, IPv6Address) and host.ipv4_mapped) or host), endpoint.port
