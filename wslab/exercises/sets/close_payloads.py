"""Lesson 14, ping, silence, goodbye: parse_close and serialize_close (RFC 6455 §5.5.1, §7.4.1)."""

import random
from collections.abc import Iterator

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function, Mistake
from wslab.exercises.sets.inputs import KINDS, some_name, some_text
from wslab.exercises.solutions.parse_close import parse_close
from wslab.exercises.solutions.serialize_close import serialize_close
from wslab.protocol.errors import ProtocolError

CLOSE, CODES = "RFC 6455 §5.5.1", "RFC 6455 §7.4.1"

GOOD = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
UNASSIGNED = range(1017, 2000)
BAD = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535)
MOST_REASON = 123


def payload_of(code: int, reason: bytes = b"") -> bytes:
    """A close frame's payload."""
    return code.to_bytes(2, "big") + reason


def codes_and_reasons(source: random.Random) -> Iterator[Case]:
    """As they come."""
    yield Case("1000 and bye", (payload_of(1000, b"bye"),))
    for code, kind in zip(source.sample(GOOD, 3), KINDS, strict=True):
        payload = kind(payload_of(code, some_text(source, 6).encode()))
        yield Case(f"{code} with a reason, in a {kind.__name__}", (payload,))
    yield Case("a reason with blanks around it", (payload_of(1000, f" {some_name(source)} \n".encode()),))
    yield Case("a reason that begins with U+FEFF", (payload_of(1000, "\ufeffbye".encode()),))
    yield Case("a reason of 123 bytes, with a NUL in it", (payload_of(4000, some_name(source, 122).encode() + b"\0"),))
    yield Case("a code without a reason", (payload_of(1001),))


def no_payload(source: random.Random) -> Iterator[Case]:
    """No code at all."""
    for kind in KINDS:
        yield Case(f"an empty payload, a {kind.__name__}", (kind(b""),))
    yield Case("a code of two bytes", (payload_of(source.choice(GOOD)),))


def one_byte(source: random.Random) -> Iterator[Case]:
    """Half a code."""
    yield Case("a code of two bytes", (payload_of(1000),))
    yield Case("one byte", (bytes([source.randrange(256)]),))
    yield Case("one byte, 03", (b"\x03",))


def forbidden_codes(source: random.Random) -> Iterator[Case]:
    """Codes that never travel, and their neighbours."""
    for code in GOOD:
        yield Case(f"the code {code}", (payload_of(code),))
    for code in (*BAD, source.choice(UNASSIGNED)):
        yield Case(f"the code {code}", (payload_of(code, some_name(source, 2).encode()),))


def bad_reasons(source: random.Random) -> Iterator[Case]:
    """Reasons that are not UTF-8."""
    yield Case("a reason with é", (payload_of(1000, "é".encode()),))
    yield Case("a reason with the byte ff", (payload_of(1000, b"a\xff"),))
    yield Case("a reason that ends inside a character", (payload_of(source.choice(GOOD), b"abc\xe2\x82"),))
    yield Case("half of a surrogate pair", (payload_of(4000, b"\xed\xa0\x80"),))


# serialize_close


def sent_codes(source: random.Random) -> Iterator[Case]:
    """A code and a reason."""
    yield Case("1000 and bye", (1000, "bye"))
    for code in source.sample(GOOD, 3):
        yield Case(f"{code} with a reason", (code, some_text(source, 6)))
    yield Case("a reason with blanks around it", (1000, f" {some_name(source)} \n"))


def no_reason(source: random.Random) -> Iterator[Case]:
    """A code alone."""
    yield Case("no reason given", (1000,))
    yield Case("an empty reason", (source.choice(GOOD), ""))


def unsent_codes(source: random.Random) -> Iterator[Case]:
    """Codes that must not be sent."""
    for code in (*GOOD, *BAD, source.choice(UNASSIGNED), -1, 70000):
        yield Case(f"the code {code}", (code, "x"))


def long_reasons(source: random.Random) -> Iterator[Case]:
    """Around 123 bytes."""
    for count in (MOST_REASON - 1, MOST_REASON, MOST_REASON + 1, source.randrange(200, 400)):
        yield Case(f"a reason of {count} bytes", (1000, some_name(source, count)))
    yield Case("60 words of three bytes", (1000, " ".join(some_name(source, 2) for _ in range(60))))
    yield Case("123 times é, which is 246 bytes", (1001, "é" * 123))
    for before in (120, 121, 122, 123):
        yield Case(f"{before} letters, then 😀 of four bytes", (4000, some_name(source, before) + "😀!"))
    for before in (121, 122):
        yield Case(f"{before} letters, then 漢 of three bytes", (4000, some_name(source, before) + "漢"))


