"""Answers as bytes: what a browser is told about a text, a page and a value, and what it may do with them."""

import pytest

from wslab import Headers
from wslab.page.answer import answer_html, answer_json, answer_text

PAGE = '<style>p {}</style><p>Hello</p><script type="module">run();</script>'
SCRIPT = "'sha256-vUOElbTHLp1UxxGV/I6teJfpCV5vgaasYjEhPKN2fqQ='"


def rules_of(answer):
    return dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))


def test_no_browser_keeps_an_answer_guesses_its_type_or_tells_its_address():
    answer = answer_text("ä", 404, headers=[("X", "y")])

    assert (answer.status, answer.phrase, answer.body) == (404, "Not Found", "ä".encode())
    assert answer.headers == Headers(
        (
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", "2"),
            ("X", "y"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        )
    )


def test_a_page_runs_its_own_script_and_style_and_what_its_rules_add():
    answer = answer_html(PAGE, {"connect-src": "ws:", "script-src": "'unsafe-eval'"}, [("X", "y")])

    assert (answer.status, answer.body.decode(), answer.headers["X"]) == (200, PAGE, "y")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert rules_of(answer) == {
        "default-src": "'none'",
        "script-src": f"{SCRIPT} 'unsafe-eval'",
        "style-src": "'sha256-SNJDlN1Iy2mnt7DOjQIyDb2LQE6O5PQiSZomcdzawQ4='",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self' http://localhost:* http://127.0.0.1:*",
        "connect-src": "ws:",
    }


def test_a_page_without_a_script_or_a_style_runs_none():
    rules = rules_of(answer_html("<p>Hello</p>", {}))
    assert (rules["script-src"], rules["style-src"]) == ("'none'", "'none'")


def test_a_page_has_at_most_one_script():
    with pytest.raises(ValueError, match="too many"):
        answer_html(PAGE + "<script>more();</script>", {})


def test_a_value_is_json():
    answer = answer_json({"name": "ä"})
    assert (answer.headers["Content-Type"], answer.body) == ("application/json", b'{"name": "\\u00e4"}')
