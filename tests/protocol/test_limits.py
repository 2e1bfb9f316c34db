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
    }


def test_limits_do_not_change_under_a_running_connection():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().max_size = 1  # type: ignore[misc]
