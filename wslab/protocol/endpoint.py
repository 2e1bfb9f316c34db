"""Protocol: one end of a WebSocket connection without a socket; bytes in, events and bytes out (RFC 6455, RFC 7692).

Strategy: bytes go into one buffer; while the connection is CONNECTING, the opening handshake reads heads from it, then
`FrameReader` frames. What comes out is collected as events until the buffer is empty or something must be answered
first. What is sent is the matter of `SendingHalf`. Nothing here waits, and nothing is safe to be called by two threads
at once: whoever owns the socket holds a lock.
"""

from collections.abc import Callable, Sequence

from wslab.protocol.batch import parse_messages
from wslab.protocol.buffer import ReceiveBuffer
from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.errors import HandshakeError, PartError, ProtocolError
from wslab.protocol.events import Close, Event, Message, Ping, Pong, as_event
from wslab.protocol.frames import Frame, Opcode, parse_close, serialize_close
from wslab.protocol.http import HeaderLines, Request, Response, build_refusal
from wslab.protocol.limits import Limits
from wslab.protocol.messages import MessageReader
from wslab.protocol.opening import OpeningHandshake
from wslab.protocol.reader import FrameReader, IncomingFrame
from wslab.protocol.rules import MAX_CONTROL_PAYLOAD
from wslab.protocol.sending import SendingHalf
from wslab.protocol.states import Role, State, Step


