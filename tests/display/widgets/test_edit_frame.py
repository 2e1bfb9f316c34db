"""edit_frame: the controls and the bytes follow each other, and a server answers what they say."""

import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from support.heads_and_frames import text
from support.raw_peer import live_server
from support.waiting import running, wait_until

import wslab
from wslab import Opcode, edit_frame, serialize_frame
from wslab.display import shown as reader
from wslab.display.widgets.edit_frame import EARLIER, FrameEditor
from wslab.display.widgets.field_controls import AS_HEX, AS_TEXT
from wslab.display.widgets.presets import HELLO as HELLO_FRAME
from wslab.display.widgets.presets import ILLEGAL, LEGAL, NONE
from wslab.display.widgets.raw_frame import LengthForm, RawFrame

HELLO = "81 85 37 fa 21 3d 7f 9f 4d 51 58"


def shown(editor: FrameEditor) -> str:
    """The HTML in all parts of the widget."""
    return "".join(child.value for child in editor.controls.box.children if type(child).__name__ == "HTML")


def test_it_begins_with_hello_as_a_client_sends_it():
    editor = edit_frame()
    assert editor.controls.data.value == HELLO
    assert (
        editor.controls.fields.fin.value,
        editor.controls.fields.opcode.value,
        editor.controls.fields.mask.value,
    ) == (True, 0x1, True)
    assert (editor.controls.fields.masking_key.value, editor.controls.fields.payload.value) == ("37 fa 21 3d", "Hello")
    assert editor.controls.fields.read() == editor.frame == RawFrame.from_bytes(bytes.fromhex(HELLO))


@pytest.mark.parametrize(
    ("name", "value", "data"),
    [
        ("fin", False, "01 85 37 fa 21 3d 7f 9f 4d 51 58"),
        ("rsv1", True, "c1 85 37 fa 21 3d 7f 9f 4d 51 58"),
        ("rsv2", True, "a1 85 37 fa 21 3d 7f 9f 4d 51 58"),
        ("rsv3", True, "91 85 37 fa 21 3d 7f 9f 4d 51 58"),
        ("opcode", 0x3, "83 85 37 fa 21 3d 7f 9f 4d 51 58"),
        ("mask", False, "81 05 48 65 6c 6c 6f"),
        ("masking_key", "00 00 00 00", "81 85 00 00 00 00 48 65 6c 6c 6f"),
        ("length_form", LengthForm.BITS_16, "81 fe 00 05 37 fa 21 3d 7f 9f 4d 51 58"),
        ("declared_length", "9", "81 89 37 fa 21 3d 7f 9f 4d 51 58"),
        ("payload", "Hi", "81 82 37 fa 21 3d 7f 93"),
    ],
)
def test_the_bytes_follow_each_field_and_each_field_the_bytes(name, value, data):
    editor, other = edit_frame(), edit_frame()
    getattr(editor.controls.fields, name).value = value
    assert editor.controls.data.value == data

    other.controls.data.value = data
    assert getattr(other.controls.fields, name).value == value
    assert other.frame == editor.frame


def test_all_opcodes_can_be_chosen_by_name():
    names = [name for name, _ in edit_frame().controls.fields.opcode.options]
    assert names[:4] == ["0x0 continuation", "0x1 text", "0x2 binary", "0x3 reserved"]
    assert len(names) == 16


def test_a_payload_is_typed_as_text_or_as_hex():
    editor = edit_frame()
    editor.controls.fields.payload_as.value = AS_HEX
    assert (editor.controls.fields.payload.value, editor.controls.data.value) == ("48 65 6c 6c 6f", HELLO)
    for typed in ("03 e8", "0d 0a"):
        editor.controls.fields.payload.value = typed
        assert editor.frame.payload == bytes.fromhex(typed)
        editor.controls.fields.payload_as.value = AS_TEXT
        assert editor.controls.fields.payload_as.value == AS_HEX  # no line of text has these
    editor.controls.fields.payload.value = "48 69"
    editor.controls.fields.payload_as.value = AS_TEXT
    assert editor.controls.fields.payload.value == "Hi"


def test_what_stands_behind_the_frame_stays_there_when_a_field_changes():
    editor = edit_frame(frame=bytes.fromhex("8900 8a00"))
    editor.controls.fields.fin.value = False
    assert editor.controls.data.value == "09 00 8a 00"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("masking_key", "37 fa", "a masking key has 4 bytes, not 2"),
        ("masking_key", "key", "a masking key in hex has two digits for each byte"),
        ("declared_length", "many", "the length told is a number of bytes below 2 to the 64th, or empty"),
        ("declared_length", "126", "7 bits tell a length of 0 to 125, not 126"),
        ("declared_length", "9" * 5000, "the length told"),
    ],
)
def test_what_cannot_be_read_is_told_and_not_sent(name, value, why):
    with live_server() as server:
        editor = edit_frame(server)
        editor.controls.fields.length_form.value = LengthForm.BITS_7
        getattr(editor.controls.fields, name).value = value
        assert why in shown(editor)
        assert editor.controls.data.value == HELLO

        editor.controls.send_button.click()
        assert f"Nothing was sent. Not yet a frame: {why}" in shown(editor)
        assert editor.answer is None


