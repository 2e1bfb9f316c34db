"""Where the secrets are: by their names, by their shapes and by their places; nothing else, and in one go."""

import tracemalloc

import pytest

from wslab.redaction.find import find_compressed, find_in_subprotocols, find_secrets
from wslab.redaction.redact import redact_stream


def found(text, **kind):
    """What is found in a text, in the order of its places."""
    return [text[start:end] for start, end in sorted(set(find_secrets(text, **kind)))]


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
        ("an unexpected token import, a token expired, Token 9944b0919, Token ?", ["9944b0919"]),
        ("docker -u nobody curl -u me:a -k --user='me:b c' -u \"x", ["me:a", "me:b c"]),
        ("wslab --token a --room b --api-key 'c --key d ---token e", ["a"]),
        ("""curl -H "X-Api-Key: a" -H 'Cookie: b; c' --header="Host: d" -H X""", [" a", " b; c"]),
        (f"AC{'0a' * 16} SK{'1b' * 16} ac{'0a' * 16} AC{'0a' * 15}", ["0a" * 16, "1b" * 16]),
        ("?tok=a&stok=b&tkn=c", ["a", "c"]),
        ("-----BEGIN PRIVATE KEY-----\na-b\n-----END PRIVATE KEY-----", ["\na-b\n"]),
        ("-----BEGIN PRIVATE KEY----------BEGIN", []),
        ("Basic dTpw and basic authentication, Bearer a.b-c", ["dTpw", "a.b-c"]),
        ('Basic realm="a"', []),
        ("x eyJhbGciOi.eyJzdWIi.c d", ["eyJhbGciOi.eyJzdWIi.c"]),
        ("http://u:p@h //v@h a:b@h", ["u:p", "v", "a:b"]),
        ("ws://u:a/b@h/", ["u:a/b"]),
        ("ws://h:80/a@b", []),
        ("sk-abcdefghijklmn", ["abcdefghijklmn"]),
        ('{"key": "token", "value": "a"}', ["a"]),
        ('{"value": "a", "name": "token"}', ["a"]),
        ('{"value": "a", "name": "room"}', []),
        (f'{{"value": "a", {"x" * 200} "name": "token"}}', []),
        ("[('Cookie', 'a'), ('Host', 'b')]", ["a"]),
        ("x, 'Cookie', 'a'", []),
        ('{"token": {"a": {"b": "}"}}, "c": 1}', ['"a": {"b": "}"}']),
        (r'"http:\/\/u:p@h\/"', [r"http:\/\/u:p"]),
        ("password = a b", ["a"]),
        ("token =\nb", []),
        ("<token>a</token><room>b</room>", ["a"]),
        ("eyJ0b2tlbiI6ImEifQ==", ["eyJ0b2tlbiI6ImEifQ"]),
        ("eyJyb29tIjoiYSJ9", []),
        ("os.environ['API_KEY'] = 'a'", ["a"]),
        ("{b'token': b'a'} [(b'cookie', b'b')] {u'jwt': u'c', 'secret': r'd'}", ["a", "b", "c", "d"]),
        (":token => 'a', 'secret' => \"b\"", ["a", "b"]),
        (r"{\x22token\x22:\x22a\x22} {token&#58; &#34;b&#x22;} token&equals;c&nope;", ["a", "b", "c"]),
        ("> Cookie: a=b; c=d", ["a=b; c=d"]),
        ("curl -b 'a=b; c=d' -b jar", ["a=b; c=d"]),
        ('{"auth": "none", "token": true, "password": "required", "auth": "Basic"}', []),
        ('{"type": "keydown", "key": "ArrowUp"} {"key": "w"} {"key": "wx"}', ["wx"]),
        ("/password/reset /token/a", ["a"]),
        ("sip:ada@example.org xmpp:bob@example.org npm:ws@8", []),
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
        ("v1.auth-none, auth-a", ["a"]),
        ("Authorization, Bearer, a, chat", ["a"]),
        ("sessionToken.a, client_secret, b, tokenizer, passive", ["a", "b"]),
    ],
)
def test_tokens_in_the_names_of_subprotocols_are_found(value, secrets):
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


LONG = {
    "a parameter": "token=",
    "a string": '"token": "',
    "a private key": "-----BEGIN PRIVATE KEY-----",
    "a JSON Web Token": "eyJhbGciOi.",
    "no JSON Web Token": "eyJ",
    "a word": "a",
    "a header": "Cookie: ",
}


@pytest.mark.parametrize("begun", LONG.values(), ids=LONG)
def test_a_long_secret_takes_little_memory_to_cross_out(begun):
    data = (begun + "ae" * 100_000).encode()
    tracemalloc.start()
    try:
        redact_stream(data)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(data)
    finally:
        tracemalloc.stop()


SIZE = 200_000
PIECES = [
    *("?", "&", "=", ":", ";", "#", "/", "//", "@", "%", "%25", "%2", '"', "'", "\\", '\\"', "[", "{", "<", ".", "-"),
    *("a", "1", "A ", " ", "\t", "\r\n", "\n", "\n ", "--", "a=", "a:", "://", "://a:b", "a:b", "/a", "eyJ", "eyJa."),
    *("token", "token=", '"token":', '"token":[', '"token":"', "token/", "Basic ", "Bearer\t", "sk-", "name=", "&#x",
      'name="token" ', "form-data; ", "form-data;name=", "\r\n5\r\n", "\r\nf", "\\u0074", "&quot;", "Cookie", "Cookie:",
      "Content-Encoding:", "\nContent-Encoding: x", "\n\x1f\x8b", "\n\n\x1f\x8b", "AAA a HTTP/1.", "mailto:"),
    *("<a>", "<a ", "<token>", "<token>a", 'value="', "value=`", '"value":[', '"key":"token",', '["token","'),
    *("\\/", "Token ", "-u ", "-u a:", "AC0", "--", "--token ", "--a ", '-H "', '-H "token:'),
    *("eyJhIjoi", "W3si ", "-----BEGIN PRIVATE KEY-----", "digest a", "digest ", "\nPASS "),
    *('"token":{"', '"token":{"a":{', "authorization:", "v2.local.", "bot1:", "/bot1", "hooks.slack.com/services/"),
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
