"""jupyter: a live server says what lesson 18 has recorded, to a kernel's WebSocket and through jupyter-server-proxy."""

import json
from urllib.error import HTTPError

import pytest
from support.jupyter_recordings import KERNEL, PROXIED, ask_behind_proxy, ask_kernel, lesson_names, running_server

from wslab import Direction, Recording, Tap, connect
from wslab.browser.frontend import Frontend
from wslab.labs import jupyter as jupyter_module
from wslab.labs.jupyter import JupyterServer, find_server


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("jupyter")) as jupyter:
        yield jupyter


def kinds(conversation: Recording) -> set[tuple[str, str]]:
    """The channel and the kind of each reply to the lesson's message."""
    frames = lesson_names("imports", "frames")["frames"]
    messages = [
        json.loads(frame.payload)
        for frame in frames(conversation.bytes_sent(1, Direction.SERVER_TO_CLIENT))
        if frame.payload.startswith(b"{")
    ]
    return {
        (message["channel"], message["msg_type"])
        for message in messages
        if message["parent_header"].get("msg_id") == "wslab-1"
    }


def test_a_kernel_says_what_was_recorded(jupyter):
    expected = {("iopub", kind) for kind in ("status", "execute_input", "execute_result")} | {
        ("shell", "execute_reply")
    }

    assert kinds(ask_kernel(jupyter)) == kinds(Recording.load(KERNEL)) == expected


def test_the_proxy_changes_what_was_recorded(jupyter):
    assert ask_behind_proxy(jupyter) == json.loads(PROXIED.read_text())


def test_a_page_at_the_tap_gets_in(jupyter):
    with jupyter.kernel() as kernel, Tap(jupyter.target) as tap:
        origin = f"http://127.0.0.1:{tap.port}"
        with connect(
            f"ws://127.0.0.1:{tap.port}{jupyter.channels(kernel)}", headers=jupyter.headers, origin=origin
        ) as it:
            assert it.response.status == 101


def test_a_kernel_is_gone_after_its_block(jupyter):
    with jupyter.kernel() as kernel:
        assert json.loads(jupyter.ask("GET", f"api/kernels/{kernel}"))["id"] == kernel
    with pytest.raises(HTTPError, match="404"):
        jupyter.ask("GET", f"api/kernels/{kernel}")


def test_no_token_shows_in_what_is_printed():
    assert "secret" not in repr(JupyterServer("http://127.0.0.1:8888/", "secret"))


def test_no_recording_holds_a_token(jupyter):
    conversation = KERNEL.read_bytes()
    assert b"Authorization: xxxxx " in conversation
    assert b"token " not in conversation


@pytest.mark.parametrize(
    ("url", "found"),
    [("http://127.0.0.1:8888/user/ada/", True), ("https://127.0.0.1:8888/", False)],
    ids=["http", "https, which a tap cannot reach"],
)
def test_the_server_of_the_notebook_is_found(monkeypatch, url, found):
    monkeypatch.setattr(jupyter_module, "find_jupyter_server", lambda environment: {"url": url, "token": "abc"})
    monkeypatch.setattr(jupyter_module, "find_frontend", lambda environment: Frontend("JupyterLab", "/user/ada/proxy/"))

    assert find_server() == (JupyterServer(url, "abc", "/user/ada/proxy/") if found else None)


def test_without_a_server_there_is_none():
    assert find_server({}) is None


def test_addresses_have_the_path_of_a_hub():
    jupyter = JupyterServer("http://127.0.0.1:8888/user/ada/", "abc", "/user/ada/proxy/")

    assert jupyter.target == "127.0.0.1:8888"
    assert jupyter.channels("k") == "/user/ada/api/kernels/k/channels?session_id=wslab"
    assert jupyter.behind_proxy(8765) == "ws://127.0.0.1:8888/user/ada/proxy/8765/"
    assert jupyter.headers == [("Authorization", "token abc")]
