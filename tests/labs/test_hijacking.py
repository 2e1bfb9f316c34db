"""hijacking: the attack in a real browser, what stops it, and what only seems to."""

import re
import threading
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright
from support.chromium import open_browser

from wslab import CloseCode, ConnectionClosed, Direction, HandshakeError, Recording, connect, parse_request
from wslab.labs.hijacking import COOKIE, Attack, Attacker, Bank

ADDRESS = "127.0.0.1"
PIN = "customer 1: PIN 4711"
STOLEN = Attack(fetched="TypeError", told=PIN, close_code=CloseCode.NORMAL_CLOSURE)
REFUSED = Attack(fetched="TypeError", told="", close_code=CloseCode.ABNORMAL_CLOSURE)
UNKNOWN = Attack(fetched="TypeError", told="", close_code=CloseCode.POLICY_VIOLATION)

REPAIRS = pytest.mark.parametrize(
    "repair", [{}, {"check_origin": True}, {"ask_ticket": True}], ids=["none", "origin", "ticket"]
)


# The browser


@pytest.fixture(scope="module")
def playwright():
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def one_browser(playwright, tmp_path_factory):
    with open_browser(playwright, tmp_path_factory.mktemp("browser"), third_party_cookies=True) as context:
        yield context


@pytest.fixture
def browser(one_browser):
    one_browser.clear_cookies()
    return one_browser


@pytest.fixture
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


def log_in(page: Page, bank: Bank) -> str:
    """Open the bank's page, and read what it shows once its WebSocket has brought something."""
    page.goto(bank.origin)
    return shown(page)


def shown(page: Page) -> str:
    output = page.locator("output", has_text=re.compile("."))
    return output.text_content()  # once there is some


def visit(page: Page, attacker: Attacker) -> Attack:
    """Open the attack page, and wait until it is done."""
    page.goto(attacker.origin)
    return attacker.wait()


def attack_a_customer(browser: BrowserContext, bank: Bank, name: str = ADDRESS) -> Attack:
    page = browser.new_page()
    with bank, Attacker(bank, name) as attacker:
        log_in(page, bank)
        attack = visit(page, attacker)
        page.close()
    return attack


# The attack, and its two cures


@REPAIRS
def test_a_customer_is_shown_the_own_pin(page, repair):
    with Bank(**repair) as bank:
        assert log_in(page, bank) == PIN


def test_a_page_of_another_origin_reads_the_pin_of_whoever_opens_it(page):
    with Bank() as bank, Attacker(bank) as attacker:
        log_in(page, bank)
        assert visit(page, attacker) == STOLEN
        assert attacker.stolen == [PIN]
        assert bank.origin != attacker.origin


def test_it_reads_the_pin_of_each_who_opens_it(page):
    with Bank() as bank, Attacker(bank) as attacker:
        for _ in range(2):
            log_in(page, bank)
            visit(page, attacker)
            page.context.clear_cookies()  # so that somebody else comes

    assert attacker.stolen == ["customer 1: PIN 4711", "customer 2: PIN 4712"]


@REPAIRS
def test_who_is_not_logged_in_has_nothing_that_could_be_stolen(page, repair):
    with Bank(**repair) as bank, Attacker(bank) as attacker:
        assert visit(page, attacker) == (REFUSED if "check_origin" in repair else UNKNOWN)
        assert attacker.stolen == []


def test_a_bank_that_checks_the_origin_answers_403_of_which_the_page_sees_1006(page):
    recording = Recording()
    with Bank(check_origin=True, recording=recording) as bank, Attacker(bank) as attacker:
        log_in(page, bank)
        assert visit(page, attacker) == REFUSED
        assert attacker.stolen == []
        theirs, _ = parse_request(recording.bytes_sent(2, Direction.CLIENT_TO_SERVER))
        assert theirs.headers["Origin"] == attacker.origin
        assert COOKIE in theirs.headers["Cookie"]  # the browser sends it all the same

    assert recording.bytes_sent(1, Direction.SERVER_TO_CLIENT).startswith(b"HTTP/1.1 101 ")
    assert recording.bytes_sent(2, Direction.SERVER_TO_CLIENT).startswith(b"HTTP/1.1 403 Forbidden\r\n")


