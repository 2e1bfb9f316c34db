"""Every output of every lesson fits its place, whatever the window and the theme; what must be scrolled, a key scrolls.

All outputs stand in one page, with the style sheets of JupyterLab, in a column as wide as that of a notebook.
"""

import json
from pathlib import Path

import nbconvert
import pytest
from support.jupyterlab import NOTEBOOKS, code_cells

from wslab.display.html import picture
from wslab.display.inspector.bits import CAPTION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STYLES = Path(nbconvert.__file__).parents[4] / "share/jupyter/nbconvert/templates/lab/static"
BESIDE_A_NOTEBOOK = 432  # pixels of a window of JupyterLab: the file browser, the margins, the prompts
COLUMNS = {**{window: window - BESIDE_A_NOTEBOOK for window in (1280, 1012, 800)}, 390: 350}
BITS_FIT = 1012  # a word for what is illegal may need more
MOST_LINES = 14  # of a row of a table in the narrowest column
THEMES = ("light", "dark")
OUTPUT = (
    '<div class="jp-OutputArea-child"><div class="jp-OutputArea-output jp-RenderedHTMLCommon jp-RenderedHTML" '
    'title="{title}">{html}</div></div>'
)
MEASURE = """() => [...document.querySelectorAll(".jp-OutputArea-output")].map((output) => {
    const all = [...output.querySelectorAll("*")];
    const alpha = (colour) => Number(/rgba\\(.*, ([\\d.]+)\\)/.exec(colour)?.[1] ?? 1);
    const light = (colour) => colour.match(/\\d+/g).slice(0, 3).every((part) => part > 160);
    const papers = all.map((element) => getComputedStyle(element).backgroundColor);
    const scrolled = all.filter((element) =>
        element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX === "auto");
    return {
        title: output.title,
        sticks_out: output.scrollWidth - output.clientWidth,
        scrolled: scrolled.map((element) => [element.tagName, element.tabIndex, element.ariaLabel ?? ""]),
        scrolled_legal: scrolled.filter((element) => !element.innerText.includes("illegal:"))
            .map((element) => element.ariaLabel),
        slabs: papers.filter((paper) => alpha(paper) > 0.5 && light(paper)),
        pictures: all.filter((element) => element.tagName === "IMG")
            .map((image) => [image.alt, image.clientWidth, image.naturalWidth]),
        highest: Math.max(0, ...all.filter((element) => element.tagName === "TR").map((row) => row.clientHeight)),
    };
})"""


def html_outputs():
    """The HTML of each output, as a reader sees it who has run the cell, with the lesson that it is from."""
    for path in NOTEBOOKS:
        for number, cell in enumerate(code_cells(json.loads(path.read_text(encoding="utf-8")))):
            for output in cell["outputs"]:
                data = {kind: "".join(value) for kind, value in output.get("data", {}).items() if kind != "image/svg"}
                if png := data.get("image/png"):
                    yield f"{path.stem} {number}", picture(png.replace("\n", ""), data["text/plain"].strip("<>"))
                elif html := data.get("text/html"):
                    yield f"{path.stem} {number}", html


@pytest.fixture(scope="module")
def outputs():
    found = list(html_outputs())
    assert len(found) > 100
    return found


@pytest.fixture(scope="module", params=THEMES)
def page(request, browser, outputs):
    styles = [(STYLES / name).read_text(encoding="utf-8") for name in ("index.css", f"theme-{request.param}.css")]
    shown = "".join(OUTPUT.format(title=title, html=html) for title, html in outputs)
    with browser.new_page() as page:
        colours = "background:var(--jp-layout-color0);color:var(--jp-content-font-color1)"
        body = f'<body style="{colours};margin:0"><main id="column" style="font-size:14px">{shown}</main>'
        page.set_content(f"<!doctype html><meta charset=utf-8><style>{''.join(styles)}</style>{body}")
        page.evaluate("theme => { document.body.dataset.theme = theme; }", request.param)
        page.evaluate("() => Promise.all([...document.images].map((image) => image.decode()))")
        page.evaluate("() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        yield page


@pytest.mark.parametrize("window", COLUMNS)
def test_every_output_fits(page, window):
    page.set_viewport_size({"width": window, "height": 800})
    page.evaluate("width => { document.getElementById('column').style.width = `${width}px`; }", COLUMNS[window])
    measured = page.evaluate(MEASURE)
    assert len(measured) > 100

    assert [(it["title"], it["sticks_out"]) for it in measured if it["sticks_out"] > 1] == []
    unreachable = [(it["title"], one) for it in measured for one in it["scrolled"] if one[0] != "PRE" and not ok(one)]
    assert unreachable == []
    if window == max(COLUMNS):
        assert [
            (it["title"], it["scrolled"]) for it in measured if any(one[0] != "PRE" for one in it["scrolled"])
        ] == []
    if window >= BITS_FIT:
        assert [it["title"] for it in measured if CAPTION in it["scrolled_legal"]] == []
    too_high = [(it["title"], it["highest"]) for it in measured if it["highest"] > MOST_LINES * 20]
    assert too_high == []


def ok(scrolled: tuple[str, int, str]) -> bool:
    """Whether a key can reach what must be scrolled, and a screen reader has a name for it."""
    _, tab_index, name = scrolled
    return tab_index == 0 and bool(name)


def test_no_output_is_a_white_slab_on_a_dark_page(page):
    measured = page.evaluate(MEASURE)
    slabs = {it["title"] for it in measured if it["slabs"]}
    if page.evaluate("document.body.dataset.theme") == "dark":
        assert slabs == {it["title"] for it in measured if it["pictures"]}  # their paper, which the picture darkens
    else:
        assert len(slabs) > 100


def test_pictures_keep_the_size_in_which_they_are_legible_and_have_an_alternative_text(page):
    pictures = [one for it in page.evaluate(MEASURE) for one in it["pictures"]]
    assert len(pictures) > 5
    assert [(alt, shown, own) for alt, shown, own in pictures if not alt or shown != min(own, 820)] == []
