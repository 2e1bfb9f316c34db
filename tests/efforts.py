"""How much there is to do in each lesson, and how long that takes.

Run `python tests efforts` while you write one.
"""

from pathlib import Path

from support.notebook_rules import effort, read

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9]*.ipynb"))


def main() -> None:
    total = 0.0
    print(f"{'':34}{'words':>6}{'cells':>7}{'predictions':>13}{'tasks':>7}{'minutes':>9}")
    for path in LESSONS:
        of = effort(read(path))
        total += of.minutes
        print(f"{path.stem:34}{of.words:6}{of.cells:7}{of.predictions:13}{of.tasks:7}{of.minutes:9.0f}")
    print(f"\n{len(LESSONS)} lessons, {total / 60:.1f} hours")


if __name__ == "__main__":
    main()
