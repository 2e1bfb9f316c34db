"""secrets: what counts as a secret, by the name that stands before it or by its own shape, each with the reason.

Names are compared as words in small letters: `X-API_Key`, `xApiKey` and `x-api-key` are all `x-api-key`. What is not on
this list is shown and saved.
"""

from enum import Flag, auto
from typing import NamedTuple


class Place(Flag):
    """Where a name stands before a value."""

    HEADER = auto()  # Name: value
    ADDRESS = auto()  # ?name=value, #name=value, ;name=value, and the fields of a form
    TEXT = auto()  # name=value anywhere
    JSON = auto()  # "name": "value"
    PATH = auto()  # /name/value


ANYWHERE = Place.HEADER | Place.ADDRESS | Place.TEXT | Place.JSON
HEADER, ADDRESS, JSON = Place.HEADER, Place.ADDRESS, Place.JSON


class SecretName(NamedTuple):
    """What a name has in it if its value is secret, in which places it is so, and why."""

    pattern: str
    places: Place
    reason: str


SECRET_NAMES = [
    SecretName(r"cookie(?!cutter)", ANYWHERE, "a cookie is its user, as far as the site can tell (RFC 6265 §8)"),
    SecretName(
        r"auth(?!or(?!i[sz])|entic(?:\b|ated))", ANYWHERE, "credentials (RFC 9110 §11), whatever is before the word"
    ),
    SecretName(r"token(?!i[sz])", ANYWHERE, "whoever bears a token has its rights (RFC 6750 §1)"),
    SecretName(r"\b(?:tok|tkn)$", HEADER | ADDRESS | JSON, "the same, in short"),
    SecretName(
        r"bearer|jwt|assertion|saml|dpo-?p|macaroon|paseto|sso2$|\bsso(?:-?ticket)?$|\bwresult$",
        ANYWHERE,
        "the same by other names (RFC 7519, RFC 7521, RFC 9449)",
    ),
    SecretName(r"api-?key", ANYWHERE, "a password for a program"),
    SecretName(
        r"(?:access|private|secret|sign(?:ing)?|subscription|master|shared|account|encryption|session|licen[cs]e|app"
        r"|deploy|ssh|stream|listen|storage|hmac)-?key",
        ANYWHERE,
        "the same, for a purpose",
    ),
    SecretName(r"\b(?:user|u|ws|room|pass|conn(?:ection)?|client|server)?key$", HEADER | ADDRESS, "the same, in short"),
    SecretName(r"secret(?!ar)|credential|\bcreds?\b", ANYWHERE, "it says so"),
    SecretName(r"pass?-?w|passphrase|passcode|\bpswd\b|\bpwd\b|\bpw$", ANYWHERE, "a password"),
    SecretName(r"(?:\b|user|db)pass$|\b(?:t?otp|mfa)$|\bpin$|^key$", HEADER | ADDRESS | JSON, "the same, in short"),
    SecretName(
        r"\b(?:t?otp|pin|[mt]fa|2-?fa|device|user|verification|security|recovery|access|invit(?:e|ation))-?code$",
        HEADER | ADDRESS | JSON,
        "the same, for once",
    ),
    SecretName(r"mnemonic|seed-?phrase", ANYWHERE, "the same, for a wallet"),
    SecretName(r"signature|\bsig$|\bhmac\b", ANYWHERE, "who shows it may do what is signed: AWS, Azure, Google"),
    SecretName(r"\bsign$|^hdn(?:ts|ea|tl)$", HEADER | ADDRESS, "the same, in short: Binance, Akamai"),
    SecretName(
        r"[cx]srf|antiforgery|\bcrumb$|\bwp-?nonce$|^sess-?key$",
        ANYWHERE,
        "it keeps other sites from acting for the user",
    ),
    SecretName(r"sess(?:ion)?-?id", ANYWHERE, "a session is its user, as a cookie is"),
    SecretName(r"session|\bsess$|remember-?me", HEADER, "the same"),
    SecretName(r"^sess(?:ion)?$|\bsid$", HEADER | ADDRESS, "the same, in short: Engine.IO, CGI"),
    SecretName(r"^sid$", JSON, "the same, as the server of Engine.IO tells it"),
    SecretName(r"^wslab-view$", HEADER | ADDRESS, "whoever has it sees the frames of a connection: our Echo test page"),
    SecretName(r"ticket(?!s\b)|magic-?link", HEADER | ADDRESS | JSON, "it admits once"),
    SecretName(r"^code$|^state$|-verifier$", ADDRESS, "a login under way (RFC 6749 §4.1.2, RFC 7636)"),
    SecretName(r"code-?verifier$", JSON, "the same, when it is redeemed"),
    SecretName(r"client-principal|oidc-(?:data|identity)", HEADER, "a login as the proxies of Azure and AWS tell it"),
    SecretName(
        r"app-?check|licen[cs]e$|protection-bypass|honeycomb-team|\bha-access$|\b2-?fa$",
        HEADER,
        "what says that somebody may ask: Firebase, New Relic, Vercel, Honeycomb, Home Assistant",
    ),
    SecretName(r"captcha-response|turnstile-response|signed-request", ADDRESS | JSON, "what shows, once, who asks"),
    SecretName(
        r"^(?:\w+-)?(?:token|secret|jwt|api-?key|password|passwd|bearer)$",
        Place.PATH,
        "some want it in the path",
    ),
]

