"""Canaries: secrets in every place and form in which software puts them, each with a word of its own to look for."""

import base64
import gzip
import json
import re
from collections.abc import Callable
from itertools import count
from urllib.parse import quote

_numbers = count(1)
CANARY = re.compile(r"CANARY\d{4}ZZ")
Place = Callable[[str], str]


def hatch(places: dict[str, Place]) -> tuple[dict[str, str], list[str]]:
    """A new canary for each place: the name of each one's place, and what each place looks like with it."""
    canaries = {f"CANARY{next(_numbers):04}ZZ": name for name in places}
    return canaries, [place(canary) for canary, place in zip(canaries, places.values(), strict=True)]


def found_in(text: str) -> set[str]:
    """The canaries in a text, also where it shows them in base64 or in hex."""
    seen = set(CANARY.findall(text))
    for run in re.findall(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{16,}", text):
        decoded = base64.b64decode(run + "A" * (-len(run) % 4)).decode("latin-1")
        seen |= set(CANARY.findall(decoded))
    for run in re.findall(r"(?:[0-9a-f]{2}[ \n]){11,}[0-9a-f]{2}", text):
        seen |= set(CANARY.findall(bytes.fromhex(run).decode("latin-1")))
    return seen


def basic(secret: str) -> str:
    return base64.b64encode(f"user:{secret}".encode()).decode()


def jwt(secret: str) -> str:
    parts = ({"alg": "HS256"}, {"sub": secret})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".sig"


def _header(name: str) -> Place:
    return lambda secret: f"{name}: {secret}"


def _after(text: str, then: str = "") -> Place:
    return lambda secret: text + secret + then


HEADER_NAMES = [
    *("Cookie", "Cookie2", "Set-Cookie", "X-Forwarded-Cookie", "Authorization", "authorization", "Proxy-Authorization"),
    *("X-CUST-Authorization", "Authentication", "X-Auth", "X-Auth-Key", "X-Auth-Token", "Token", "X-Access-Token"),
    *("X-Forwarded-Access-Token", "X-CSRFToken", "X-CSRF-Token", "X-XSRF-TOKEN", "api-key", "apikey", "X-API-Key"),
    *("xi-api-key", "X_Api_Key", "Ocp-Apim-Subscription-Key", "X-Functions-Key", "X-Goog-Api-Key", "X-Secret"),
    *("X-Client-Secret", "CF-Access-Client-Secret", "Cf-Access-Jwt-Assertion", "X-Goog-Iap-Jwt-Assertion", "DPoP"),
    *("X-Amz-Security-Token", "X-Amzn-Oidc-Data", "X-Ms-Client-Principal", "X-Hub-Signature-256", "Signature"),
    *("X-Session-Id", "Mcp-Session-Id", "Session", "X-Password", "X-Credential", "Wslab-Ticket"),
    *("X-Client-Pass", "X-Amz-Credential", "X-Secret-Key", "X-Creds", "X-OTP", "X-2FA-Code", "X-PIN", "X-Sess"),
    *("Remember-Me", "X-BAPI-SIGN", "X-Mnemonic", "X-Antiforgery", "X-App-Key", "CB-ACCESS-PASSPHRASE"),
    *("X-Jupyterhub-Api-Token", "X-Vault-Token", "PRIVATE-TOKEN", "Cokie", "Coookie", "Authorisation", "Autorization"),
    *("X-Tok", "X-Tkn", "Grpc-Metadata-Macaroon", "X-Paseto", "MYSAPSSO2", "Jenkins-Crumb", "X-WP-Nonce", "X-License"),
    *("X-Access-Code", "X-Invite-Code", "X-Magic-Link", "X-Firebase-AppCheck", "X-Vercel-Protection-Bypass"),
    *("X-Honeycomb-Team", "Wslab-View", "X-HA-Access", "X-2FA"),
]  # fmt: skip
MARKED = [
    *(
        "ghp_",
        "ghr_",
        "github_pat_",
        "glpat-",
        "glrt-",
        "sk-proj-",
        "sk_live_",
        "sk_test_",
        "whsec_",
        "xoxb-1-",
        "xapp-1-",
    ),
    *("AIza", "ya29.", "1//0", "GOCSPX-", "npm_", "pypi-", "SG.", "dop_v1_", "shpat_", "hvs.", "lin_api_"),
    *("AGE-SECRET-KEY-1", "sq0csp-", "ATATT3x", "dapi", "v2.local.", "hf_"),
    *("ATCTT3", "ATBB", "gsk_", "r8_", "xai-", "pplx-", "nvapi-", "PMAK-", "NRAK-", "CFPAT-", "tskey-auth-k1-"),
    *("dckr_pat_", "figd_", "ntn_", "rubygems_", "sbp_", "sb_secret_", "pscale_tkn_", "glsa_", "glc_"),
    *("doo_v1_", "sntrys_", "dp.st.dev.", "fm2_", "fo1_", "ops_eyJ", "duffel_live_", "frameio-u-"),
]
HEADERS: dict[str, Place] = {
    **{name: _header(name) for name in HEADER_NAMES},
    "Basic": lambda secret: f"X-Other: Basic {basic(secret)}",
    "Bearer": lambda secret: f"X-Other: say Bearer {secret}",
    "JWT": lambda secret: f"X-Other: {jwt(secret)}",
    "Referer": _after("Referer: http://h/lab?token="),
    "Location": _after("Location: /login?next=%2Flab%3Ftoken%3D"),
    "Link": _after("Link: </x?a=b;token=", ">"),
    "JSON": _after('X-Json: {"token": "', '"}'),
    "pair": _after("X-Pair: token="),
    "second pair": _after("X-Kv: user=a; password="),
    "user and password": _after("Referer: http://user:", "@h/"),
    "Digest": _after('X-Other: Digest username="u", realm="r", uri="/", response="', '", qop=auth'),
    "other scheme": _after("X-Other: ApiKey "),
    "scheme Token": _after("X-Other: Token "),
    "option": _after("X-Other: wslab --token ", " --room 1"),
    "header of curl": _after("X-Other: curl -H 'X-Api-Key: ", "' http://h/"),
    "curl": _after("X-Other: curl -u user:", " http://h/"),
    "cookies of curl": _after("X-Other: curl 'http://h/' -b 'a=1; sid=", "'"),
    "quoted line": _after("X-Other: > Cookie: a=1; sid="),
    "curl, quoted": _after("X-Other: curl --user 'user:two words ", "'"),
    "account and key": _after("X-Other: SharedKey account:"),
    "settings": _after("X-Other: DefaultEndpointsProtocol=https;AccountKey=", ";x=y"),
    **{prefix: _after(f"X-Other: say {prefix}") for prefix in MARKED},
    "Slack, address": _after("X-Other: https://hooks.slack.com/services/T0/B0/"),
    "Discord, address": _after("X-Other: https://discord.com/api/webhooks/123/"),
    "Telegram, address": _after("X-Other: https://api.telegram.org/bot12345:", "/getMe"),
    "base64": lambda secret: f"X-Other: {base64.b64encode(json.dumps({'token': secret}).encode()).decode()}",
}
SUBPROTOCOLS: dict[str, Place] = {
    "next name": _after("access_token, "),
    "bearer, JWT": lambda secret: f"bearer, {jwt(secret)}",
    "bare JWT": lambda secret: f"chat, {jwt(secret)}",
    "Deepgram": _after("token, "),
    "OpenAI": _after("realtime, openai-insecure-api-key.", ", openai-beta.realtime-v1"),
    "Kubernetes": _after("base64url.bearer.authorization.k8s.io.", ", base64.binary.k8s.io"),
    "bearer.X": _after("bearer."),
    "token-X": _after("token-"),
    "auth_X": _after("auth_"),
    "authorization": _after("authorization, "),
    "Authorization, Bearer, X": _after("chat, Authorization, Bearer, "),
    "userToken": _after("userToken, "),
    "clientSecret.X": _after("clientSecret."),
    "passwd-X": _after("passwd-"),
    "oauth2.X": _after("oauth2."),
    "credential.X": _after("credential."),
    "cookie, X": _after("cookie, "),
    "csrf, X": _after("csrf, "),
    "session": _after("chat, sessionid."),
    "AppSync": lambda secret: (
        "aws-appsync-event-ws, header-"
        + base64.urlsafe_b64encode(json.dumps({"host": "h", "Authorization": secret}).encode()).decode().rstrip("=")
    ),
    "jwt": _after("chat, jwt."),
}
MANGLED: dict[str, Place] = {
    "blank in the name": _after("Cook ie: a="),
    "blank before the colon": _after("Cookie : a="),
    "NUL in the name": _after("Cookie\0: "),
    "tab in the name": _after("Cookie\tx: "),
    "in the name, after a blank": _after("Cookie ", ": a"),
    "in the name, after =": _after("Cookie=", "; a: b"),
    "no colon": _after("Authorization "),
    "no colon, a tab": _after("Authorization\tBearer-"),
    "blank first": _after(" Authorization: "),
    "bracket first": _after("(Cookie: a="),
    "folded": _after("Cookie: a=1;\r\n b="),
    "folded at once": _after("Authorization:\r\n\tBearer-"),
}
PARAMETERS = [
    *("tok", "tkn"),
    *("token", "access_token", "id_token", "refresh-token", "TOKEN", "%74oken", "t%6Fken", "token%5B%5D", "token[]"),
    *("api_key", "apikey", "api-key", "apiKey", "key", "secret", "client_secret", "sig", "signature"),
    *("X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "X-Goog-Signature", "hmac", "auth", "jwt", "code"),
    *("state", "code_verifier", "password", "passwd", "pwd", "pass", "user[password]", "sid", "session", "session_id"),
    *("sessionid", "PHPSESSID", "ticket", "_xsrf", "csrf", "csrftoken", "bearer", "credentials", "otp", "pin"),
    *("cookie", "secret_key", "SAMLResponse", "appkey", "streamKey", "listenKey", "sign", "hdnts", "sess"),
    *("sesskey", "userkey", "wskey", "crumb", "sso", "sso_ticket", "wresult", "invite_code", "magic_link"),
    *("wslab-view", "signed_request", "g-recaptcha-response"),
    *("jsessionid", "otp_code", "device_code", "totp", "mfa", "pw", "userpass", "cred", "mnemonic"),
]  # fmt: skip
SEGMENTS = ["token", "access_token", "api-key", "secret", "jwt", "password", "bearer"]
TARGETS: dict[str, Place] = {
    **{name: _after(f"/x?a=b&{name}=", "&c=d") for name in PARAMETERS},
    "with quotation marks": _after("/x?token=\"a'b", "\"c'd"),
    "with an encoded &": _after("/x?token=a%26"),
    "after ;": _after("/x;token="),
    "nested": lambda secret: "/x?next=" + quote(f"/lab?token={secret}&a=b", safe=""),
    "nested twice": lambda secret: "/x?next=" + quote(quote(f"/lab?token={secret}", safe=""), safe=""),
    "JSON": lambda secret: "/x?q=" + quote(json.dumps({"token": secret}), safe=""),
    "path": _after("/user/ada/token/", "/api"),
    **{f"path, {name}": _after(f"/v1/{name}/") for name in SEGMENTS},
    "ASP.NET": _after("/(S(", "))/page.aspx"),
    "user and password": _after("http://user:", "@localhost/"),
    "encoded address": lambda secret: "/x?to=" + quote(f"http://user:{secret}@h/", safe=""),
}
MEMBERS = [
    *("tok", "token", "access_token", "password", "passwd", "secret", "apiKey", "api_key", "key", "jwt"),
    *("authorization", "Cookie", "sessionId", "_xsrf", "ticket", "auth", "client_secret", "signature", "X-Api-Key"),
    *("privateKey", "bearer", "pin", "otp", "sid", "code_verifier", "sessionKey", "AccountKey", "encryption_key"),
    *("verificationCode", "pin_code", "seedPhrase", "passwort", "pasword", "dbPass", "licenseKey", "sshKey", "creds"),
    *("macaroon", "sso_ticket", "inviteCode", "magicLink", "crumb", "sessKey", "signed_request"),
]  # fmt: skip
JSONS: dict[str, Place] = {
    **{name: (lambda secret, name=name: json.dumps({"a": 1, name: secret, "z": 2})) for name in MEMBERS},
    "nested": lambda secret: json.dumps({"data": {"token": secret}}),
    "list": lambda secret: json.dumps({"list_token": ["first", secret]}),
    "with a quotation mark": lambda secret: json.dumps({"token": f'a"b\\{secret}'}),
    "JSON in JSON": lambda secret: json.dumps({"s": json.dumps({"token": f'x"{secret}'})}),
    "three deep": lambda secret: json.dumps({"s": json.dumps({"t": json.dumps({"token": f'x"{secret}'})})}),
    "escaped name": lambda secret: json.dumps({"token": secret}).replace("token", r"\u0074oken"),
    "address": lambda secret: json.dumps({"url": f"/lab?a=b&token={secret}"}).replace("&", r"\u0026"),
    "cut short": lambda secret: f'{{"token": "{secret}',
    "of a HAR": lambda secret: json.dumps({"name": "Cookie", "value": secret}),
    "Python": lambda secret: repr({"token": secret}),
    "Python, pairs": lambda secret: repr([("Host", "h"), ("Authorization", secret)]),
    "Python, bytes": lambda secret: repr({b"token": secret.encode()}),
    "Python, pairs of bytes": lambda secret: repr([(b"cookie", secret.encode())]),
    "assignment": _after("headers['X-Api-Key'] = '", "';"),
    "arrow of PHP and Ruby": _after("['password' => '", "']"),
    "hex escapes": _after(r"{\x22token\x22: \x22", r"\x22}"),
    "pairs": lambda secret: json.dumps([["a", "b"], ["cookie", secret]]),
    "key and value": lambda secret: json.dumps({"key": "token", "value": secret}),
    "value and name": lambda secret: json.dumps({"value": secret, "name": "token"}),
    "object in an object": lambda secret: json.dumps({"credentials": {"a": {"b": "}"}, "c": secret}}),
    "escaped address": lambda secret: json.dumps({"url": f"http://u:{secret}@h/"}).replace("/", r"\/"),
    "template": _after("{token: `", "`}"),
    "private key": lambda secret: json.dumps(f"-----BEGIN EC PRIVATE KEY-----\nMII{secret}\n-----END"),
    "base64": lambda secret: json.dumps({"data": base64.b64encode(json.dumps([{"pw": secret}]).encode()).decode()}),
    "command": _after("curl -H 'Authorization: Token ", "' http://h/"),
    "key of OpenPGP": lambda secret: json.dumps(f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ{secret}\n-----END"),
    "WebRTC": lambda secret: json.dumps({"sdp": f"v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:{secret}\r\n"}),
    "SRTP": _after("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", "\r\n"),
    "XMPP": _after('<response xmlns="urn:ietf:params:xml:ns:xmpp-sasl">', "</response>"),
    "netrc": _after("machine example.org login ada password "),
    "Hawk": _after('Hawk id="ada", ts="1", nonce="x", mac="', '"'),
    "line of IRC": _after("NICK ada\r\nPASS oauth:"),
}
BODIES: dict[str, Place] = {
    **JSONS,
    "form": _after("username=a&password="),
    "first field": _after("code=", "&a=b"),
    "multipart": _after('--b\r\nContent-Disposition: form-data; name="password"\r\n\r\na ', "\r\nb\r\n--b--\r\n"),
    "HTML, link": _after('<a href="/lab?a=b&amp;token=', '">'),
    "HTML, field": _after('<input type="hidden" name="_xsrf" value="', '"/>'),
    "HTML, meta": _after('<meta name="csrf-token" content="', '">'),
    "HTML, JSON": _after("<div data-config='{&quot;token&quot;: &quot;", "&quot;}'>"),
    "HTML, decimal": _after("<p>password&#61;&#34;", "&#34;</p>"),
    "script": _after("<script>var token = '", "';</script>"),
    "XML": _after('<wsse:Password Type="x">', "</wsse:Password>"),
    "XML, escaped": _after("&lt;token&gt;", "&lt;/token&gt;"),
    "settings": _after("[x]\npassword = "),
}


def chunked(body: bytes, size: int) -> bytes:
    """A body in chunks of `size` bytes (RFC 9112 §7.1)."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def answer(body: bytes, *lines: str, status: str = "403 Forbidden") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""])
    return head.encode() + body


def answers(text: str) -> dict[str, bytes]:
    """A refusal that says `text`, in each of the forms that a body has."""
    body = text.encode()
    chunks = {f"in chunks of {n}": answer(chunked(body, n), "Transfer-Encoding: chunked") for n in (1, 7)}
    return {
        "whole": answer(body, f"Content-Length: {len(body)}"),
        **chunks,
        "gzip": answer(z := gzip.compress(body), "Content-Encoding: gzip", f"Content-Length: {len(z)}"),
        "gzip, not said": answer(z, f"Content-Length: {len(z)}"),
        "gzip in chunks": answer(chunked(z, 50), "Content-Encoding: gzip", "Transfer-Encoding: chunked"),
    }
