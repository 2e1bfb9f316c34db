"""Where the secrets are: by their names, by their shapes and by their places; nothing else, and in one go."""

import pytest

from wslab.redaction.find import (
    find_compressed,
    find_in_subprotocols,
    find_secrets,
    is_mangled,
    is_secret,
    lists_subprotocols,
)
from wslab.redaction.secrets import Place


def found(text, **kind):
    """What is found in a text, in the order of its places."""
    return [text[start:end] for start, end in sorted(set(find_secrets(text, **kind)))]


# Names of fields that RFC 9110, RFC 6455, Fetch and others register, and which hold no secret.
HARMLESS = (
    "Accept Accept-CH Accept-Charset Accept-Encoding Accept-Language Accept-Ranges "
    "Access-Control-Allow-Credentials Access-Control-Allow-Headers Age Allow Alt-Svc Cache-Control "
    "Clear-Site-Data Connection Content-Encoding Content-Length Content-Location Content-Range "
    "Content-Security-Policy Content-Type Date Device-Memory DNT Early-Data ETag Expect Expires Forwarded "
    "From Host If-Match If-Modified-Since If-Range Keep-Alive Last-Modified Link Location Max-Forwards "
    "Origin Permissions-Policy Pragma Prefer Priority Proxy-Authenticate Proxy-Connection Range Referer "
    "Referrer-Policy Refresh Retry-After Sec-CH-UA Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-GPC "
    "Sec-WebSocket-Accept Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol "
    "Sec-WebSocket-Version Server Server-Timing SourceMap Strict-Transport-Security TE "
    "Timing-Allow-Origin Trailer Transfer-Encoding Upgrade Upgrade-Insecure-Requests User-Agent Vary Via "
    "WWW-Authenticate X-Content-Type-Options X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto "
    "X-Frame-Options X-Powered-By X-Real-IP X-Request-ID X-Author X-Monkey "
)


def test_the_fields_of_http_and_websocket_that_hold_no_secret_are_shown():
    assert [name for name in HARMLESS.split() if is_secret(name, Place.HEADER)] == []
    assert [name for name in HARMLESS.split() if is_mangled(f"{name} : x")] == []


@pytest.mark.parametrize("name", ["x" * 300 + "-token", "token-" + "x" * 300])
def test_a_long_name_is_looked_at_from_both_ends(name):
    assert is_secret(name, Place.HEADER)


def test_a_name_is_secret_in_its_places_only():
    assert [place for place in Place if is_secret("code", place)] == [Place.ADDRESS]
    assert [place for place in Place if is_secret("key", place)] == [Place.HEADER, Place.ADDRESS, Place.JSON]
    assert list(Place) == [place for place in Place if is_secret("token", place)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Cook ie: a", True),
        ("Coo\0kie: a", True),
        ("Authorization a", True),
        ("Authorisation\ta", True),
        ("Host : a", False),
        ("Sec WebSocket Key: a", False),
        ("", False),
    ],
)
def test_the_name_of_a_header_is_known_again_when_it_is_mangled(line, expected):
    assert is_mangled(line) is expected


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("/?token=a&b=c", ["a"]),
        ("?a=b&%74oken=c", ["c"]),
        ("?next=%2F%3Ftoken%3Da%26b", ["a%26b"]),
        ("?next=%252F%253Ftoken%253Da", ["a"]),
        (r'{"\u0074oken": "a"}', ["a"]),
        ("{&quot;token&quot;:&#34;a&#x22;}", ["a"]),
        ("/?a=b&amp;sig=c", ["c"]),
        ('?token=a"b&c', ['a"b']),
        ('<a href="?token=a">', ["a"]),
        ("?token=&a=b", []),
        ("Hello", []),
        ('"token": 15, "tokens": 5', ["15"]),
        ('{"token": ["a", "b"], "c": 1}', ['"a", "b"']),
        ('{"token": {"a": "b', ['"a": "b']),
        ("{token: null}", []),
        (r'{"token": "a\\"b"}', [r"a\\"]),
        (r'{"token": "a\"b"}', [r"a\"b"]),
        (r'"{\"token\": \"a\\\"b\"}"', [r"a\\\"b"]),
        ('{"token": "a\n"b"', ["a"]),
        ('{"token": "a', ["a"]),
        ('<input name="_xsrf" value="a">', ["a"]),
        ('<input name="room" value="a">', []),
        ('<input name="" value="a">', []),
        ("/token/a/b", ["a"]),
        ("http://token/a", []),
        ("Basic dTpw and basic authentication, Bearer a.b-c", ["dTpw", "a.b-c"]),
        ('Basic realm="a"', []),
        ("x eyJhbGciOi.eyJzdWIi.c d", ["eyJhbGciOi.eyJzdWIi.c"]),
        ("http://u:p@h //v@h a:b@h", ["u:p", "v", "a:b"]),
        ("ws://u:a/b@h/", ["u:a/b"]),
        ("ws://h:80/a@b", []),
        ("sk-abcdefghijklmn", ["abcdefghijklmn"]),
    ],
)
def test_secrets_are_found_however_they_are_written(text, secrets):
    shown = found(text)
    assert sorted(set(secrets)) == sorted({one for one in shown if not any(one != it and one in it for it in shown)})


