"""A tap between a real browser and JupyterLab: both work as without it, and every frame is seen, but no secret."""

import json
from base64 import b64decode
from dataclasses import replace

import pytest
from support.jupyterlab import run_notebook, write_notebook

from wslab import Direction, Recording, Tap, inspect
from wslab.dissector.frames import DissectedFrame
from wslab.recording.recorded_frames import dissect_recording


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_tap_between_chromium_and_jupyterlab_sees_every_frame_and_tells_no_secret(browser, lab, tmp_path):
    write_notebook(lab, "tapped.ipynb", "6 * 7")
    recording = Recording()
    with Tap(lab.address, recording=recording) as tap:
        page = run_notebook(browser, replace(lab, address=tap.url.replace("ws", "http", 1)), "tapped.ipynb")
        result = page.locator(".jp-OutputArea-output").inner_text()
        page.close()

    frames = [it for it in dissect_recording(recording) if isinstance(it.seen.what, DissectedFrame)]
    payloads = {way: b"".join(it.seen.what.payload for it in frames if it.direction is way) for way in Direction}
    assert result == "42"
    assert b"execute_request" in payloads[Direction.CLIENT_TO_SERVER]
    assert b"execute_result" in payloads[Direction.SERVER_TO_CLIENT]
    assert [str(it.seen) for it in frames if it.seen.illegal] == []

    assert any(lab.token.encode() in chunk.data for chunk in recording.chunks)  # it did pass
    assert lab.token not in repr(inspect(recording, most=10_000))
    recording.save(saved := tmp_path / "lab.pcapng")
    assert lab.token.encode() not in saved.read_bytes()
    recording.save(har := tmp_path / "lab.har")
    assert lab.token not in har.read_text(encoding="utf-8")
    bodies = [entry["response"]["content"].get("text", "") for entry in json.loads(har.read_bytes())["log"]["entries"]]
    assert all(lab.token.encode() not in b64decode(body) for body in bodies)
    loaded = [it.seen for it in dissect_recording(Recording.load(saved)) if isinstance(it.seen.what, DissectedFrame)]
    assert sorted(map(repr, loaded)) == sorted(repr(it.seen) for it in frames)