class Protocol(SendingHalf):
    """One end of a WebSocket connection, from the first byte of the handshake to the last of the closing handshake.

    Feed what arrives to `receive_data` and send what `data_to_send` returns. `state=State.OPEN` begins after the
    handshake, with `permessage_deflate` as agreed in it.

    >>> client, server = Protocol("client", state=State.OPEN), Protocol("server", state=State.OPEN)
    >>> client.send_text("Hello")
    >>> server.receive_data(client.data_to_send())
    [Text(data='Hello')]
    """

    def __init__(
        self,
        role: Role | str,
        *,
        deflate: PermessageDeflate | None = None,
        limits: Limits | None = None,
        codec: Codec | None = None,
        masking_keys: Callable[[], bytes] | None = None,
        state: State = State.CONNECTING,
        permessage_deflate: PermessageDeflate | None = None,
    ) -> None:
        self._codec = codec or Codec()
        super().__init__(Role(role), state, self._codec, masking_keys)
        self.withheld = False
        self._limits = limits or Limits()
        self._handshake = OpeningHandshake(self.role, self._codec, self._limits, deflate)
        self._buffer = ReceiveBuffer()
        self._budget = 0  # how many bytes of messages `receive` may still give at once
        self._control = b""  # the payload of a control frame, as far as it has arrived
        self._held: ProtocolError | PartError | bytes | None = None  # a fault, or the payload of a close frame
        self._ignores_input = False
        self._is_masked = self.role is Role.SERVER  # what is received (§5.1)
        self._is_idle = False  # nothing has begun: what is read next are whole messages, most of the time
        self._reads_in_batches = False
        self.permessage_deflate: PermessageDeflate | None = None
        if state is not State.CONNECTING:
            self._begin_frames(permessage_deflate)

    # The opening handshake

    @property
    def request(self) -> Request | None:
        """The client's handshake request, once it has been sent or has arrived."""
        return self._handshake.request

    @property
    def response(self) -> Response | None:
        """The server's handshake response, likewise."""
        return self._handshake.response

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that was agreed on."""
        return self._handshake.subprotocol

    def connect(self, request: Request) -> None:
        """Client: send the request that opens the connection, with an offer of permessage-deflate if wished for."""
        self._writer.write_head(self._handshake.ask(request).serialize())

    def accept(self, *, subprotocols: Sequence[str] = (), headers: HeaderLines = ()) -> Response:
        """Server: agree to the request, with its first one of `subprotocols`. Raises HandshakeError, for `reject`."""
        response = self._handshake.accept(subprotocols, headers)
        self._writer.write_head(response.serialize())
        self._begin_frames(self._handshake.permessage_deflate)
        self._step(Step.HANDSHAKE_DONE)
        self.withheld = bool(self._buffer)
        return response

    def reject(self, error: HandshakeError) -> Response:
        """Server: refuse the handshake with the status and the reason of `error`; TCP is to be closed after it."""
        return self.answer(build_refusal(error))

    def answer(self, response: Response) -> Response:
        """Server: answer with plain HTTP instead of a handshake; TCP is to be closed after it."""
        response = self._handshake.answer(response)
        self._writer.write_head(response.serialize())
        self._ignore_input()
        return response

    def request_body(self, length: int) -> bytes | None:
        """Server: the `length` bytes after the head of the request; None while they have not all arrived."""
        return self._buffer.peek(length)

    def end_refusal(self) -> None:
        """Client: do not wait for the rest of a refusal. Raises HandshakeError if its head has arrived."""
        self._handshake.end_refusal()

    def _begin_frames(self, agreed: PermessageDeflate | None) -> None:
        """Read and write frames from now on, compressed as was agreed."""
        self.permessage_deflate = agreed
        sender = Role.CLIENT if self.role is Role.SERVER else Role.SERVER
        self._frames = FrameReader(sender, self._codec, has_deflate=agreed is not None, buffer=self._buffer)
        window = agreed.window_of(sender) if agreed else ()
        self._messages = MessageReader(self._limits.max_size, self._codec.inflate, *window)
        self._reads_in_batches = agreed is None and self._codec.reads_in_batches
        if agreed is not None:
            self._writer.compress(*agreed.window_of(self.role))

    # Receiving

    def receive_data(self, data: bytes = b"") -> list[Event]:
        """Take in `data`; return the events that it completes, in order.

        A close frame or a fault after other events is withheld until the next call, so that what arrived before it
        can still be answered (RFC 6455 §5.5.1), and so is what comes after more than `max_size` bytes of messages.
        `withheld` then says that `receive_data()` has more to give without new bytes, as it has after `accept` when
        frames arrived together with the request. Raises ProtocolError for a fault: the close frame that tells the peer
        is then among the data to send, and later bytes are ignored.
        """
        return [as_event(received) for received in self.receive(data)]

    def receive(self, data: bytes = b"") -> list[Message | Event]:
        """As `receive_data`, but a message stands for itself: `str` for text, `bytes` for binary."""
        received: list[Message | Event] = []
        used = 0
        if self._is_idle:
            messages, used = parse_messages(data, 0, self._is_masked, self._limits.max_size)
            if used == len(data):
                return [*messages]
            received += messages
        self.withheld = False
        is_due = self.state is not State.CONNECTING or self._handshake.is_due(data)
        if self._ignores_input or not self._buffer.open(data, is_due):
            return received
        self._buffer.position, self._budget = used, self._limits.max_size
        self._receive_all(received)
        return received

    def _receive_all(self, received: list[Message | Event]) -> None:
        """Take in all that is in the buffer, as far as it may be given at once."""
        try:
            if isinstance(self._held, bytes):
                received.append(self._receive_close(self._held))
            elif self._held is not None:
                raise self._held
            while self._buffer.has_more and self._receive_next(received):
                if self._budget < 0:  # the messages in one read may be a thousand times as long when decompressed
                    self.withheld = self._buffer.has_more
                    break
        except (ProtocolError, PartError) as error:
            if not received:
                if isinstance(error, ProtocolError):
                    self.fail(error)
                raise
            self._held, self.withheld = error, True
        finally:
            if self._ignores_input:
                self._buffer.clear()
            else:
                self._buffer.close()
            self._is_idle = self._reads_in_batches and not self.withheld and self._has_nothing_begun()

    def _has_nothing_begun(self) -> bool:
        return self.state is not State.CONNECTING and self._frames.is_between_messages and not self._buffer

    def _ignore_input(self) -> None:
        self._ignores_input, self._reads_in_batches, self._is_idle = True, False, False

    def receive_eof(self) -> None:
        """Take in the end of the TCP connection, which closes this one, cleanly or not (RFC 6455 §7.1.4, §7.1.5)."""
        if self.state is not State.CLOSED:
            self._step(Step.TCP_CLOSED)
            self._ignore_input()

    def fail(self, error: ProtocolError) -> None:
        """Fail the connection: tell the peer why, and ignore what it sends from now on (RFC 6455 §7.1.7)."""
        if self.state is State.CONNECTING and self.role is Role.SERVER and isinstance(error, HandshakeError):
            self.reject(error)
        elif self.state is State.OPEN:
            reason = error.reason.encode()[: MAX_CONTROL_PAYLOAD - 2].decode(errors="ignore")
            self._send_close(serialize_close(error.code, reason), error.code)
        self._ignore_input()

    def _receive_next(self, received: list[Message | Event]) -> bool:
        """Take in what comes next, and add what it completes to `received`; False if that needs more bytes."""
        if self._ignores_input:
            return False
        if self.state is State.CONNECTING:
            return self._receive_head(received)
        if self._reads_in_batches and self._frames.is_between_messages:
            buffer, max_size = self._buffer, self._limits.max_size
            messages, buffer.position = parse_messages(buffer.data, buffer.position, self._is_masked, max_size)
            if messages:
                received += messages
                return True
        return self._receive_frame(received)

    def _receive_head(self, received: list[Message | Event]) -> bool:
        if (found := self._handshake.receive(self._buffer.data[self._buffer.position :])) is None:
            return False
        head, used = found
        self._buffer.position += used
        if self.role is Role.CLIENT and self.response is not None:
            self._begin_frames(self._handshake.permessage_deflate)
            self._step(Step.HANDSHAKE_DONE)
        if head is not None:
            received.append(head)
        return True

    def _receive_frame(self, received: list[Message | Event]) -> bool:
        if (frame := self._frames.read()) is None:
            return False
        is_control = frame.header.opcode >= Opcode.CLOSE
        if frame.is_new:
            if frame.violations:
                raise frame.violations[0].error()
            if not is_control:
                self._messages.check_size(frame)
        if frame.is_foreseen:
            return False
        if is_control:
            return self._receive_control(frame, received)
        if (message := self._messages.read(frame)) is not None:
            received.append(message)
            self._budget -= len(message)
        return True

    def _receive_control(self, frame: IncomingFrame, received: list[Message | Event]) -> bool:
        """Take in a piece of a control frame, which has 125 bytes at most; False if it must be answered later."""
        payload = self._control + frame.piece
        self._control = payload if frame.missing else b""
        if frame.missing:
            return True
        match frame.header.opcode:
            case Opcode.PING:
                self._writer.write_frame(Frame(Opcode.PONG, payload))  # §5.5.2: unless a close frame has arrived
                received.append(Ping(payload))
            case Opcode.PONG:
                received.append(Pong(payload))
            case _ if received:
                self._held, self.withheld = payload, True
                return False
            case _:
                received.append(self._receive_close(payload))
        return True

    def _receive_close(self, payload: bytes) -> Close:
        code, reason = parse_close(payload)
        self.close_code, self.close_reason = code, reason
        answer = self.state is State.OPEN
        self._step(Step.CLOSE_RECEIVED)
        if answer:  # §5.5.1: answer a close frame with a close frame, with the same code
            self._send_close(payload[:2], code)
        self._ignore_input()
        return Close(code, reason)
