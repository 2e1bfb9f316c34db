"""The heists of the lesson on security, which a browser commits so that readers without one see what it did."""

from pathlib import Path

from playwright.sync_api import BrowserContext

from wslab.labs.heist import Heist, Options, Outcome

HEISTS = Path(__file__).parents[2] / "notebooks/recordings/heists.json"
PATIENCE = 10.0

RECORDED = [
    Options(),
    Options(cors="the bank"),
    Options(check_origin=True),
    Options(check_origin=True, cors="the attacker"),
    Options(ask_ticket=True),
    *(
        Options(cookie=f"HttpOnly; {attributes}", attacker=attacker)
        for attacker in ("127.0.0.1", "localhost")
        for attributes in ("SameSite=None; Secure", "SameSite=Lax", "SameSite=Strict")
        if (attributes, attacker) != ("SameSite=Lax", "127.0.0.1")
    ),
]


def commit(browser: BrowserContext, heist: Heist) -> Outcome:
    """Open the bank's page, and the attack page once there is a customer; what that brought."""
    browser.clear_cookies()
    page = browser.new_page()
    page.goto(heist.bank.origin)
    page.locator("output:not(:empty)").wait_for()
    page.goto(heist.attacker.origin)
    heist.attacker.wait(PATIENCE)
    page.close()
    return heist.outcome()
