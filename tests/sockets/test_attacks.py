"""Attacks at full size: what 17 of them may cost a server in a process of its own, and what all others must get."""

import json
import select
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import attacks
from support.measured_attack import Figures

WINDOWS = sys.platform == "win32"
IS_SMALL = not WINDOWS and not hasattr(select, "poll")  # Unix without poll has only 1,024 sockets to wait for


@dataclass(frozen=True)
class Expected:
    """What must come of an attack: at most `memory` in MiB, and what attackers get.

    That is 2.5 times what it takes, about, or more where that depends on how many threads run at one moment.
    """

    attack: Callable[[], Figures]
    memory: float
    told: dict[str, int]


LIGHT = [
    Expected(attacks.a_frame_that_announces_2_to_the_40, 50, {"close 1009": 50}),
    Expected(attacks.a_length_with_the_top_bit_set, 50, {"close 1002": 50}),
    Expected(attacks.a_deflate_bomb_of_300_mib, 8, {"close 1009": 2}),
    Expected(attacks.a_hundred_thousand_pings, 5, {"pong": 100_000}),
    Expected(attacks.five_hundred_resets_in_mid_frame, 2, {'text "Hello"': 500}),
    Expected(attacks.two_hundred_half_handshakes, 13, {"HTTP 408": 200}),
    Expected(
        attacks.two_threads_that_write_to_one_connection,
        3,
        {"in order from the server": 2000, "in order from the client": 2000},
    ),
    Expected(attacks.a_server_that_dies_in_the_middle_of_a_message, 3, {"all whole messages": 20, "close 1006": 20}),
]
HEAVY = [
    Expected(attacks.a_deflate_bomb_in_300_messages, 16, {"echo": 300, "close 1000": 1}),
    Expected(attacks.endless_fragments, 4, {"close 1009": 1}),
    Expected(attacks.a_million_empty_fragments, 3, {'text "ab"': 1, "binary 61 62": 1}),
    Expected(attacks.peers_that_send_and_never_read, 110, {"left": 36}),
    Expected(attacks.ten_thousand_visits, 2, {"served": 10_000, "goodbye": 10_000}),
]
needs_files_for_a_crowd = pytest.mark.skipif(
    IS_SMALL or attacks.most_files() < attacks.FILES_FOR_A_CROWD,
    reason=f"the limit on open files (`ulimit -Hn`), or on those to wait for, is below {attacks.FILES_FOR_A_CROWD}",
)
NOISE = {"HTTP 400", "close 1002", "close 1007", "close 1009", "the end of TCP"}


def by_name(table: list[Expected], *marks: pytest.MarkDecorator) -> list[object]:
    return [pytest.param(expected, id=expected.attack.__name__, marks=marks) for expected in table]


def check(figures: Figures, memory: float, threads: int = 200) -> None:
    """What holds for every attack that the server survives with so many threads."""
    assert figures.memory < memory + threads * attacks.HEAPS
    assert (figures.threads_after, figures.files_after) == (figures.threads_before, figures.files_before)
    assert figures.echoes > 0


@pytest.mark.parametrize("expected", by_name(LIGHT) + by_name(HEAVY, pytest.mark.slow))
def test_the_server_answers_stays_small_and_serves_all_others(expected):
    figures = expected.attack()

    check(figures, expected.memory)
    assert figures.told == expected.told
    assert figures.log == ""


@pytest.mark.slow
def test_thousands_of_random_byte_strings_are_each_answered_or_left():
    figures = attacks.thousands_of_random_byte_strings()

    check(figures, 15)
    assert set(figures.told) <= NOISE
    assert sum(figures.told.values()) == 3000
    assert figures.log == ""


@pytest.mark.slow
@needs_files_for_a_crowd
def test_fifteen_hundred_clients_are_served_at_once_and_one_more_is_told_why_not():
    figures = attacks.a_crowd_and_then_more_than_the_limit()

    check(figures, 100, threads=attacks.CROWD)
    refused = "HTTP 503: This server has its 1,501 connections already."
    assert figures.told == {"HTTP 101": 1500, refused: 50, "echo": 1500}
    assert figures.log == ""


@needs_files_for_a_crowd
@pytest.mark.skipif(WINDOWS, reason="Windows has no SIGINT for another process")
def test_ctrl_c_tells_all_clients_1001_and_the_process_ends_within_five_seconds():
    figures = attacks.ctrl_c_with_open_connections()

    assert figures.told == {"close 1001": 1490, "exit status 0": 1, "the bystander: close 1001": 1}
    assert figures.echoes > 0
    assert figures.log == ""


def test_a_hundred_handlers_that_raise_are_a_hundred_tracebacks_in_the_log_and_nobody_else_is_moved():
    figures = attacks.a_handler_that_raises()

    check(figures, 5)
    assert figures.told == {'close 1011 "RuntimeError in the handler"': 100, 'text "go on"': 100}
    assert figures.log.count("Traceback (most recent call last):") == 100
    assert figures.log.count("RuntimeError: this handler was asked to fail") == 100


def test_the_soak_prints_a_line_for_each_attack_and_writes_its_figures(tmp_path):
    script, report = Path(__file__).parents[1] / "soak.py", tmp_path / "report.json"
    command = [sys.executable, str(script), "--only", "a_handler_that_raises", "--json", str(report)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    figures = json.loads(report.read_text())["attacks"]["a_handler_that_raises"]
    assert figures["told"]['text "go on"'] == 100
    assert result.stdout.splitlines()[-1].startswith("a handler that raises ")


def test_the_soak_runs_every_attack_that_is_tested():
    tested = [expected.attack for expected in LIGHT + HEAVY]

    assert set(attacks.ATTACKS) - set(tested) == {
        attacks.thousands_of_random_byte_strings,
        attacks.a_crowd_and_then_more_than_the_limit,
        attacks.ctrl_c_with_open_connections,
        attacks.a_handler_that_raises,
    }
