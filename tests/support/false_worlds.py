"""A lesson in a false world: run it where one rule is broken, and see which of its cells then say something else.

An experiment that says the same in both worlds shows nothing. A test names the rule, breaks it, and names the cell:

    pytestmark = pytest.mark.slow  # each world runs a kernel

    def test_a_server_that_masks_too_is_seen():
        assert "who-masks" in changed_cells("07-masking", "import wslab...", until="who-masks")
"""

import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from support.notebook_rules import ANSI_COLOUR, read, tags

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"

THE_LENGTH_126_IS_A_LENGTH = """
import wslab
def parse_frame(data):
    if len(data) < 2 or data[1] & 127 != 126:
        return wslab.parse_frame(data)
    if len(data) < 6 + 126:
        return None
    payload = wslab.apply_mask(bytes(data[6:132]), bytes(data[2:6]))
    return wslab.Frame(wslab.Opcode(data[0] & 15), payload), 132
make = wslab.EchoServer.__init__
def make_false(self, *arguments, codec=None, **options):
    make(self, *arguments, codec=codec or wslab.Codec(parse_frame=parse_frame), **options)
wslab.EchoServer.__init__ = make_false
"""

WITHOUT_RULE = """
import {module} as rules
kept = [it for it in rules.{table} if {words!r} not in it[0].sentence]
assert len(kept) < len(rules.{table})
rules.{table}[:] = kept
"""


def without_rule(module: str, table: str, words: str) -> str:
    """A world in which the rules of a table of `module` whose sentences hold these words are not kept."""
    return WITHOUT_RULE.format(module=module, table=table, words=words)


def changed_cells(lesson: str, world: str, until: str | None = None, after: str | None = None) -> dict[str, str]:
    """What the cells of a lesson say in a false world, by id, if that is not what the lesson stores.

    `world` is Python that breaks a rule. It runs before the first cell, or after the cell with the id `after`, in the
    same kernel. The lesson runs to its end, or up to the cell with the id `until`; a cell that fails does not stop it.
    Cells whose output differs from run to run are left out.
    """
    notebook = read(NOTEBOOKS / f"{lesson}.ipynb")
    ids = [cell["id"] for cell in notebook["cells"]]
    cells = notebook["cells"][: None if until is None else ids.index(until) + 1]
    stored = {cell["id"]: said(cell) for cell in cells if cell["cell_type"] == "code" and not is_ignored(cell)}
    at = 0 if after is None else ids.index(after) + 1
    notebook["cells"] = [*cells[:at], nbformat.v4.new_code_cell(world, id="false-world"), *cells[at:]]
    NotebookClient(notebook, timeout=60, allow_errors=True, resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    broken = next(cell for cell in notebook["cells"] if cell["id"] == "false-world")
    assert not said(broken), f"the false world itself says: {said(broken)}"
    now = {cell["id"]: said(cell) for cell in notebook["cells"] if cell["id"] in stored}
    return {name: text for name, text in now.items() if text != stored[name]}


def is_ignored(cell: dict) -> bool:
    return "nbval-ignore-output" in tags(cell)


def said(cell: dict) -> str:
    """The text of a cell's outputs, as nbval compares it."""
    texts = []
    for output in cell["outputs"]:
        if output["output_type"] == "error":
            texts.append(f"{output['ename']}: {output['evalue']}")
        else:
            texts.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    text = ANSI_COLOUR.sub("", "\n".join(part.rstrip("\n") for part in texts))
    for pattern, replacement in sanitizers():
        text = re.sub(pattern, replacement, text)
    return text


def sanitizers() -> list[tuple[str, str]]:
    """The patterns of nbval's sanitizer: a line `regex: ...` directly followed by a line `replace: ...`."""
    text = (ROOT / "tests" / "sanitize.cfg").read_text(encoding="utf-8")
    return re.findall(r"^regex: (.*)\nreplace: (.*)$", text, re.MULTILINE)
