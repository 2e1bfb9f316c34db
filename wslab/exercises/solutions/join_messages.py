"""A message has begun when `kind` says of what kind it is, and ends with the frame whose FIN is set.

Control frames stand outside of messages and touch nothing. Inside of a message there are continuations and nothing
else, outside of one there is none. Bytes are decoded once the message is whole, as a character may be cut by the border
of two frames.
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
        if (frame.opcode == Opcode.CONTINUATION) != (kind is not None):
            raise ProtocolError("a continuation without a beginning, or a beginning inside a message", 1002)
        kind = kind or frame.opcode
        payload += frame.payload
        if frame.fin:
            try:
                messages.append(payload.decode() if kind == Opcode.TEXT else payload)
            except UnicodeDecodeError:
                raise ProtocolError("the text is not UTF-8", 1007) from None
            kind, payload = None, b""
    return messages
