"""socks: what a client and a SOCKS proxy say to each other before it passes the bytes on (RFC 1928, RFC 1929)."""

WITH_PASSWORD = 2  # the method that the proxy may choose
GRANTED = b"\0\x5a"  # the answer in version 4


def sizes_of_socks(client: bytes, proxy: bytes) -> tuple[int, int] | None:
    r"""How many bytes it takes at the start of what each of them sends; None if it is not there, or not whole.

    >>> sizes_of_socks(b"\5\1\0\5\1\0\3\1h\0\x50GET /", b"\5\0\5\0\0\1\0\0\0\0\0\0HTTP/1.1")
    (11, 12)
    """
    try:
        sizes = _version_5(client, proxy) if client[0] == 5 else _version_4(client, proxy) if client[0] == 4 else None
    except (IndexError, ValueError):
        return None
    return sizes if sizes and sizes[0] <= len(client) and sizes[1] <= len(proxy) else None


def _version_5(client: bytes, proxy: bytes) -> tuple[int, int] | None:
    """The methods and the chosen one, perhaps a name and a password, and the address on both sides."""
    asked, answered = 2 + client[1], 2
    if proxy[0] == 5 and proxy[1] == WITH_PASSWORD:
        asked += 2 + client[asked + 1]
        asked += 1 + client[asked]
        answered += 2
    if client[asked : asked + 2] != b"\5\1" or proxy[answered : answered + 2] != b"\5\0":
        return None
    return _behind_address(client, asked + 3), _behind_address(proxy, answered + 3)


def _behind_address(data: bytes, start: int) -> int:
    """Where the address ends that begins with its kind: one of IPv4, a name with its length, or one of IPv6."""
    sizes = {1: 4, 3: 1 + data[start + 1], 4: 16}
    return start + 1 + sizes.get(data[start], len(data)) + 2


def _version_4(client: bytes, proxy: bytes) -> tuple[int, int] | None:
    """Port and address, a user's name, and the name of a host if the address is 0.0.0.x."""
    if client[1] != 1 or not proxy.startswith(GRANTED):
        return None
    end = client.index(0, 8) + 1
    if client[4:7] == bytes(3) and client[7]:
        end = client.index(0, end) + 1
    return end, 8
