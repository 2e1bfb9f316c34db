"""The page: what stands in it is text, and its QR code is the address."""

import sys

import pytest

from wslab.classroom.join_page import join_page, qr_code


def test_the_address_stands_in_the_page_as_text():
    page = join_page("http://127.0.0.1/<b>&").body.decode()
    assert '<p id="address">http://127.0.0.1/&lt;b&gt;&amp;</p>' in page
    assert "<b>" not in page


def test_a_qr_code_is_a_picture_that_needs_no_network():
    picture = qr_code("http://192.168.1.5:8000/")
    assert picture.startswith("data:image/svg+xml")
    assert picture == qr_code("http://192.168.1.5:8000/") != qr_code("http://192.168.1.5:8001/")


def test_without_segno_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(ImportError, match=r"^drawing the QR code of the address needs segno; run: pip install segno$"):
        qr_code("http://192.168.1.5:8000/")