def _little(code: int, reason: str = "") -> bytes:
    return code.to_bytes(2, "little") + serialize_close(code, reason)[2:]


def _cut_bytes(code: int, reason: str = "") -> bytes:
    return serialize_close(code)[:2] + reason.encode()[:MOST_REASON]


def _cut_characters(code: int, reason: str = "") -> bytes:
    return serialize_close(code)[:2] + reason[:MOST_REASON].encode()


def _not_cut(code: int, reason: str = "") -> bytes:
    return serialize_close(code)[:2] + reason.encode()


def _cut_to(most: int) -> Function:
    def cut(code: int, reason: str = "") -> bytes:
        return serialize_close(code) + reason.encode()[:most].decode(errors="ignore").encode()

    return cut


def _at_word(code: int, reason: str = "") -> bytes:
    whole = len(reason.encode()) <= MOST_REASON
    return serialize_close(code, reason if whole else reason[:MOST_REASON].rpartition(" ")[0] or reason)


def _replaced(code: int, reason: str = "") -> bytes:
    return serialize_close(code) + reason.encode()[:MOST_REASON].decode(errors="replace").encode()


def _sends_all(code: int, reason: str = "") -> bytes:
    return (code % 65536).to_bytes(2, "big") + serialize_close(1000, reason)[2:]


def _latin(code: int, reason: str = "") -> bytes:
    return serialize_close(code) + reason.encode("latin-1", "replace")[:MOST_REASON]


def _digits(code: int, reason: str = "") -> bytes:
    return str(code).encode() + serialize_close(code, reason)[2:]


# parse_close: ways to get it wrong


def _other_order(payload: bytes) -> tuple[int, str]:
    return int.from_bytes(payload[:2], "little"), bytes(payload[2:]).decode(errors="replace")


def _takes_anything(payload: bytes) -> tuple[int, str]:
    if not payload:
        return parse_close(payload)
    return int.from_bytes(payload[:2], "big"), bytes(payload[2:]).decode(errors="replace")


def _ignores(payload: bytes) -> tuple[int, str]:
    return parse_close(payload[:2])[0], bytes(payload[2:]).decode(errors="ignore")


def _bytes_reason(payload: bytes) -> tuple[int, bytes]:
    return parse_close(bytes(payload))[0], bytes(payload[2:])


def _empty_is(code: int | None) -> Function:
    return lambda payload: parse_close(payload) if len(payload) else (code, "")


def _latin_reason(payload: bytes) -> tuple[int, str]:
    return int.from_bytes(payload[:2], "big"), bytes(payload[2:]).decode("latin-1")


def _without_mark(payload: bytes) -> tuple[int, str]:
    code, reason = parse_close(payload)
    return code, reason.removeprefix("\ufeff")


def _always_1002(payload: bytes) -> tuple[int, str]:
    try:
        return parse_close(bytes(payload))
    except ProtocolError:
        raise ProtocolError("bad close", 1002) from None


def _refuses_private(payload: bytes) -> tuple[int, str]:
    if int.from_bytes(payload[:2], "big") >= 3000:
        raise ProtocolError("unknown code", 1002)
    return parse_close(bytes(payload))


