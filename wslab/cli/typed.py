r"""typed: a line that is typed in, what is to be sent out: a text, or what a line with a slash stands for.

>>> read_typed("Hello"), read_typed("/hex 00 ff"), read_typed("//etc"), read_typed("/close 4000 why not")
('Hello', b'\x00\xff', '/etc', Close(code=4000, reason='why not'))
"""

import sys

from wslab.cli.pasted import read_pasted
from wslab.protocol.errors import CloseCode, is_valid_close_code
from wslab.protocol.events import Close, Ping


def what_lines_do(platform: str) -> str:
    """The help; what ends the input is another key on Windows."""
    end = "Ctrl-Z and Enter close" if platform == "win32" else "Ctrl-D closes"
    return f"""\
A line is a text message. A line with a slash is something else:
  /hex 00 ff         a binary message; bytes in any form that `inspect` takes
  /ping hello        a ping; how long its pong takes is shown
  /close 4000 why    the closing handshake; code and reason can be left out
  /help              this
  //etc              the text message /etc
{end} with 1000, Ctrl-C with 1001."""


LINES = what_lines_do(sys.platform)


def read_typed(line: str) -> str | bytes | Ping | Close | None:
    """What to send for a line; None if it asks for help. Raises ValueError with a sentence if it is a mistake."""
    if not line.startswith("/"):
        return line
    if line.startswith("//"):
        return line[1:]
    command, _, rest = line[1:].partition(" ")
    match command:
        case "hex":
            return _read_hex(rest)
        case "ping":
            if len(payload := rest.encode()) > 125:
                raise ValueError(f"a ping has at most 125 bytes (RFC 6455 §5.5), not {len(payload)}")
            return Ping(payload)
        case "close":
            return _read_close(*rest.partition(" ")[::2])
        case "help" | "?":
            return None
    raise ValueError(f"there is no /{command}; /help tells what there is, //{command} sends /{command}")


def _read_hex(written: str) -> bytes:
    try:
        return read_pasted(written)
    except ValueError:
        raise ValueError("what stands after /hex is not bytes: /hex 00 ff") from None


def _read_close(code: str, reason: str) -> Close:
    number = int(code) if code.isdecimal() and code.isascii() else 0
    if code and not is_valid_close_code(number):
        raise ValueError(f"{code} may not stand in a close frame (RFC 6455 §7.4); 1000 may, and so may 3000 to 4999")
    if len(reason.encode()) > 123:
        raise ValueError("a reason has at most 123 bytes (RFC 6455 §5.5, §5.5.1)")
    return Close(number or CloseCode.NORMAL_CLOSURE, reason)


def write_typed(message: str | bytes) -> str:
    r"""A message as a line that `read_typed` makes the same message of.

    >>> write_typed(b"\x00\xff"), write_typed("/etc")
    ('/hex 00 ff', '//etc')
    """
    if isinstance(message, bytes):
        return f"/hex {message.hex(' ')}"
    return f"/{message}" if message.startswith("/") else message
