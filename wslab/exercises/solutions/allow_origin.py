"""The origin is taken apart and compared whole: parts of a name prove nothing, as anybody can own a longer one.

A port that is not written is the one of the origin's scheme, in both headers: a browser leaves it out in both.
"""

from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


def allow_origin(origin: str | None, host: str) -> bool:
    """Whether a handshake with these Origin and Host headers may go on."""
    if origin is None:
        return True
    try:
        page, server = urlsplit(origin), urlsplit(f"//{host}")
        implied = PORTS.get(page.scheme)
        if implied is None:
            return False
        ours = (server.hostname, implied if server.port is None else server.port)
        return (page.hostname, implied if page.port is None else page.port) == ours
    except ValueError:  # a port that is no number
        return False
