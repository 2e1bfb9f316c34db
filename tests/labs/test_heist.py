"""heist: what is recorded is what a browser brings, and a reader without one is shown the recording."""

import json

import pytest
from playwright.sync_api import sync_playwright
from support.chromium import open_browser
from support.heists import HEISTS, RECORDED, commit

from wslab.browser.frontend import Frontend
from wslab.labs import heist as heist_module
from wslab.labs.heist import Heist, Options, load_heists, save_heists


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with (
        sync_playwright() as playwright,
        open_browser(playwright, tmp_path_factory.mktemp("browser"), third_party_cookies=True) as context,
    ):
        yield context


def test_every_heist_is_recorded_once():
    assert list(load_heists(HEISTS)) == RECORDED


@pytest.mark.parametrize("options", RECORDED, ids=str)
def test_a_browser_brings_what_was_recorded(browser, options):
    with Heist(HEISTS, **vars(options)) as heist:
        recorded = heist.outcome()
        live = commit(browser, heist)

    assert live.source == "Your browser brought"
    assert recorded.source.startswith("What Chromium ")
    assert (live.attack, live.origin, live.has_cookie, live.status) == (
        recorded.attack,
        recorded.origin,
        recorded.has_cookie,
        recorded.status,
    )


def test_an_outcome_reads_as_a_table_without_the_value_of_the_cookie(browser):
    with Heist(HEISTS) as heist:
        shown = repr(commit(browser, heist))

    assert shown.splitlines()[1:] == [
        "  Origin                the attack page",
        "  Cookie                wslab-bank=…",
        "  the bank answered     101",
        "  fetch() brought       'TypeError'",
        "  the WebSocket brought 'customer 1: PIN 4711', then the close event with 1000",
    ]


def test_a_heist_that_was_not_recorded_has_no_outcome_without_a_browser():
    with Heist(HEISTS, cookie="HttpOnly") as heist:
        assert heist.outcome() is None


@pytest.mark.parametrize(
    "frontend", [None, Frontend("JupyterLab", "/user/ada/proxy/", is_public=True)], ids=["no", "far"]
)
def test_without_a_browser_on_this_machine_there_is_nothing_to_click(monkeypatch, frontend):
    monkeypatch.setattr(heist_module, "find_frontend", lambda: frontend)
    with Heist(HEISTS) as heist:
        assert "nothing to click" in repr(heist)
        assert "href" not in heist._repr_html_()


def test_a_browser_on_this_machine_gets_two_links(monkeypatch):
    monkeypatch.setattr(heist_module, "find_frontend", lambda: Frontend("JupyterLab"))
    with Heist(HEISTS) as heist:
        html = heist._repr_html_()
        assert f'href="{heist.bank.origin}/"' in html
        assert f'href="{heist.attacker.origin}/"' in html


def test_what_is_saved_is_what_is_loaded(tmp_path):
    outcomes = load_heists(HEISTS)
    browser = json.loads(HEISTS.read_text())["browser"]
    save_heists(tmp_path / "again.json", browser, outcomes)

    assert (tmp_path / "again.json").read_text() == HEISTS.read_text()
    assert load_heists(tmp_path / "again.json")[Options()] == outcomes[Options()]
