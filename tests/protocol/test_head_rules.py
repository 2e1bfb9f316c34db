"""Head rules: each is broken by a head made for it, and refused with its sentence and its status."""

import pytest

from wslab.protocol import head_rules
from wslab.protocol.errors import HandshakeError
from wslab.protocol.head_rules import HandshakeRule
from wslab.protocol.http import parse_request, parse_response

START = b"GET / HTTP/1.1\r\n"

EXAMPLES = [
    (head_rules.IS_TLS, parse_request, b"\x16\x03\x01"),
    (head_rules.IS_TLS, parse_request, b"\x15"),
    (head_rules.SPEAKS_TLS, parse_response, b"\x15\x03\x01\x00\x02\x02\x46"),
    (head_rules.SPEAKS_TLS, parse_response, b"\x16"),
    (head_rules.NO_METHOD, parse_request, b"(GET) / HTTP/1.1\r\n\r\n"),
    (head_rules.NO_REQUEST_LINE, parse_request, b"GET /\r\n\r\n"),
    (head_rules.NO_VERSION, parse_request, b"GET / HTTPS\r\n\r\n"),
    (head_rules.WRONG_VERSION, parse_request, b"GET / HTTP/2.0\r\n\r\n"),
    (head_rules.NO_RESPONSE, parse_response, b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    (head_rules.FORBIDDEN_OCTET, parse_request, START + b"X: a\0b\r\n\r\n"),
    (head_rules.FORBIDDEN_OCTET, parse_request, START + b"X: a\nb\r\n\r\n"),
    (head_rules.FOLDED_LINE, parse_request, START + b"X: a\r\n b\r\n\r\n"),
    (head_rules.NO_HEADER_LINE, parse_request, START + b"X\r\n\r\n"),
]


@pytest.mark.parametrize(("rule", "parse", "head"), EXAMPLES)
def test_a_head_that_breaks_a_rule_is_refused_by_it(rule, parse, head):
    with pytest.raises(HandshakeError) as caught:
        parse(head)

    before, _, after = rule.sentence.partition("{")
    assert caught.value.reason.startswith(before)
    assert caught.value.reason.endswith(after.rpartition("}")[2])
    assert caught.value.status == rule.status


def test_every_rule_has_its_example():
    rules = [rule for rule in vars(head_rules).values() if isinstance(rule, HandshakeRule)]
    rules = [rule for rule in rules if "{limit}" not in rule.sentence]  # test_opening goes over the limits

    assert [rule for rule in rules if rule not in [example[0] for example in EXAMPLES]] == []
    assert len(rules) >= 10


def test_a_broken_rule_carries_what_its_answer_needs():
    rule = HandshakeRule("X", "{what} is wrong", "§1", 405, (("Allow", "GET"),))

    assert rule.refusal(what="this")[:4] == ("X", "this is wrong", "§1", 405)
    assert (rule.broken(what="this").status, rule.broken(what="this").headers) == (405, (("Allow", "GET"),))
