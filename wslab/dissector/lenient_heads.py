"""lenient_heads: a head that breaks a rule of HTTP in, what a lenient peer makes of it out (RFC 9112 §2.2, §3, §5)."""

import re
from urllib.parse import quote

from wslab.protocol.errors import HandshakeError
from wslab.protocol.http import TOKEN, Headers, Request, Response, parse_request, parse_response_head
from wslab.protocol.states import Role

# An empty line ends a head, with or without carriage returns; what stands before the head is none.
END_OF_HEAD = re.compile(rb"(?<=[^\r\n])\r*\n\r*\n")
# What a head of each side begins with, as far as it has arrived.
_BEGINS = {
    Role.CLIENT: re.compile(rb"[\r\n]*(?:\Z|[A-Za-z]{1,20}(?:\Z|[ \t]+(?:\Z|[^ \t\r\n\x00])))"),
    Role.SERVER: re.compile(rb"[\r\n]*HTTP/1\.", re.IGNORECASE),
}
_REQUEST_LINE = re.compile(r"(\S++)[ \t]++(.*\S)[ \t]+(HTTP/1\.[0-9])[ \t]*", re.IGNORECASE)
_STATUS_LINE = re.compile(r"(HTTP/1\.[0-9])[ \t]+([1-9][0-9]{2})(?:[ \t]+(.*))?", re.IGNORECASE)
# No blank and no carriage return is looked at again from the next one on: there may be very many.
_LINE_END = re.compile(r"(?<!\r)\r*+\n")
_FOLD = re.compile(r"(?<!\r)\r*+\n[ \t]+")  # RFC 9112 §5.2: it stands for a blank
_NOT_IN_A_VALUE = re.compile(r"[^\t -~\x80-\xff]")
_LEGAL_IN_A_TARGET = bytes(range(0x21, 0x7F))


def may_be_a_head(sender: Role, data: bytes) -> bool:
    """Whether `data`, in which there is no head yet, may be the beginning of one."""
    return bool(_BEGINS[sender].match(data))


def read_head(sender: Role, head: bytes) -> tuple[Request | Response | None, int, str]:
    r"""Read a head, whole or not: what it says, the bytes it takes, and why an endpoint would refuse it.

    Both ends have perhaps taken what is illegal. Raises HandshakeError if nobody can have.

    >>> read_head(Role.CLIENT, b"GET / HTTP/1.1\r\nA : b\r\n\r\n")[2]
    'not a header line'
    """
    try:
        found = parse_request(head) if sender is Role.CLIENT else parse_response_head(head)
        return (*(found or (None, 0)), "")
    except HandshakeError as error:
        if END_OF_HEAD.search(head) and (legible := read_leniently(sender, head)):
            return legible, len(head), without_quote(error)
        raise


def without_quote(error: HandshakeError) -> str:
    """Return the reason; what stands behind its colon is a piece of the head, in which a secret may stand."""
    return error.reason.partition(": ")[0]


def read_leniently(sender: Role, head: bytes) -> Request | Response | None:
    r"""What a whole head says, without its illegal header lines; None where not even its first line is legible.

    >>> read_leniently(Role.CLIENT, b"GET /gr\xc3\xb6\xc3\x9fe HTTP/1.1\nHost : a\nCoo kie: b\n\n")
    Request('GET', '/gr%C3%B6%C3%9Fe', Headers([('Host', 'a')]))
    """
    first, *rest = _LINE_END.split(head.decode("latin-1").strip("\r\n"), maxsplit=1)
    lines = _LINE_END.split(_FOLD.sub(" ", "".join(rest)))
    headers = Headers(tuple(found for line in lines if (found := _header(line))))
    if sender is Role.CLIENT:
        asked = _REQUEST_LINE.fullmatch(first)
        if asked is None or not TOKEN.fullmatch(asked[1]):
            return None
        return Request(asked[1], quote(asked[2].encode("latin-1"), _LEGAL_IN_A_TARGET), headers, asked[3].upper())
    said = _STATUS_LINE.fullmatch(first)
    if said is None:
        return None
    return Response(int(said[2]), _NOT_IN_A_VALUE.sub("?", said[3] or ""), headers, version=said[1].upper())


def _header(line: str) -> tuple[str, str] | None:
    name, colon, value = line.partition(":")
    name, value = name.rstrip(" \t"), value.strip(" \t")
    is_legible = colon and TOKEN.fullmatch(name) and not _NOT_IN_A_VALUE.search(value)
    return (name, value) if is_legible else None
