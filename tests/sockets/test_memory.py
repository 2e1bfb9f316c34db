"""Memory: the memory of long messages is kept for the next ones."""

import platform
import subprocess
import sys

import pytest

PAGES_OF_A_MESSAGE = 256
COUNT_PAGES = """
import resource
from wslab.sockets.memory import keep_memory_for

def handle_a_message():
    text = message.decode()
    payload = text.encode()
    return payload + b"behind it"

message, rounds = bytes(2**20), 50
keep_memory_for(len(message))
for _ in range(10):
    handle_a_message()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(rounds):
    handle_a_message()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / rounds)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library here is not glibc, which this is about")
def test_the_memory_of_a_long_message_is_not_made_anew_for_the_next_one():
    command = [sys.executable, "-c", COUNT_PAGES]
    pages = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    assert float(pages) < PAGES_OF_A_MESSAGE / 10
