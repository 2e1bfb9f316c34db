"""join_page: the address of a class in, the page out on which students join it, with the address as a QR code."""

from html import escape
from pathlib import Path

from wslab.page.answer import answer_html
from wslab.page.bundle import bundle
from wslab.protocol.http import Response

FILE = Path(__file__).with_name("class.html")
MISSING = "drawing the QR code of the address needs segno; run: pip install segno"


def qr_code(text: str) -> str:
    """The QR code of a text, as the address of a picture. Raises ImportError, in one sentence, without segno."""
    try:
        import segno
    except ImportError:
        raise ImportError(MISSING) from None
    return segno.make(text, micro=False).svg_data_uri(border=4, light="#fff", omitsize=True)


def join_page(address: str) -> Response:
    """The page, whose policy lets it talk to its own server, and forbids its script to make HTML of text."""
    page = bundle(FILE).replace("{{address}}", escape(address)).replace("{{qr}}", escape(qr_code(address)))
    rules = {"connect-src": "'self'", "require-trusted-types-for": "'script'", "trusted-types": "'none'"}
    return answer_html(page, rules)
