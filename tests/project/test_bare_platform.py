"""The switch by which the tests run as on Windows: what it takes away is gone, and wslab does without."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BARE = Path(__file__).parents[1] / "support/bare_platform"
ASK = """
import os, select, signal, socket
import wslab
from wslab.exercises.checks.isolation import can_fork
from wslab.sockets.files import most_files
from wslab.sockets.stream import Stream
from wslab.tap.waiter import Selector
with wslab.EchoServer() as server, wslab.connect(server.url) as connection:
    connection.send("Hello")
    print(connection.receive(), Selector.__name__, Stream.gathers, Stream.can_block, can_fork(), most_files())
names = {select: "poll", signal: "SIGHUP", socket: "SO_REUSEPORT", os: "register_at_fork"}
print([name for module, name in names.items() if hasattr(module, name)])
"""
DOES_WITHOUT = "Hello SelectSelector False False False inf\n[]\n"


@pytest.mark.skipif(sys.platform != "linux", reason="it takes away what Linux has")
@pytest.mark.parametrize("is_bare", [True, False])
def test_with_the_switch_wslab_does_without_what_windows_does_not_have(is_bare):
    path = [it for it in os.environ.get("PYTHONPATH", "").split(os.pathsep) if it and it != str(BARE)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(BARE)] * is_bare + path)}
    result = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, env=environment, timeout=60)
    assert result.stderr == ""
    assert (result.stdout == DOES_WITHOUT) is is_bare
