"""addresses: under which addresses others reach a server that listens on all that this machine has."""

import ipaddress
import socket

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # what means all addresses, and which of them is this machine's own


def is_open_to_others(host: str) -> bool:
    """Whether what listens there can be reached from other machines."""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return not (host == "localhost" or host.endswith(".localhost"))


def addresses_for_others(host: str) -> list[str]:
    """The addresses by which other machines may reach `host`."""
    if host not in EVERYWHERE:
        return [host]
    return [it for it in _all_addresses() if is_open_to_others(it) and ("." in it or host == "::")]


def _all_addresses() -> list[str]:
    """What the system tells; addresses that are valid on one link only are left out."""
    try:
        import psutil  # type: ignore[import-untyped]
    except ImportError:
        return socket.gethostbyname_ex(socket.gethostname())[2]
    families = (socket.AF_INET, socket.AF_INET6)
    found = [it.address for of in psutil.net_if_addrs().values() for it in of if it.family in families]
    return [it for it in found if "%" not in it]


def with_port(host: str, port: int) -> str:
    """Host and port as an address has them.

    >>> with_port("::1", 80)
    '[::1]:80'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
