"""Handshake rules: each is broken by a head made for it; endpoint and inspector say the same of it."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab.dissector.header_meanings import judge_request, judge_response
from wslab.protocol.errors import HandshakeError
from wslab.protocol.handshake import accept_key, build_request, build_response, check_request, check_response
from wslab.protocol.handshake_rules import (
    REQUEST_RULES,
    RESPONSE_RULES,
    Agreement,
    are_names,
    broken_by_agreement,
    broken_by_request,
)
from wslab.protocol.http import Headers, Response

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = build_request("localhost", key=KEY, subprotocols=["chat"])
RESPONSE = build_response(REQUEST, subprotocol="chat")

NO_HOSTS = [
    "",
    "a b",
    "a/b",
    "/",
    "u@h",
    "u:p@h",
    "a, b",
    "a,b",
    "h:x",
    "h:1:2",
    ":80",
    "[::1",
    "[]",
    "::1",
    "h?",
    "h#",
    "h\\",
    "h%4",
]
NO_HOSTS += ["gr\xf6\xdfe", "<h>", '"h"', "h\x85"]
HOSTS = [
    "localhost",
    "localhost:",
    "a.example.:443",
    "127.0.0.1:8765",
    "[::1]",
    "[fe80::1%25eth0]:80",
    "[v1.a]",
    "a_b-c~",
    "%41",
]

# The header that is wrong, its values, and how often the rule of that sentence is broken by it.
WRONG_REQUESTS = [
    ("Host", [], "a request needs exactly one Host header"),
    ("Host", ["a", "b"], "a request needs exactly one Host header"),
    *(("Host", [host], "the Host header is no host, with or without a port") for host in NO_HOSTS),
    ("Transfer-Encoding", ["chunked"], "a WebSocket handshake has no body"),
    ("Content-Length", ["5"], "a WebSocket handshake has no body"),
    ("Upgrade", ["h2c"], "this is a WebSocket server: ask for it with 'Upgrade: websocket'"),
    ("Connection", ["keep-alive"], "the Connection header must list 'Upgrade'"),
    ("Sec-WebSocket-Version", [], "a handshake needs exactly one Sec-WebSocket-Version header"),
    ("Sec-WebSocket-Version", ["8"], "this server speaks WebSocket version 13, not 8"),
    ("Sec-WebSocket-Key", ["short"], "a handshake needs exactly one Sec-WebSocket-Key: 16 bytes in base64"),
    ("Sec-WebSocket-Key", ["?"], "a handshake needs exactly one Sec-WebSocket-Key: 16 bytes in base64"),
]
WRONG_RESPONSES = [
    ("Upgrade", ["h2c"], "the response must say 'Upgrade: websocket'"),
    ("Connection", [], "the Connection header of the response must list 'Upgrade'"),
    ("Sec-WebSocket-Accept", [], f"Sec-WebSocket-Accept is missing, but the key asks for {accept_key(KEY)}"),
    ("Sec-WebSocket-Accept", ["x"], f"Sec-WebSocket-Accept is x, but the key asks for {accept_key(KEY)}"),
    ("Sec-WebSocket-Protocol", ["other"], "the server chose the subprotocol other, which was not offered"),
    ("Sec-WebSocket-Protocol", ["chat", "chat"], "the server chose the subprotocol chat, chat, which was not offered"),
]


def with_header(message, name, values):
    others = [line for line in message.headers if line[0].lower() != name.lower()]
    return replace(message, headers=Headers((*others, *((name, value) for value in values))))


def reason(check, *heads):
    """Why an endpoint refuses, with the status; nothing if it does not."""
    try:
        check(*heads)
    except HandshakeError as error:
        return error.reason, error.status
    return None


@pytest.mark.parametrize(("name", "values", "sentence"), WRONG_REQUESTS)
def test_a_wrong_request_is_refused_and_explained_by_the_same_rule(name, values, sentence):
    request = with_header(REQUEST, name, values)
    (refused, status), explained = reason(check_request, request), dict(judge_request(request.headers))

    assert refused == sentence
    assert explained.pop(name.lower()) == f"{sentence}: answer with {status}"
    assert set(explained.values()) == {""}


@pytest.mark.parametrize(("name", "values", "sentence"), WRONG_RESPONSES)
def test_a_wrong_response_is_refused_and_explained_by_the_same_rule(name, values, sentence):
    response = with_header(RESPONSE, name, values)
    refused, status = reason(check_response, response, REQUEST)
    explained = dict(judge_response(response.headers, REQUEST))

    assert (refused, status) == (sentence, 101)
    assert explained.pop(name.lower()) == sentence
    assert set(explained.values()) == {""}


def test_every_rule_has_its_example():
    told = [sentence for _, _, sentence in (*WRONG_REQUESTS, *WRONG_RESPONSES)]
    for rule, _ in (*REQUEST_RULES, *RESPONSE_RULES):
        words = re.compile(re.sub(r"\\{[^}]+\\}", ".+", re.escape(rule.sentence)))
        assert rule.field in ("method", "version") or rule.status == 501 or any(map(words.fullmatch, told)), (
            rule.sentence
        )


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_a_name_or_an_address_with_or_without_a_port(host):
    assert reason(check_request, with_header(REQUEST, "Host", [host])) is None


def test_host_may_be_empty_where_the_target_names_one():
    request = replace(with_header(REQUEST, "Host", [""]), target="http://localhost/")
    assert reason(check_request, request) is None


def test_another_method_is_answered_with_the_one_that_is_allowed():
    with pytest.raises(HandshakeError) as caught:
        check_request(replace(REQUEST, method="OPTIONS"))
    assert caught.value.reason == "a WebSocket handshake is a GET, not a OPTIONS"
    assert (caught.value.status, caught.value.headers) == (405, (("Allow", "GET"),))


@pytest.mark.parametrize("method", ["P" * 30, "get", "BREW"])
def test_a_method_that_nobody_knows_is_not_implemented(method):
    told = f"{method[:20]!r} is no method that this server knows"
    assert reason(check_request, replace(REQUEST, method=method)) == (told, 501)


def test_a_transfer_coding_that_is_not_known_is_not_implemented():
    for codings, status in (["foo, chunked"], 501), (["gzip", "chunked"], 501), (["gzip"], 400), (["chunked"], 400):
        assert reason(check_request, with_header(REQUEST, "Transfer-Encoding", codings))[1] == status


@pytest.mark.parametrize("hosts", [["localhost"], []])
def test_http_1_0_has_no_upgrade_and_need_not_name_a_host(hosts):
    old = replace(with_header(REQUEST, "Host", hosts), version="HTTP/1.0")
    assert reason(check_request, old) == ("a WebSocket handshake needs HTTP/1.1, not HTTP/1.0", 426)
    assert reason(check_request, replace(REQUEST, version="HTTP/1.2")) is None
    assert reason(check_request, replace(with_header(REQUEST, "Host", ["a", "b"]), version="HTTP/1.0"))[1] == 400


def test_an_answer_in_http_1_0_agrees_to_nothing():
    answer = replace(RESPONSE, version="HTTP/1.0")
    assert reason(check_response, answer, REQUEST) == ("an upgrade needs HTTP/1.1, not HTTP/1.0", 101)
    assert reason(check_response, replace(RESPONSE, version="HTTP/1.2"), REQUEST) is None


def test_what_a_peer_says_is_not_done_to_a_terminal():
    for name in "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol":
        told, _ = reason(check_response, with_header(RESPONSE, name, ["\x9b2J"]), REQUEST)
        assert r"\x9b2J" in told
    told, _ = reason(check_request, with_header(REQUEST, "Sec-WebSocket-Version", ["\x9b2J"]))
    assert told.endswith(r"not \x9b2J")


NAMES = [name for name, _, _ in WRONG_REQUESTS]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["", "13", KEY, "x"]))))
def test_endpoint_and_inspector_agree_on_any_headers(lines):
    headers = Headers(tuple(lines))
    refused = reason(check_request, replace(REQUEST, headers=headers))
    explained = [wrong for name, wrong in judge_request(headers) if wrong]

    assert (refused is None) is (explained == [])
    assert refused is None or f"{refused[0]}: answer with {refused[1]}" in explained


def test_what_breaks_no_rule_is_accepted():
    assert broken_by_request(REQUEST) == []
    assert broken_by_agreement(Agreement(RESPONSE, accept_key(KEY), ["chat"])) == []
    assert broken_by_agreement(Agreement(Response(101, "", RESPONSE.headers), accept_key(KEY), [])) != []


@pytest.mark.parametrize(
    ("names", "are"), [([], True), (["a", "b"], True), (["a", "a"], False), (["a b"], False), ([""], False)]
)
def test_names_are_tokens_and_distinct(names, are):
    assert are_names(names) is are
