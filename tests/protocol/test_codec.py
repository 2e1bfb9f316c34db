"""Codec: the parts that a learner can build."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import HANDSHAKES, HELLO_COMPRESSED, KEY, RFC_HANDSHAKE, handshake, named, receive

from wslab.protocol import deflate, frames, http
from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import CloseCode, HandshakeError, PartError, ProtocolError
from wslab.protocol.events import Binary, Text
from wslab.protocol.frames import Frame, FrameHeader, Opcode
from wslab.protocol.http import Headers, Request, Response
from wslab.protocol.states import State

PARTS = [field.name for field in dataclasses.fields(Codec)]
HELLO = bytes.fromhex("818537fa213d7f9f4d5158")
FRAME = Frame(Opcode.TEXT, b"Hello")


def arguments_of(name):
    """Arguments for a call of the part of this name, right for the reference part; streams are new ones."""
    return {
        "accept_key": [RFC_HANDSHAKE.key],
        "parse_request": [RFC_HANDSHAKE.request_bytes],
        "check_request": [RFC_HANDSHAKE.request],
        "build_response": [RFC_HANDSHAKE.request],
        "parse_response": [RFC_HANDSHAKE.response_bytes],
        "check_response": [RFC_HANDSHAKE.response, RFC_HANDSHAKE.request],
        "apply_mask": [b"Hello", KEY],
        "parse_header": [HELLO],
        "parse_frame": [HELLO],
        "serialize_frame": [FRAME, KEY],
        "deflate": [b"Hello", deflate.new_compressor(15), True],
        "inflate": [HELLO_COMPRESSED, deflate.Decompressor(), True],
    }[name]


def returning(value):
    return lambda *arguments, **options: value


def raising(error):
    def part(*arguments, **options):
        raise error

    return part


def call(name, part):
    """Call the part of this name of a codec in which `part` stands in its place."""
    return getattr(Codec(**{name: part}), name)(*arguments_of(name))


def part_error(name, part):
    with pytest.raises(PartError) as caught:
        call(name, part)
    return str(caught.value)


@pytest.mark.parametrize("name", PARTS)
def test_a_codec_has_the_reference_parts_themselves_so_that_they_cost_nothing(name):
    assert getattr(Codec(), name) is Codec.__dataclass_fields__[name].default
    assert getattr(Codec(), name) is getattr(Codec, name)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_works_like_the_reference_part_takes_its_place(name):
    reference, used = getattr(Codec, name), []

    def mine(*arguments, **options):
        used.append(name)
        return reference(*arguments, **options)

    assert call(name, mine) == reference(*arguments_of(name))
    assert used == [name]


# What a part may raise


@pytest.mark.parametrize("name", PARTS)
def test_an_exception_in_a_part_becomes_a_part_error_that_keeps_it(name):
    mistake = ZeroDivisionError("division by zero")

    with pytest.raises(PartError, match=f"^{name} raised ZeroDivisionError: division by zero$") as caught:
        call(name, raising(mistake))
    assert caught.value.__cause__ is mistake


HANDSHAKE_ON_SERVER = ["accept_key", "parse_request", "check_request", "build_response"]
HANDSHAKE_ON_CLIENT = ["parse_response", "check_response"]
AFTER_HANDSHAKE = [name for name in PARTS if name not in HANDSHAKE_ON_SERVER + HANDSHAKE_ON_CLIENT]


@pytest.mark.parametrize("name", AFTER_HANDSHAKE)
@pytest.mark.parametrize("code", [1002, 1007, 1009, 4000])
def test_a_part_may_refuse_with_a_close_code(name, code):
    with pytest.raises(ProtocolError) as caught:
        call(name, raising(ProtocolError("no", code)))
    assert caught.value.code == code


@pytest.mark.parametrize("name", HANDSHAKE_ON_SERVER + HANDSHAKE_ON_CLIENT)
@pytest.mark.parametrize("status", [400, 426, 505])
def test_a_part_of_the_handshake_may_refuse_with_a_status(name, status):
    with pytest.raises(HandshakeError) as caught:
        call(name, raising(HandshakeError("no", status)))
    assert caught.value.status == status


@pytest.mark.parametrize("name", HANDSHAKE_ON_CLIENT)
@pytest.mark.parametrize("status", [0, 101, 999])
def test_a_client_may_refuse_whatever_the_server_answered(name, status):
    with pytest.raises(HandshakeError) as caught:
        call(name, raising(HandshakeError("no", status)))
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (AFTER_HANDSHAKE, ProtocolError("no", CloseCode.ABNORMAL_CLOSURE)),
        (AFTER_HANDSHAKE, ProtocolError("no", 99999)),
        (AFTER_HANDSHAKE, HandshakeError("no", 400)),
        (HANDSHAKE_ON_SERVER, HandshakeError("no", 0)),
        (HANDSHAKE_ON_SERVER, HandshakeError("no", 101)),
        (HANDSHAKE_ON_SERVER, HandshakeError("no", 200)),
        (HANDSHAKE_ON_SERVER, HandshakeError("no", 999)),
        (HANDSHAKE_ON_SERVER + HANDSHAKE_ON_CLIENT, ProtocolError("no", 1002)),
    ],
)
def test_a_refusal_that_the_peer_cannot_be_told_is_a_part_error(names, error):
    for name in names:
        assert part_error(name, raising(error)) == f"{name} raised {type(error).__name__}: {error}"


# What a part may return


@pytest.mark.parametrize("name", ["parse_request", "parse_response", "parse_header", "parse_frame"])
def test_a_parser_may_ask_for_more_bytes(name):
    assert call(name, returning(None)) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("parse_request", Request), ("parse_response", Response), ("parse_header", FrameHeader), ("parse_frame", Frame)],
)
@pytest.mark.parametrize("wrong", [5, "x", (), (1,), (1, 2), (1, 2, 3), [None, 5]])
def test_a_parser_returns_a_value_and_the_bytes_used(name, kind, wrong):
    message = part_error(name, returning(wrong))

    assert message.startswith(f"{name} must return ({kind.__name__}, bytes used), or None while more bytes are needed")
    assert message.endswith(f"it returned {wrong!r}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("parse_request", RFC_HANDSHAKE.request),
        ("parse_response", RFC_HANDSHAKE.response),
        ("parse_header", FrameHeader(Opcode.TEXT, 5)),
        ("parse_frame", FRAME),
    ],
)
def test_a_parser_uses_at_least_one_byte_and_at_most_those_that_are_there(name, value):
    available = len(arguments_of(name)[0])

    assert call(name, returning((value, 1))) == (value, 1)
    assert call(name, returning((value, available))) == (value, available)
    assert "0 bytes used: it would find it for ever" in part_error(name, returning((value, 0)))
    assert "-1 bytes used" in part_error(name, returning((value, -1)))
    too_many = f"{name} reports {available + 1} bytes used of only {available}"
    assert part_error(name, returning((value, available + 1))) == too_many
    assert "must return" in part_error(name, returning((value, "2")))
    assert "must return" in part_error(name, returning((value, 2.0)))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("parse_request", Request("GET", "/", {"Host": "a"}), "the headers {'Host': 'a'}; it must be Headers"),
        ("parse_response", Response(101, "OK", [("a", "b")]), "the headers [('a', 'b')]; it must be Headers"),
        ("parse_header", FrameHeader(1, 5), "the opcode 1; it must be Opcode"),
        ("parse_header", FrameHeader(Opcode.TEXT, b"\x05"), "the payload_length b'\\x05'; it must be int"),
        ("parse_header", FrameHeader(Opcode.TEXT, 5, masking_key=b"abc"), "the masking_key b'abc'; it must be 4 bytes"),
        ("parse_frame", Frame(1, b"Hello"), "the opcode 1; it must be Opcode"),
        ("parse_frame", Frame(Opcode.TEXT, "Hello"), "the payload 'Hello'; it must be bytes"),
        ("parse_frame", Frame(Opcode.TEXT, b"", masking_key="abcd"), "the masking_key 'abcd'; it must be 4 bytes"),
        ("parse_frame", Frame(Opcode.BINARY, [0] * 99), "the payload [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0"),
    ],
)
def test_what_a_parser_returns_has_fields_of_the_right_types(name, value, message):
    assert part_error(name, returning((value, 2))).startswith(f"{name} returned {message}")


@pytest.mark.parametrize("kind", [bytearray, memoryview])
@pytest.mark.parametrize("name", ["apply_mask", "serialize_frame", "deflate", "inflate"])
def test_bytes_of_any_kind_are_bytes(name, kind):
    result = call(name, returning(kind(b"Hello")))

    assert (type(result), result) == (bytes, b"Hello")


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_a_payload_of_any_kind_is_bytes(kind):
    frame, used = call("parse_frame", returning((Frame(Opcode.TEXT, kind(b"Hi"), fin=False), 2)))

    assert (type(frame.payload), frame, used) == (bytes, Frame(Opcode.TEXT, b"Hi", fin=False), 2)


def test_a_memoryview_that_was_released_is_none():
    view = memoryview(b"Hi")
    view.release()

    assert part_error("serialize_frame", returning(view)).startswith("serialize_frame raised ValueError")


def test_a_masking_key_of_four_bytes_is_right():
    header = FrameHeader(Opcode.TEXT, 5, masking_key=KEY)

    assert call("parse_header", returning((header, 6))) == (header, 6)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("accept_key", "str"),
        ("build_response", "Response"),
        ("apply_mask", "bytes"),
        ("serialize_frame", "bytes"),
        ("deflate", "bytes"),
        ("inflate", "bytes"),
    ],
)
@pytest.mark.parametrize("wrong", [None, 5, [72, 105]])
def test_a_result_has_the_right_type(name, kind, wrong):
    assert part_error(name, returning(wrong)) == f"{name} must return {kind}; it returned {wrong!r}"


def test_a_message_does_not_show_a_long_result_whole():
    assert len(part_error("inflate", returning([0] * 10_000))) < 150
    assert len(part_error("parse_frame", returning([0] * 10_000))) < 200


def test_a_mask_that_loses_bytes_is_found():
    message = part_error("apply_mask", lambda data, key: bytes(a ^ b for a, b in zip(data, key, strict=False)))

    assert message == "apply_mask must return as many bytes as it gets: 5, not 4"


def test_the_result_of_a_check_does_not_matter():
    assert call("check_request", returning(False)) is False
    assert call("check_response", returning(5)) == 5


# How the parts work together


def test_a_learners_part_is_given_bytes_and_no_memoryview():
    seen = []
    codec = Codec(parse_frame=lambda data: seen.append(type(data)))

    codec.parse_frame(memoryview(HELLO))
    codec.parse_frame(bytearray(HELLO))
    assert seen == [bytes, bytearray]


def test_a_replaced_mask_is_used_to_read_and_to_write_frames():
    codec = Codec(apply_mask=lambda data, key: data[::-1])
    wire = codec.serialize_frame(FRAME, KEY)

    assert wire == bytes.fromhex("818537fa213d") + b"olleH"
    assert codec.parse_frame(wire) == (FRAME, len(wire))
    assert codec.accept_key is Codec.accept_key
    assert codec.build_response is Codec.build_response


def test_a_replaced_accept_key_is_used_to_build_and_to_check_responses():
    codec = Codec(accept_key=lambda key: "x")
    response = codec.build_response(RFC_HANDSHAKE.request)

    assert response.headers["Sec-WebSocket-Accept"] == "x"
    assert codec.check_response(response, RFC_HANDSHAKE.request) is None
    assert codec.parse_frame is Codec.parse_frame
    assert codec.serialize_frame is Codec.serialize_frame


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"apply_mask": frames.naive if False else bytes.__add__}, "parse_frame"),
        ({"apply_mask": bytes.__add__}, "serialize_frame"),
        ({"accept_key": str.upper}, "build_response"),
        ({"accept_key": str.upper}, "check_response"),
    ],
)
def test_a_replaced_whole_goes_before_a_replaced_part_of_it(options, name):
    whole = getattr(Codec, name)
    codec = Codec(**options, **{name: lambda *arguments: whole(*arguments)})

    assert getattr(codec, name)(*arguments_of(name)) == whole(*arguments_of(name))


def test_a_mistake_in_a_mask_is_found_where_frames_are_read_and_written():
    codec = Codec(apply_mask=raising(IndexError("index out of range")))

    for action in (lambda: codec.parse_frame(HELLO), lambda: codec.serialize_frame(FRAME, KEY)):
        with pytest.raises(PartError, match="apply_mask raised IndexError: index out of range"):
            action()


def test_a_codec_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Codec().accept_key = str.upper  # type: ignore[misc]


# Live: every part is used by the protocol

WORDS = ("Hello", "κόσμε")


@pytest.mark.parametrize("name", PARTS)
def test_the_protocol_uses_every_part_through_the_codec(name):
    used, reference = [], getattr(Codec, name)

    def mine(*arguments, **options):
        used.append(name)
        return reference(*arguments, **options)

    codec = Codec(**{name: mine})
    client, server = (Protocol(role, deflate=PermessageDeflate(), codec=codec) for role in ("client", "server"))
    wire = handshake(client, server, sizes=(3,))
    for word in WORDS:
        client.send_text(word)
        server.send_text(word)
    wire.flow()

    assert wire.events["client"][1:] == wire.events["server"][1:] == [Text(word) for word in WORDS]
    assert used


@pytest.mark.parametrize("name", PARTS)
def test_a_mistake_in_any_part_comes_out_of_the_protocol_as_a_part_error(name):
    codec = Codec(**{name: raising(KeyError("x"))})

    def talk():
        client, server = (Protocol(role, deflate=PermessageDeflate(), codec=codec) for role in ("client", "server"))
        wire = handshake(client, server, sizes=(3,))
        client.send_text("Hello")
        wire.flow()

    with pytest.raises(PartError, match=f"^{name} raised KeyError: 'x'$"):
        talk()


def test_messages_that_arrived_whole_come_before_the_mistake_in_a_part():
    def mine(data):
        if data[:1] == b"\x82":
            raise NotImplementedError("binary frames")
        return frames.parse_frame(data)

    server = Protocol("server", codec=Codec(parse_frame=mine), state=State.OPEN)
    events = server.receive_data(HELLO + bytes.fromhex("828037fa213d"))

    assert events == [Text("Hello")]
    assert server.withheld
    with pytest.raises(PartError, match="parse_frame raised NotImplementedError: binary frames"):
        server.receive_data()
    assert (server.state, server.data_to_send()) == (State.OPEN, b"")


@pytest.mark.parametrize("sizes", [(), (3, 4)], ids=["whole", "in pieces"])
@pytest.mark.parametrize("name", ["parse_header", "parse_frame", "apply_mask"])
def test_a_replaced_part_reads_every_frame_however_it_arrives(name, sizes):
    reference, used = getattr(Codec, name), []

    def mine(*arguments):
        used.append(name)
        return reference(*arguments)

    server = Protocol("server", codec=Codec(**{name: mine}), state=State.OPEN)

    assert receive(server, HELLO, sizes) == [Text("Hello")]
    assert used


def test_a_parser_that_uses_no_bytes_ends_with_a_plain_message_and_no_endless_loop():
    server = Protocol("server", codec=Codec(parse_frame=lambda data: (FRAME, 0)), state=State.OPEN)

    with pytest.raises(PartError, match="0 bytes used: it would find it for ever"):
        receive(server, HELLO)


def test_a_part_that_refuses_a_frame_fails_the_connection_with_its_code():
    server = Protocol("server", codec=Codec(parse_frame=raising(ProtocolError("not today", 4001))), state=State.OPEN)

    with pytest.raises(ProtocolError, match="4001: not today"):
        receive(server, HELLO)
    assert server.data_to_send() == bytes.fromhex("880b0fa1") + b"not today"


@given(
    st.sampled_from(["parse_frame", "parse_header", "apply_mask", "inflate"]),
    st.none() | st.integers() | st.binary() | st.text() | st.tuples(st.just(FRAME), st.integers(-2, 20)),
)
def test_whatever_a_part_returns_the_protocol_raises_nothing_but_part_errors_and_protocol_errors(name, result):
    server = Protocol(
        "server", codec=Codec(**{name: returning(result)}), permessage_deflate=PermessageDeflate(), state=State.OPEN
    )
    try:
        events = receive(server, bytes.fromhex("c18700000000f248cdc9c90700"), sizes=(7, 3))
    except (PartError, ProtocolError):
        events = []
    assert all(isinstance(event, Text | Binary) for event in events)


@pytest.mark.parametrize("wanted", named(HANDSHAKES))
def test_a_learners_parser_of_requests_can_build_them_from_strings(wanted):
    def mine(data):
        head, end, _ = data.partition(b"\r\n\r\n")
        if not end:
            return None
        first, *lines = head.decode().split("\r\n")
        headers = Headers(tuple(tuple(line.split(": ", 1)) for line in lines))
        return Request(*first.split(" ")[:2], headers), len(head) + 4

    codec = Codec(parse_request=mine)
    assert codec.parse_request(wanted.request_bytes) == http.parse_request(wanted.request_bytes)


@pytest.mark.parametrize(
    "part",
    [
        {"accept_key": lambda key: key + "\n"},
        {"accept_key": lambda key: "€"},
        {"build_response": lambda request, **options: Response(101, "", Headers((("Upgrade", "a\r\nb"),)))},
    ],
)
def test_an_answer_that_cannot_be_sent_is_the_parts_failure(part):
    [name] = part
    arguments = ("key",) if name == "accept_key" else (None,)

    with pytest.raises(PartError, match=f"{name} returned what cannot be sent: not a legal header line"):
        getattr(Codec(**part), name)(*arguments)
