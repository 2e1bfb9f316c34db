"""A learner's script is run by a browser: the reader's, one of this machine, or the one that was recorded."""

import sys

import pytest
from support.chromium import find_browser
from support.learners import written
from support.wrong_solutions import ONCLOSE, ONMESSAGE, ONOPEN, script

from wslab.browser.headless import find_chromium
from wslab.exercises import check
from wslab.exercises.judges import scripts
from wslab.exercises.progress import source_of

GOOD = "const socket = new WebSocket(url);\n" + ONOPEN + ONMESSAGE + ONCLOSE


@pytest.fixture(autouse=True)
def _nothing_has_run(monkeypatch):
    monkeypatch.setattr(scripts, "_ran", {})


def good():
    return written("three_echoes", f"def three_echoes():\n    return {GOOD!r}\n")


def test_the_reference_is_judged_by_what_was_recorded_of_it(monkeypatch):
    monkeypatch.setattr(scripts, "find_chromium", lambda: None)
    assert check(written("three_echoes", source_of("three_echoes"))).passed


def test_without_a_browser_nothing_is_said_of_the_script(monkeypatch):
    monkeypatch.setattr(scripts, "find_chromium", lambda: None)
    report = check(good())

    assert (report.points, report.passed) == (0, False)
    assert {result.word for result in report.results} == {"skipped"}
    assert "install Chromium, Chrome or Edge" in str(report)


def test_a_browser_that_does_not_open_the_page_is_told(monkeypatch):
    monkeypatch.setattr(scripts, "STARTING", 0.01)
    monkeypatch.setattr(scripts, "find_chromium", lambda: sys.executable)
    assert "has not opened the page of the check" in str(check(good()))


def test_a_box_that_nobody_opens_is_told(monkeypatch):
    shown = []
    monkeypatch.setattr(scripts, "STARTING", 0.01)
    monkeypatch.setattr(scripts, "find_frontend", lambda: object())
    monkeypatch.setattr(scripts, "_show", shown.append)

    assert "no browser has opened the box" in str(check(good()))
    assert len(shown) == 1


def test_where_a_browser_is_may_be_told():
    assert find_chromium({"WSLAB_CHROMIUM": "/opt/chromium"}) == "/opt/chromium"


@pytest.mark.parametrize("variable", ["ProgramFiles", "ProgramFiles(x86)"])
def test_edge_is_found_where_windows_has_it_though_it_is_not_on_path(monkeypatch, tmp_path, variable):
    edge = tmp_path / "Microsoft/Edge/Application/msedge.exe"
    edge.parent.mkdir(parents=True)
    edge.touch(0o755)
    monkeypatch.setenv("PATH", "")

    assert find_chromium({variable: str(tmp_path)}) == str(edge)
    assert find_chromium({}) is None


@pytest.mark.slow
def test_a_browser_of_this_machine_runs_it_without_a_window(monkeypatch):
    monkeypatch.setattr(scripts, "find_chromium", find_browser)
    assert check(good()).passed


@pytest.mark.slow
def test_a_script_that_never_ends_is_left(monkeypatch):
    monkeypatch.setattr(scripts, "find_chromium", find_browser)
    source, _ = script("for (;;);")
    report = check(written("three_echoes", source))

    assert report.points == 0
    assert "It had not called done() within 3 s" in str(report)
