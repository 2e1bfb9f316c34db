"""The tool that runs a lesson in a false world: what is true changes no cell, and a rule that is broken changes one."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

OTHER_GUID = "import wslab.protocol.handshake as h\nh.GUID = h.GUID.lower()"


def test_the_world_as_it_is_changes_no_cell():
    assert changed_cells("03-the-key-and-the-answer", "true = True") == {}


def test_a_world_with_another_guid_changes_a_cell():
    assert changed_cells("03-the-key-and-the-answer", OTHER_GUID)


def test_a_world_that_fails_is_no_world():
    with pytest.raises(AssertionError, match="the false world itself says: ZeroDivisionError"):
        changed_cells("03-the-key-and-the-answer", "1 / 0", until="cell-01")