# These look like the names of secrets, and are none.
PUBLIC_NAMES = [
    (r"^sec-?web-?socket-?(?:key|accept|version|protocol|extensions)", "the handshake itself"),
    (r"^(?:www|proxy)-authenticate$", "what a server asks for, not the answer (RFC 9110 §11.6)"),
    (r"^access-control-", "names of headers, yes and no (Fetch §3.2)"),
    (r"\b(?:masking|public|cache|surrogate|idempotency|sort|primary)-?key", "a key that opens nothing"),
    (r"tokens\b|token-ids\b", "about tokens: how many, and of which kind"),
    (
        r"\b(?:page|next|sync|continuation|[be]os|pad|sep|stop|unk)-token$",
        "where a list goes on, and where a text ends",
    ),
    (
        r"(?:auth\w*|tokens?|cookies?|sessions?|secret|passw\w*|passphrase|signature|api-?key|key|jwt|csrf|tickets?|licen[cs]e)"
        r"-(?:type|kind|method|mode|scheme|algorithms?|alg|url|uri|endpoint|required|enabled|supported|disabled|count|limit"
        r"|length|size|strength|policy|hint|timeout|expir\w*(?:-in|-at|-on)?|lifetime|duration|ttl|max-age|affinity|cache"
        r"|name|domain|path|provider|version|status|error|price|jar|file)$",
        "about a secret: of which kind it is, how long, and for how long",
    ),
]

# These are no secrets, whatever name stands before them.
PUBLIC_VALUES = [
    (
        r"true|false|yes|no|on|off|none|null|undefined|required|optional|enabled|disabled|expired|invalid|missing",
        "whether there is one",
    ),
    (r"basic|bearer|digest|negotiate|ntlm|include|omit|same-origin|lax|strict", "of which kind it is"),
    (r"refresh|reset|revoke|verify|introspect", "what is done with one, at the end of a path"),
    (
        r"arrow(?:up|down|left|right)|enter|escape|space|tab|backspace|delete|home|end|page(?:up|down)|shift|control|alt|meta"
        r"|f\d\d?",
        "a key of a keyboard (UI Events KeyboardEvent key Values)",
    ),
]

