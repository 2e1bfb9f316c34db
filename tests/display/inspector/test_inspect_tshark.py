"""What inspect shows of each frame is what Wireshark shows of it, field by field; neither knows of the other."""

from random import Random

import pytest
from support.raw_peer import live_server
from support.recordings import TEXT, talk, talk_in_fragments
from support.wireshark import Dissected, dissect

from wslab import Direction, Opcode, Recording, inspect
from wslab.display.inspector.recording_table import RecordingTable
from wslab.protocol.deflate import PermessageDeflate
from wslab.redaction.redact import printable

MESSAGES = ["Hello", "Hello", TEXT, b"\x00\x01", bytes(700), *map(Random(6455).randbytes, (125, 126, 65_536))]
EMPTY = ["", b""]  # compressed, they are the byte 00, and Wireshark shows that


def shown_frames(recording: Recording) -> list[tuple[object, ...]]:
    """The fields of all frames, read from the rows that inspect shows, in the order of `dissected_frames`."""
    table = inspect(recording, most=10**6, most_bytes=10**6)
    of_frames = [row for row in table.rows if not row[4].startswith(("GET ", "HTTP/"))]
    of_frames.sort(key=lambda row: (int(row[1]), row[2] == Direction.SERVER_TO_CLIENT))
    return [shown_frame(table, row) for row in of_frames]


def shown_frame(table: RecordingTable, row: tuple[str, ...]) -> tuple[object, ...]:
    fields = {}
    octets = plain = ""
    for _, hexadecimal, _, name, value, _ in table.row(int(row[0])).rows:
        fields[name] = (hexadecimal, value or fields.get(name, ("", ""))[1])
        if hexadecimal and name.endswith("payload"):
            octets, plain = f"{octets}{hexadecimal} ", f"{plain}{value} "
    key = fields["masking key"][0] if fields["MASK"][1] == "1: masked" else ""
    code, reason = fields.get("close code", ("", ""))[1], fields.get("close reason", ("", '""'))[1]
    payload = bytes.fromhex(plain if key else octets).hex()
    return (
        int(row[1]) - 1,
        fields["FIN"][1],
        fields["RSV1-3"][1],
        int(fields["opcode"][1].partition(":")[0], 16),
        key,
        int(fields.get("extended length", fields["payload length"])[1]),
        (code.partition(" ")[0], reason) if code else said(fields, payload),
    )


def said(fields: dict[str, tuple[str, str]], payload: str) -> str:
    """What the frame says: the text, or the bytes of everything else."""
    hexadecimal, value = fields.get("payload", ("", ""))
    if fields["RSV1-3"][1] == "100" or (value and not hexadecimal):
        return value if value.startswith('"') else value.replace(" ", "")
    return value or (payload if "text" not in fields["opcode"][1] else '""')


def dissected_frames(path, recording: Recording) -> list[tuple[object, ...]]:
    clients = {client[1] for client, _ in recording.addresses.values()}
    frames = sorted(dissect(path), key=lambda frame: (frame.stream, frame.from_port not in clients))
    return [dissected_frame(frame) for frame in frames]


def dissected_frame(frame: Dissected) -> tuple[object, ...]:
    words = frame.payload.hex()
    if frame.opcode == Opcode.TEXT:
        words = f'"{printable(frame.payload.decode())}"'
    key = "" if frame.masking_key is None else frame.masking_key.hex(" ")
    close = (str(frame.close_code), f'"{frame.close_reason}"')
    fields = str(int(frame.fin)), f"{frame.rsv:03b}", frame.opcode, key, frame.length
    return frame.stream, *fields, close if frame.close_code else words


@pytest.mark.parametrize(
    "deflate",
    [
        pytest.param(False, id="uncompressed"),
        pytest.param(True, id="compressed"),
        pytest.param(PermessageDeflate(True, True, 9, 10), id="compressed without takeover"),
    ],
)
def test_wireshark_agrees_on_every_field_of_every_frame(deflate, tmp_path):
    recording = Recording()
    with live_server(deflate=deflate) as server:
        talk(recording, server.url, MESSAGES if deflate else [*MESSAGES, *EMPTY], deflate=deflate)
    recording.save(tmp_path / "talk.pcapng")

    shown = shown_frames(recording)
    assert len(shown) >= 2 * (len(MESSAGES) + 4)
    assert shown == dissected_frames(tmp_path / "talk.pcapng", recording)
    assert shown == shown_frames(Recording.load(tmp_path / "talk.pcapng"))


@pytest.mark.parametrize("deflate", [False, True])
def test_wireshark_agrees_on_the_headers_of_fragments(deflate, tmp_path):
    recording = Recording()
    with live_server(deflate=deflate) as server:
        talk_in_fragments(recording, server.url, deflate=deflate)
    recording.save(tmp_path / "talk.pcapng")

    shown = [frame[:-1] for frame in shown_frames(recording)]
    assert len(shown) > 10
    assert shown == [frame[:-1] for frame in dissected_frames(tmp_path / "talk.pcapng", recording)]