def test_a_bank_that_asks_for_a_ticket_lets_the_page_connect_and_tells_it_nothing(page):
    recording = Recording()
    with Bank(ask_ticket=True, recording=recording) as bank, Attacker(bank) as attacker:
        log_in(page, bank)
        assert visit(page, attacker) == UNKNOWN
        assert attacker.stolen == []

    assert recording.bytes_sent(2, Direction.SERVER_TO_CLIENT).startswith(b"HTTP/1.1 101 ")


# CORS


def test_fetch_fails_where_the_websocket_succeeds_though_both_requests_arrive_with_the_cookie(page):
    with Bank() as bank, Attacker(bank) as attacker:
        log_in(page, bank)
        assert visit(page, attacker) == STOLEN
        [request] = [request for request in bank.requests if request.target == "/secret"]
        assert request.headers["Origin"] == attacker.origin
        assert COOKIE in request.headers["Cookie"]


def cors_for(origin: str) -> list[tuple[str, str]]:
    return [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]


def test_cors_headers_that_allow_only_the_bank_stop_no_websocket(page):
    recording = Recording()
    with Bank(recording=recording) as bank, Attacker(bank) as attacker:
        bank.headers = cors_for(bank.origin)
        log_in(page, bank)
        assert visit(page, attacker) == STOLEN

    assert b"\r\nAccess-Control-Allow-Origin: " in recording.bytes_sent(2, Direction.SERVER_TO_CLIENT)


def test_cors_headers_that_allow_the_attacker_let_fetch_read_and_the_websocket_is_refused_as_before(page):
    with Bank(check_origin=True) as bank, Attacker(bank) as attacker:
        bank.headers = cors_for(attacker.origin)
        log_in(page, bank)
        assert visit(page, attacker) == Attack(fetched=PIN, told="", close_code=CloseCode.ABNORMAL_CLOSURE)


def test_a_ticket_is_as_secret_as_cors_keeps_it(page):
    with Bank(ask_ticket=True) as bank, Attacker(bank) as attacker:
        bank.headers = cors_for(attacker.origin)
        log_in(page, bank)
        assert visit(page, attacker) == Attack(fetched=PIN, told=PIN, close_code=CloseCode.NORMAL_CLOSURE)


# SameSite: it looks at the names of both sites, not at their ports

SITES = ["SameSite=Strict", "SameSite=Lax", "", "SameSite=None; Secure"]


@pytest.mark.parametrize("name", [ADDRESS, "localhost", "bank.localhost"])
@pytest.mark.parametrize("cookie", SITES)
def test_a_cookie_goes_to_all_ports_of_its_host_whatever_its_samesite_says(browser, cookie, name):
    assert attack_a_customer(browser, Bank(cookie=cookie, name=name), name) == STOLEN


@pytest.mark.parametrize(
    ("bank", "attacker"),
    [
        (ADDRESS, "localhost"),
        ("localhost", ADDRESS),
        ("localhost", "attack.localhost"),
        ("bank.localhost", "attack.localhost"),
    ],
)
@pytest.mark.parametrize("cookie", SITES)
def test_a_page_of_another_site_gets_the_cookie_sent_only_with_samesite_none(browser, cookie, bank, attacker):
    attack = attack_a_customer(browser, Bank(cookie=cookie, name=bank), attacker)

    assert attack == (STOLEN if cookie == "SameSite=None; Secure" else UNKNOWN)


def test_not_even_with_samesite_none_in_a_browser_that_sends_no_third_party_cookies(playwright, tmp_path):
    with open_browser(playwright, tmp_path, third_party_cookies=False) as browser:
        assert attack_a_customer(browser, Bank(cookie="SameSite=None; Secure"), "localhost") == UNKNOWN
        assert attack_a_customer(browser, Bank(cookie="SameSite=None; Secure"), ADDRESS) == STOLEN