def test_bytes_that_are_half_typed_leave_the_fields_alone():
    editor = edit_frame()
    for typed in ("8", "8a", "8a 0"):
        editor.controls.data.value = typed
        assert "Not yet a frame" in shown(editor)
        assert editor.controls.fields.opcode.value == Opcode.TEXT
    editor.controls.data.value = "C900"
    assert (editor.controls.data.value, editor.frame) == ("C900", RawFrame(0x9, rsv1=True))
    editor.controls.data.value = "8a 00"
    assert "Not yet a frame" not in shown(editor)
    assert (editor.controls.fields.opcode.value, editor.controls.fields.mask.value, editor.controls.data.value) == (
        Opcode.PONG,
        False,
        "8a 00",
    )


def test_a_frame_of_a_million_bytes_is_refused():
    editor = edit_frame()
    editor.controls.fields.payload.value = "x" * 1_000_000
    assert "this is for frames of at most 100000 bytes" in shown(editor)


def test_sending_shows_what_comes_back():
    with live_server() as server:
        editor = edit_frame(server)
        editor.controls.send_button.click()
        assert [line for line, _ in editor.answer.rows] == ['text "Hello"', "close 1000"]
        editor.controls.fields.fin.value = False
        editor.controls.fields.opcode.value = 0x3
        editor.controls.send_button.click()
        assert editor.answer.close_code == 1002
        assert "The server closed with 1002 protocol error: opcode 0x3 is reserved." in shown(editor)
        assert repr(editor).endswith(str(editor.answer))


def test_the_server_may_be_an_address_or_none():
    with live_server() as server:
        assert edit_frame(server.url).send().close_code == 1000
    assert edit_frame().send().close_code == 1000
    assert edit_frame(server.url).send().ending.startswith("There is no connection")


def test_an_answer_is_faded_while_another_frame_stands_there():
    with live_server() as server:
        editor = edit_frame(server)
        editor.controls.send_button.click()
        assert EARLIER not in shown(editor)
        editor.controls.fields.payload.value = "Hi"
        assert EARLIER in shown(editor)
        assert "opacity" in shown(editor)
        editor.controls.fields.payload.value = "Hello"
        assert EARLIER not in shown(editor)


def test_a_failure_is_told_where_the_answer_is_expected(monkeypatch):
    def fail():
        raise RuntimeError("can't start new thread")

    editor = edit_frame()
    monkeypatch.setattr(editor, "send", fail)
    with pytest.raises(RuntimeError):
        editor.controls._on_send(None)
    assert "Nothing came back, as something went wrong here: RuntimeError: can&#x27;t start new thread." in shown(
        editor
    )
    assert "Sending" not in shown(editor)


def test_bytes_are_no_server():
    with pytest.raises(TypeError, match=r"not bytes: edit_frame\(frame=...\) takes the bytes of a frame"):
        edit_frame(b"\x89\x80\x37\xfa\x21\x3d")


def test_a_preset_fills_all_fields_and_gives_way_to_a_change():
    editor = edit_frame()
    controls = editor.controls
    controls.preset.value = LEGAL["a ping"]
    assert (editor.frame, controls.fields.opcode.value) == (LEGAL["a ping"], 0x9)
    assert bytes.fromhex(controls.data.value) == LEGAL["a ping"].to_bytes()
    controls.fields.payload.value = "!"
    assert controls.preset.label == NONE
    controls.preset.value = LEGAL["a ping"]
    assert editor.frame == LEGAL["a ping"]


def test_a_new_key_masks_the_same_payload():
    editor = edit_frame()
    editor.controls.new_key.click()
    assert editor.frame.masking_key != HELLO_FRAME.masking_key
    assert replace(editor.frame, masking_key=HELLO_FRAME.masking_key) == HELLO_FRAME
    assert bytes.fromhex(editor.controls.fields.masking_key.value) == editor.frame.masking_key


def test_fragments_are_one_message_on_a_connection_that_is_kept():
    with live_server() as server:
        editor = edit_frame(server)
        editor.controls.keep.value = True
        for name, lines in (
            ("a first fragment, Hel", []),
            ("a ping", ["pong"]),
            ("a last fragment, lo", ['text "Hello"']),
        ):
            editor.controls.preset.value = LEGAL[name]
            editor.controls.send_button.click()
            assert [line.partition(" ")[0] if name == "a ping" else line for line, _ in editor.answer.rows] == lines
            assert "The connection is open, and waits for more." in shown(editor)
        assert len(server.connections) == 1
        editor.controls.keep.value = False
        wait_until(lambda: not server.connections)
        editor.controls.send_button.click()
        assert "no message has begun" in shown(editor)


def test_after_the_end_of_a_kept_connection_the_next_frame_opens_another():
    with live_server() as server:
        editor = edit_frame(server)
        editor.keep = True
        editor.frame = ILLEGAL["no mask"]
        assert editor.send().close_code == 1002
        editor.frame = HELLO_FRAME
        assert [line for line, _ in editor.send().rows] == ['text "Hello"']
        editor.close()


