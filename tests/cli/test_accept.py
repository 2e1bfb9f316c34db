"""accept, run as a user runs it."""

from support.command_line import wslab


def test_accept_prints_the_answer_to_the_key_of_2014() -> None:
    assert wslab("accept", "j6MZV0bC4TBsmQHmnlsEyw==").stdout == "Psgr6cQUXMgP1tz5StleqjOWtpE=\n"
