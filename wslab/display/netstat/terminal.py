"""terminal: a table in a terminal, drawn again and again in the same place until it is interrupted (rich)."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from wslab.display.netstat.watch import Watch

if TYPE_CHECKING:
    from rich.table import Table

INTERVAL = 0.5  # seconds
TITLE = "TCP connections of this machine, as netstat lists them"


def keep_showing(look: Callable[[], Watch], interval: float = INTERVAL) -> None:
    """Draw what `look` returns every `interval` seconds. Raises ImportError without rich, and what `look` raises."""
    try:
        from rich.console import Console
        from rich.live import Live
    except ImportError:
        raise ImportError("a table that moves needs rich (pip install rich); --once shows one that does not") from None
    console = Console(file=sys.stdout)
    with Live(_drawn(look()), console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            time.sleep(interval)
            live.update(_drawn(look()), refresh=True)


def _drawn(watch: Watch) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=TITLE, caption=" ".join(["Ctrl-C ends this.", *watch.notes]))
    for name in watch.table.heading:
        table.add_column(name)
    for row in watch.table.rows:
        table.add_row(*map(Text, row))  # as Text, nothing in it is taken for markup
    return table
