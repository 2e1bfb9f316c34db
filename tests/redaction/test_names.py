"""Names: what stands behind these is secret, in these places, and nothing else."""

import pytest

from wslab.redaction.names import is_mangled, is_public, is_secret, lists_subprotocols
from wslab.redaction.secrets import Place

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
    "X-Frame-Options X-Powered-By X-Real-IP X-Request-ID X-Author X-Monkey X-Keyboard X-Tokenizer X-Secretary "
    "X-Auth-Type X-Auth-Required X-Session-Timeout X-RateLimit-Remaining-Tokens X-Token-Type "
)


def test_the_fields_of_http_and_websocket_that_hold_no_secret_are_shown():
    assert [name for name in HARMLESS.split() if is_secret(name, Place.HEADER)] == []
    assert [name for name in HARMLESS.split() if is_mangled(f"{name} : x")] == []


# Names of members that chats, games, models and shops have, and which hold no secret.
HARMLESS_MEMBERS = (
    "author authority keyboard monkey keywords tokenizer tokenize tokens max_tokens token_ids eosToken nextPageToken "
    "secretary cookiecutter authentic authenticated is_authenticated auth_type authMethod auth_url token_expires_in "
    "passwordHint password_length passwordStrength sessionTimeout tickets ticketPrice ticket_count cookiePolicy "
    "signatureAlgorithm SharedAccessKeyName key_length jwt_alg csrf_enabled design signal pins passage compass"
)


def test_the_members_of_json_that_are_only_about_secrets_are_shown():
    assert [name for name in HARMLESS_MEMBERS.split() if is_secret(name, Place.JSON)] == []


@pytest.mark.parametrize("value", ["none", " True", "REQUIRED", "Basic", "ArrowUp", "refresh"])
def test_a_value_that_says_only_whether_or_which_is_public(value):
    assert is_public(value)
    assert not is_public(f"{value}1x")


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


def test_the_header_that_lists_subprotocols_is_known_in_any_case():
    assert lists_subprotocols("sec-websocket-Protocol ")
    assert not lists_subprotocols("Sec-WebSocket-Extensions")
