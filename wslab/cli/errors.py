"""errors: what goes wrong in a command, as one sentence for the terminal."""

import errno
import os
import ssl


class CommandError(Exception):
    """What went wrong, in one sentence for the terminal."""


def reason(error: Exception) -> str:
    """Return what an error says, without what only a programmer wants to know."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"the server's certificate is not to be trusted: {error.verify_message}"
        case ssl.SSLError():  # its errno is none of the system's
            return f"TLS failed: {(error.reason or 'the server ended it').replace('_', ' ').lower()}"
        case OSError(errno=errno.EADDRINUSE):
            return "it is in use already; --port 0 takes a free one"
        case OSError(errno=int(number)) if number > 0:  # those of names that are not found are negative
            return error.strerror or os.strerror(number)
    return str(error)
