"""Python as on a computer without a network, for every process that has this folder on PYTHONPATH: only itself answers.

Whom it would have asked is written to the file that WSLAB_ASKED names.
"""

import errno
import ipaddress
import os
import sys
from pathlib import Path


def is_this_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in ("", "localhost")
    return address.is_loopback or address.is_unspecified


def refuse(event: str, arguments: tuple) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""  # else a path, or what Linux tells its programs
    elif event == "socket.getaddrinfo":
        host = arguments[0] or ""
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if not is_this_machine(host):
        with Path(os.environ["WSLAB_ASKED"]).open("a", encoding="utf-8") as asked:
            asked.write(f"{host}\n")
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))


sys.addaudithook(refuse)