@pytest.mark.parametrize(
    ("head", "secrets"),
    [
        ("Host", []),
        ("Cookie: a\r\n b\r\nHost: c", [" a", " b"]),
        ("GET /auth:1 HTTP/1.1\r\nHost: x", []),
        ("Cook ie: a", [" ie: a"]),
        ("Sec-WebSocket-Protocol: token, a", ["a"]),
        ('"token": a', []),
        ("Host\r\n\r\n", []),
    ],
)
def test_in_a_head_the_value_behind_a_name_is_found(head, secrets):
    assert found(head, is_head=True) == secrets


def test_outside_of_heads_only_a_strong_name_at_the_start_of_a_line_counts():
    assert found("session: a\npassword: b") == [" b"]


MULTIPART = '--x\r\nContent-Disposition: form-data; name="{}"\r\nA: b\r\n\r\n c\r\n\r\nd\r\n--x--\r\ne'


def test_the_part_of_a_form_is_found_up_to_its_boundary():
    assert found(MULTIPART.format("password"), is_body=True) == [" c", "d"]
    assert found(MULTIPART.format("room"), is_body=True) == []


def test_the_first_field_of_a_form_is_found_in_a_body():
    assert found("code=a&b=c", is_body=True) == ["a"]
    assert found("code=a&b=c") == []


def test_a_secret_is_found_across_the_boundaries_of_chunks():
    assert "a\r\n5\r\nb" in found('{"token": "a\r\n5\r\nb"}', is_body=True)
    assert found('{"tok\r\n5;x\r\nen": "b"}', is_body=True) == ["b"]
    assert "b" in found('{"token": \r\n5\r\n"b"}', is_body=True)


@pytest.mark.parametrize(
    ("value", "secrets"),
    [
        ("chat, superchat", []),
        ("access_token, a, chat", ["a"]),
        ("token, key, chat", ["key"]),
        ("bearer.a, chat", ["a"]),
        ("base64url.bearer.authorization.k8s.io.a, base64.binary.k8s.io", ["a"]),
        ("realtime, openai-insecure-api-key.a", ["a"]),
        ("graphql-transport-ws, token", [""]),
    ],
)
def test_tokens_in_the_names_of_subprotocols_are_found(value, secrets):
    assert lists_subprotocols("sec-websocket-Protocol ")
    assert [value[start:end] for start, end in find_in_subprotocols(value) if start < end] == [s for s in secrets if s]


@pytest.mark.parametrize(
    ("data", "places"),
    [
        (b"\x1f\x8b\x08abc", [(0, 6)]),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nabc", [(41, 44)]),
        (b"A\nContent-Encoding: br\r\n\r\nabcHTTP/1.1 200 OK\r\n", [(26, 29)]),
        (b"A\nContent-Encoding: identity\r\n\r\nabc", []),
        (b"A\nContent-Encoding: gzip\r\nB", []),
        (b"A\r\n\r\n5\r\n\x1f\x8b\x08", [(8, 11)]),
        (b"A \x1f\x8b\x08", []),
    ],
)
def test_what_is_compressed_is_found_from_its_start_to_the_next_head(data, places):
    assert list(find_compressed(data)) == places


SIZE = 200_000
PIECES = [
    *("?", "&", "=", ":", ";", "#", "/", "//", "@", "%", "%25", "%2", '"', "'", "\\", '\\"', "[", "{", "<", ".", "-"),
    *("a", "1", "A ", " ", "\t", "\r\n", "\n", "\n ", "--", "a=", "a:", "://", "://a:b", "a:b", "/a", "eyJ", "eyJa."),
    *("token", "token=", '"token":', '"token":[', '"token":"', "token/", "Basic ", "Bearer\t", "sk-", "name=", "&#x",
      'name="token" ', "form-data; ", "form-data;name=", "\r\n5\r\n", "\r\nf", "\\u0074", "&quot;", "Cookie", "Cookie:",
      "Content-Encoding:", "\nContent-Encoding: x", "\n\x1f\x8b", "\n\n\x1f\x8b", "AAA a HTTP/1.", "mailto:"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_run_of_anything_is_looked_at_once(piece):
    # Were it looked at again from each of its characters, these would be 20,000,000,000 steps.
    text = piece * (SIZE // len(piece))
    for _ in find_secrets(text, is_head=True, is_body=True):
        pass
    for _ in find_compressed(text.encode("latin-1")):
        pass
    for _ in find_in_subprotocols(text):
        pass
