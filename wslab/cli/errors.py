"""errors: what goes wrong in a command, as one sentence for the terminal."""

import errno
import os
import socket
import ssl

from wslab.protocol.errors import HandshakeError

OF_ANOTHER_HOST = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


class CommandError(Exception):
    """What went wrong, in one sentence for the terminal."""


def reason(error: Exception) -> str:
    """Return what an error says, without what only a programmer wants to know."""
    match error:
        case ssl.SSLCertVerificationError():
            advice = "" if error.verify_code in OF_ANOTHER_HOST else "; --ca names one that is"
            return f"the server's certificate is not to be trusted: {error.verify_message.rstrip('.')}{advice}"
        case ssl.SSLError():  # its errno is none of the system's
            return f"TLS failed: {_reason_of_tls(error)}"
        case OSError(errno=errno.EADDRINUSE):
            return "it is in use already; --port 0 takes a free one"
        case OSError(errno=errno.EADDRNOTAVAIL):
            return (
                "this machine does not have that address; 127.0.0.1 is always there, 0.0.0.0 stands for all that it has"
            )
        case OSError(errno=errno.EACCES, filename=None):
            return "this system reserves it: take a port above 1023, or --port 0 for a free one"
        case socket.gaierror(strerror=str()) | UnicodeError():  # of what to listen on: `connect` has its own sentence
            return "there is no host of that name: is it spelled right?"
        case OSError(errno=int(number), strerror=str(words)):
            return words or os.strerror(number)
        case HandshakeError():
            return error.reason
    return str(error)


def _reason_of_tls(error: ssl.SSLError) -> str:
    words: str = error.strerror or ""
    return words if "://" in words else (error.reason or "the server ended it").replace("_", " ").lower()