def test_a_server_of_its_own_lives_as_long_as_the_kept_connection():
    editor = edit_frame()
    editor.keep = True
    assert [line for line, _ in editor.send().rows] == ['text "Hello"']
    own = editor._own_server
    assert own.is_listening
    editor.close()
    assert not own.is_listening


def test_compression_is_offered_on_demand():
    editor = edit_frame(frame=LEGAL["Hello, compressed"])
    editor.controls.send_button.click()
    assert editor.answer.close_code == 1002
    editor.controls.deflate.value = True
    editor.controls.send_button.click()
    assert "Hello" in editor.answer.rows[0][0]


def test_what_a_server_says_is_not_html():
    with live_server(handler=lambda connection: connection.close(4000, "<b>bold</b>")) as server:
        editor = edit_frame(server)
        editor.controls.send_button.click()
    for html in (shown(editor), editor._repr_html_()):
        assert "&lt;b&gt;bold" in html
        assert "<b>" not in html


def test_callbacks_may_come_in_several_threads_at_once():
    def turn(editor, bits):
        for number in range(100):
            for bit in bits:
                bit.value = bool(number % 2)

    editor = edit_frame()
    fields = editor.controls.fields
    with running(turn, editor, [fields.fin, fields.rsv1]), running(turn, editor, [fields.rsv2, fields.rsv3]):
        pass
    assert editor.controls.data.value.startswith("f1 ")
    assert editor.frame == fields.read()


def test_two_clicks_at_once_send_once():
    arrived, done, count = threading.Event(), threading.Event(), []

    def wait(connection):
        count.append(connection)
        arrived.set()
        done.wait(20)

    with live_server(handler=wait) as server:
        editor = edit_frame(server)
        with running(editor.controls.send_button.click):
            assert arrived.wait(20)
            editor.controls.send_button.click()
            assert "Sending …" in shown(editor)
            done.set()
    assert len(count) == 1


def test_in_a_browser_where_callbacks_cannot_wait_a_click_does_not_wait_for_the_server(monkeypatch):
    monkeypatch.setattr("wslab.display.widgets.editor_controls.is_lite", lambda: True)
    done = threading.Event()
    with live_server(handler=lambda connection: done.wait(20)) as server:
        editor = edit_frame(server)
        editor.controls.send_button.click()
        assert editor.answer is None
        done.set()
        wait_until(lambda: editor.answer is not None)
    assert editor.answer.close_code == 1000


def test_the_text_is_the_same_in_every_run_and_comes_with_html_and_where_somebody_looks_the_widget(monkeypatch):
    editor = edit_frame()
    assert repr(editor).splitlines()[:3] == [
        f"Bytes: {HELLO}",
        "FIN 1, RSV 000, opcode 0x1 (text), masked with 37 fa 21 3d, length 5 in 7 bits",
        "",
    ]
    assert repr(editor).endswith(repr(wslab.inspect(bytes.fromhex(HELLO), deflate=False)))
    for name in reader.HERE_IS_A_NOTEBOOK:
        monkeypatch.delenv(name, raising=False)
    assert editor._repr_mimebundle_() == {"text/plain": repr(editor), "text/html": editor._repr_html_()}
    monkeypatch.setenv(reader.HERE_IS_A_NOTEBOOK[0], "lesson.ipynb")
    assert "<wslab-place " in editor._repr_mimebundle_()["text/html"]


def test_a_notebook_that_nobody_looks_at_needs_no_widgets():
    code = (
        "import sys, wslab; e = wslab.edit_frame(); e._repr_mimebundle_(); e.send(); print('ipywidgets' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if name not in reader.HERE_IS_A_NOTEBOOK}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.stderr) == ("False\n", "")


def test_long_frames_are_shown_in_short():
    assert "… (308 bytes)" in repr(edit_frame(frame=text("x" * 300)))
    assert len(repr(edit_frame(frame=text("x" * 50_000)))) < 3000


def test_a_frame_to_begin_with_must_be_one():
    with pytest.raises(ValueError, match="a header has at least 2 bytes"):
        edit_frame(frame=b"\x81")
    with pytest.raises(ValueError, match="7 bits tell"):
        edit_frame(frame=RawFrame(payload=bytes(200), length_form=LengthForm.BITS_7))
    assert edit_frame(frame=serialize_frame(wslab.Frame(Opcode.PING))).frame == RawFrame(0x9)


def test_every_control_has_a_name_and_a_hint():
    editor = edit_frame()
    controls_of, rows = editor.controls, editor.controls.fields.box.children
    controls = [
        *(control for row in rows for control in row.children),
        editor.controls.data,
        editor.controls.send_button,
    ]
    controls += [controls_of.preset, controls_of.new_key, controls_of.keep, controls_of.deflate]
    assert len(controls) == 17
    for control in controls:
        assert control.description
        assert control.tooltip
