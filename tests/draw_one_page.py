"""Draw the one page to print: notebooks/pictures/one-page.png and .pdf, the same bytes from the same matplotlib."""

import argparse
from pathlib import Path

from PIL import Image

from wslab import draw_one_page

FOLDER = Path(__file__).parents[1] / "notebooks" / "pictures"
PNG, PDF = "one-page.png", "one-page.pdf"
DPI, COLOURS = 120, 64
UNDATED = {"Creator": "wslab", "Producer": None, "CreationDate": None}


def write_one_page(folder: Path) -> None:
    """Write the page into the folder, as a picture and as a sheet to print."""
    figure = draw_one_page().figure
    if figure is not None:
        figure.savefig(folder / PNG, dpi=DPI, metadata={"Software": None})
        with Image.open(folder / PNG) as picture:
            reduced = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        reduced.save(folder / PNG, optimize=True)
        figure.savefig(folder / PDF, metadata=UNDATED)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the page of the whole protocol, to look at and to print.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="where to put it")
    write_one_page(parser.parse_args().folder)


if __name__ == "__main__":
    main()
