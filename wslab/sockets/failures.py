"""failures: why there is no connection, as a sentence that says what to do, instead of the system's words."""

import errno
import os
import socket
import ssl

PROXIES = {"http_proxy", "https_proxy", "all_proxy", "socks_proxy", "ws_proxy", "wss_proxy"}  # in any case
LOOPBACK = ("localhost", "127.", "::1")

_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}
_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}  # as each OpenSSL calls it
_NO_SUCH_NAME = {
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name)
}


def proxies_set() -> list[str]:
    """The names of the environment variables that name a proxy, which wslab does not use."""
    return sorted(name for name, value in os.environ.items() if value and name.lower() in PROXIES)


def no_connection(error: OSError, host: str, port: int) -> OSError:
    """The same error, of the same class and with the same number, with such a sentence."""
    from urllib.request import proxy_bypass  # takes a tenth of the time in which all of wslab is imported

    names, proxy = [] if host.startswith(LOOPBACK) else proxies_set(), ""
    if names and not proxy_bypass(f"{host}:{port}"):  # else NO_PROXY excepts it
        proxy = f" (no proxy was used, as wslab connects directly, whatever {', '.join(names)} says)"
    told = type(error)(_why(error, f"{host} port {port}", host) + proxy)
    told.errno = error.errno
    return told


def _why(error: OSError, place: str, host: str) -> str:
    match error:
        case ConnectionRefusedError():
            return f"nobody listens on {place}: is the server running, and is this its port?"
        case TimeoutError():
            return f"{place} does not answer: is the address right, or does a firewall drop what is sent there?"
        case socket.gaierror(errno=number) if number in _NO_SUCH_NAME:
            return f"there is no host named {host}: is the name spelled right?"
        case socket.gaierror():
            return f"the name {host} could not be looked up: is there a network?"
        case OSError(errno=number) if number in _NO_WAY:
            return f"no way leads to {place}: is there a network?"
    return f"no connection to {place}: {error.strerror or error}"


def name_missing_tls(error: ssl.SSLError) -> None:
    """Say in the error that the server speaks no TLS, if that is why it failed."""
    if error.reason in _NO_TLS:
        error.strerror = "no TLS is spoken there: try ws:// instead of wss://"
