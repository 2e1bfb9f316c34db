"""Lesson 08 in false worlds: a browser whose mask does nothing, and proxies that hear less."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "08-poisoning-a-cache"

THE_MASK_CHANGES_NOTHING = """
import functools, wslab
wslab.connect = functools.partial(wslab.connect, masking_key=bytes(4))
"""

THE_PROXY_IS_REPAIRED = """
def find(heard, start, parse):
    parsed = parse(heard) if heard.startswith(start) else None
    return parsed and (parsed[0], heard[parsed[1] :])
"""

KEYS_CANNOT_BE_FORESEEN = """
connect = wslab.connect
wslab.connect = lambda url, **options: connect(url)
"""

THE_LAST_ATTACK_HAS_BEEN = """
for _ in range(2):
    cache.clear()
    with wslab.connect(f"ws://127.0.0.1:{cafe['evil.example']}/", masking_key=masking_key) as page:
        page.send(mask(WANTED, seen[-1]))
        page.receive()
"""


def test_a_browser_whose_mask_changes_nothing_is_no_defence():
    assert "cell-80" in changed_cells(LESSON, THE_MASK_CHANGES_NOTHING, until="cell-80")


def test_a_proxy_that_skips_nothing_is_not_fooled():
    assert "cell-74" in changed_cells(LESSON, THE_PROXY_IS_REPAIRED, until="cell-74", after="cell-60")


def test_a_browser_with_fresh_keys_withstands_the_last_attack():
    assert "cell-84" in changed_cells(LESSON, KEYS_CANNOT_BE_FORESEEN, until="cell-84", after="mask-eight")


def test_the_last_attack_can_be_made_again():
    assert changed_cells(LESSON, THE_LAST_ATTACK_HAS_BEEN, until="cell-84", after="cell-82") == {}
