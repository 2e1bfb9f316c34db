"""The list of secrets: each row has a reason, and a canary that would be shown without it."""

import re

import pytest
from support.canaries import HEADER_NAMES, MEMBERS, PARAMETERS, SEGMENTS

from wslab.redaction.names import words_of
from wslab.redaction.secrets import PUBLIC_NAMES, SECRET_NAMES, SECRET_SHAPES, Place

NAMES = {
    Place.HEADER: HEADER_NAMES,
    Place.ADDRESS: PARAMETERS,
    Place.TEXT: PARAMETERS,
    Place.JSON: MEMBERS,
    Place.PATH: SEGMENTS,
}


@pytest.mark.parametrize(
    ("place", "row"), [(place, row) for row in SECRET_NAMES for place in Place if place in row.places]
)
def test_each_row_is_tried_in_each_of_its_places(place, row):
    assert row.reason
    assert [name for name in NAMES[place] if re.search(row.pattern, words_of(name))]


@pytest.mark.parametrize(("pattern", "reason"), PUBLIC_NAMES)
def test_what_is_public_would_be_taken_for_a_secret_otherwise(pattern, reason):
    assert reason
    examples = [
        *("Sec-WebSocket-Key", "WWW-Authenticate", "Access-Control-Allow-Credentials", "Cache-Key"),
        *("max_tokens", "token_type", "next_page_token"),
    ]
    found = [words_of(name) for name in examples if re.search(pattern, words_of(name))]
    assert [name for name in found if any(re.search(row.pattern, name) for row in SECRET_NAMES)]


@pytest.mark.parametrize(("pattern", "reason"), SECRET_SHAPES)
def test_each_shape_has_one_group_for_the_secret(pattern, reason):
    assert reason
    assert re.compile(pattern).groups == 1
