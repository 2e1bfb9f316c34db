"""The Echo test page in a tab of Chromium, used by the names of what it shows."""

import re

from playwright.sync_api import Page, Request, expect

from support.waiting import PATIENCE
from wslab import EchoServer


class EchoPage:
    """The page in a tab of Chromium."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self.log = page.get_by_role("log", name="Log", exact=True)
        self.advice = page.get_by_role("alert")
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", self._keep_request)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text))

    def _keep_request(self, request: Request) -> None:
        if not request.url.startswith("data:"):
            self.requested.append(request.url)

    def visit(self, address: str) -> "EchoPage":
        self.page.goto(address)
        return self

    def box(self, name: str):
        return self.page.get_by_role("textbox", name=name, exact=True)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def connect(self, **boxes: str) -> "EchoPage":
        for name, text in boxes.items():
            self.box(name).fill(text)
        self.press("Connect")
        return self

    def open(self) -> "EchoPage":
        self.connect()
        self.has_logged("open protocol")
        return self

    def send(self, text: str) -> None:
        self.box("Message").fill(text)
        self.press("Send")

    def has_logged(self, words: str) -> None:
        expect(self.log).to_contain_text(words, timeout=PATIENCE * 1000)

    def advises(self, words: str) -> None:
        expect(self.advice).to_contain_text(words, timeout=PATIENCE * 1000)

    def shows(self, name: str, value: str | re.Pattern[str]) -> None:
        """Whether the list of attributes has this value beside the name."""
        row = self.page.locator("dl > div").filter(has=self.page.get_by_text(name))
        expect(row.get_by_role("definition")).to_have_text(value, timeout=PATIENCE * 1000)


def http(server: EchoServer) -> str:
    return server.url.replace("ws", "http", 1)
