"""Lesson 02 in false worlds: a server that reads headers in another way gives other answers."""

import pytest
from support.false_worlds import changed_cells, without_rule

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "02-the-upgrade-request"

CONNECTION_IS_NO_LIST = """
from wslab.protocol.http import Headers
Headers.has_token = lambda self, name, token: self.get(name, "").lower() == token.lower()
"""

A_VALUE_MAY_CONTAIN_THE_TOKEN = """
from wslab.protocol.http import Headers
Headers.has_token = lambda self, name, token: token.lower() in self.get(name, "").lower()
"""

ANY_KEY_WILL_DO = without_rule("wslab.protocol.handshake_rules", "REQUEST_RULES", "exactly one Sec-WebSocket-Key")

UPGRADE_IS_OPTIONAL = without_rule("wslab.protocol.handshake_rules", "REQUEST_RULES", "ask for it with")


def test_a_server_that_takes_connection_for_one_value_is_seen():
    assert "cell-34" in changed_cells(LESSON, CONNECTION_IS_NO_LIST, until="cell-34")


def test_a_server_that_looks_for_the_letters_anywhere_is_seen():
    assert "cell-34" in changed_cells(LESSON, A_VALUE_MAY_CONTAIN_THE_TOKEN, until="cell-34")


def test_a_server_that_does_not_count_the_bytes_of_the_key_is_seen():
    assert "cell-38" in changed_cells(LESSON, ANY_KEY_WILL_DO, until="cell-38")


def test_a_server_that_does_without_upgrade_is_seen():
    assert "cell-14" in changed_cells(LESSON, UPGRADE_IS_OPTIONAL, until="cell-14")