EXERCISES = (
    Exercise(
        "parse_close",
        "14-ping-silence-goodbye",
        "parse_close(payload) -> (int, str)",
        "Return code and reason of a close frame's payload; `(1005, '')` for an empty one. Raise "
        "`ProtocolError(reason, code)`: 1002 for one byte or a code that must not be on the wire, 1007 for a reason "
        "that is not UTF-8.",
        "`parse_close(bytes.fromhex('03e8627965'))` is `(1000, 'bye')`.",
        (
            Aspect("a code and a reason", 1, CLOSE, codes_and_reasons),
            Aspect("no payload: 1005", 1, "RFC 6455 §7.1.5", no_payload),
            Aspect("half a code is refused: 1002", 1, CLOSE, one_byte),
            Aspect("codes that never travel are refused: 1002", 2, CODES, forbidden_codes),
            Aspect("a reason that is not UTF-8 is refused: 1007", 1, CLOSE, bad_reasons),
        ),
        (
            "1005 means that no code came. Can it come itself?",
            "`int.from_bytes(payload[:2], 'big')` is the code. Allowed are the assigned ones (1000 to 1003, 1007 to "
            "1014) and "
            "3000 to 4999. `payload[2:].decode()` fails for what is not UTF-8.",
            "if not payload: return 1005, ''; if len(payload) == 1 or the code is not allowed: raise "
            "ProtocolError(..., 1002); "
            "then try to decode, except UnicodeDecodeError: raise ProtocolError(..., 1007).",
        ),
        parse_close,
        ("payload",),
        (
            Mistake("The code has its bytes in the wrong order: the most significant one comes first.", _other_order),
            Mistake(
                "This was accepted and must be refused: half a code, a code that never travels, or a reason that is no "
                "UTF-8.",
                _takes_anything,
            ),
            Mistake("This was accepted and must be refused: bytes that are no UTF-8 were left out.", _ignores),
            Mistake("The reason is text (str): decode it.", _bytes_reason),
            Mistake("An empty payload has no code; the program is told 1005 then.", _empty_is(1000)),
            Mistake(
                "An empty payload has no code; the program is told 1005 then, and 1006 for no close frame.",
                _empty_is(1006),
            ),
            Mistake("An empty payload has no code; the program is told 1005 then.", _empty_is(0)),
            Mistake("An empty payload has no code; the program is told 1005 then.", _empty_is(None)),
            Mistake("The reason was decoded as Latin-1; it is UTF-8.", _latin_reason),
            Mistake("The first character, U+FEFF, is lost: decode as utf-8, not as utf-8-sig.", _without_mark),
            Mistake("The refusal is right, its code is not: bad UTF-8 is 1007.", _always_1002),
            Mistake(
                "From 3000 to 4999 libraries and programs choose codes: they must not be refused.", _refuses_private
            ),
        ),
        frozenset({"is_valid_close_code", "parse_close", "broken_by_close"}),
    ),
    Exercise(
        "serialize_close",
        "14-ping-silence-goodbye",
        "serialize_close(code, reason='') -> bytes",
        "Return the payload of a close frame. Raise `ValueError` for a code that must not be sent. Shorten a reason "
        "that is "
        "too long to what fits into 125 bytes together with the code, never inside a character.",
        "`serialize_close(1000, 'bye').hex(' ')` is `'03 e8 62 79 65'`.",
        (
            Aspect("a code and a reason", 1, CLOSE, sent_codes),
            Aspect("no reason", 1, CLOSE, no_reason),
            Aspect("codes that must not be sent: ValueError", 2, CODES, unsent_codes),
            Aspect("a long reason is shortened, never inside a character", 2, "RFC 6455 §5.5", long_reasons),
        ),
        (
            "How many bytes are 123 times é?",
            "Cut the bytes, not the text, to 123; then drop what is left of a character that was cut.",
            "reason.encode()[:123].decode(errors='ignore').encode()",
        ),
        serialize_close,
        ("code", "reason"),
        (
            Mistake("The code has its bytes in the wrong order: the most significant one comes first.", _little),
            Mistake("The reason was cut inside a character: what is left is no UTF-8.", _cut_bytes),
            Mistake("The reason was cut to 123 characters; the limit counts bytes.", _cut_characters),
            Mistake("The reason is too long: a control frame has at most 125 bytes.", _not_cut),
            Mistake("The reason has room for 123 bytes: two of the 125 are the code.", _cut_to(125)),
            Mistake("The reason has room for 123 bytes: more of it fits.", _cut_to(122)),
            Mistake("The reason has room for 123 bytes: more of it fits.", _cut_to(120)),
            Mistake("The reason was cut between two words: more of it fits into its 123 bytes.", _at_word),
            Mistake("A character that was cut is left out, not replaced: the replacement has three bytes.", _replaced),
            Mistake("This code must not be sent: ValueError.", _sends_all),
            Mistake("The reason is encoded as Latin-1; it is UTF-8.", _latin),
            Mistake("The code is a number of two bytes, not its digits.", _digits),
        ),
        frozenset({"is_valid_close_code", "close_payload", "serialize_close"}),
    ),
)
