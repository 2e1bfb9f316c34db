"""Any conversation of a client and a server over the fake wire, and any bytes whatever in its place."""

from dataclasses import dataclass, field
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from support.wire import (
    HELLO_COMPRESSED,
    KEY,
    OTHER,
    RFC_HANDSHAKE,
    ROLES,
    Wire,
    every_role,
    handshake,
    outcome,
    receive,
)

from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import HandshakeError, ProtocolError
from wslab.protocol.events import Binary, Close, Ping, Pong, Text
from wslab.protocol.frames import Frame, Opcode, serialize_frame
from wslab.protocol.limits import Limits
from wslab.protocol.states import State

CUTS = st.lists(st.integers(1, 60), max_size=5)

# Conversations

TEXTS, PAYLOADS = st.text(max_size=20), st.binary(max_size=20)
UNASKED = b"unasked"  # marks the pongs that answer no ping
ACTIONS = st.one_of(
    st.tuples(st.just("text"), TEXTS | TEXTS.map(lambda text: text * 30), st.booleans()),
    st.tuples(st.just("binary"), PAYLOADS | PAYLOADS.map(lambda data: data * 30), st.booleans()),
    st.tuples(st.just("ping"), PAYLOADS),
    st.tuples(st.just("pong"), PAYLOADS.map(UNASKED.__add__)),
    st.just(("flow",)),
)
CONVERSATIONS = st.lists(st.tuples(st.sampled_from(ROLES), ACTIONS), max_size=12)


@dataclass
class Speaker:
    """What one end has said, as the other end should hear it."""

    events: list[object] = field(default_factory=list)
    fragments: list[str | bytes] = field(default_factory=list)
    kind: str = ""

    def say(self, protocol, kind, data, fin=True):
        if kind in ("ping", "pong"):
            getattr(protocol, kind)(data)
            self.events.append(Ping(data) if kind == "ping" else Pong(data))
        elif not self.fragments or kind == self.kind:
            (protocol.send_text if kind == "text" else protocol.send_bytes)(data, fin)
            self.kind, self.fragments = kind, [*self.fragments, data]
            if fin:
                whole = Text("".join(self.fragments)) if kind == "text" else Binary(b"".join(self.fragments))
                self.events.append(whole)
                self.fragments = []


def converse(wire, actions):
    """Let both ends speak, and check that each has heard what the other said, in order, and its pings answered."""
    speakers = {end: Speaker() for end in ROLES}
    for end, (kind, *arguments) in actions:
        if kind == "flow":
            wire.flow()
        else:
            speakers[end].say(wire.ends[end], kind, *arguments)
    wire.flow()
    for end in ROLES:
        heard = wire.events.pop(end)
        answers = [event for event in heard if isinstance(event, Pong) and not event.payload.startswith(UNASKED)]
        assert [event for event in heard if event not in answers] == speakers[OTHER[end]].events
        assert answers == [Pong(event.payload) for event in speakers[end].events if isinstance(event, Ping)]
        wire.events[end] = []


def opened_wire(agreed, sizes=()):
    return Wire(*(Protocol(role, state=State.OPEN, permessage_deflate=agreed) for role in ROLES), sizes)


WISHES = st.none() | st.builds(PermessageDeflate, st.booleans(), st.booleans(), st.integers(8, 15), st.integers(8, 15))


@given(WISHES, WISHES, CONVERSATIONS, CUTS)
@settings(max_examples=200)
def test_whatever_two_ends_say_arrives_in_order_however_the_bytes_are_cut(mine, theirs, actions, sizes):
    client, server = Protocol("client", deflate=mine), Protocol("server", deflate=theirs)

    wire = handshake(client, server, sizes)
    assert client.permessage_deflate == server.permessage_deflate
    wire.events = {end: [] for end in ROLES}
    converse(wire, actions)


@given(CONVERSATIONS, st.sampled_from([("client",), ("server",), ("client", "server")]), CUTS)
def test_whatever_has_been_said_before_a_close_is_heard_before_it(actions, closing, sizes):
    wire = opened_wire(PermessageDeflate(), sizes)
    speakers = {end: Speaker() for end in ROLES}
    for end, (kind, *arguments) in actions:
        if kind != "flow":
            speakers[end].say(wire.ends[end], kind, *arguments)
    for end in closing:
        wire.ends[end].close(4000, end)
    wire.flow()

    for end in ROLES:
        *heard, close = wire.events[end]
        messages = [event for event in heard if not isinstance(event, Pong)]
        assert messages == [event for event in speakers[OTHER[end]].events if not isinstance(event, Pong)]
        assert close == Close(4000, OTHER[end] if OTHER[end] in closing else "")
        assert wire.ends[end].state is State.CLOSING


