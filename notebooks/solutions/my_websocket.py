"""A WebSocket server in one file: the parts of all lessons, and around them a connection that echoes.

Yours may look otherwise: it has the parts under their names, and as a program it prints one line, `Listening on ws://…`.
"""

import codecs
import contextlib
import re
import socket
import sys
import threading
import zlib
from base64 import b64encode
from hashlib import sha1

from wslab import Frame, Opcode, ProtocolError

MAX_HEAD, MAX_SIZE = 16 * 1024, 16 * 1024 * 1024  # bytes
HANDSHAKE = 10.0  # seconds
PARAMETER = re.compile(
    r"((?:server|client)_no_context_takeover)|(server_max_window_bits)\s*=\s*(?:[89]|1[0-5])"
    r"|(client_max_window_bits)(?:\s*=\s*(?:[89]|1[0-5]))?"
)
KEY = re.compile(r"[A-Za-z0-9+/]{22}==")  # 16 bytes in base64
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: str) -> str:
    """The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key."""
    return b64encode(sha1((key + GUID).encode()).digest()).decode()


def wants_websocket(headers: list[tuple[str, str]]) -> bool:
    """Whether the request asks for an upgrade to WebSocket."""
    listed = {(name.lower(), item.strip().lower()) for name, value in headers for item in value.split(",")}
    return {("upgrade", "websocket"), ("connection", "upgrade")} <= listed


def answer_deflate(offers: str) -> str | None:
    """The value of Sec-WebSocket-Extensions in the answer, None to decline."""
    for offer in offers.split(","):
        name, *parameters = [part.strip() for part in offer.split(";")]
        names = {found[1] or found[2] or found[3] for it in parameters if (found := PARAMETER.fullmatch(it))}
        if name == "permessage-deflate" and len(names) == len(parameters):
            return "; ".join([name, *(it for it in parameters if it.startswith("server_"))])
    return None


