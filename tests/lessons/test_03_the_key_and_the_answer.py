"""Lesson 03 in false worlds: a client that does not check the answer, and a server that makes another one."""

import pytest
from support.false_worlds import changed_cells, without_rule

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "03-the-key-and-the-answer"

NOBODY_CHECKS_THE_ANSWER = without_rule("wslab.protocol.handshake_rules", "RESPONSE_RULES", "but the key asks for")

A_RECORDING_IS_GOOD_ENOUGH = without_rule("wslab.protocol.handshake_rules", "RESPONSE_RULES", "but the key asks for")

AN_ANSWER_NEEDS_A_SECRET = """
import functools
codec = wslab.Codec(accept_key=lambda key: wslab.accept_key(key + "what only the bank knows"))
wslab.connect = functools.partial(wslab.connect, codec=codec)
"""

FRAMES_ARE_NOT_MASKED = """
import functools, wslab
wslab.connect = functools.partial(wslab.connect, masking_key=bytes(4))
"""


def test_a_client_that_takes_any_answer_is_seen():
    assert "cell-50" in changed_cells(LESSON, NOBODY_CHECKS_THE_ANSWER, until="cell-50")


def test_a_client_that_takes_an_old_answer_is_seen():
    assert "cell-58" in changed_cells(LESSON, A_RECORDING_IS_GOOD_ENOUGH, until="cell-58")


def test_a_client_that_knows_who_answers_is_seen():
    assert "cell-60" in changed_cells(LESSON, AN_ANSWER_NEEDS_A_SECRET, until="cell-60", after="an-impostor")


def test_a_client_that_hides_nothing_is_seen():
    assert "cell-66" in changed_cells(LESSON, FRAMES_ARE_NOT_MASKED, until="cell-66")
