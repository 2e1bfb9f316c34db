"""Recordings: their chunks to the packets of a capture file, and the TCP connections in one to chunks."""

import heapq
import warnings
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from wslab.protocol.states import Direction
from wslab.recording.detection import find_client
from wslab.recording.ends import find_ends
from wslab.recording.errors import CaptureError, CaptureWarning
from wslab.recording.log import Chunk, Log, SocketAddress
from wslab.recording.packets import Endpoint, Segment, serialize_segment
from wslab.recording.pcapng import APPLICATION, CaptureReader, write_pcapng
from wslab.recording.redaction import redact_chunks
from wslab.recording.tcp import CLIENT, SERVER, Conversation, Writer, read_conversations

SIDES = {Direction.CLIENT_TO_SERVER: CLIENT, Direction.SERVER_TO_CLIENT: SERVER}
# Where a recording does not know better. Wireshark takes what goes to port 80 for HTTP without being told.
SERVER_ADDRESS = ("127.0.0.1", 80)
FIRST_CLIENT_PORT = 50000
IPV4_MAPPED = bytes(10) + b"\xff\xff"


def write_capture(file: BinaryIO, recording: Log, secrets: bool) -> None:
    """Write pcapng, with what is secret in the handshakes crossed out unless `secrets` is true."""
    write_pcapng(file, _packets(recording, secrets))


def _packets(recording: Log, secrets: bool) -> Iterator[tuple[float, bytes]]:
    """The IP packets of all connections, each opened before its first chunk and ended where `find_ends` says."""
    original = list(recording.chunks)
    chunks = original if secrets else redact_chunks(original)
    ends = find_ends(original, list(recording.calls))
    writers: dict[int, Writer] = {}
    taken: set[frozenset[Endpoint]] = set()
    for place, (time, connection, direction, data) in enumerate(chunks):
        segments: list[Iterator[Segment]] = []
        if connection not in writers:
            both = _free_endpoints(connection, recording.addresses.get(connection), taken)
            writers[connection] = Writer(*both)
            segments.append(writers[connection].open())
        segments.append(writers[connection].send(SIDES[direction], data))
        for segment in chain.from_iterable(segments):
            yield time, serialize_segment(segment)
        for end in ends.get(place, ()):
            writer, side = writers[end.connection], SIDES[end.direction]
            for segment in writer.reset(side) if end.name == "reset" else writer.end(side):
                yield max(time, end.time), serialize_segment(segment)


def read_capture(file: BinaryIO, recording: Log) -> None:
    """Read the WebSocket conversations in pcapng or pcap into an empty recording."""
    reader = CaptureReader(file)
    conversations = read_conversations(reader)
    ours = reader.application == APPLICATION  # then all of it was recorded as WebSocket, legal or not
    found: list[tuple[Conversation, int]] = []
    for conversation in conversations:
        client = conversation.client if ours else find_client(conversation)
        if client is not None and conversation.pieces:
            found.append((conversation, client))
    if not found:
        raise CaptureError("has no WebSocket conversation in it")
    found.sort(key=lambda both: both[0].pieces[0].number)
    for connection, (conversation, client) in enumerate(found, 1):
        recording.opened(connection, *(_address(conversation.ends[side]) for side in (client, 1 - client)))
        _warn_of_loss(conversation, f"{Path(file.name).name}: connection {connection}")
    tracks = (_chunks(number, *both) for number, both in enumerate(found, 1))
    recording.chunks += [chunk for _, chunk in heapq.merge(*tracks, key=itemgetter(0))]


def _chunks(connection: int, conversation: Conversation, client: int) -> Iterator[tuple[int, Chunk]]:
    """The chunks of a conversation, each with the number of its packet."""
    ways = {client: Direction.CLIENT_TO_SERVER, 1 - client: Direction.SERVER_TO_CLIENT}
    for number, time, side, data in conversation.pieces:
        yield number, Chunk(time, connection, ways[side], data)


def _warn_of_loss(conversation: Conversation, name: str) -> None:
    for side, stream in enumerate(conversation.streams):
        if stream.missing:
            port = conversation.ends[side].port
            text = f"{name} ends early: the capture has lost {stream.missing} bytes from port {port}"
            warnings.warn(text, CaptureWarning, stacklevel=5)


def _free_endpoints(
    number: int, addresses: tuple[SocketAddress, SocketAddress] | None, taken: set[frozenset[Endpoint]]
) -> tuple[Endpoint, Endpoint]:
    """Client and server of a connection: as recorded, if that is known and no other connection in the file has them.

    Nor may another one have them the other way round, or both be the same: their segments could not be told apart.
    """
    client, server = map(_endpoint, addresses) if addresses else (None, None)
    while client is None or server is None or client == server or {client, server} in taken:
        server = server or Endpoint(ip_address(SERVER_ADDRESS[0]).packed, SERVER_ADDRESS[1])
        host, port = divmod(number, 65536 - FIRST_CLIENT_PORT)
        client = Endpoint((IPv4Address("127.0.0.1") + host).packed, FIRST_CLIENT_PORT + port)
        number += 1
    taken.add(frozenset((client, server)))
    if len(client.address) == len(server.address):
        return client, server
    return _mapped(client), _mapped(server)


def _endpoint(address: SocketAddress) -> Endpoint | None:
    """The endpoint at an address, None if it is not one of TCP."""
    try:
        host, port = address
        return Endpoint(ip_address(host).packed, port) if 0 <= port < 65536 else None
    except ValueError:
        return None


def _mapped(endpoint: Endpoint) -> Endpoint:
    """The endpoint with an IPv6 address: IPv4 has a part of that space (RFC 4291 §2.5.5.2)."""
    return endpoint if len(endpoint.address) == 16 else endpoint._replace(address=IPV4_MAPPED + endpoint.address)


def _address(endpoint: Endpoint) -> SocketAddress:
    host = ip_address(endpoint.address)
    return str((isinstance(host, IPv6Address) and host.ipv4_mapped) or host), endpoint.port
