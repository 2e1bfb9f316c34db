"""files: how many a process may open, and whether few of them are left."""

import math
import socket

import pytest

from wslab.sockets import files
from wslab.sockets.files import are_few_left, most_files

resource = files.resource or pytest.skip(
    "needs the limit on open files, which Windows does not have", allow_module_level=True
)


@pytest.fixture
def limit():
    """A function that limits the open files of this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda soft: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_is_the_one_that_holds_now(limit):
    for soft in (200, 300):
        limit(soft)
        assert most_files() == soft


@pytest.mark.parametrize("name", ["no limit", "Windows"])
def test_there_may_be_no_limit(name, monkeypatch):
    if name == "Windows":
        monkeypatch.setattr(files, "resource", None)
    else:
        monkeypatch.setattr(resource, "getrlimit", lambda what: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert most_files() == math.inf
    with socket.socket() as newest:
        assert not are_few_left(newest, 100)


def test_few_are_left_when_a_new_one_has_a_number_near_the_limit(limit):
    with socket.socket() as newest:
        number = newest.fileno()
        limit(number + 60)
        assert are_few_left(newest, 60) is ((number + 60) / 4 >= 60)
        limit(number + 400)
        assert not are_few_left(newest, 60)
        assert are_few_left(newest, 1000) is ((number + 400) / 4 >= 400)


def test_of_a_small_limit_a_quarter_is_kept_free(limit):
    with socket.socket() as newest:
        number = newest.fileno()
        limit(4 * number)
        assert not are_few_left(newest, 100_000)
        limit(number + number // 4)
        assert are_few_left(newest, 100_000)
