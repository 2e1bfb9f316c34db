"""A message has begun when `kind` says of what kind it is, and ends with the frame whose FIN is set.

Control frames stand outside of messages and touch nothing. Bytes are decoded once the message is whole, as a character
may be cut by the border of two frames.
"""

from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import Frame, Opcode


def join_messages(frames: list[Frame]) -> list[str | bytes]:
    """The complete messages in a list of frames."""
    messages: list[str | bytes] = []
    kind, payload = None, b""
    for frame in frames:
        if frame.opcode >= 8:
            continue
        if frame.opcode == Opcode.CONTINUATION:
            if kind is None:
                raise ProtocolError("a continuation, and no message has begun", 1002)
        elif kind is not None:
            raise ProtocolError("a new message inside another one", 1002)
        else:
            kind, payload = frame.opcode, b""
        payload += frame.payload
        if frame.fin:
            messages.append(decode(payload) if kind == Opcode.TEXT else payload)
            kind = None
    return messages


def decode(payload: bytes) -> str:
    """The text of a whole message."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise ProtocolError("the text is not UTF-8", 1007) from None
