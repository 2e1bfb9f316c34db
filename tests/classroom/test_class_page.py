"""The page of a class in a browser, used as students and a teacher use it: by the names of what it shows."""

import contextlib
import re

import pytest
from playwright.sync_api import expect
from support.axe import assert_good_in_every_look
from support.classrooms import live_class, paged, plain

HOSTILE = "<img src=x onerror='window.pwned=1'>"


@pytest.fixture
def server():
    with live_class() as server:
        yield server


class ClassPage:
    """A tab with the page of a class in it."""

    def __init__(self, page, server):
        self.page, self.server, self.complaints = page, server, []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.log = page.get_by_role("log", name="What passes")

    def join(self, name):
        self.page.goto(self.server.address)
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Join").click()
        self.is_connected()
        return self

    def teach(self):
        self.page.goto(self.server.teacher_address)
        self.is_connected()
        return self

    def is_connected(self):
        expect(self.page.get_by_role("status")).to_have_text("connected")

    def has_logged(self, words):
        expect(self.log.get_by_text(re.compile(re.escape(words)))).to_be_visible()

    @property
    def own_address(self):
        return re.search(r"ws://\S+\?(token=[\w-]+)", self.page.locator("#code").inner_text())


@pytest.fixture
def open_page(browser, server):
    """Opens pages of the class, each in a browser of its own."""
    with contextlib.ExitStack() as stack:

        def open_one():
            context = stack.enter_context(contextlib.closing(browser.new_context()))
            return ClassPage(context.new_page(), server)

        yield open_one


@pytest.fixture
def ada(open_page):
    return open_page().join("Ada")


def test_two_students_and_any_client_talk(ada, open_page, server):
    bob = open_page().join("Bob")
    with plain(server, "?name=Eve") as eve:
        ada.page.get_by_label("Message").fill("Zwölf 🥊")
        ada.page.keyboard.press("Enter")
        for page in (ada, bob):
            page.has_logged("Zwölf 🥊")
            expect(page.page.get_by_role("heading", name="Who is here: 3")).to_be_visible()
        assert eve.receive() == "Ada: Zwölf 🥊"
        eve.send(b"\x00\xff")
        bob.has_logged("00 ff")
    expect(bob.page.get_by_role("heading", name="Who is here: 2")).to_be_visible()
    assert ada.complaints == bob.complaints == []


def test_the_own_address_makes_any_client_the_same_student(ada, server):
    with plain(server, f"?{ada.own_address[1]}") as own:
        expect(ada.page.get_by_role("listitem").filter(has_text="Ada")).to_contain_text("2 connections")
        own.send("from a notebook")
        ada.has_logged("from a notebook")
    assert {student.name for student in server.room._students} == {"Teacher", "Ada"}


def test_a_page_that_is_loaded_anew_keeps_the_name_and_sees_what_passed(ada):
    token = ada.own_address[1]
    ada.page.get_by_label("Message").fill("before")
    ada.page.get_by_role("button", name="Send").click()
    ada.has_logged("before")
    ada.page.reload()
    ada.is_connected()
    ada.has_logged("before")
    assert ada.own_address[1] == token
    expect(ada.page.locator("#who")).to_have_text("Ada")


def test_somebody_else_at_the_same_computer_is_somebody_else(ada):
    ada.page.evaluate("sessionStorage.clear()")
    ada.page.reload()
    ada.page.get_by_label("Your name").fill("Bob")
    ada.page.get_by_role("button", name="Join").click()
    expect(ada.page.locator("#who")).to_have_text("Bob")


def test_names_and_messages_are_text(ada, server):
    with paged(server, "?name=%3Cimg%20src=x%20onerror='window.pwned=1'%3E") as hostile:
        hostile.send(say=HOSTILE)
        ada.has_logged(HOSTILE)
        hostile.send(hand_in={"exercise": HOSTILE, "points": 1, "max_points": 1})
        hostile.next("mark")
        assert ada.page.evaluate("[window.pwned, document.querySelectorAll('#log img, #names img').length]") == [
            None,
            0,
        ]
    assert ada.complaints == []


def test_the_teacher_sees_marks_when_they_are_asked_for_and_a_student_the_own_ones(ada, open_page, server):
    teacher = open_page().teach()
    bob = open_page().join("Bob")
    with paged(server, f"?{ada.own_address[1]}") as notebook:
        notebook.send(hand_in={"exercise": "accept_key", "points": 2, "max_points": 3})
    row = re.compile(r"Ada\s+accept_key\s+2 of 3\s+1")
    assert "teacher" not in teacher.page.url
    expect(teacher.page.get_by_role("table")).to_be_hidden()
    teacher.page.get_by_text("Show the marks").click()
    expect(teacher.page.get_by_role("row").nth(1)).to_have_text(row)
    expect(ada.page.get_by_role("row").nth(1)).to_have_text(row)
    expect(bob.page.get_by_role("heading", name="Exercises handed in")).to_be_hidden()
    teacher.page.reload()
    teacher.is_connected()
    expect(teacher.page.get_by_role("heading", name="Exercises handed in")).to_be_visible()


def test_a_page_that_loses_the_class_says_so_and_connects_again(ada, server):
    for connection in server.server.connections:
        connection.abort()
    ada.is_connected()
    with plain(server) as guest:
        guest.send("still there?")
        ada.has_logged("still there?")


def test_everything_can_be_done_by_keyboard(open_page, server):
    page = open_page().page
    page.goto(server.address)
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("connected")
    reached = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"code", "copy", "message", "send", "log"} <= reached


def test_axe_finds_nothing_before_and_after_joining(open_page, server):
    page = open_page()
    page.page.goto(server.address)
    assert_good_in_every_look(page.page)
    page.join("Ada Lovelace with a long name 32c")
    with paged(server, f"?{page.own_address[1]}") as notebook:
        notebook.send(say="x" * 300)
        notebook.send(hand_in={"exercise": "accept_key", "points": 2, "max_points": 3})
        notebook.next("mark")
    page.has_logged("x" * 300)
    assert_good_in_every_look(page.page)