def test_every_combination_of_compression_parameters_carries_the_same_messages():
    # Some are longer than the smallest windows; the third is the first of two fragments.
    words = [" ".join(str(i * i % 97) for i in range(count)) for count in (3, 300, 3, 0, 900, 300)]
    actions = [(end, ("text", word, number != 2)) for number, word in enumerate(words) for end in ROLES]

    for parameters in product([False, True], [False, True], range(8, 16), range(8, 16)):
        converse(opened_wire(PermessageDeflate(*parameters), sizes=(999,)), actions)


# Any bytes whatever

PIECES = st.sampled_from(
    [
        *(b"", b"Hello", "κόσμε".encode(), b"\xe2\x82", b"\xac", b"\xed\xa0", b"\xff", b"x" * 126),
        *(b"\x03\xe8bye", b"\x03\xed", b"\x03", b"\x03\xe8\xff"),
        *(HELLO_COMPRESSED, b"\xf2\x00\x11\x00\x00", b"\xf3H\xcd\xc9\xc9\x07\x00\x00", b"\x00", b"\x06"),
    ]
)
NOW_AND_THEN = st.integers(0, 15).map(lambda number: number == 0)
LIKELY_FRAMES = st.builds(
    Frame,
    st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONTINUATION, Opcode.PING]),
    PIECES,
    st.sampled_from([True, True, False]),
    st.booleans(),
)
ANY_FRAMES = st.builds(
    Frame, st.sampled_from(Opcode), PIECES | st.binary(max_size=9), st.booleans(), st.booleans(), NOW_AND_THEN
)


@st.composite
def streams(draw):
    """A role, and bytes for it that are frames for the most part, some of them right and some of them wrong."""
    role, data = draw(st.sampled_from(ROLES)), b""
    for part in draw(st.lists(LIKELY_FRAMES | ANY_FRAMES | st.binary(max_size=6), max_size=8)):
        if isinstance(part, Frame):
            masked = (role == "server") is not draw(NOW_AND_THEN)
            part = serialize_frame(part, KEY if masked else None)
        data += part
    return role, data


@given(streams(), st.sampled_from([None, PermessageDeflate(), PermessageDeflate(True, True)]), CUTS)
@settings(max_examples=300)
def test_any_bytes_are_judged_alike_however_they_are_cut_and_raise_nothing_but_protocol_errors(stream, agreed, sizes):
    role, data = stream
    options = {"state": State.OPEN, "permessage_deflate": agreed, "limits": Limits(max_size=100)}
    whole, cut = (Protocol(role, masking_keys=lambda: KEY, **options) for _ in range(2))

    events, code = outcome(whole, data)
    assert outcome(cut, data, sizes) == (events, code)
    assert (whole.state, whole.close_code, whole.close_reason) == (cut.state, cut.close_code, cut.close_reason)
    if code is None:
        assert whole.data_to_send() == cut.data_to_send()
    if whole.state is not State.OPEN:
        assert whole.receive_data(data) == cut.receive_data(data) == []


ALMOST_HANDSHAKES = st.lists(
    st.sampled_from(
        [
            *(RFC_HANDSHAKE.request_bytes, RFC_HANDSHAKE.request_bytes[:-2], RFC_HANDSHAKE.request_bytes[:30]),
            *(RFC_HANDSHAKE.response_bytes, RFC_HANDSHAKE.response_bytes[:-2], RFC_HANDSHAKE.response_bytes[:30]),
            *(b"\r\n", b"GET / HTTP/1.1\r\n", b"HTTP/1.1 101 OK\r\n", b"Content-Length: 3\r\n", b"\x88\x00"),
            *(b"Upgrade: websocket\r\n", b"Host: a\r\n", b"Sec-WebSocket-Extensions: permessage-deflate; x\r\n"),
        ]
    )
    | st.binary(max_size=5),
    max_size=6,
).map(b"".join)


@every_role
@given(ALMOST_HANDSHAKES, CUTS)
def test_any_bytes_in_place_of_a_handshake_raise_nothing_but_protocol_errors(role, data, sizes):
    protocol = Protocol(role, deflate=PermessageDeflate(), limits=Limits(max_headers=10))
    if role == "client":
        protocol.connect(RFC_HANDSHAKE.request)
    try:
        if receive(protocol, data, sizes) and role == "server":
            protocol.accept()
    except HandshakeError:
        assert protocol.state is State.CONNECTING
    except ProtocolError:
        assert protocol.state is State.CLOSING
