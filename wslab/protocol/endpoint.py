"""Protocol: one WebSocket connection without a socket; bytes in, events and bytes out (RFC 6455, RFC 7692)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from wslab.protocol import handshake
from wslab.protocol.batch import parse_messages
from wslab.protocol.codec import Codec
from wslab.protocol.deflate import Decompressor, PermessageDeflate, answer_offers, build_offer, check_answer
from wslab.protocol.errors import CloseCode, ConnectionClosed, HandshakeError, PartError, ProtocolError
from wslab.protocol.events import Close, Event, Message, Ping, Pong, as_event
from wslab.protocol.frames import MAX_CONTROL_PAYLOAD, Frame, FrameHeader, Opcode, parse_close, serialize_close
from wslab.protocol.http import MAX_BODY_SIZE, Headers, Request, Response, build_refusal
from wslab.protocol.limits import Limits
from wslab.protocol.messages import MessageReader
from wslab.protocol.states import TRANSITIONS, Role, State, Step
from wslab.protocol.writer import MessageWriter, unpredictable_keys


@dataclass
class _Partial:
    """A data frame whose payload is still arriving: `missing` bytes of it; the key is turned to the next of them."""

    missing: int
    fin: bool
    masking_key: bytes | None


class Protocol:
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
        self.role = Role(role)
        self.state = state
        self.request: Request | None = None
        self.response: Response | None = None
        self.subprotocol: str | None = None
        self.permessage_deflate: PermessageDeflate | None = None
        self.close_code: int = CloseCode.ABNORMAL_CLOSURE
        self.close_reason = ""
        self.withheld = False
        self._deflate = deflate
        self._limits = limits or Limits()
        self._codec = codec or Codec()
        self._reads_in_bulk = self._codec.reads_in_bulk
        self._writer = MessageWriter(
            self._codec, (masking_keys or unpredictable_keys().__next__) if self.role is Role.CLIENT else None
        )
        self._buffer = bytearray()  # received in earlier calls, not yet used
        self._needed = 0  # how much must be in it before it is worth looking at again
        self._unread = b""  # the same and what came since, while `receive` runs, used up to `position`
        self._position = 0
        self._room = 0  # how many bytes of messages `receive` may still give at once
        self._partial: _Partial | None = None
        self._held_error: ProtocolError | PartError | None = None
        self._ignores_input = False
        self._sent_close_code: int = CloseCode.ABNORMAL_CLOSURE
        self._use_deflate(permessage_deflate)

    # The opening handshake

    def connect(self, request: Request) -> None:
        """Client: send the request that opens the connection, with an offer of permessage-deflate if wished for."""
        offers = [str(build_offer(self._deflate))] if self._deflate else []
        lines = [*request.headers, *(("Sec-WebSocket-Extensions", offer) for offer in offers)]
        self.request = Request(request.method, request.target, Headers(tuple(lines)), request.version)
        self._writer.write_head(self.request.serialize())

    def accept(self, *, subprotocols: Sequence[str] = (), headers: Iterable[tuple[str, str]] = ()) -> Response:
        """Server: agree to the request, with the first of the client's subprotocols that is in `subprotocols`.

        Raises HandshakeError, to be given to `reject`, if the request is not a WebSocket handshake.
        """
        request = self._arrived_request()
        self._codec.check_request(request)
        offered = handshake.offered_subprotocols(request)
        extensions = handshake.parse_extensions(request.headers.get("Sec-WebSocket-Extensions"))
        self.subprotocol = next((name for name in offered if name in subprotocols), None)
        agreed, answer = answer_offers(extensions, self._deflate) if self._deflate else (None, None)
        self.response = self._codec.build_response(
            request, subprotocol=self.subprotocol, extensions=str(answer or ""), headers=headers
        )
        self._writer.write_head(self.response.serialize())
        self._use_deflate(agreed)
        self._step(Step.HANDSHAKE_DONE)
        self.withheld = bool(self._buffer)
        return self.response

    def reject(self, error: HandshakeError) -> Response:
        """Server: refuse the handshake with the status and the reason of `error`; TCP is to be closed after it."""
        return self.answer(build_refusal(error))

    def answer(self, response: Response) -> Response:
        """Server: answer with plain HTTP instead of a handshake; TCP is to be closed after it."""
        self.response = response
        if self.request is not None and self.request.method == "HEAD":  # RFC 9110 §9.3.2: no body, whatever its length
            self.response = replace(self.response, body=b"")
        self._writer.write_head(self.response.serialize())
        self._ignores_input = True
        return self.response

    def request_body(self, length: int) -> bytes | None:
        """Server: the `length` bytes behind the head of the request; None while they have not all arrived."""
        return bytes(self._buffer[:length]) if len(self._buffer) >= length else None

    def _arrived_request(self) -> Request:
        if self.request is None:
            raise RuntimeError("no request has arrived yet")
        return self.request

    def _use_deflate(self, agreed: PermessageDeflate | None) -> None:
        self.permessage_deflate = agreed
        inflate, max_size = self._codec.inflate, self._limits.max_size
        self._reader = MessageReader(max_size, inflate)
        if agreed is None:
            return
        server = (agreed.server_max_window_bits, not agreed.server_no_context_takeover)
        client = (agreed.client_max_window_bits, not agreed.client_no_context_takeover)
        mine, theirs = (server, client) if self.role is Role.SERVER else (client, server)
        self._writer.compress(*mine)
        self._reader = MessageReader(max_size, inflate, lambda: Decompressor(theirs[0]), theirs[1])

    # Receiving

    def receive_data(self, data: bytes = b"") -> list[Event]:
        """Take in `data`; return the events that it completes, in order.

        A close frame or a fault behind other events is withheld until the next call, so that what arrived before it
        can still be answered (RFC 6455 §5.5.1), and so is what comes behind more than `max_size` bytes of messages.
        `withheld` then says that `receive_data()` has more to give without new bytes, as it has after `accept` when
        frames came glued to the request. Raises ProtocolError for a fault: the close frame that tells the peer is
        then among the data to send, and later bytes are ignored.
        """
        return [as_event(received) for received in self.receive(data)]

    def receive(self, data: bytes = b"") -> list[Message | Event]:
        """As `receive_data`, but a message stands for itself: `str` for text, `bytes` for binary."""
        self.withheld = False
        if self._ignores_input:
            return []
        if self._buffer or len(data) < self._needed:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return []
            data = bytes(self._buffer)
        received: list[Message | Event] = []
        self._unread, self._position, self._needed, self._room = data, 0, 0, self._limits.max_size
        try:
            if self._held_error:
                raise self._held_error
            while self._position < len(self._unread) and self._receive_next(received):
                if self._room < 0:  # the messages in one read may be a thousand times as long when decompressed
                    self.withheld = self._position < len(self._unread)
                    break
        except (ProtocolError, PartError) as error:
            if not received:
                if isinstance(error, ProtocolError):
                    self.fail(error)
                raise
            self._held_error, self.withheld = error, True
        finally:
            rest = b"" if self._ignores_input else self._unread[self._position :]
            if rest or self._buffer:
                self._buffer = bytearray(rest)
            self._unread = b""
        return received

    def receive_eof(self) -> None:
        """Take in the end of the TCP connection, which closes this one, cleanly or not (RFC 6455 §7.1.4, §7.1.5)."""
        if self.state is not State.CLOSED:
            self._step(Step.TCP_CLOSED)
            self._ignores_input = True

    def _receive_next(self, received: list[Message | Event]) -> bool:
        """Take in what comes next, and add what it completes to `received`; False if that needs more bytes."""
        if self._ignores_input:
            return False
        if self.state is State.CONNECTING:
            return self._receive_handshake(received)
        if self._partial is not None:
            return self._receive_payload(self._partial, received)
        if self._reads_in_bulk and self._reader.is_between_messages:
            masked, max_size = self.role is Role.SERVER, self._limits.max_size
            messages, self._position = parse_messages(self._unread, self._position, masked, max_size)
            if messages:
                received += messages
                return True
        return self._receive_frame(received)

    def _receive_handshake(self, received: list[Message | Event]) -> bool:
        if self.role is Role.SERVER and self.request is not None:
            return False  # accept or reject comes first
        data = self._unread
        if self.role is Role.CLIENT and self.request is not None:
            found: tuple[Request | Response, int] | None = self._codec.parse_response(data)
        else:
            found = self._codec.parse_request(data)
        status, body = (431, 0) if self.role is Role.SERVER else (0, MAX_BODY_SIZE)
        if (len(data) if found is None else found[1]) > self._limits.max_header_size + body:
            raise HandshakeError(f"a header block of more than {self._limits.max_header_size} bytes", status)
        if found is None:
            return False
        head, used = found
        if len(head.headers) > self._limits.max_headers:
            raise HandshakeError(f"more than {self._limits.max_headers} header lines", status)
        self._position += used
        if isinstance(head, Response):
            self._receive_response(head)
        else:
            self.request = head
        received.append(head)
        return True

    def _receive_response(self, response: Response) -> None:
        request = self._arrived_request()
        self._codec.check_response(response, request)
        try:
            answers = handshake.parse_extensions(response.headers.get("Sec-WebSocket-Extensions"))
        except HandshakeError as error:
            raise HandshakeError(error.reason, response.status) from None
        if len(answers) > 1 or (answers and self._deflate is None):
            raise HandshakeError("the server answered with extensions that were not offered", response.status)
        agreed = check_answer(answers[0], self._deflate) if answers and self._deflate else None
        self.response, self.subprotocol = response, response.headers.get("Sec-WebSocket-Protocol") or None
        self._use_deflate(agreed)
        self._step(Step.HANDSHAKE_DONE)

    def _receive_frame(self, received: list[Message | Event]) -> bool:
        rest = memoryview(self._unread)[self._position :]
        header = self._codec.parse_header(rest) if self._codec.reads_in_pieces else None
        if header and not header[0].opcode.is_control:
            return self._begin_payload(*header, rest[1], received)
        parsed = self._codec.parse_frame(rest)
        if parsed is None:
            return self._await_frame(rest)
        frame, used = parsed
        if frame.opcode is Opcode.CLOSE and received:
            self.withheld = True
            return False
        self._check(frame, rest[1], len(frame.payload))
        self._position += used
        if frame.opcode.is_control:
            received.append(self._receive_control(frame))
        else:
            self._reader.begin_frame(frame.opcode, frame.rsv1)
            self._feed(frame.payload, frame.fin, received)
        return True

    def _await_frame(self, rest: memoryview) -> bool:
        """Judge a frame that must be read as a whole by its header, and wait for the rest of it."""
        if (parsed := self._codec.parse_header(rest)) is not None:
            header, header_size = parsed
            self._check(header, rest[1], header.payload_length)
            self._needed = header_size + header.payload_length
        return False

    def _check(self, frame: Frame | FrameHeader, second_byte: int, length: int) -> None:
        masked = bool(second_byte & 0b1000_0000)
        if masked is (self.role is Role.CLIENT):  # §5.1: a client masks all frames, a server none
            raise ProtocolError(f"a {'masked frame from a server' if masked else 'frame from a client without a mask'}")
        if frame.rsv2 or frame.rsv3 or (frame.rsv1 and frame.opcode.is_control):
            raise ProtocolError("a reserved bit is set that no extension uses")
        if not frame.opcode.is_control:
            self._reader.check(frame.opcode, frame.rsv1, length)

    def _begin_payload(
        self, header: FrameHeader, header_size: int, second_byte: int, received: list[Message | Event]
    ) -> bool:
        self._check(header, second_byte, header.payload_length)
        self._position += header_size
        self._reader.begin_frame(header.opcode, header.rsv1)
        self._partial = _Partial(header.payload_length, header.fin, header.masking_key)
        return self._receive_payload(self._partial, received)

    def _receive_payload(self, partial: _Partial, received: list[Message | Event]) -> bool:
        """Take in what has arrived of the payload of a data frame: a fault in it is found with its first byte."""
        piece = memoryview(self._unread)[self._position : self._position + partial.missing]
        self._position += len(piece)
        partial.missing -= len(piece)
        key, turn = partial.masking_key, len(piece) % 4
        payload = self._codec.apply_mask(piece, key) if key else bytes(piece)
        partial.masking_key = key[turn:] + key[:turn] if key else None
        if partial.missing:
            self._reader.feed(payload)
        else:
            self._partial = None
            self._feed(payload, partial.fin, received)
        return True

    def _feed(self, payload: bytes, fin: bool, received: list[Message | Event]) -> None:
        """Take in the last piece of a data frame, and its message if it ends with it."""
        self._reader.feed(payload, fin)
        if fin:
            received.append(message := self._reader.finish())
            self._room -= len(message)

    def _receive_control(self, frame: Frame) -> Event:
        match frame.opcode:
            case Opcode.PING:
                if self.state is State.OPEN:  # §5.5.2: answer a ping, with its own payload
                    self._writer.write_frame(Frame(Opcode.PONG, frame.payload))
                return Ping(frame.payload)
            case Opcode.PONG:
                return Pong(frame.payload)
        return self._receive_close(frame.payload)

    def _receive_close(self, payload: bytes) -> Close:
        code, reason = parse_close(payload)
        self.close_code, self.close_reason = code, reason
        answer = self.state is State.OPEN
        self._step(Step.CLOSE_RECEIVED)
        if answer:  # §5.5.1: answer a close frame with a close frame, with the same code
            self._send_close(payload[:2], code)
        self._ignores_input = True
        return Close(code, reason)

    # Sending

    def data_to_send(self) -> bytes:
        """The bytes to send now; they are handed out once."""
        return b"".join(self.pieces_to_send())

    def pieces_to_send(self) -> list[bytes]:
        """As `data_to_send`, but in pieces: a long message need not be copied to stand behind its header."""
        return self._writer.take()

    def send_messages(self, messages: Sequence[Message]) -> None:
        """Send messages, one after the other: `str` as text, anything like `bytes` as binary."""
        self._check_open()
        self._writer.write_messages(messages)

    def send_text(self, text: str, fin: bool = True) -> None:
        """Send a text message, or a fragment of it with `fin=False`; the fragments after it continue it.

        Raises ValueError while a fragmented binary message is being sent.
        """
        self._check_open()
        self._writer.write_text(text, fin)

    def send_bytes(self, data: bytes, fin: bool = True) -> None:
        """Send a binary message, or a fragment of it with `fin=False`; the fragments after it continue it.

        Raises ValueError while a fragmented text message is being sent.
        """
        self._check_open()
        self._writer.write_binary(data, fin)

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping; the peer answers it with a pong that has the same payload of at most 125 bytes."""
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

    def fail(self, error: ProtocolError) -> None:
        """Fail the connection: tell the peer why, and ignore what it sends from now on (RFC 6455 §7.1.7)."""
        if self.state is State.CONNECTING:
            if self.role is Role.SERVER and isinstance(error, HandshakeError):
                self.reject(error)
        elif self.state is State.OPEN:
            reason = error.reason.encode()[: MAX_CONTROL_PAYLOAD - 2].decode(errors="ignore")
            self._send_close(serialize_close(error.code, reason), error.code)
        self._ignores_input = True

    def _send_control(self, opcode: Opcode, payload: bytes) -> None:
        self._check_open()
        if len(payload) > MAX_CONTROL_PAYLOAD:
            raise ValueError(f"a {opcode.name.lower()} has at most {MAX_CONTROL_PAYLOAD} bytes, not {len(payload)}")
        self._writer.write_frame(Frame(opcode, bytes(payload)))

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
