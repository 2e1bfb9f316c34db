"""autobahn: the judge passes a good server and names the cases that a bad one fails."""

import subprocess
import sys

from wslab import Codec, EchoServer, apply_mask
from wslab.labs.autobahn import CASES, CHAPTERS, QUICK, SLOW, Verdict, describe, judge


def test_a_good_server_passes():
    with EchoServer() as server:
        verdicts = judge(server.url, ["1.1.1", "2.4", "7.13.1"])

    assert [(verdict.case, verdict.behavior, verdict.has_passed) for verdict in verdicts] == [
        ("1.1.1", "OK", True),
        ("2.4", "OK", True),
        ("7.13.1", "INFORMATIONAL", True),
    ]


def test_a_bad_server_fails_the_cases_that_see_its_bug():
    once = Codec(apply_mask=lambda data, key: apply_mask(data[:4], key) + data[4:])  # enough for a close code
    with EchoServer(codec=once) as server:
        verdicts = judge(server.url, ["1.1.1", "1.1.2"])

    assert [(verdict.behavior, verdict.has_passed) for verdict in verdicts] == [("OK", True), ("FAILED", False)]


def test_a_wrong_closing_is_a_failure_though_the_messages_were_right():
    assert not Verdict("7.9.1", "OK", "WRONG CODE", "", "").has_passed


def test_a_verdict_says_what_the_case_does_and_expects():
    with EchoServer() as server:
        [verdict] = judge(server.url, ["1.1.1"])

    assert (verdict.description, verdict.expectation) == describe("1.1.1")
    assert describe("1.1.1")[0] == "Send text message with payload 0."


def test_the_quick_cases_are_cases_of_each_chapter_and_none_is_slow():
    assert set(QUICK) <= set(CASES)
    assert {case.split(".")[0] for case in QUICK} == set(CHAPTERS)
    assert not SLOW & set(QUICK)


def test_what_kosoku_puts_where_others_look_is_taken_away():
    code = "import sys; before = list(sys.path); import wslab.labs.autobahn; assert sys.path == before; "
    code += "assert 'pkg_resources' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
