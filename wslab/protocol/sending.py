"""SendingHalf: what one end of a connection may send, and when: messages, control frames, a close frame (RFC 6455 §5).

It knows the state of the connection, as nothing may follow a close frame (§5.5.1); `Protocol` adds what it receives.
"""

from collections.abc import Callable, Sequence

from wslab.protocol.codec import Codec
from wslab.protocol.errors import CloseCode, ConnectionClosed
from wslab.protocol.events import Message, as_bytes
from wslab.protocol.frames import Frame, Opcode, serialize_close
from wslab.protocol.messages import MessageWriter, RandomMaskingKeys
from wslab.protocol.rules import MAX_CONTROL_PAYLOAD
from wslab.protocol.states import TRANSITIONS, Role, State, Step


class SendingHalf:
    """The half of an endpoint that sends. A client masks each frame with a key that `masking_keys` gives (§5.1, §5.3).

    `close_code` and `close_reason` are those of the peer's close frame, 1006 as long as none has arrived (§7.1.5).
    """

    def __init__(self, role: Role, state: State, codec: Codec, masking_keys: Callable[[], bytes] | None) -> None:
        self.role = role
        self.state = state
        self.close_code: int = CloseCode.ABNORMAL_CLOSURE
        self.close_reason = ""
        keys = (masking_keys or RandomMaskingKeys()) if role is Role.CLIENT else None
        self._writer = MessageWriter(codec, keys)
        # As `data_to_send`, but in pieces: a long message need not be copied to stand behind its header.
        self.pieces_to_send: Callable[[], list[bytes]] = self._writer.take
        self._sent_close_code: int = CloseCode.ABNORMAL_CLOSURE

    def data_to_send(self) -> bytes:
        """The bytes to send now; they are handed out once."""
        return b"".join(self.pieces_to_send())

    def send_messages(self, messages: Sequence[Message]) -> None:
        """Send whole messages, or none: `str` as text, others as binary. Raises ValueError within a fragmented one."""
        if self.state is not State.OPEN:
            self._check_open()
        self._writer.write_messages(messages)

    def send_text(self, text: str, fin: bool = True) -> None:
        """Send a text message, or with `fin=False` a fragment of one. Raises ValueError within a binary message."""
        self._check_open()
        self._writer.write_text(text, fin)

    def send_bytes(self, data: bytes, fin: bool = True) -> None:
        """Send a binary message, or with `fin=False` a fragment of one. Raises ValueError within a text message."""
        self._check_open()
        self._writer.write_binary(data, fin)

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping; its payload of at most 125 bytes comes back in a pong (RFC 6455 §5.5.2)."""
        self._send_control(Opcode.PING, payload)

    def pong(self, payload: bytes = b"") -> None:
        """Send a pong that nobody asked for: a one-way sign of life (RFC 6455 §5.5.3)."""
        self._send_control(Opcode.PONG, payload)

    def close(self, code: int | None = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Send a close frame, `None` for one without a code; nothing can be sent after it.

        Raises ValueError for a code that must not be sent or a reason of more than 123 bytes.
        """
        self._check_open()
        self._send_close(serialize_close(code, reason), CloseCode.NO_STATUS_RECEIVED if code is None else code)

    def _send_control(self, opcode: Opcode, payload: bytes) -> None:
        self._check_open()
        payload = as_bytes(payload)
        if len(payload) > MAX_CONTROL_PAYLOAD:
            raise ValueError(f"a {opcode.name.lower()} has at most {MAX_CONTROL_PAYLOAD} bytes, not {len(payload)}")
        self._writer.write_frame(Frame(opcode, payload))

    def _send_close(self, payload: bytes, code: int) -> None:
        self._writer.write_frame(Frame(Opcode.CLOSE, payload))
        self._sent_close_code = code
        self._step(Step.CLOSE_SENT)

    def _check_open(self) -> None:
        if self.state is State.OPEN:
            return
        if self.state is State.CONNECTING:
            raise RuntimeError("the opening handshake is not done yet")
        code = self._sent_close_code if self.close_code == CloseCode.ABNORMAL_CLOSURE else self.close_code
        raise ConnectionClosed(code, self.close_reason)

    def _step(self, step: Step) -> None:
        self.state = TRANSITIONS[self.state, step]
