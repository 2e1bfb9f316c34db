"""All that is made of a recording to be looked at or saved, by name."""

import contextlib
import json
import re
import zlib

import matplotlib.text

import wslab
from wslab import Direction, Recording
from wslab.cli.tap_log import LineFormatter

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT


def recorded(up, down, size=10_000, frames=()):
    """A conversation, each direction of it in chunks of `size` bytes."""
    recording = Recording(clock=iter(range(10**6)).__next__)
    recording.opened(1, ("127.0.0.1", 50000), ("127.0.0.1", 8765))
    for way, data in (UP, up), (DOWN, down), *frames:
        for start in range(0, len(data), size):
            recording.add(1, way, data[start : start + size])
    return recording


def files(recording, folder):
    """What is saved, with what is compressed in it decompressed as well."""
    for ending in ".pcapng", ".har":
        path = folder / f"saved{ending}"
        recording.save(path)
        data = path.read_bytes()
        if ending == ".pcapng":  # its packets cut the streams
            loaded = Recording.load(path)
            data = b"".join(loaded.bytes_sent(1, way) for way in Direction)
        elif data:
            contents = [entry["response"]["content"] for entry in json.loads(data)["log"]["entries"]]
            data += b"".join(zlib.decompressobj(wbits=31).decompress(b"") + json.dumps(it).encode() for it in contents)
        for magic in re.finditer(rb"\x1f\x8b\x08", data):
            with contextlib.suppress(zlib.error):
                data += zlib.decompressobj(wbits=31).decompress(data[magic.start() :])
        yield ending, data.decode("latin-1")


def tables(recording):
    table = wslab.inspect(recording, most_bytes=4096)
    yield "inspect", table
    yield from ((f"row {entry.number}", table.row(entry.number)) for entry in table.entries)
    for way in Direction:
        yield f"inspect bytes, {way}", wslab.inspect(recording.bytes_sent(1, way), most_bytes=4096)


def views(recording):
    """All that is made of a recording to be looked at, by name."""
    yield "repr", repr(recording)
    for name, table in tables(recording):
        yield name, repr(table) + table._repr_html_()
    formatter = LineFormatter()
    yield "tap", "\n".join(line for chunk in recording.chunks for line in formatter.lines(chunk))
    player = wslab.play(recording)
    steps = [player.html_of_step(step) for step in player.playback.numbers]
    yield "play", "".join([repr(player), player._repr_html_(), *steps])
    with wslab.watch_frames(recording) as frames:
        yield "watch_frames", repr(frames) + frames._repr_html_()
    for way, parse in (UP, wslab.parse_request), (DOWN, wslab.parse_response):
        with contextlib.suppress(wslab.ProtocolError, TypeError):
            head, _ = parse(recording.bytes_sent(1, way))
            yield f"head, {way}", f"{head} {head!r}"


def pictures(recording):
    for draw in wslab.draw_ladder, wslab.draw_timeline:
        figure = draw(recording)
        drawn = figure.figure.findobj(matplotlib.text.Text) if figure.figure else []
        yield draw.__name__, "\n".join([repr(figure), *(one.get_text() for one in drawn)])
