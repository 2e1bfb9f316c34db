"""Errors carry the close code or the HTTP status that tells the peer."""

import pytest
from support.wire import CLOSE_CODES

from wslab.protocol.errors import (
    CloseCode,
    ConnectionClosed,
    HandshakeError,
    PartError,
    ProtocolError,
    Violation,
    describe_close,
    is_valid_close_code,
)


def test_the_close_codes_on_the_wire_are_those_of_the_registry_and_3000_to_4999():
    assert {code for code in range(-1, 70000) if is_valid_close_code(code)} == CLOSE_CODES


def test_the_three_codes_that_only_an_api_reports_have_a_name_but_never_travel():
    assert {code for code in CloseCode if not is_valid_close_code(code)} == {1005, 1006, 1015}


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (1000, "normal closure"),
        (1001, "going away"),
        (1002, "protocol error"),
        (1003, "unsupported data"),
        (1005, "no status received"),
        (1006, "abnormal closure"),
        (1007, "invalid payload data"),
        (1008, "policy violation"),
        (1009, "message too big"),
        (1010, "mandatory extension"),
        (1011, "internal error"),
        (1012, "service restart"),
        (1013, "try again later"),
        (1014, "bad gateway"),
        (1015, "tls handshake"),
    ],
)
def test_every_close_code_of_the_registry_has_its_meaning_in_words(code, meaning):
    assert CloseCode(code).meaning == meaning


@pytest.mark.parametrize(
    ("code", "reason", "phrase"),
    [
        (1000, "", "1000 normal closure"),
        (1001, "server is stopping", "1001 going away: server is stopping"),
        (4000, "", "4000"),
        (4000, "logged out", "4000: logged out"),
    ],
)
def test_a_close_reads_as_one_phrase(code, reason, phrase):
    assert describe_close(code, reason) == phrase
    assert describe_close(code) == phrase.partition(":")[0]
    assert str(ConnectionClosed(code, reason)) == phrase


def test_a_protocol_error_has_close_code_1002_unless_told_otherwise():
    error = ProtocolError("opcode 0x3 is reserved")

    assert (error.code, error.reason) == (1002, "opcode 0x3 is reserved")
    assert str(error) == "1002 protocol error: opcode 0x3 is reserved"
    assert repr(error) == "ProtocolError('opcode 0x3 is reserved')"


def test_a_protocol_error_keeps_its_close_code_as_a_plain_number():
    error = ProtocolError("too long", CloseCode.MESSAGE_TOO_BIG)

    assert type(error.code) is int
    assert error.code == 1009


def test_a_handshake_error_has_status_400_unless_told_otherwise_and_no_close_code_to_send():
    error = HandshakeError("no Host")

    assert (error.status, error.headers, error.reason, error.code) == (400, (), "no Host", 1006)
    assert str(error) == "400 no Host"
    assert isinstance(error, ProtocolError)


def test_a_handshake_error_carries_the_headers_that_its_answer_needs():
    error = HandshakeError("not a POST", 405, [("Allow", "GET")])

    assert (error.status, error.headers) == (405, (("Allow", "GET"),))


def test_a_handshake_error_without_an_answer_is_only_its_reason():
    assert str(HandshakeError("the server closed the connection", 0)) == "the server closed the connection"


def test_a_closed_connection_knows_its_code_and_reason():
    closed = ConnectionClosed(CloseCode.NORMAL_CLOSURE, "bye")

    assert type(closed.code) is int
    assert (closed.code, closed.reason) == (1000, "bye")
    assert repr(closed) == "ConnectionClosed(<CloseCode.NORMAL_CLOSURE: 1000>, 'bye')"
    assert ConnectionClosed(1005).reason == ""


def test_only_a_broken_rule_of_the_protocol_is_a_protocol_error():
    assert not issubclass(ConnectionClosed, ProtocolError)
    assert not issubclass(PartError, ProtocolError)


def test_a_violation_is_refused_with_its_own_words_and_code():
    violation = Violation("payload", "this is wrong", "§8.1", 1007, place=3)
    error = violation.error()

    assert (error.reason, error.code, error.violation) == ("this is wrong", 1007, violation)
    assert str(error) == "1007 invalid payload data: this is wrong"
