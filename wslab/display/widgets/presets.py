"""presets: frames to begin with, each under a name: legal ones, and one for each rule that a frame can break."""

from wslab.display.widgets.raw_frame import LengthForm, RawFrame

KEY = bytes.fromhex("37fa213d")  # RFC 6455 §5.7; the same in every run
HELLO = RawFrame(payload=b"Hello", masking_key=KEY)

LEGAL = {
    "Hello, as in RFC 6455 §5.7": HELLO,
    "a ping": RawFrame(opcode=0x9, payload=b"alive?", masking_key=KEY),
    "a close frame with 1000": RawFrame(opcode=0x8, payload=b"\x03\xe8", masking_key=KEY),
    "a first fragment, Hel": RawFrame(payload=b"Hel", fin=False, masking_key=KEY),
    "a last fragment, lo": RawFrame(opcode=0x0, payload=b"lo", masking_key=KEY),
    "Hello, compressed": RawFrame(payload=bytes.fromhex("f248cdc9c90700"), rsv1=True, masking_key=KEY),
}
ILLEGAL = {
    "no mask": RawFrame(payload=b"Hello"),
    "RSV2 is set": RawFrame(payload=b"Hello", rsv2=True, masking_key=KEY),
    "RSV3 is set": RawFrame(payload=b"Hello", rsv3=True, masking_key=KEY),
    "a reserved opcode": RawFrame(opcode=0x3, payload=b"Hello", masking_key=KEY),
    "a length in too long a form": RawFrame(payload=b"Hello", length_form=LengthForm.BITS_16, masking_key=KEY),
    "a length of 2 to the 63rd": RawFrame(opcode=0x2, declared_length=2**63, masking_key=KEY),
    "a ping of 126 bytes": RawFrame(opcode=0x9, payload=b"x" * 126, masking_key=KEY),
    "a ping in fragments": RawFrame(opcode=0x9, payload=b"alive?", fin=False, masking_key=KEY),
    "a close frame with 1005": RawFrame(opcode=0x8, payload=b"\x03\xed", masking_key=KEY),
    "a close frame with half a code": RawFrame(opcode=0x8, payload=b"\x03", masking_key=KEY),
    "a text that is not UTF-8": RawFrame(payload=b"caf\xe9", masking_key=KEY),
}
NONE = "choose one"
PRESETS: dict[str, RawFrame | str] = {NONE: NONE, **LEGAL, **{f"illegal: {name}": it for name, it in ILLEGAL.items()}}
