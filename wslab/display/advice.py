"""advice: an error of a cell in, what its reader can do about it out, where that is to run other cells first."""

import errno
import re
import ssl

from wslab.protocol.errors import ConnectionClosed

FEWER = re.compile(r"index out of range|empty sequence|empty iterable|not enough values to unpack")
NO_POOL = "cannot schedule new futures after shutdown"  # as concurrent.futures says it
CLOSED = {errno.EBADF, getattr(errno, "WSAENOTSOCK", errno.EBADF)}


def advice(error: BaseException) -> str:
    """Return a sentence for errors that cells raise when they run twice, or before others; for any other, nothing.

    >>> advice(NameError("name 'server' is not defined"))
    'If a cell above defines it, run that one first.'
    """
    match error:
        case NameError():
            return "If a cell above defines it, run that one first."
        case ConnectionClosed():
            return "This connection is over: run the cell that opens it again."
        case OSError(errno=number) if number in CLOSED:
            return "This socket is closed: run the cell that opens it again."
        case ConnectionRefusedError(strerror=str()):  # of a learner's own socket: `wslab.connect` has its own sentence
            return "Nobody listens there: run the cell that starts the server again."
        case ssl.SSLEOFError() | BrokenPipeError() | ConnectionResetError() | ConnectionAbortedError():
            return "The other side is gone: run the cell that connects to it again."
        case TimeoutError():
            return "Nothing has come: if an earlier cell has read it already, run the one that sends it again."
        case IndexError() | ValueError() if FEWER.search(str(error)):
            return "There is less than this cell expects: if a cell above brings it, run that one again."
        case RuntimeError() if str(error) == NO_POOL:
            return "These threads are gone: run the cell that makes the pool again."
        case Exception() if type(error).__module__ == "h2.exceptions":  # lesson 18 talks HTTP/2 with this library
            return "The conversation is not where this cell expects it: run the cells again from where it begins."
    return ""
