"""Every notebook as a page without a kernel, as nbviewer shows it: whole, legible, and no link leads astray."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from support.axe import violations
from support.notebook_rules import anchors

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(ROOT.glob("notebooks/**/*.ipynb"))
LESSONS_AND_PAGES = [path for path in NOTEBOOKS if path.parent.name == "notebooks"]
EXPORTER = HTMLExporter(template_name="lab", mathjax_url="", require_js_url="", jquery_url="")
DARK = next(path for folder in EXPORTER.template_paths if (path := Path(folder, "static/theme-dark.css")).is_file())
HOST = re.compile(r"([a-z0-9-]+\.)+[a-z]{2,}")
TRACKING = re.compile(r"(^|&)(utm_\w+|fbclid|gclid|mc_eid|ref|ref_src|si)=")
SHORTENED = {"bit.ly", "goo.gl", "t.co", "tinyurl.com", "aka.ms"}
ONLY_HTTP = {"w2spconf.com"}  # the proceedings of 2011
# What nbconvert puts around the cells has colours of its own, and so have its links and its tracebacks.
AROUND = ".jp-InputArea, .jp-OutputPrompt, .anchor-link, [class*=ansi-]"
LINKS = {"link-in-text-block": {"enabled": False}}


def name(path):
    return f"{path.parent.name}-{path.stem}"


@cache
def html_of(path):
    return EXPORTER.from_filename(str(path))[0]


@cache
def page_of(path):
    return BeautifulSoup(html_of(path), "html.parser").body


@cache
def places_in(path):
    """What a link into this file may say after `#`."""
    if path.suffix == ".ipynb":
        return {element["id"] for element in page_of(path).select("[id]")}
    text = path.read_text(encoding="utf-8")
    return anchors(text) if path.suffix == ".md" else {f"L{number}" for number in range(1, text.count("\n") + 1)}


def fault_of(target, path):
    """What is wrong with a link or a picture of the page that `path` became, in a few words; None if it is fine."""
    url = urlsplit(target)
    if url.scheme:
        return fault_of_address(url)
    linked = (path.parent / unquote(url.path)).resolve() if url.path else path
    if not linked.exists() or not linked.is_relative_to(ROOT):
        return "leads nowhere"
    if url.fragment and not {url.fragment, unquote(url.fragment)} & places_in(linked):
        return "leads to no place on the page"
    return None


def fault_of_address(url):
    if url.scheme == "data":
        return None if url.path.startswith("image/png;base64,") else "is no PNG"
    if url.scheme != "https" and url.netloc not in ONLY_HTTP:
        return "is not safe from being changed on its way"
    if url.netloc in SHORTENED or not HOST.fullmatch(url.netloc):
        return "does not say whom it leads to"
    return "tells somebody where the reader comes from" if TRACKING.search(url.query) else None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_every_link_picture_and_anchor_leads_somewhere(path):
    targets = {element.get("href") or element.get("src") for element in page_of(path).select("[href], [src]")}
    assert {target: fault for target in targets if (fault := fault_of(target, path))} == {}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_every_output_is_there_without_a_script(path):
    page = page_of(path)
    assert page.select(":is(.jp-OutputArea, .jp-RenderedMarkdown) :is(script, style, iframe, object, svg, link)") == []
    assert [shown for shown in page.select(".jp-OutputArea-output") if not shown.text.strip() and not shown.img] == []


@pytest.mark.parametrize("path", LESSONS_AND_PAGES, ids=name)
def test_all_can_be_read_on_a_light_and_on_a_dark_page(path, tab, tmp_path):
    (tmp_path / "pictures").symlink_to(ROOT / "notebooks/pictures")
    (tmp_path / "page.html").write_text(html_of(path), encoding="utf-8")
    tab.goto((tmp_path / "page.html").as_uri())
    tab.evaluate("around => document.querySelectorAll(around).forEach(element => element.remove())", AROUND)
    tab.evaluate("document.querySelectorAll('details').forEach(element => element.open = true)")
    assert violations(tab.locator("main"), rules=LINKS) == []

    tab.add_style_tag(path=DARK)
    assert violations(tab.locator("main"), runOnly=["color-contrast"]) == []


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("glossary.ipynb", None),
        ("../README.md#lessons", None),
        ("../wslab/README.md", None),
        ("../wslab/protocol/frames.py#L1", None),
        ("../wslab/protocol/frames.py#L99999", "leads to no place on the page"),
        ("glossary.ipynb#no-such", "leads to no place on the page"),
        ("#no-such", "leads to no place on the page"),
        ("no-such.ipynb", "leads nowhere"),
        ("../../elsewhere", "leads nowhere"),
        ("https://www.rfc-editor.org/rfc/rfc6455#section-5.2", None),
        ("http://www.rfc-editor.org/rfc/rfc6455", "is not safe from being changed on its way"),
        ("file:///etc/hosts", "is not safe from being changed on its way"),
        ("https://bit.ly/3xyz", "does not say whom it leads to"),
        ("https://127.0.0.1/", "does not say whom it leads to"),
        ("https://user@example.com/", "does not say whom it leads to"),
        ("https://example.com:8443/", "does not say whom it leads to"),
        ("https://example.com/?a=1&utm_source=course", "tells somebody where the reader comes from"),
        ("data:text/html,<b>", "is no PNG"),
    ],
)
def test_a_link_that_leads_astray_is_found(target, fault):
    assert fault_of(target, ROOT / "notebooks/00-start-here.ipynb") == fault