def test_samesite_none_without_secure_is_no_cookie_at_all(browser, page):
    with Bank(cookie="SameSite=None") as bank:
        assert log_in(page, bank) == "closed with 1008"

    assert browser.cookies() == []


@pytest.mark.parametrize(("cookie", "customer"), [("SameSite=Lax", 1), ("SameSite=Strict", 2)])
def test_a_link_from_another_site_brings_a_lax_cookie_and_no_strict_one(page, cookie, customer):
    with Bank(cookie=cookie) as bank, Attacker(bank, "localhost") as attacker:
        log_in(page, bank)
        visit(page, attacker)
        page.evaluate("(address) => { location = address; }", bank.origin)
        page.wait_for_url(bank.origin + "/")
        # Without its cookie, the bank takes a customer for somebody new.
        assert shown(page).startswith(f"customer {customer}: ")


# Clients that are no browsers


def cookie_of_a_new_customer(bank: Bank) -> tuple[str, str]:
    with urlopen(bank.origin) as answer:
        return "Cookie", answer.headers["Set-Cookie"].partition(";")[0]


def test_a_client_without_a_browser_can_claim_any_origin(page):
    with Bank(check_origin=True) as bank:
        log_in(page, bank)
        with connect(bank.url, origin=bank.origin) as connection:
            connection.send("my PIN, please")
            # But it has no customer's cookie: the check protects whoever uses a browser, and needs no more.
            with pytest.raises(ConnectionClosed, match=r"1008 .*: log in first"):
                connection.receive()


def test_with_a_cookie_of_its_own_it_reads_what_is_its_own():
    with Bank(check_origin=True) as bank:
        cookie = cookie_of_a_new_customer(bank)
        with connect(bank.url, origin=bank.origin, headers=[cookie]) as connection:
            connection.send("my PIN, please")
            assert connection.receive() == PIN


@pytest.mark.parametrize("origin", [None, "null", "https://example.com"])
def test_who_claims_no_origin_or_a_wrong_one_is_refused(origin):
    with Bank(check_origin=True) as bank, pytest.raises(HandshakeError) as refusal:
        connect(bank.url, origin=origin)

    assert refusal.value.status == 403


def test_a_ticket_is_good_for_one_use():
    with Bank(ask_ticket=True) as bank:
        cookie = cookie_of_a_new_customer(bank)
        with urlopen(Request(f"{bank.origin}/ticket", b"", dict([cookie]))) as answer:
            ticket = answer.read().decode()
        with connect(bank.url) as connection:
            connection.send(ticket)
            assert connection.receive() == PIN
        with connect(bank.url, headers=[cookie]) as connection:
            connection.send(ticket)
            with pytest.raises(ConnectionClosed, match="1008"):
                connection.receive()


# Inside the lab


def test_the_attack_page_cannot_connect_to_anybody_else(page):
    with Bank() as bank, Bank() as another, Attacker(bank) as attacker:
        visit(page, attacker)
        for address in (another.url, another.url.replace("ws", "http")):
            with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
                page.evaluate("(url) => { try { new WebSocket(url); } catch {} fetch(url).catch(() => {}); }", address)

    assert another.requests == []


def test_a_lab_has_no_names_but_those_of_this_machine():
    with pytest.raises(ValueError, match="stays on this machine"):
        Bank(name="example.com")
    with pytest.raises(ValueError, match="stays on this machine"):
        Attacker(Bank(), name="localhost.example.com")


def test_waiting_for_a_browser_that_never_comes_ends():
    with Bank() as bank, Attacker(bank) as attacker, pytest.raises(TimeoutError, match="no browser has opened"):
        attacker.wait(timeout=0)


def test_nothing_is_left_behind(page):
    before = set(threading.enumerate())
    bank = Bank().start()
    attacker = Attacker(bank).start()
    log_in(page, bank)
    visit(page, attacker)
    attacker.close()
    bank.close()

    assert set(threading.enumerate()) == before


def test_starting_and_closing_twice_does_no_harm():
    bank = Bank().start()
    url, origin = bank.url, bank.origin
    assert (bank.start().url, bank.origin) == (url, origin)
    bank.close()
    bank.close()
