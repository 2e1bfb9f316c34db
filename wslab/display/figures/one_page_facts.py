"""one_page_facts: what the one page says, taken from the functions, enums and rules that wslab obeys."""

from collections.abc import Iterator
from dataclasses import dataclass

from wslab.protocol.deflate import NAME as PERMESSAGE_DEFLATE
from wslab.protocol.errors import NEVER_ON_THE_WIRE, CloseCode, is_valid_close_code
from wslab.protocol.frames import Frame, serialize_frame
from wslab.protocol.handshake import GUID, VERSION, build_request, build_response
from wslab.protocol.opcodes import OPCODES, Opcode
from wslab.protocol.rules import MAX_CONTROL_PAYLOAD
from wslab.protocol.states import TRANSITIONS, State

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 §1.3
RANGES = ((0, 125), (126, 2**16 - 1), (2**16, 2**63 - 1))  # §5.2: lengths that are written in the same form
KEY_SIZE = 4

# The bits of the first two bytes, and how many each takes (§5.2).
BITS = (("FIN", 1), ("RSV1", 1), ("RSV2", 1), ("RSV3", 1), ("opcode", 4), ("MASK", 1), ("length", 7))

PURPOSES = {
    Opcode.CONTINUATION: "goes on with a message",
    Opcode.TEXT: "begins a message of UTF-8",
    Opcode.BINARY: "begins a message of bytes",
    Opcode.CLOSE: "the goodbye, answered by one",
    Opcode.PING: "is answered by a pong",
    Opcode.PONG: "has the payload of its ping",
}
REPORTS = {
    CloseCode.NO_STATUS_RECEIVED: "no code came",
    CloseCode.ABNORMAL_CLOSURE: "no close frame came",
    CloseCode.TLS_HANDSHAKE: "TLS failed",
}
ONE_SIDED = {CloseCode.MANDATORY_EXTENSION: "client"}
ONE_SIDED |= dict.fromkeys(
    (CloseCode.INTERNAL_ERROR, CloseCode.SERVICE_RESTART, CloseCode.TRY_AGAIN_LATER, CloseCode.BAD_GATEWAY), "server"
)
OWN_CODES = ((3000, 3999, "of libraries"), (4000, 4999, "of your own"))

SERVER_CHECKS = (
    "The server checks: GET, HTTP/1.1, Host, Upgrade, Connection, a key",
    f"of 16 bytes, version {VERSION}; and Origin, unless every page may connect.",
    "If something is missing, it answers with 4xx.",
)
CLIENT_CHECKS = (
    "The client checks: 101, Upgrade, Connection, Accept. The server",
    "chooses only from the subprotocols and extensions in the offer.",
    "If anything is wrong, the client ends TCP.",
)
ACCEPT = f'Sec-WebSocket-Accept = base64(SHA-1(key + "{GUID}")), the key as it is written: in base64'

FRAME_RULES = (
    "A client masks every frame, each with a new random key: byte i of the payload ^ key[i % 4]. A server masks none.",
    "The shortest form that holds the length is the only legal one. Its bytes stand in network order: highest first.",
    f"Control frames (opcodes from 8): at most {MAX_CONTROL_PAYLOAD} bytes, FIN = 1. They may stand between fragments.",
    "A message in fragments: text or binary with FIN = 0, continuations with FIN = 0, the last one with FIN = 1.",
    f"RSV1 is 1 on the first frame of a compressed message ({PERMESSAGE_DEFLATE}). All other reserved bits are 0.",
    f"A frame that breaks a rule: close {CloseCode.PROTOCOL_ERROR:d}. Text that is not UTF-8: close "
    f"{CloseCode.INVALID_PAYLOAD_DATA:d}. A message that is too big: close {CloseCode.MESSAGE_TOO_BIG:d}.",
)
END_RULES = (
    f"Either side begins. A reason has up to {MAX_CONTROL_PAYLOAD - 2} bytes.",
    "After its close frame, a side sends no more data.",
    "The answer has the same code.",
    "The server ends TCP first and at once; the client waits.",
    "A page may give close() 1000 or 3000 to 4999.",
)


@dataclass(frozen=True)
class LengthForm:
    """One of the three ways to write the length of a payload: from `first` to `last` bytes."""

    first: int
    last: int
    seven_bits: int  # of the first length
    header_size: int  # bytes, without the masking key

    @property
    def extended_size(self) -> int:
        """How many bytes the length takes besides the 7 bits."""
        return self.header_size - 2

    def __str__(self) -> str:
        last = "2^63 - 1" if self.last == 2**63 - 1 else f"{self.last:,}"
        field = "in the 7 bits" if not self.extended_size else f"{self.seven_bits}, then in {self.extended_size} bytes"
        return f"{self.first:,} to {last} bytes: {field}"

    @property
    def sizes(self) -> str:
        """The size of the header, without and with a masking key."""
        return f"header: {self.header_size} bytes, from a client {self.header_size + KEY_SIZE}"


def request_lines() -> list[str]:
    """The client's request, line by line."""
    request = build_request(
        "server.example.com", "/chat", key=KEY, origin="http://example.com", subprotocols=["chat", "superchat"]
    )
    return [*_lines(request.serialize()), f"Sec-WebSocket-Extensions: {PERMESSAGE_DEFLATE}"]


def response_lines() -> list[str]:
    """The server's answer, line by line."""
    request = build_request("server.example.com", "/chat", key=KEY)
    return _lines(build_response(request, subprotocol="chat", extensions=PERMESSAGE_DEFLATE).serialize())


def _lines(head: bytes) -> list[str]:
    return head.decode().strip().splitlines()


def length_forms() -> list[LengthForm]:
    """The three forms of a length, as `serialize_frame` writes them."""
    forms = []
    for first, last in RANGES:
        frame = serialize_frame(Frame(Opcode.BINARY, bytes(first)))
        forms.append(LengthForm(first, last, frame[1], len(frame) - first))
    return forms


def opcode_rows() -> Iterator[tuple[str, str, str]]:
    """Each opcode: its number in hex, its name, what it is for; at the end the reserved ones."""
    for opcode in Opcode:
        yield f"{opcode:x}", opcode.name.lower(), PURPOSES[opcode]
    reserved = [number for number in range(16) if number not in OPCODES]
    data, control = ([number for number in reserved if bool(number & 8) is top] for top in (False, True))
    yield f"{data[0]:x}-{data[-1]:x}", "reserved", "for more data frames"
    yield f"{control[0]:x}-{control[-1]:x}", "reserved", "for more control frames"


def close_code_rows() -> Iterator[tuple[str, str, str]]:
    """Each close code: its number, its meaning, who may send it."""
    for code in CloseCode:
        is_sent = is_valid_close_code(code) and code not in NEVER_ON_THE_WIRE
        who = ONE_SIDED.get(code, "either side") if is_sent else f"nobody; says: {REPORTS[code]}"
        yield str(int(code)), code.meaning, who
    for first, last, whose in OWN_CODES:
        yield f"{first}-{last}", whose, "either side"


def state_rows() -> Iterator[tuple[str, str, str]]:
    """Each way from a state to another, with their numbers, which are those of `readyState`, and what leads there."""
    ways: dict[tuple[State, State], list[str]] = {}
    for (start, step), end in TRANSITIONS.items():
        if end is not start:
            ways.setdefault((start, end), []).append(step.value)
    for (start, end), steps in ways.items():
        yield f"{start.value} {start.name}", f"{end.value} {end.name}", " or ".join(steps)
