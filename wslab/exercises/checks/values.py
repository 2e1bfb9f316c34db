"""values: what a call gave, as plain data that can cross from one process to another, and how it is shown.

Nothing that a learner's object says of itself is believed: an object that is equal to everything is not bytes.
"""

import ast
import math
from dataclasses import dataclass, replace
from typing import Any

from wslab.dissector.wording import how_many
from wslab.protocol.frames import Frame, Opcode

DEEPEST = 6  # lists in lists
LONGEST = 4 * 1024 * 1024  # bytes or characters
MOST_BITS, MOST_ITEMS, LONGEST_NAME = 10_000, 100_000, 60  # of an int, a list, the name of a class
MOST_BYTES, MOST_TEXT = 24, 120  # shown
FLAGS = ("fin", "rsv1", "rsv2", "rsv3")


@dataclass(frozen=True)
class Strange:
    """Something that no exercise asks for, by the name of its type and what it is good for."""

    kind: str

    def __repr__(self) -> str:
        return self.kind


def fresh(value: Any) -> Any:
    """A copy for one call, so that no call sees what another one did to it."""
    match value:
        case list():
            return [fresh(item) for item in value]
        case tuple() if type(value) is tuple:
            return tuple(fresh(item) for item in value)
        case bytearray():
            return bytearray(value)
        case memoryview():
            return memoryview(bytes(value))
        case Frame():
            return replace(value, payload=fresh(value.payload))
    return value


def pack(value: Any, depth: int = 0) -> Any:
    """A value as tuples, lists, numbers and strings whose `repr` can be read again by `unpack`."""
    kind = type(value)  # never isinstance: an object may lie about its class
    if value is None or kind is bool:
        return value
    if issubclass(kind, float):
        return ("float", float.__repr__(value))
    if kind is Strange:
        return ("strange", value.kind)
    if issubclass(kind, int):
        bits = int.bit_length(value)
        return int.__add__(value, 0) if bits <= MOST_BITS else ("strange", f"{_name(kind)} of {bits:,} bits")
    if issubclass(kind, str | bytes | bytearray | memoryview):
        return _pack_text(value, kind)
    if depth == DEEPEST:
        return ("strange", f"{_name(kind)} in too many others")
    if kind is Frame:
        flags = [bool(pack(getattr(value, name), depth + 1)) for name in FLAGS]
        return ("frame", pack(value.opcode, depth + 1), pack(value.payload, depth + 1), flags)
    if issubclass(kind, tuple | list):
        shape: type[Any] = tuple if issubclass(kind, tuple) else list
        if (count := shape.__len__(value)) > MOST_ITEMS:
            return ("strange", f"{_name(kind)} of {count:,} values")
        return (shape.__name__, [pack(item, depth + 1) for item in shape.__iter__(value)])
    if issubclass(kind, dict):
        return ("dict", [(pack(key, depth + 1), pack(item, depth + 1)) for key, item in dict.items(value)])
    return ("strange", _name(kind))


def _pack_text(value: Any, kind: type) -> Any:
    if issubclass(kind, str):
        length, plain = str.__len__(value), str.__str__
    else:
        try:
            length = memoryview(value).nbytes
        except ValueError:
            return ("strange", "memoryview that was released")
        plain = _plain_bytes
    if length > LONGEST:
        return ("strange", f"{_name(kind)} of {length:,} {'characters' if plain is str.__str__ else 'bytes'}")
    return plain(value)


def _plain_bytes(value: Any) -> Any:
    return memoryview(value).tobytes()


def _name(kind: type) -> str:
    module, name = full_name(kind).rsplit(".", 1)
    name = "async generator" if name == "async_generator" else name
    return name if module in ("builtins", "__main__") else f"{module.partition('.')[0]}.{name}"


def full_name(kind: type) -> str:
    """The module and the name of a class; a class of its class may lie about both, or raise."""
    module, name = (type.__dict__[it].__get__(kind) for it in ("__module__", "__name__"))
    return f"{module}.{name[:LONGEST_NAME]}"


