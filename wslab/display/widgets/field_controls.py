"""field_controls: the controls for the fields of a frame, which give a FrameDraft and show one."""

import re
from collections.abc import Callable

from ipywidgets import Checkbox, Dropdown, HBox, Layout, Text, VBox

from wslab.display.widgets.draft import FrameDraft, LengthForm, name_of_opcode

AS_TEXT, AS_HEX = "text", "hex"
OPENS = "Space opens the list"  # JupyterLab takes the arrow keys for itself while it is not open
AS_WIDE_AS_ITS_LABEL = {"description_width": "initial"}


def from_hex(text: str, what: str) -> bytes:
    """The bytes that hex digits stand for. Raises ValueError that says `what` they were to be."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{what} in hex has two digits for each byte, such as 81 05") from None


class FieldControls:
    """A control for each field, in the order of the wire; `box` holds them all."""

    def __init__(self) -> None:
        self.fin = _check("FIN", "Whether this is the last frame of its message")
        self.rsv1 = _check("RSV1", "The first reserved bit: with permessage-deflate, compressed")
        self.rsv2 = _check("RSV2", "The second reserved bit")
        self.rsv3 = _check("RSV3", "The third reserved bit")
        self.opcode = Dropdown(
            options=[(f"0x{opcode:x} {name_of_opcode(opcode)}", opcode) for opcode in range(16)],
            **_labels("Opcode", f"What the frame is; {OPENS}"),
        )
        self.mask = _check("MASK", "Whether the payload is masked, as a client must do")
        self.masking_key = Text(**_labels("Masking key", "Four bytes in hex"), layout=Layout(width="16em"))
        self.length_form = Dropdown(
            options=[(str(form), form) for form in LengthForm],
            **_labels("Length in", f"How the length is written; {OPENS}"),
        )
        self.told_length = Text(
            placeholder="that of the payload",
            **_labels("Length told", "Another length than the payload has; empty for its own"),
            layout=Layout(width="18em"),
        )
        self.payload = Text(**_labels("Payload", "The payload before it is masked"), layout=Layout(width="30em"))
        self.payload_as = Dropdown(
            options=[AS_TEXT, AS_HEX],
            **_labels("Payload as", f"Whether the payload is typed as text or as hex; {OPENS}"),
            layout=Layout(width="11em"),
        )
        self._rest = b""
        rows = [
            (self.fin, self.rsv1, self.rsv2, self.rsv3, self.opcode),
            (self.mask, self.masking_key, self.length_form, self.told_length),
            (self.payload, self.payload_as),
        ]
        self._controls = [control for row in rows for control in row]
        self.box = VBox([HBox(row, layout=Layout(flex_flow="row wrap")) for row in rows])

    def observe(self, changed: Callable[[object], None]) -> None:
        """Call `changed` when a field changes; for the way in which the payload is typed, see `retype_payload`."""
        for control in self._controls:
            if control is not self.payload_as:
                control.observe(changed, "value")

    def read(self) -> FrameDraft:
        """The frame that the controls say. Raises ValueError with a sentence where they say none."""
        told = self.told_length.value.strip()
        if told and not re.fullmatch("[0-9]{1,20}", told):
            raise ValueError("the length told is a number of bytes below 2 to the 64th, or empty")
        return FrameDraft(
            opcode=self.opcode.value,
            payload=self._read_payload(self.payload_as.value),
            fin=self.fin.value,
            rsv1=self.rsv1.value,
            rsv2=self.rsv2.value,
            rsv3=self.rsv3.value,
            masking_key=from_hex(self.masking_key.value, "a masking key") if self.mask.value else None,
            length_form=self.length_form.value,
            told_length=int(told) if told else None,
            rest=self._rest,
        )

    def _read_payload(self, typed_as: str) -> bytes:
        text = self.payload.value
        return text.encode(errors="surrogatepass") if typed_as == AS_TEXT else from_hex(text, "a payload")

    def show(self, draft: FrameDraft) -> None:
        """Set the controls to what `draft` says."""
        self.fin.value, self.rsv1.value, self.rsv2.value, self.rsv3.value = (
            draft.fin,
            draft.rsv1,
            draft.rsv2,
            draft.rsv3,
        )
        self.opcode.value = draft.opcode
        self.mask.value = draft.masking_key is not None
        if draft.masking_key is not None:
            self.masking_key.value = draft.masking_key.hex(" ")
        self.length_form.value = draft.length_form
        self.told_length.value = "" if draft.told_length is None else str(draft.told_length)
        self._show_payload(draft.payload)
        self._rest = draft.rest

    def retype_payload(self, draft: FrameDraft) -> None:
        """Show the same payload in the way that has been chosen."""
        self._show_payload(draft.payload)

    def _show_payload(self, payload: bytes) -> None:
        """As text only where that can be typed."""
        text = payload.decode(errors="replace")
        if self.payload_as.value == AS_TEXT and text.isprintable() and text.encode() == payload:
            self.payload.value = text
        else:
            self.payload_as.value, self.payload.value = AS_HEX, payload.hex(" ")


def _labels(description: str, tooltip: str) -> dict[str, object]:
    return {"description": description, "tooltip": tooltip, "style": AS_WIDE_AS_ITS_LABEL}


def _check(description: str, tooltip: str) -> Checkbox:
    return Checkbox(
        indent=False, **_labels(description, tooltip), layout=Layout(width="auto", margin="2px 16px 2px 2px")
    )
