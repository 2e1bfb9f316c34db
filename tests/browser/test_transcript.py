"""Transcript: what a browser reported, as text, as HTML and as a file."""

import json
from html import escape

import pytest
from support.browser_scripts import SCRIPTS, TRANSCRIPTS

from wslab.browser.transcript import MOST_ROWS, RecordedRun, Transcript, load_transcripts, save_transcripts

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e&"
EVENTS = (
    {"what": "new WebSocket()", "socket": 1, "url": "<url>", "readyState": 0},
    {"what": "send()", "socket": 1, "data": "Hello", "threw": "InvalidStateError", "readyState": 0},
    {"what": "close", "socket": 1, "code": 1006, "reason": "", "wasClean": False, "readyState": 3},
    {"what": "log", "text": "the end"},
)
TRANSCRIPT = Transcript("Chromium 156 reported:", EVENTS)


def test_a_transcript_is_a_table_in_text():
    assert repr(TRANSCRIPT) == "\n".join(
        [
            "Chromium 156 reported:",
            "socket  what             with",
            '1       new WebSocket()  url "<url>", readyState 0 CONNECTING',
            '1       send()           data "Hello", threw InvalidStateError, readyState 0 CONNECTING',
            '1       close            code 1006, reason "", wasClean false, readyState 3 CLOSED',
            '        log              text "the end"',
        ]
    )


def test_the_table_in_html_says_the_same_and_needs_no_style_sheet():
    html = TRANSCRIPT._repr_html_()
    assert "Chromium 156 reported:</caption>" in html
    assert html.count("<tr") == 1 + len(EVENTS)
    for row in TRANSCRIPT.table.rows:
        assert all(f">{escape(cell)}</td>" in html for cell in row)
    for tag in ("<style", "<script", "class="):
        assert tag not in html


def test_without_events_there_is_a_sentence_and_no_table():
    nothing = Transcript("No browser answered.")
    assert (repr(nothing), nothing._repr_html_()) == ("No browser answered.", "<p>No browser answered.</p>")


def test_what_a_peer_sent_is_text_in_both():
    shown = Transcript(HOSTILE, ({"what": HOSTILE, "data": HOSTILE, "threw": HOSTILE},))
    assert "<img" not in shown._repr_html_()
    for text in (repr(shown), shown._repr_html_()):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_a_long_message_does_not_make_the_table_wide_and_a_long_line_of_the_script_is_whole():
    events = (
        {"what": "close()", "reason": "x" * 101},
        {"what": "close()", "reason": "y" * 100},
        {"what": "log", "text": "z" * 101},
    )
    rows = [row[2] for row in Transcript("", events).table.rows]
    assert rows == [f'reason "{"x" * 20}…" of 101 characters', f'reason "{"y" * 100}"', f'text "{"z" * 101}"']


@pytest.mark.parametrize(("left_out", "said"), [(0, ""), (1, "… 1 more event: "), (700, "… 700 more events: ")])
def test_of_very_many_events_the_first_are_shown_and_the_others_counted(left_out, said):
    events = tuple({"what": "log", "text": str(number)} for number in range(MOST_ROWS + left_out))
    table = Transcript("", events).table
    assert table.rows[-1] == ("", "log", f'text "{MOST_ROWS - 1}"')
    assert table.more == (said and f"{said}events has them all")
    assert table.more in repr(table)


@pytest.mark.parametrize("readyState", [-1, 4, True, "1", None])
def test_a_state_that_does_not_exist_is_shown_as_it_is(readyState):
    shown = repr(Transcript("", ({"what": "open", "readyState": readyState},)))
    assert "CLOSED" not in shown
    assert f"readyState {json.dumps(readyState)}" in shown


def test_transcripts_are_loaded_as_they_were_saved(tmp_path):
    path = tmp_path / "transcripts.json"
    saved = {"one": ("\n    done()  \n", EVENTS), "nothing": ("", [])}
    save_transcripts(path, "Chromium 156", saved)

    loaded = load_transcripts(path)
    assert loaded == {
        "one": RecordedRun("done()", EVENTS, "Chromium 156"),
        "nothing": RecordedRun("", (), "Chromium 156"),
    }


FAULTY = {
    "nothing": "",
    "deep": "[" * 100_000,
    "no UTF-8": "\xff",
    "a list": "[]",
    "no transcripts": "{}",
    "no browser": '{"transcripts": {}}',
    "a browser without a name": '{"browser": 1, "transcripts": {}}',
    "transcripts without names": '{"browser": "Chromium 156", "transcripts": []}',
    "a transcript without a script": '{"browser": "Chromium 156", "transcripts": {"a": {"events": []}}}',
    "a transcript without events": '{"browser": "Chromium 156", "transcripts": {"a": {"script": "done()"}}}',
    "an event that is no object": '{"browser": "", "transcripts": {"a": {"script": "", "events": ["open"]}}}',
    "an event without what happened": '{"browser": "", "transcripts": {"a": {"script": "", "events": [{}]}}}',
    "an event of another kind": '{"browser": "", "transcripts": {"a": {"script": "", "events": [{"what": 1}]}}}',
}


@pytest.mark.parametrize("text", FAULTY.values(), ids=FAULTY.keys())
def test_a_file_without_transcripts_is_refused_when_it_is_loaded(tmp_path, text):
    (tmp_path / "transcripts.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=r"^transcripts (are JSON|have a browser)"):
        load_transcripts(tmp_path / "transcripts.json")


def test_half_a_pair_of_utf_16_is_saved_as_well(tmp_path):
    events = ({"what": "send()", "data": "\ud83d"},)
    save_transcripts(tmp_path / "transcripts.json", "Chromium 156", {"one": ("done()", events)})

    loaded = load_transcripts(tmp_path / "transcripts.json")["one"]
    assert loaded.events == events
    assert r'data "\ud83d"' in repr(Transcript("", loaded.events))


def test_a_transcript_fits_its_script_however_far_that_is_indented_and_no_other_one():
    recorded = RecordedRun("if (true) {\n  done();\n}", (), "Chromium 156")
    assert recorded.fits("\n        if (true) {  \n          done();\n        }\n    ")
    assert not recorded.fits("if (true) {\ndone();\n}")
    assert not recorded.fits("if (false) {\n  done();\n}")


def test_every_script_was_recorded_as_it_stands_and_no_other_one():
    recorded = load_transcripts(TRANSCRIPTS)
    assert list(recorded) == [script.name for script in SCRIPTS]
    for script in SCRIPTS:
        assert recorded[script.name].fits(script.source), f"record {script.name} anew: tests/record_transcripts.py"
        assert recorded[script.name].browser.startswith("Chromium ")


def test_what_was_recorded_holds_no_port_and_no_address_of_a_server():
    assert "127.0.0.1" not in TRANSCRIPTS.read_text(encoding="utf-8")
    assert "localhost" not in TRANSCRIPTS.read_text(encoding="utf-8")


def test_no_lesson_shows_a_script_that_was_not_recorded():
    lessons = [path.read_text(encoding="utf-8") for path in TRANSCRIPTS.parents[1].glob("*.ipynb")]
    assert not any("was not recorded" in lesson for lesson in lessons)
