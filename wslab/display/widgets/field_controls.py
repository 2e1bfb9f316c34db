"""field_controls: the controls for the fields of a frame, which make a RawFrame and show one."""

import re
from collections.abc import Callable, Sequence

from ipywidgets import Checkbox, Dropdown, HBox, Layout, Text, VBox

from wslab.display.widgets.raw_frame import LengthForm, RawFrame, name_of_opcode

AS_TEXT, AS_HEX = "text", "hex"
AS_WIDE_AS_ITS_LABEL = {"description_width": "initial"}

Options = Sequence[tuple[str, object]]  # what is shown, and its value


def from_hex(text: str, what: str) -> bytes:
    """The bytes that hex digits stand for. Raises ValueError with a sentence about `what` they should have been."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{what} in hex has two digits for each byte, such as 81 05") from None


class FieldControls:
    """A control for each field, in the order of the wire; `box` holds them all."""

    def __init__(self) -> None:
        self.fin = check("FIN", "Whether this is the last frame of its message")
        self.rsv1 = check("RSV1", "The first reserved bit: with permessage-deflate, compressed")
        self.rsv2 = check("RSV2", "The second reserved bit")
        self.rsv3 = check("RSV3", "The third reserved bit")
        opcodes = [(f"0x{opcode:x} {name_of_opcode(opcode)}", opcode) for opcode in range(16)]
        self.opcode = choice("Opcode", "What the frame is", opcodes)
        self.mask = check("MASK", "Whether the payload is masked, as a client must do")
        self.masking_key = _text("Masking key", "Four bytes in hex", width="16em")
        forms = [(str(form), form) for form in LengthForm]
        self.length_form = choice("Length in", "How the length is written", forms)
        self.declared_length = _text(
            "Length told", "Another length than the payload has; empty for its own", width="18em"
        )
        self.declared_length.placeholder = "that of the payload"
        self.payload = _text("Payload", "The payload before it is masked", width="30em")
        ways = [(way, way) for way in (AS_TEXT, AS_HEX)]
        how = "Whether the payload is typed as text or as hex"
        self.payload_as = choice("Payload as", how, ways, width="11em")
        self._trailing = b""
        rows = [
            (self.fin, self.rsv1, self.rsv2, self.rsv3, self.opcode),
            (self.mask, self.masking_key, self.length_form, self.declared_length),
            (self.payload, self.payload_as),
        ]
        self._controls = [control for row in rows for control in row]
        self.box = VBox([HBox(row, layout=Layout(flex_flow="row wrap")) for row in rows])

    def observe(self, changed: Callable[[object], None]) -> None:
        """Call `changed` when a field changes; how the payload is typed (`payload_as`) is no field."""
        for control in self._controls:
            if control is not self.payload_as:
                control.observe(changed, "value")

    def read(self) -> RawFrame:
        """The frame that the controls describe. Raises ValueError with a sentence if they describe none."""
        length = self.declared_length.value.strip()
        if length and not re.fullmatch("[0-9]{1,20}", length):
            raise ValueError("the length told is a number of bytes below 2 to the 64th, or empty")
        return RawFrame(
            opcode=self.opcode.value,
            payload=self._read_payload(),
            fin=self.fin.value,
            rsv1=self.rsv1.value,
            rsv2=self.rsv2.value,
            rsv3=self.rsv3.value,
            masking_key=from_hex(self.masking_key.value, "a masking key") if self.mask.value else None,
            length_form=self.length_form.value,
            declared_length=int(length) if length else None,
            trailing=self._trailing,
        )

    def _read_payload(self) -> bytes:
        text = self.payload.value
        return text.encode(errors="surrogatepass") if self.payload_as.value == AS_TEXT else from_hex(text, "a payload")

    def show(self, frame: RawFrame) -> None:
        """Set the controls to the fields of `frame`."""
        self.fin.value = frame.fin
        self.rsv1.value, self.rsv2.value, self.rsv3.value = frame.rsv1, frame.rsv2, frame.rsv3
        self.opcode.value = frame.opcode
        self.mask.value = frame.masking_key is not None
        if frame.masking_key is not None:
            self.masking_key.value = frame.masking_key.hex(" ")
        self.length_form.value = frame.length_form
        self.declared_length.value = "" if frame.declared_length is None else str(frame.declared_length)
        self.show_payload(frame.payload)
        self._trailing = frame.trailing

    def show_payload(self, payload: bytes) -> None:
        """Show `payload` as the reader chose to type it: as text only if that can be typed, else as hex."""
        text = payload.decode(errors="replace")
        if self.payload_as.value == AS_TEXT and text.isprintable() and text.encode() == payload:
            self.payload.value = text
        else:
            self.payload_as.value, self.payload.value = AS_HEX, payload.hex(" ")


def _labels(description: str, tooltip: str) -> dict[str, object]:
    return {"description": description, "tooltip": tooltip, "style": AS_WIDE_AS_ITS_LABEL}


def check(description: str, tooltip: str) -> Checkbox:
    """A box to check, as wide as its label."""
    layout = Layout(width="auto", margin="2px 16px 2px 2px")
    return Checkbox(indent=False, layout=layout, **_labels(description, tooltip))


def _text(description: str, tooltip: str, width: str) -> Text:
    return Text(layout=Layout(width=width), **_labels(description, tooltip))


def choice(description: str, tooltip: str, options: Options, width: str | None = None) -> Dropdown:
    """A list to choose from."""
    return Dropdown(options=options, layout=Layout(width=width), **_labels(description, tooltip))
