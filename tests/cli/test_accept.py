"""accept, run as a user runs it."""

import pytest
from support.command_line import wslab


def test_accept_prints_the_answer_to_the_key_of_2014() -> None:
    result = wslab("accept", "j6MZV0bC4TBsmQHmnlsEyw==")
    assert (result.stdout, result.stderr) == ("Psgr6cQUXMgP1tz5StleqjOWtpE=\n", "")


@pytest.mark.parametrize("key", ["abc", "", "héllo", "j6MZV0bC4TBsmQHmnlsEyw", "j6MZ V0bC4TBsmQHmnlsEyw=="])
def test_what_is_no_key_is_warned_of_and_has_its_answer_all_the_same(key: str) -> None:
    result = wslab("accept", key)
    assert (result.returncode, len(result.stdout)) == (0, 29)
    assert result.stderr.startswith("Warning: that is no key: ")