def unpack(data: Any) -> Any:
    """What `pack` was given, except for what no exercise asks for; bytes-like values are all bytes."""
    match data:
        case ("float", str(text)):
            return float(text)
        case ("strange", str(kind)):
            return Strange(kind)
        case ("frame", opcode, payload, [fin, rsv1, rsv2, rsv3]):
            number = unpack(opcode)
            known = Opcode(number) if number in Opcode.__members__.values() else number
            return Frame(known, unpack(payload), fin, rsv1, rsv2, rsv3)
        case ("tuple", list(items)):
            return tuple(unpack(item) for item in items)
        case ("list", list(items)):
            return [unpack(item) for item in items]
        case ("dict", list(items)):
            return {_key(unpack(key)): unpack(item) for key, item in items}
    return data


def _key(key: Any) -> Any:
    return key if not isinstance(key, list | dict) else repr(key)


def dumps(data: Any) -> bytes:
    """Packed values as bytes."""
    return repr(data).encode("utf-8", "surrogatepass")


def loads(data: bytes) -> Any:
    """Packed values from bytes; unlike a pickle, they cannot run anything."""
    return ast.literal_eval(data.decode("utf-8", "surrogatepass"))


def same(expected: Any, came: Any) -> bool:
    """Whether both are the same value; lists and tuples are alike, True and 1 are not."""
    if isinstance(expected, list | tuple):
        if not isinstance(came, list | tuple) or len(expected) != len(came):
            return False
        return all(same(one, other) for one, other in zip(expected, came, strict=True))
    if isinstance(expected, dict):
        return (
            isinstance(came, dict) and expected.keys() == came.keys() and all(same(expected[k], came[k]) for k in came)
        )
    if isinstance(expected, float) and type(came) in (int, float):
        return math.isclose(expected, came)
    if isinstance(expected, Frame):
        return isinstance(came, Frame) and type(came.payload) is bytes and expected == came
    return type(expected) is type(came) and expected == came


def show(value: Any) -> str:
    """A value as a reader of the protocol wants it: bytes in hex, frames by what they are."""
    match value:
        case bytes() | bytearray() | memoryview():
            return _show_bytes(bytes(value))
        case str():
            text = repr(value)
            return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}… ({len(value)} characters)"
        case Frame():
            return _show_frame(value)
        case list():
            return f"[{', '.join(_few(value))}]"
        case tuple():
            return f"({', '.join(_few(value))})"
        case dict() if all(isinstance(key, str) for key in value):
            return ", ".join(f"{key}: {show(item)}" for key, item in value.items()) or "{}"
        case dict():
            return f"{{{', '.join(f'{show(key)}: {show(item)}' for key, item in value.items())}}}"
        case Strange():
            return f"{'an' if value.kind[0] in 'aeiouAEIO' else 'a'} {value.kind}"
    return repr(value)


def _show_bytes(data: bytes) -> str:
    if not data:
        return "no bytes"
    few = data[:MOST_BYTES].hex(" ")
    count = how_many(len(data))
    return f"{few} ({count})" if len(data) <= MOST_BYTES else f"{few} … ({count})"


def _show_frame(frame: Frame) -> str:
    bits = [name.upper() for name in FLAGS if getattr(frame, name)]
    name = frame.opcode.name.lower() if isinstance(frame.opcode, Opcode) else f"opcode {frame.opcode!r}"
    payload = _show_bytes(frame.payload) if isinstance(frame.payload, bytes) else show(frame.payload)
    return f"<{name} frame, {' '.join(bits) or 'no bits set'}, payload {payload}>"


def _few(items: list[Any] | tuple[Any, ...], most: int = 6) -> list[str]:
    shown = [show(item) for item in items[:most]]
    return [*shown, f"… {len(items)} in all"] if len(items) > most else shown
