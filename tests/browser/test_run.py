"""Run: one script, one page, and those who wait for it."""

import secrets

import pytest
from support.waiting import PATIENCE, running

from wslab.browser.run import MAX_EVENTS, Run

OPEN = {"what": "open"}
ORIGIN = "http://127.0.0.1:8765"


@pytest.fixture
def run():
    return Run("a script", "done()")


def test_every_run_has_a_ticket_that_nobody_can_guess():
    tickets = {Run("a script", "done()").ticket for _ in range(100)}
    assert len(tickets) == 100
    assert {len(ticket) for ticket in tickets} == {43}


def test_the_first_page_with_a_token_gets_the_run(run):
    token = secrets.token_hex()
    assert not run.is_claimed
    assert run.claim(token, ORIGIN)
    assert not run.claim(secrets.token_hex(), "http://elsewhere")
    assert (run.is_claimed, run.token, run.origin) == (True, token, ORIGIN)


@pytest.mark.parametrize("token", ["", "0" * 63, "0" * 65, "0" * 63 + "g", "0" * 64 + "\n"])
def test_a_page_brings_a_token_of_256_bits(run, token):
    assert not run.claim(token, ORIGIN)
    assert not run.is_claimed


def test_events_are_copies_so_that_nobody_changes_what_was_reported(run):
    run.add([OPEN], False)
    run.events[0]["what"] = "close"
    assert run.events == [OPEN]


def test_nothing_is_added_to_a_run_that_is_done_or_full(run):
    assert not run.add([OPEN] * (MAX_EVENTS + 1), False)
    assert run.add([OPEN] * MAX_EVENTS, False)
    assert not run.add([OPEN], False)
    assert run.add([], True)
    assert not run.add([], True)
    assert len(run.events) == MAX_EVENTS


def test_whoever_waits_is_woken_by_the_end_and_by_no_report(run):
    run.add([OPEN], False)
    assert not run.wait(0.01)
    run.add([OPEN], True)
    assert not run.wait(0.01)
    with running(run.end):
        assert run.wait(PATIENCE)


def test_a_run_shows_neither_its_ticket_nor_its_token(run):
    run.claim(secrets.token_hex(), ORIGIN)
    assert repr(run) == "<Run 'a script', 0 events>"
