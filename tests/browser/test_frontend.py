"""Frontend: where the reader's browser is, as this process, its environment and a Jupyter server tell it."""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest

from wslab.browser.frontend import Frontend, find_frontend

TOKEN = "0123456789abcdef" * 3


class Jupyter(BaseHTTPRequestHandler):
    """What a Jupyter server answers to the question whether it has jupyter-server-proxy."""

    status, answer = 200, '{"server_processes": []}'

    def do_GET(self):
        wanted = (self.path, self.headers["Authorization"]) == ("/user/ada/server-proxy/servers-info", f"token {TOKEN}")
        self.send_response(self.status if wanted else 403)
        self.end_headers()
        self.wfile.write(self.answer.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def jupyter(tmp_path, monkeypatch):
    """A function that lets a Jupyter server say of itself what it is given, in the file that a real one writes."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    with HTTPServer(("127.0.0.1", 0), Jupyter) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        about = {
            "base_url": "/user/ada/",
            "hostname": "localhost",
            "pid": os.getpid(),
            "port": server.server_port,
            "secure": False,
            "token": TOKEN,
            "url": f"http://127.0.0.1:{server.server_port}/user/ada/",
        }

        def say(**fields):
            (tmp_path / f"jpserver-{os.getpid()}.json").write_text(json.dumps(about | fields))
            return {"JPY_PARENT_PID": str(os.getpid())}

        yield say
        server.shutdown()
        thread.join()


def test_a_script_a_test_and_nbconvert_have_no_browser(jupyter):
    jupyter()
    assert find_frontend({}) is None
    assert find_frontend({"JPY_PARENT_PID": "1"}) is None
    assert find_frontend({"JPY_PARENT_PID": "none"}) is None


def test_the_browser_of_colab_reaches_no_server_of_the_kernel(jupyter):
    assert find_frontend(jupyter() | {"COLAB_RELEASE_TAG": "release-colab"}) is None


def test_jupyter_with_its_proxy_is_asked_for_a_port_below_its_own_path(jupyter):
    frontend = find_frontend(jupyter())
    assert frontend == Frontend("JupyterLab", proxy="/user/ada/proxy/")
    assert frontend.address_of(8765) == "/user/ada/proxy/8765/"


def test_jupyter_without_the_proxy_leaves_the_browser_to_ask_its_own_machine(jupyter, monkeypatch):
    monkeypatch.setattr(Jupyter, "status", 404)
    frontend = find_frontend(jupyter())
    assert frontend == Frontend("JupyterLab")
    assert frontend.address_of(8765) == "http://127.0.0.1:8765/"


@pytest.mark.parametrize("is_installed", [True, False])
@pytest.mark.parametrize(
    "fields", [{"token": "another"}, {"url": "http://127.0.0.1:1/"}, {"url": "none"}], ids=["refused", "dead", "no url"]
)
def test_where_jupyter_does_not_tell_it_counts_whether_the_proxy_is_installed(
    jupyter, monkeypatch, fields, is_installed
):
    monkeypatch.setattr(
        "wslab.browser.frontend.find_spec",
        lambda name: name if is_installed or name != "jupyter_server_proxy" else None,
    )
    assert bool(find_frontend(jupyter(**fields)).proxy) is is_installed


@pytest.mark.parametrize(
    ("environment", "fields", "is_public"),
    [
        ({}, {"hostname": "localhost"}, False),
        ({}, {"hostname": "127.0.0.1"}, False),
        ({}, {"hostname": "0.0.0.0"}, True),
        ({"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"}, {"hostname": "127.0.0.1"}, True),
    ],
)
def test_a_hub_or_a_jupyter_that_others_can_reach_has_a_public_name(jupyter, environment, fields, is_public):
    assert find_frontend(jupyter(**fields) | environment).is_public is is_public


def test_on_windows_the_only_server_that_runs_is_the_one(jupyter):
    started = jupyter() | {"JPY_PARENT_PID": "1234", "OS": "Windows_NT"}
    assert find_frontend(started) is None
    assert find_frontend(started | {"JPY_SESSION_NAME": "lesson.ipynb"}).name == "JupyterLab"


def test_a_server_with_tls_is_reached_directly_as_the_proxy_speaks_plain_http():
    assert Frontend("JupyterLab", proxy="/proxy/").address_of(8765, "https") == "https://127.0.0.1:8765/"


def test_vs_code_is_known_by_what_it_puts_into_the_kernel(monkeypatch):
    shell = SimpleNamespace(user_ns={})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert find_frontend({}) is None
    shell.user_ns["__vsc_ipynb_file__"] = "lesson.ipynb"
    assert find_frontend({}) == Frontend("VS Code")
