"""What is said where there is no connection, whatever the system calls it."""

import errno
import socket
import ssl

import pytest

from wslab.sockets.failures import PROXIES, name_missing_tls, no_connection, proxies_set


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "nobody listens on host port 80: is the server running"),
        (TimeoutError("timed out"), "host port 80 does not answer: "),
        (TimeoutError(errno.ETIMEDOUT, "x"), "host port 80 does not answer: "),
        (socket.gaierror(socket.EAI_NONAME, "x"), "there is no host named host: "),
        (socket.gaierror(socket.EAI_AGAIN, "x"), "the name host could not be looked up: "),
        (OSError(errno.ENETUNREACH, "x"), "no way leads to host port 80: "),
        (OSError(errno.EPERM, "Not permitted"), "no connection to host port 80: Not permitted"),
        (OSError("odd"), "no connection to host port 80: odd"),
    ],
)
def test_each_reason_is_a_sentence_and_the_error_stays_what_it_is(error, sentence):
    told = no_connection(error, "host", 80)
    assert str(told).startswith(sentence)
    assert (type(told), told.errno) == (type(error), error.errno)


def test_a_proxy_is_named_for_other_machines_only_and_never_its_address(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:sesame@proxy.example/")
    monkeypatch.setenv("http_proxy", "")
    assert proxies_set() == ["HTTPS_PROXY"]
    error = TimeoutError("timed out")
    assert str(no_connection(error, "host", 80)).endswith("whatever HTTPS_PROXY says)")
    assert "sesame" not in str(no_connection(error, "host", 80))
    for here in ("localhost", "127.0.0.1", "::1"):
        assert "proxy" not in str(no_connection(error, here, 80))


@pytest.mark.parametrize("excepted", ["*", "host", "HOST", ".example, host", "host:80"])
def test_a_proxy_is_not_named_for_a_machine_that_the_environment_excepts(excepted, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.example/")
    monkeypatch.setenv("NO_PROXY", excepted)
    monkeypatch.delenv("no_proxy", raising=False)
    assert "proxy" in str(no_connection(TimeoutError(), "other", 80)) or excepted == "*"
    assert "proxy" not in str(no_connection(TimeoutError(), "host", 80))


def test_only_where_no_tls_is_spoken_is_another_scheme_advised():
    for reason, says_so in (("WRONG_VERSION_NUMBER", True), ("CERTIFICATE_VERIFY_FAILED", False)):
        error = ssl.SSLError(1, "x")
        error.reason = reason
        name_missing_tls(error)
        assert ("try ws://" in str(error)) is says_so