def apply_mask(data: bytes | bytearray, key: bytes) -> bytes:
    """`data` XORed with the key, repeated."""
    count = len(data)
    repeated = (bytes(key) * (count // 4 + 1))[:count]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(count, "big")


def parse_frame(data: bytes | bytearray) -> tuple[Frame, int] | None:
    """The frame at the start of `data` and how many bytes it has; None while some are missing."""
    if len(data) < 2:
        return None
    fin, opcode, length = data[0] >> 7, data[0] & 0x0F, data[1] & 0x7F
    if opcode not in (0, 1, 2, 8, 9, 10):
        raise ProtocolError(f"opcode {opcode} is reserved")
    if opcode >= 8 and (length > 125 or not fin):
        raise ProtocolError("a control frame is whole and has at most 125 bytes")
    used = 2
    if length > 125:
        used += 2 if length == 126 else 8
        if len(data) < used:
            return None
        length = int.from_bytes(data[2:used], "big")
        if length < (126 if used == 4 else 65536) or length >= 1 << 63:
            raise ProtocolError(f"length {length} is not in its shortest form, or its top bit is set")
    key = bytes(4)  # which changes nothing
    if data[1] & 0x80:
        key = bytes(data[used : used + 4])
        used += 4
    if len(data) < used + length:
        return None
    payload = apply_mask(data[used : used + length], key)
    rsv1, rsv2, rsv3 = (bool(data[0] & bit) for bit in (0x40, 0x20, 0x10))
    return Frame(Opcode(opcode), payload, bool(fin), rsv1, rsv2, rsv3), used + length


def serialize_frame(frame: Frame, masking_key: bytes | None = None) -> bytes:
    """The bytes of a frame, masked if there is a key."""
    payload = bytes(frame.payload)
    length = len(payload)
    first = frame.fin << 7 | frame.rsv1 << 6 | frame.rsv2 << 5 | frame.rsv3 << 4 | frame.opcode
    mask_bit = 0 if masking_key is None else 0x80
    told = length if length < 126 else 126 if length < 65536 else 127
    size = {126: 2, 127: 8}.get(told)
    header = bytes([first, mask_bit | told]) + (length.to_bytes(size, "big") if size else b"")
    if masking_key is None:
        return header + payload
    return header + bytes(masking_key) + apply_mask(payload, masking_key)


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
            try:
                messages.append(payload.decode() if kind == Opcode.TEXT else payload)
            except UnicodeDecodeError:
                raise ProtocolError("the text is not UTF-8", 1007) from None
            kind = None
    return messages


ASSIGNED = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}


def parse_close(payload: bytes) -> tuple[int, str]:
    """The code and the reason in the payload of a close frame."""
    if not payload:
        return 1005, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or (code not in ASSIGNED and not 3000 <= code <= 4999):
        raise ProtocolError(f"{bytes(payload[:2]).hex()} is no close code", 1002)
    try:
        return code, bytes(payload[2:]).decode()
    except UnicodeDecodeError:
        raise ProtocolError("the reason is not UTF-8", 1007) from None


def serialize_close(code: int, reason: str = "") -> bytes:
    """The payload of a close frame."""
    if code not in ASSIGNED and not 3000 <= code <= 4999:
        raise ValueError(f"{code} must not be sent")
    cut = reason.encode()[:123]
    return code.to_bytes(2, "big") + cut.decode(errors="ignore").encode()


def deflate_message(payload: bytes) -> bytes:
    """One message, compressed by itself."""
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


def inflate_message(data: bytes, max_size: int) -> bytes:
    """One message, decompressed, at most `max_size` bytes of it."""
    decompressor = zlib.decompressobj(wbits=-15)
    try:
        payload = decompressor.decompress(bytes(data) + b"\x00\x00\xff\xff", max_size + 1)
    except zlib.error:
        raise ProtocolError("the message is not DEFLATE", 1007) from None
    if len(payload) > max_size:
        raise ProtocolError(f"the message has more than {max_size} bytes", 1009)
    return payload


class Connection:
    """One TCP connection: a handshake, then messages that go back as they came, until one side closes."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.arrived = sock, bytearray()
        self.inflates = self.deflates = False

    def serve(self) -> None:
        """Live from the first byte to the last."""
        with self.sock, contextlib.suppress(OSError, EOFError):
            self.sock.settimeout(HANDSHAKE)
            if self.shake_hands():
                self.sock.settimeout(None)
                try:
                    self.echo()
                except ProtocolError as error:
                    self.send(Opcode.CLOSE, serialize_close(error.code, error.reason))
                self.sock.shutdown(socket.SHUT_WR)
                while self.sock.recv(65536):  # until the client has ended too: what it still sends must not reset TCP
                    pass

    def receive(self) -> None:
        """Wait for more bytes. Raises EOFError if the client has ended."""
        piece = self.sock.recv(65536)
        if not piece:
            raise EOFError
        self.arrived += piece

    def shake_hands(self) -> bool:
        """Read the request and answer it; whether there is a WebSocket now."""
        while b"\r\n\r\n" not in self.arrived:
            if len(self.arrived) > MAX_HEAD:
                return self.refuse("431 Request Header Fields Too Large")
            self.receive()
        head, _, rest = bytes(self.arrived).partition(b"\r\n\r\n")
        self.arrived = bytearray(rest)
        start, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        values: dict[str, str] = {}
        for name, value in headers:  # a list may go on in another line of its name
            values[name.lower()] = ", ".join(filter(None, [values.get(name.lower()), value]))
        if not wants_websocket(headers) or values.get("sec-websocket-version") != "13":
            return self.refuse("426 Upgrade Required", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
        key = values.get("sec-websocket-key", "")
        if not re.fullmatch(r"GET \S+ HTTP/1\.1", start) or "host" not in values or not KEY.fullmatch(key):
            return self.refuse("400 Bad Request")
        self.agree(key, values.get("sec-websocket-extensions", ""))
        return True

    def refuse(self, status: str, *lines: str) -> bool:
        """Answer with an error and no WebSocket."""
        self.sock.sendall("\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *lines, "", ""]).encode())
        return False

    def agree(self, key: str, offers: str) -> None:
        """Answer the handshake with 101."""
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Accept: {accept_key(key)}"]
        if answer := answer_deflate(offers):
            # inflate_message keeps no context, so the client must keep none. deflate_message knows no smaller window:
            # where one is asked for, messages go out as they are, which is always allowed.
            self.inflates, self.deflates = True, "server_max_window_bits" not in answer
            lines.append(f"Sec-WebSocket-Extensions: {answer}; client_no_context_takeover")
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode())

    def echo(self) -> None:
        """Send each message back, answer pings, and return after the closing handshake."""
        message: list[Frame] = []
        while True:
            frame = self.next_frame()
            if frame.opcode == Opcode.PING:
                self.send(Opcode.PONG, frame.payload)
            elif frame.opcode == Opcode.CLOSE:
                code, _ = parse_close(frame.payload)
                return self.send(Opcode.CLOSE, b"" if code == 1005 else serialize_close(code))
            elif frame.opcode != Opcode.PONG:
                message.append(frame)
                self.check(message)
                if frame.fin:
                    self.answer(message)
                    message = []

    def next_frame(self) -> Frame:
        """The next frame, which a client must have masked."""
        while True:
            if len(self.arrived) >= 2 and not self.arrived[1] & 0x80:
                raise ProtocolError("a client masks its frames", 1002)
            if parsed := parse_frame(self.arrived):
                frame, used = parsed
                del self.arrived[:used]
                if frame.rsv2 or frame.rsv3 or (frame.rsv1 and (frame.opcode not in (1, 2) or not self.inflates)):
                    raise ProtocolError("a reserved bit is set", 1002)
                return frame
            if len(self.arrived) > MAX_SIZE + 14:
                raise ProtocolError(f"a frame has at most {MAX_SIZE} bytes", 1009)
            self.receive()

    def check(self, message: list[Frame]) -> None:
        """Refuse what cannot become a message, as early as it shows."""
        frame = message[-1]
        if (frame.opcode == Opcode.CONTINUATION) != (len(message) > 1):
            raise ProtocolError("a message begins with text or binary, and continuations go on with it", 1002)
        if len(message) == 1:
            self.size, self.decoder = 0, codecs.getincrementaldecoder("utf-8")()
        self.size += len(frame.payload) + 2  # of its header, so that there is an end of empty fragments, too
        if self.size > MAX_SIZE:
            raise ProtocolError(f"a message has at most {MAX_SIZE} bytes", 1009)
        if message[0].opcode == Opcode.TEXT and not message[0].rsv1:
            try:
                self.decoder.decode(frame.payload, frame.fin)
            except UnicodeDecodeError:
                raise ProtocolError("the text is not UTF-8", 1007) from None

    def answer(self, message: list[Frame]) -> None:
        """Send a whole message back."""
        if message[0].rsv1:
            payload = inflate_message(b"".join(frame.payload for frame in message), MAX_SIZE)
            message = [Frame(message[0].opcode, payload)]
        for said in join_messages(message):
            opcode, data = (Opcode.TEXT, said.encode()) if isinstance(said, str) else (Opcode.BINARY, said)
            self.send(opcode, deflate_message(data) if self.deflates else data, rsv1=self.deflates)

    def send(self, opcode: Opcode, payload: bytes, rsv1: bool = False) -> None:
        """Send one frame; a server masks none."""
        self.sock.sendall(serialize_frame(Frame(opcode, payload, rsv1=rsv1)))


def main() -> None:
    """Serve on a port that is free, or on the one that is named, a thread for each connection."""
    with socket.create_server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0)) as listener:
        print(f"Listening on ws://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        while True:
            threading.Thread(target=Connection(listener.accept()[0]).serve, daemon=True).start()


if __name__ == "__main__":
    main()
