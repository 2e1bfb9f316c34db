"""class_results: a folder with the files of a class's tests of knowledge in, what it knew before and after out.

The files are those that `knowledge_test` keeps, one for each student, under any name that ends in `.json`. They name
nobody, and neither does the picture.
"""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from wslab.display.figures.canvas import GREY, ORANGE, SKY, WIDTH, Canvas, width_of
from wslab.display.figures.figure import DescribedFigure, draw_described
from wslab.quiz.items import ITEMS
from wslab.quiz.sitting import Kept, load
from wslab.redaction.redact import printable

MAX_FILES = 500
MAX_SIZE = 256 * 1024  # bytes of one file
OCCASIONS = ("before", "after")
CONCEPTS = tuple(item.concept for item in ITEMS)
COLUMN = max(map(len, CONCEPTS))
LOOKS = {"before": (SKY, ""), "after": (ORANGE, "////")}
LEFT, RIGHT = 160.0, WIDTH - 50  # points: between them, the bars
BAR, ROW, TOP = 12.0, 32.0, 34.0

Right = dict[str, bool]


@dataclass(frozen=True)
class ClassResults:
    """What was right, by concept, for each student who sat the test before and after; and what else there was.

    `pairs` has the first test before the course and the last one after it. `single` counts those who sat only one of
    the two. `left_out` has a sentence for each file that could not be used.
    """

    pairs: tuple[tuple[Right, Right], ...]
    single: int = 0
    left_out: tuple[str, ...] = ()

    def count(self, occasion: str, concept: str) -> int:
        """How many students had this right."""
        return sum(pair[OCCASIONS.index(occasion)].get(concept, False) for pair in self.pairs)

    def scores(self, occasion: str) -> list[int]:
        """How many concepts each student had right."""
        return [sum(pair[OCCASIONS.index(occasion)].values()) for pair in self.pairs]

    def __str__(self) -> str:
        count = len(self.pairs)
        lines = [f"{'concept':{COLUMN}}  before  after  (of {count} students)"] if count else ["Nothing to draw."]
        if count:
            for concept in CONCEPTS:
                lines.append(f"{concept:{COLUMN}}  {self.count('before', concept):6}  {self.count('after', concept):5}")
            middle = [f"{median(self.scores(occasion)):g}" for occasion in OCCASIONS]
            lines.append(
                f"{'median of the scores':{COLUMN}}  {middle[0]:>6}  {middle[1]:>5}  (of {len(CONCEPTS)} questions)"
            )
        if self.single or not count:
            lines.append(f"{self.single} sat only one of the two tests, and cannot be compared.")
        return "\n".join([*lines, *self.left_out])


def read_class_results(folder: Path | str) -> ClassResults:
    """Read the `.json` files in a folder. Raises OSError if it cannot be listed; what is odd in it is left out."""
    paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() == ".json")
    pairs, left_out, single = [], [], 0
    for path in paths[:MAX_FILES]:
        try:
            found = _read(path)
        except (OSError, ValueError, RecursionError) as error:
            left_out.append(f"{printable(path.name)} is left out: {_why(error)}")
            continue
        if len(found) == len(OCCASIONS):
            pairs.append((found["before"], found["after"]))
        else:
            single += 1
    if len(paths) > MAX_FILES:
        left_out.append(f"{len(paths) - MAX_FILES} files are left out: there are more than {MAX_FILES}")
    return ClassResults(tuple(pairs), single, tuple(left_out))


def draw_class_results(folder: Path | str) -> DescribedFigure:
    """How many students of a class had each concept right, before and after the course; with a text that says the same.

    `folder` has the file of each student. Raises OSError if it cannot be listed.
    """
    results = read_class_results(folder)
    if not results.pairs:
        return DescribedFigure(None, str(results))
    return draw_described(lambda: _picture(results).figure, str(results), "What a class knew before and after")


def _read(path: Path) -> dict[str, Right]:
    """The first test before the course and the last one after it, as far as they are in the file."""
    if not path.is_file():
        raise ValueError("it is no file")
    if path.stat().st_size > MAX_SIZE:
        raise ValueError(f"it has more than {MAX_SIZE // 1024} KiB")
    sittings = load(path)
    befores = [_right(it) for it in sittings if it["occasion"] == "before"][:1]
    afters = [_right(it) for it in sittings if it["occasion"] == "after"][-1:]
    found = dict([*zip(["before"], befores, strict=False), *zip(["after"], afters, strict=False)])
    if not found:
        raise ValueError("it holds no test before or after the course")
    return found


def _right(kept: Kept) -> Right:
    """What was right of what is asked now."""
    if not all(isinstance(value, bool) for value in kept["right"].values()):
        raise ValueError("it holds answers that are neither right nor wrong")
    return {concept: kept["right"].get(concept, False) for concept in CONCEPTS}


def _why(error: Exception) -> str:
    return f"{error}" if type(error) is ValueError else "it cannot be read"


def _picture(results: ClassResults) -> Canvas:
    canvas = Canvas(TOP + ROW * len(CONCEPTS) + 12)
    count = len(results.pairs)
    canvas.write(LEFT - 8, 16, f"right, of {count}", align="right", color=GREY)
    x = LEFT
    for occasion, (color, hatch) in LOOKS.items():
        canvas.box(x, 7, (22, 11), fill=color, hatch=hatch)
        canvas.write(x + 28, 16, f"{occasion} the course")
        x += 60 + width_of(f"{occasion} the course")
    for row, concept in enumerate(CONCEPTS):
        y = TOP + ROW * row
        canvas.write(LEFT - 8, y + 15, concept, align="right")
        for occasion, (color, hatch) in LOOKS.items():
            right = results.count(occasion, concept)
            length = (RIGHT - LEFT) * right / count
            canvas.box(LEFT, y, (length, BAR - 2), fill=color, hatch=hatch)
            canvas.write(LEFT + length + 5, y + 9, str(right))
            y += BAR
    return canvas
