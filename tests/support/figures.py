"""What the tests of figures share: recordings, plain and hostile, and the rules that every figure keeps."""

import itertools
from itertools import combinations

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.transforms import Bbox

from support.heads_and_frames import masked, request, response, text
from wslab import Direction, Frame, Opcode, Recording, serialize_frame
from wslab.display.figures.figure import DescribedFigure

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
HOSTILE = [
    "$x_1^2$ \\frac{1}{2} $",
    "中文字符" * 20,
    "😀👩\u200d👧🇩🇪",
    "Z" + "\u0301\u0302\u0489" * 30,
    "\r\n\x1b[2J\u202eevil\0",
    "W" * 5000,
    "\ufdfd" * 60,
    "שלום, مرحبا",
    "\U0010ffff\ue000",
    "</td><script>alert(1)</script>",
    "",
]


def from_server(opcode: Opcode, payload: bytes = b"", **bits: bool) -> bytes:
    """A frame as a server sends it."""
    return serialize_frame(Frame(opcode, payload, **bits))


def opened(
    connection: int = 1, recording: Recording | None = None, tick: float = 0.001, extensions: str = ""
) -> Recording:
    """A recording that begins with a handshake; its clock goes on by `tick` seconds with every entry."""
    more = (f"Sec-WebSocket-Extensions: {extensions}",) if extensions else ()
    recording = recording or Recording(clock=map(tick.__mul__, itertools.count()).__next__)
    recording.add(connection, UP, request(more=more))
    recording.add(connection, DOWN, response(*more))
    return recording


def hostile() -> Recording:
    """Texts that would break a careless picture, and frames that break the rules."""
    recording = opened()
    for words in HOSTILE:
        recording.mark(1, UP, "send", repr(words))
        recording.add(1, UP, text(words))
        recording.add(1, DOWN, from_server(Opcode.TEXT, words.encode()))
    recording.add(1, DOWN, masked(Opcode.TEXT, b"masked by the server " * 9))
    recording.add(1, UP, from_server(Opcode.BINARY, bytes(256)))
    recording.add(1, UP, masked(Opcode.TEXT, b"\xff"))
    recording.add(1, UP, b"\x83\0")
    recording.add(1, DOWN, from_server(Opcode.BINARY, bytes(100))[:50])
    recording.mark(1, UP, "unreachable", "$no_route$\n" + "x" * 300)
    return recording


def long_one(frames: int = 300) -> Recording:
    """A recording of so many frames with long texts."""
    recording = opened()
    for number in range(frames):
        recording.add(1, UP, text(f"{number} is a number, and what follows is much longer than any label may be"))
    return recording


def contrast(ink: str, paper: str) -> float:
    """How well one colour is seen on another, from 1 to 21 (WCAG 2.2, "contrast ratio"): a text needs 4.5."""
    lighter, darker = sorted(map(_luminance, (ink, paper)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), shares, strict=True))


class _Watcher(RendererAgg):
    """A renderer that remembers where it has written what."""

    def __init__(self, width: float, height: float, dpi: float) -> None:
        super().__init__(width, height, dpi)
        self.written: list[tuple[str, Bbox]] = []

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        assert not ismath, s
        self.written.append((mtext.get_text(), mtext.get_window_extent(self)))
        super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)


def keeps_the_rules(described: DescribedFigure, width: float = 8) -> None:
    """No text of a picture runs over another or out of the picture, which can be read on a dark page, too."""
    figure = described.figure
    assert figure is not None
    watcher = _Watcher(*figure.bbox.size, figure.dpi)
    figure.draw(watcher)
    assert watcher.written, "a picture without a word"
    for words, box in watcher.written:
        assert figure.bbox.contains(*box.min), words
        assert figure.bbox.contains(*box.max), words
    for (words, box), (others, other) in combinations(watcher.written, 2):
        assert not box.overlaps(other), (words, others)
    assert figure.get_figwidth() <= width
    assert tuple(figure.get_facecolor()) == (1, 1, 1, 1)


def are_the_same_picture(one: DescribedFigure, other: DescribedFigure) -> bool:
    """Whether both are the same file, byte by byte."""
    image = one.png()
    return image is not None and image == other.png()
