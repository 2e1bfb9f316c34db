"""Rules: each is broken by bytes made for it, and endpoint and inspector say the same of them, in the same words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rule_examples import BREACHES, masked

from wslab.dissector.frames import FrameDissector
from wslab.protocol import rules
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import ProtocolError, is_valid_close_code
from wslab.protocol.limits import Limits
from wslab.protocol.opcodes import Opcode
from wslab.protocol.rules import Rule, Situation, broken_by_frame, broken_by_length, broken_by_start
from wslab.protocol.states import Role, State

HEADER_RULES = [rule for rule, _ in (*rules.START_RULES, *rules.LENGTH_RULES, *rules.FRAME_RULES)]
NAMED_RULES = [rule for rule in vars(rules).values() if isinstance(rule, Rule)]
LIMITS = [rule for rule in NAMED_RULES if rule.section == "§7.4.1"]
PAYLOAD_RULES = [rule for rule in NAMED_RULES if rule not in LIMITS]
OTHER_END = {Role.CLIENT: Role.SERVER, Role.SERVER: Role.CLIENT}

every_breach = pytest.mark.parametrize(
    "breach", BREACHES, ids=lambda breach: f"{breach.reason}-{breach.wire[:6].hex()}"
)


def refusal(wire, sender, deflate):
    """How an endpoint refuses these bytes: the reason, the code and the field; nothing if it does not."""
    agreed = PermessageDeflate() if deflate else None
    endpoint = Protocol(OTHER_END[sender], state=State.OPEN, permessage_deflate=agreed)
    try:
        endpoint.receive_data(wire)
        while endpoint.withheld:
            endpoint.receive_data()
    except ProtocolError as error:
        return error.reason, error.code, error.violation and error.violation.field
    return None


def explanation(wire, sender, deflate):
    """The first rule that an inspector sees broken in these bytes."""
    dissector = FrameDissector(sender, deflate=deflate)
    for seen in [*dissector.read(wire), *dissector.end()]:
        for broken in seen.faults:
            return broken.reason, broken.code, broken.field
        if seen.illegal:
            return seen.illegal, 1002, None
    return None


@every_breach
def test_an_endpoint_refuses_what_breaks_a_rule(breach):
    assert refusal(breach.wire, breach.sender, breach.deflate) == (breach.reason, breach.code, breach.field)


@every_breach
def test_and_nothing_before_the_last_byte(breach):
    for size in range(len(breach.wire)):
        found = refusal(breach.wire[:size], breach.sender, breach.deflate)
        # The mask bit, an opcode and a length tell before the header is whole.
        assert found in (None, (breach.reason, breach.code, breach.field))


@every_breach
def test_an_inspector_explains_it_by_the_same_rule(breach):
    reason, code, field = explanation(breach.wire, breach.sender, breach.deflate)

    assert (reason, code) == (breach.reason, breach.code)
    assert field in (breach.field, None)


@pytest.mark.parametrize("rule", [*HEADER_RULES, *PAYLOAD_RULES], ids=lambda rule: rule.sentence)
def test_every_rule_has_its_example(rule):
    if rule.section == "§5.5.1" and "after a close frame" in rule.sentence:
        return  # an endpoint ignores what comes after a close frame: see the next test
    words = re.compile(re.sub(r"\\{[^}]+\\}", ".+", re.escape(rule.sentence)))
    examples = [breach for breach in BREACHES if words.fullmatch(breach.reason)]

    assert examples
    assert {(breach.code, breach.field) for breach in examples} == {(rule.code, rule.field)}


def test_what_comes_after_a_close_frame_is_ignored_and_explained():
    wire = masked(0x88) + masked(0x81, b"Hello")

    assert refusal(wire, Role.CLIENT, False) is None
    assert explanation(wire, Role.CLIENT, False) == ("a text frame after a close frame", 1002, "opcode")


@st.composite
def streams(draw):
    """A few frames, each legal or nearly so, from a client or a server, cut short or not."""
    data = b""
    for _ in range(draw(st.integers(1, 4))):
        first = draw(
            st.sampled_from([0x81, 0x82, 0x01, 0x80, 0x00, 0x89, 0x8A, 0x88, 0xC1, 0x41]) | st.integers(0, 255)
        )
        payload = draw(st.binary(max_size=6) | st.text(max_size=3).map(str.encode))
        frame = masked(first, payload) if draw(st.booleans()) else bytes((first, len(payload))) + payload
        data += draw(st.sampled_from([frame, frame, frame, frame[:-1]]) | st.binary(max_size=4))
    return data


@given(streams(), st.sampled_from(Role), st.booleans())
def test_endpoint_and_inspector_agree_on_whatever_arrives(wire, sender, deflate):
    refused, explained = refusal(wire, sender, deflate), explanation(wire, sender, deflate)
    if explained is not None and "after a close frame" in explained[0]:
        explained = None
    if refused is None:
        # After a close frame an endpoint reads nothing more; an inspector goes on.
        closed = any(str(seen).startswith("close") for seen in FrameDissector(sender, deflate=deflate).read(wire))
        assert explained is None or closed
    else:
        assert explained is not None
        assert explained[:2] == refused[:2]


@pytest.mark.parametrize("rule", [*HEADER_RULES, *NAMED_RULES], ids=lambda rule: rule.sentence)
def test_a_rule_names_its_section_and_a_code_that_a_close_frame_can_carry(rule):
    assert re.fullmatch(r"(RFC 7692 )?§\d+(\.\d+)*", rule.section)
    assert is_valid_close_code(rule.code)


@pytest.mark.parametrize(
    ("wire", "deflate", "reason", "code"),
    [
        (masked(0x82, bytes(11)), False, "a message of more than 10 bytes", 1009),
        (masked(0xC2, bytes.fromhex("62 60 80 03 00")), True, "the decompressed message is too big", 1009),
        (
            masked(0xC2, bytes.fromhex("0300") * 101, length=b"\x7e\0\xca"),
            True,
            "more than 100 final blocks in one message",
            1008,
        ),
    ],
)
def test_a_limit_is_no_matter_of_right_and_wrong(wire, deflate, reason, code):
    agreed = PermessageDeflate() if deflate else None
    limits = Limits(max_size=1000 if code == 1008 else 10)
    endpoint = Protocol(Role.SERVER, state=State.OPEN, permessage_deflate=agreed, limits=limits)

    with pytest.raises(ProtocolError) as caught:
        endpoint.receive_data(wire)
    assert (caught.value.reason, caught.value.code) == (reason, code)
    dissected = FrameDissector(Role.CLIENT, deflate=deflate).read(wire)
    assert code == 1008 or [seen.illegal for seen in dissected] == [""]


def test_a_frame_can_break_several_rules_and_the_peer_is_told_the_first():
    alone = Situation(Role.SERVER, message=Opcode.TEXT)
    reasons = [broken.reason for broken in broken_by_frame(Opcode.TEXT, False, True, False, True, alone)]

    assert reasons == [
        "a masked frame from a server",
        "a reserved bit is set that no extension uses",
        "a text frame inside a fragmented message",
    ]
    assert [broken.field for broken in broken_by_start(0x09, 0x7E)] == ["payload length", "FIN"]
    assert broken_by_start(0x81, 0x7E) == ()
    assert broken_by_length(2, 126) == broken_by_length(8, 2**16) == ()


def test_a_broken_rule_is_an_error_that_says_where():
    rule = Rule("payload", "{what} is wrong", "§1", 1007)
    error = rule.broken(place=3, what="this")

    assert (error.reason, error.code, error.violation) == ("this is wrong", 1007, rule.violation(3, what="this"))
    assert (error.violation.section, error.violation.place) == ("§1", 3)
