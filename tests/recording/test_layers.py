"""Layers: each entry of the table, as the registries number it, and headers that are no layer at all."""

import contextlib
import struct

import pytest
from support.encapsulations import LINKS

from wslab.recording.layers import LAYERS, LINK, frames_in_aggregate


def test_every_link_type_of_the_table_has_an_example_or_is_another_name_of_one_that_has():
    shown = {link for link, _ in LINKS.values()}
    others = {12, 14, 229, 109, 117, 166}  # raw IP, and headers of a fixed length before it

    assert {number for space, number in LAYERS if space == LINK} | {101} == shown | others


@pytest.mark.parametrize("layer", LAYERS)
def test_a_header_that_ends_too_early_leads_nowhere_or_is_an_index_error_or_a_struct_error(layer):
    for data in b"", b"\xff", b"\x08\x00", bytes(12):
        with contextlib.suppress(IndexError, struct.error):
            assert LAYERS[layer](data)


@pytest.mark.parametrize("header", [b"\x0d\x02\x00\x00" + bytes(12), b"\x1c\x02" + bytes(26)])
def test_a_log_of_openbsd_has_a_header_padded_to_units_of_four_bytes(header):
    size = len(header) if header[0] % 4 == 0 else header[0] + 3

    assert LAYERS[LINK, 117](header[:1] + bytes(size - 1) + b"packet")[1] == b"packet"


def test_what_a_wireless_lan_has_put_into_one_frame_is_taken_apart_up_to_where_it_ends():
    one = bytes(12) + b"\x00\x03one" + bytes(3)

    assert list(frames_in_aggregate(one * 2 + bytes(13))) == [b"one", b"one"]
