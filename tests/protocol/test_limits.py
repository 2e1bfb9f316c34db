"""Limits: each with a name and a sane default."""

import dataclasses

import pytest

from wslab.protocol.limits import Limits


def test_the_defaults_are_those_that_the_documentation_promises():
    assert dataclasses.asdict(Limits()) == {
        "max_size": 1_048_576,
        "max_header_size": 16_384,
        "max_headers": 100,
        "handshake_timeout": 10.0,
        "close_timeout": 5.0,
        "send_timeout": 20.0,
        "idle_timeout": 3600.0,
        "max_connections": 2000,
        "max_per_address": 2000,
    }


def test_limits_do_not_change_under_a_running_connection():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().max_size = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", ["max_size", "max_header_size", "max_headers", "max_connections", "max_per_address"])
@pytest.mark.parametrize("value", [-1, 2**63, 1.5, None, "1", True, float("nan")])
def test_a_size_or_a_count_is_a_whole_number_that_the_system_can_count_with(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be a whole number from 0 to 2\*\*62, not {value!r}$"):
        Limits(**{name: value})


@pytest.mark.parametrize("name", ["handshake_timeout", "close_timeout", "send_timeout", "idle_timeout"])
@pytest.mark.parametrize("value", [-1, float("nan"), "1", True])
def test_a_time_is_a_number_of_seconds(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be a number of seconds from 0 on.*, not {value!r}$"):
        Limits(**{name: value})


@pytest.mark.parametrize("name", ["handshake_timeout", "close_timeout"])
def test_a_handshake_always_has_an_end(name):
    with pytest.raises(ValueError, match="from 0 on, not None"):
        Limits(**{name: None})


def test_the_edges_of_what_is_allowed_are_allowed():
    assert Limits(max_size=2**62, max_headers=0, idle_timeout=None, send_timeout=float("inf"), close_timeout=0)
