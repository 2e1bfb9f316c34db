r"""proxy_header: the line or the bytes by which a balancer tells a server for whom it asks, before anything else.

Both versions of the PROXY protocol, which `doc/proxy-protocol.txt` of HAProxy defines.

>>> find_proxy_header(b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\nGET / HTTP/1.1\r\n\r\n", 58)
(40, 'a PROXY line, by which a balancer says for whom it asks')
"""

LINE = b"PROXY "  # how version 1 begins; CR LF ends it
MOST_OF_A_LINE = 107  # bytes
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"  # how version 2 begins; then come four bytes, the last two of them a length
HEADER = 16  # bytes
LENGTH = slice(14, 16)
WHAT_FOR = "by which a balancer says for whom it asks"


def find_proxy_header(begin: bytes, size: int) -> tuple[int, str] | None:
    """How many bytes such a header takes at the start of `size` bytes, and what it is; 0 bytes if there is none.

    `begin` is the start of them, at least MOST_OF_A_LINE bytes of it. None means that more bytes will tell.
    """
    if begin[: len(LINE)] == LINE[:size]:
        end = begin.find(b"\n", 0, MOST_OF_A_LINE) + 1
        return None if not end and size < MOST_OF_A_LINE else (end, f"a PROXY line, {WHAT_FOR}")
    if begin[: len(SIGNATURE)] == SIGNATURE[:size]:
        end = HEADER + int.from_bytes(begin[LENGTH], "big")
        return None if size < max(HEADER, end) else (end, f"a PROXY header of {end} bytes, {WHAT_FOR}")
    return 0, ""
