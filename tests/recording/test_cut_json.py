"""cut_json: what is whole in JSON that was cut anywhere can be read."""

import json
from functools import partial

import pytest
from support.costs import cost_of, is_linear

from wslab.recording.cut_json import MOST_DEEP, end_cut_json, mend_json

FIRST, SECOND = {"a": [1, {"b": 'x\\" [{'}], "c": None}, {"d": [[[]]]}
WHOLE = json.dumps({"log": {"entries": [FIRST, SECOND], "x": "}]"}})


@pytest.mark.parametrize("size", range(len(WHOLE)))
def test_what_is_whole_stays_wherever_it_was_cut(size):
    ended = end_cut_json(WHOLE[:size])

    entries = json.loads(ended)["log"]["entries"] if ended else []
    assert (FIRST in entries) is (size >= WHOLE.index(', {"d"'))
    assert (SECOND in entries) is (size > WHOLE.index("]]]"))


@pytest.mark.parametrize("text", ["", "hello", '"a', "]", '{"a": ]', "12", "}{"])
def test_what_has_nothing_whole_in_it_is_nothing(text):
    assert end_cut_json(text) == ""


@pytest.mark.parametrize("text", ["[[]," * 50, '["' * 50, '[{}, "\\u0041' * 50, "[]" * 50])
def test_it_costs_in_proportion_however_deep_it_is(text):
    assert is_linear([cost_of(partial(end_cut_json, text * size)) for size in (5, 10, 20)])


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        (WHOLE, WHOLE),
        ('{"a": [1, 2 , ] ,}', '{"a": [1, 2  ] }'),
        (r'["\a\n\u0041\u41"]', r'["\\a\n\u0041\\u41"]'),
        ("[undefined, None, 01, +1, .5, 1., 0x1, NaN, -1.5e+3]", "[" + "null, " * 7 + "NaN, -1.5e+3]"),
        ("hello", "hello"),
        ("[" * MOST_DEEP + "[[1, {}]], 2" + "]" * MOST_DEEP, "[" * MOST_DEEP + "null, 2" + "]" * MOST_DEEP),
        ('{"a": x, "b: x', '{"a": null, "b: x'),
    ],
)
def test_what_breaks_a_rule_of_json_costs_only_itself(text, mended):
    assert mend_json(text) == mended


@pytest.mark.parametrize(
    "text", ["[[]," * 50, '["' * 50, r'["\a",' * 50, "x " * 50, "]" * 50, "[" * 50, "," * 50, "\\" * 50]
)
def test_mending_costs_in_proportion(text):
    assert is_linear([cost_of(partial(mend_json, text * size)) for size in (5, 10, 20)])