# In Sec-WebSocket-Protocol, which is the only header that a browser lets a page fill: the group behind such a word, or,
# if that is empty, the next name ("access_token, JWT").
SUBPROTOCOL = (
    r"(?:bearer\.authorization\.k8s\.io|(?<![a-z])(?:(?:access|id|auth|session|user|client|refresh|bearer|[cx]srf)[_-]?)?"
    r"(?:token|bearer|basic|o?auth2?|authorization|authentication|jwt|api[_-]?key|key|secret(?:[_-]?key)?|pass(?:word|wd)?"
    r"|pwd|ticket|credentials?|cookie|[cx]srf|macaroon|signature|sig|hmac|otp|sess(?:ion[_-]?id)?)(?![a-z]))[.:|_=~-]*(.*)"
)

# The names of headers as nobody accepts them: the letters at the start of the line, and names that come near these.
MANGLED = r"x?(?:set|forwarded)?cookie|x?(?:proxy)?authori[sz]ation|x?(?:auth|access|csrf|xsrf)token|x?api-?key"
MISSPELT = ["cookie", "setcookie", "authorization", "proxyauthorization"]

# The secret is the group. None looks at a character again and again, or keeps a place for each of a long secret: it
# begins where a word does, ends with a word, or has a bound.
SECRET_SHAPES = [
    (
        r"(eyJ[\w-]{5,}+\.[\w.-]+)|eyJ[\w.-]*+",
        "a JSON Web Token: who shows it is logged in (RFC 7519)",
    ),
    (
        r"(?<![\w-])(?:basic|bearer|negotiate|ntlm|apikey|sharedkey(?:lite)?)[ \t+\ue020]+"
        r'(?!(?:auth\w*|access|tokens?|credentials|scheme|realm)\b|[\w-]+ ?= ?["\w]|(?-i:[a-z]{1,20}[,.;:!?]? [a-z]))'
        r"([\w.~+/:-]{4,}=*)",
        "credentials with their scheme (RFC 7617, RFC 6750, RFC 4559), unless a sentence goes on",
    ),
    (
        r"(?<![\w-])token[ \t+\ue020]+(?=[\w.~+/-]*\d)([\w.~+/-]{8,}=*)",
        "the same, as GitHub and Django call it: words have no digit in them",
    ),
    (
        r"(?<![\w-])(?:-u|--user|--proxy-user)[ \t=\ue03d]{1,3}(?!\d+:\d+(?:\s|\Z))([^\s\"':]{1,100}:[^\s\"']{1,200})",
        "a user name and a password, as curl is given them",
    ),
    (
        r"(?<![\w-])(?:-u|--user|--proxy-user)[ \t=\ue03d]{1,3}[\"']([^\"':]{1,100}:[^\"'\r\n]{1,200})[\"']",
        "the same between quotation marks",
    ),
    (
        r"(?<![\w-])(?:-b|--cookie)[ \t=]{1,3}\$?[\"']([\w.-]{1,100}=[^\"'\r\n]+)[\"']",
        "cookies, as Chrome gives them to curl",
    ),
    (
        r"(?<![\w-])(?:set-)?cookie2?[ \t]*[:\ue03a][ \t+\ue020]*([\w.$-]{1,100}=[^\r\n\"'<>]+)",
        "the same, in a line that somebody quotes",
    ),
    (
        r"\b(?-i:AC|SK)([0-9a-f]{32})\b",
        "an account, and a key, of Twilio",
    ),
    (
        r"\b(?:proxy-)?authorization[ \t]*[:=\ue03a\ue03d][ \t+\ue020]*([^\r\n\"'<>]+)",
        "the same, in a line that somebody quotes",
    ),
    (
        r"(?<![\w-])(?:digest[ \t]+\w[^\r\n]{0,500}?[ ,]response|hawk[ \t]+\w[^\r\n]{0,500}?[ ,]mac)=\"?([^\s,\"]+)",
        "what a password makes of a question (RFC 7616 §3.4.1): it can be guessed from that",
    ),
    (
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----((?!-----)[\s\S]+?)(?=-----|\Z)",
        "a private key (RFC 7468 §10, §11; RFC 9580 §6.2)",
    ),
    (
        r"\b(?:ice-pwd:[ \t]{0,8}|a=crypto:[^\r\n\\]{0,100}?[ \t]inline:)([\w+/=-]+)",
        "what lets others into a call of WebRTC (RFC 8839 §5.4, RFC 4568 §4)",
    ),
    (
        r"[ \t]xmlns=\\*+[\"']urn:ietf:params:xml:ns:xmpp-sasl\\*+[\"'][^<>]{0,200}>([\w+/=-]+)<",
        "the login of XMPP (RFC 6120 §6, RFC 7395)",
    ),
    (
        r"(?<![\w.-])machine[ \t]+[^\s]{1,200}\s{1,8}login\s{1,8}[^\s]{1,200}\s{1,8}password\s{1,8}([^\s]+)",
        "a login in the file .netrc",
    ),
    (
        r"[/\ue02f]\([SF]\((\w{8,})\)",
        "a session in the path, as ASP.NET writes it for browsers without cookies",
    ),
    (
        r"(?:\A|[\r\n])(?-i:PASS|AUTHENTICATE|AUTH(?: [A-Z-]+)?) +:?([^\s][^\r\n]*)",
        "the login of a protocol of lines: IRC, POP3, Redis",
    ),
    (
        r"\b(?:bearer\.authorization\.k8s\.io|insecure-api-key)\.([\w.~-]+)",
        "a token in the name of a subprotocol: Kubernetes, OpenAI",
    ),
    (
        r"(?<![\w-])(?:sk-|[rs]k_(?:live|test)_|whsec_|gh[oprsu]_|github_pat_|gl(?:pat|rt|ptt|dt|ft|soat|cbt|imt|agent|oas)-|xox[abeprs]-|xapp-|hf_|AIza|ya29\."
        r"|1//0|GOCSPX-|npm_|pypi-|SG\.|dop_v1_|shp(?:at|ca|pa|ss)_|hv[bs]\.|lin_api_|AGE-SECRET-KEY-|sq0\w{3}-|ATATT|dapi"
        r"|v[1-4]\.local\.|ATCTT|ATBB|gsk_|r8_|xai-|pplx-|nvapi-|PMAK-|NRAK-|CFPAT-|tskey-|dckr_pat_|figd_|ntn_|rubygems_"
        r"|sbp_|sb_secret_|pscale_(?:tkn|pw|oauth)_|gls?[ac]_|do[or]_v1_|sntry[su]_|dp\.(?:st|pt|ct|sa)\.(?:\w{1,20}\.)?|fm[12]_|fo1_|ops_eyJ"
        r"|duffel_(?:live|test)_|frameio-u-)([\w-]{12,}[\w.-]*)",
        "a key that its maker has marked as one, so that it is found",
    ),
    (
        r"(?:hooks\.slack\.com[/\ue02f]services[/\ue02f]\w{1,20}[/\ue02f]\w{1,20}|discord(?:app)?\.com[/\ue02f]api[/\ue02f]webhooks[/\ue02f]\d{1,30}"
        r"|[/\ue02f]bot\d{1,20}(?=:))[/:\ue02f]([\w-]+)",
        "an address that lets whoever knows it speak: Slack, Discord, Telegram",
    ),
    (
        r"[/\ue02f]{2}([^/?#\s\"'<>,\ue02f\ue03f\ue023]+)[@\ue040]",
        "user name and password in an address (RFC 3986 §3.2.1)",
    ),
    (
        r"://([^/?#\s\"'<>@:\[\]]{1,100}:(?!\d{0,5}(?:[/?#\s\"'<>]|\Z))[^\s\"'<>@]{1,200})@",
        "the same, where the password should have been percent-encoded",
    ),
    (
        r"(?<![\w.~%+@:/-])(?!(?:mailto|sips?|xmpp|acct|im|pres|npm):|\d+:\d+@)([\w.~%+-]{1,100}:[^\s/@\"'<>]{1,200})@(?=[\w\[])(?!sha256:)",
        "the same, without the scheme",
    ),
]
