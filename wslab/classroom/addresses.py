"""addresses: where a class is to be found by others, and by which names a browser may ask for it."""

import ipaddress
import socket
from urllib.parse import urlsplit

from wslab.protocol.http import Request

EVERYWHERE = ("", "0.0.0.0", "::")


def addresses_of_this_machine() -> list[str]:
    """The IPv4 addresses by which others reach this machine, the likeliest first; none where it has no network."""
    found = {str(info[4][0]) for info in _resolve(socket.gethostname())}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # sends nothing: it only asks which way a packet would go (RFC 5737)
            first = sock.getsockname()[0]
        except OSError:  # there is no network
            first = ""
    ordered = [first, *sorted(found - {first})]
    return [address for address in ordered if address and not ipaddress.ip_address(address).is_loopback]


def _resolve(name: str) -> list[tuple[object, object, object, object, tuple[object, ...]]]:
    try:
        return [*socket.getaddrinfo(name, None, socket.AF_INET)]
    except OSError:
        return []


def is_for_us(request: Request, host: str) -> bool:
    """Whether a request names this server by an address, `localhost`, or the name that it was given.

    Another name may have been made to point here by the page of a foreign site, which could then talk to the class.
    """
    name = _host_in(f"//{request.headers.get('Host')}")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in ("localhost", host.lower()) or name.endswith(".localhost")
    return True


def is_from_our_page(request: Request) -> bool:
    """Whether it comes from a page of this server, or from a program, which names no origin (RFC 6455 §10.2)."""
    origin = request.headers.get("Origin").lower()
    return not origin or origin.partition("://")[2] == request.headers.get("Host").lower()


def _host_in(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # it is no address
        return ""
