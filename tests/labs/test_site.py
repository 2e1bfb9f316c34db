"""Site: a web server of this machine from one function, which prints nothing and leaves nothing behind."""

import contextlib
import re
import socket
import threading
from base64 import b64encode
from hashlib import sha256
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from support.forks import forked, needs_fork

from wslab import Request, Response
from wslab.labs import site as site_module
from wslab.labs.site import Site, answer_with_page
from wslab.page.answer import answer_text


def tell(request: Request, body: str) -> Response:
    return answer_text(f"{request.method} {request.target} {request.headers.get('Content-Type')} {body}", status=200)


def read(address: str, data: bytes | None = None) -> str:
    with urlopen(address, data) as answer:
        return answer.read().decode()


def connect_to(site: Site) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(site.origin.rpartition(":")[2])), timeout=20)


def test_the_function_is_given_the_request_and_its_body():
    with Site(tell) as site:
        assert read(f"{site.origin}/a?b=1").startswith("GET /a?b=1 ")
        assert read(site.origin, "müde".encode()) == "POST / application/x-www-form-urlencoded müde"


def test_a_body_of_less_than_nothing_is_none():
    with Site(tell) as site, connect_to(site) as sock, sock.makefile("rb") as answer:
        sock.sendall(b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n")
        assert answer.read().endswith(b"\r\n\r\nPOST /a  ")


@needs_fork
def test_a_site_stops_listening_although_a_fork_of_its_process_lives_on():
    with Site(tell) as site, forked():
        origin = site.origin
        site.close()
        with pytest.raises(URLError, match="refused"):
            read(origin)


def test_what_it_returns_is_the_answer():
    with Site(lambda request, body: answer_text("no", 404, headers=[("Allow", "GET")])) as site:
        with pytest.raises(HTTPError, match="404") as error, urlopen(site.origin):
            pass
        with error.value as answer:
            assert (answer.read(), answer.headers["Allow"]) == (b"no", "GET")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "bank.localhost"])
def test_the_origin_has_the_name_that_was_chosen(name):
    with Site(tell, name) as site:
        assert re.fullmatch(rf"http://{re.escape(name)}:\d+", site.origin)


@pytest.mark.parametrize("name", ["example.com", "0.0.0.0", "", "localhost.example.com", "notlocalhost"])
def test_a_name_of_another_machine_is_refused(name):
    with pytest.raises(ValueError, match="stays on this machine"):
        Site(tell, name)


def test_there_is_no_origin_before_the_start_and_after_the_end():
    site = Site(tell)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="has no port yet"):
            site.origin  # noqa: B018
        site.start().close()


def test_starting_twice_and_closing_twice_does_no_harm():
    with Site(tell) as site:
        origin = site.origin
        assert site.start().origin == origin
        site.close()


def test_closing_waits_for_no_client_that_says_nothing(monkeypatch):
    monkeypatch.setattr(site_module._Handler, "timeout", None)
    before = set(threading.enumerate())
    with Site(tell) as site, connect_to(site) as silent:
        read(site.origin)  # once this is answered, the silent one has its thread
        assert len(set(threading.enumerate()) - before) >= 2
        site.close()
        assert silent.recv(1) == b""
        assert set(threading.enumerate()) == before


def test_closing_waits_for_an_answer_that_is_under_way():
    asked, address = threading.Event(), []

    def answer_after_the_end(request: Request, body: str) -> Response:
        asked.set()
        with contextlib.suppress(ConnectionError):
            while True:  # until nobody listens any more
                socket.create_connection(address[0], timeout=20).close()
        return answer_text("late")

    before = set(threading.enumerate())
    with Site(answer_after_the_end) as site, connect_to(site) as client:
        address.append(client.getpeername())
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert asked.wait(20)
        site.close()
        assert set(threading.enumerate()) == before
        assert client.makefile("rb").read().endswith(b"late")


def test_of_a_body_no_more_than_4096_bytes_are_read():
    heard = []

    def note(request: Request, body: str) -> Response:
        heard.append(len(body))
        return answer_text()

    with Site(note) as site, connect_to(site) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + bytes(5000))
        with contextlib.suppress(ConnectionError):  # as some of it has not been read
            client.recv(1)

    assert heard == [4096]


def test_a_function_that_fails_prints_nothing_and_the_site_lives_on(capfd, caplog):
    def fail_once(request: Request, body: str) -> Response:
        if request.target == "/fail":
            raise ZeroDivisionError
        return answer_text("well")

    caplog.set_level("INFO", "wslab")
    with Site(fail_once) as site:
        with connect_to(site) as client:
            client.sendall(b"GET /fail HTTP/1.1\r\n\r\n")
            assert client.recv(1) == b""
        assert read(site.origin) == "well"

    assert "ZeroDivisionError" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_only_the_script_of_a_page_may_run_and_only_to_where_it_may():
    page = answer_with_page("1 < 2", "a & b", "run();", may_connect_to=["ws://127.0.0.1:1/"], headers=[("X", "y")])
    script = b64encode(sha256(b"run();").digest()).decode()
    rules = page.headers["Content-Security-Policy"].split("; ")

    assert {"default-src 'none'", f"script-src 'sha256-{script}'", "style-src 'none'"} < set(rules)
    assert "connect-src 'self' ws://127.0.0.1:1/" in rules
    assert page.headers["X"] == "y"
    assert "<h1>1 &lt; 2</h1>\n<p>a &amp; b</p>" in page.body.decode()
