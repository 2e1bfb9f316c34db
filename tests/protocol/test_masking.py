"""Masking: XOR with a key of four bytes, as the loop of the RFC does it, whatever the length and the buffer."""

import runpy
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.wire import KEY, naive_mask

from wslab.protocol import masking
from wslab.protocol.masking import apply_mask, xor

MASKING_KEYS = st.binary(min_size=4, max_size=4)


@given(st.binary(max_size=300), MASKING_KEYS)
@example(b"", KEY)
@example(b"\x00" * 9, b"\x00\x00\x00\x01")
def test_masking_is_the_loop_of_the_rfc(data, key):
    assert apply_mask(data, key) == naive_mask(data, key)


@pytest.mark.parametrize("size", [*range(508, 517), 65535, 65536])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_masking_long_data_with_numpy_is_the_loop_of_the_rfc_too(size, kind):
    data = (bytes(range(251)) * 262)[:size]

    assert apply_mask(kind(data), KEY) == naive_mask(data, KEY)
    assert xor(kind(data), data[::-1]) == bytes(a ^ b for a, b in zip(data, data[::-1], strict=True))


def test_numpy_begins_where_the_sizes_above_are():
    assert masking.WORTH_NUMPY in (512, sys.maxsize)


@given(st.binary(max_size=300), MASKING_KEYS)
def test_masking_twice_gives_the_data_back(data, key):
    assert apply_mask(apply_mask(data, key), key) == data


@pytest.mark.parametrize("key", [b"", b"abc", b"abcde"])
def test_a_masking_key_has_four_bytes(key):
    with pytest.raises(ValueError, match=f"4 bytes, not {len(key)}"):
        apply_mask(b"Hello", key)


def test_without_numpy_long_data_is_masked_as_one_big_integer(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    alone = runpy.run_path(masking.__file__)
    data = bytes(range(251)) * 40

    assert alone["WORTH_NUMPY"] == sys.maxsize
    assert alone["apply_mask"](data, KEY) == naive_mask(data, KEY)
