"""The lessons for the browser: a cell that cannot run there becomes text, with what came out when it ran elsewhere."""

import ast
import json
import symtable
import sys
import textwrap
from collections.abc import Collection, Iterator
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

NOTE = (
    "*The next cell needs {}, which Python does not have in a browser: here it stands with what it said elsewhere. "
    "To change it, run this notebook on your own computer.*"
)
PICTURE = "image/png"
EXPECTED = "raises-exception"
CAUGHT = """\
try:
{}
except Exception as error:  # in JupyterLite, no cell behind one that fails would run
    print(f"{{type(error).__name__}}: {{error}}")"""


def imported(source: str) -> Iterator[str]:
    """The top-level names of the modules that a cell imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def needed_and_given(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell takes from earlier ones, and those that it gives a value."""
    cell = symtable.symtable(source, "cell", "exec")
    given = {symbol.get_name() for symbol in cell.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    needed, tables = set(), [cell]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        needed |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return needed - given, given


class Needs:
    """Tells, cell by cell in their order, which module a cell needs that the browser does not have."""

    def __init__(self, available: Collection[str]) -> None:
        self._available = {*available, *sys.stdlib_module_names}
        self._lost: dict[str, str] = {}  # names without a value there, and the module that this comes from

    def missing(self, source: str) -> str:
        """The module that is missing for this cell, "" for none."""
        source = TransformerManager().transform_cell(source)
        needed, given = needed_and_given(source)
        why = next((module for module in imported(source) if module not in self._available), "")
        why = why or next((self._lost[name] for name in sorted(needed) if name in self._lost), "")
        for name in given:
            if why:
                self._lost[name] = why
            else:
                self._lost.pop(name, None)
        return why


def for_browser(notebook: dict, available: Collection[str]) -> dict:
    """The notebook with a browser's kernel, without outputs, and with the cells as text that it cannot run."""
    needs = Needs(available)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            if module := needs.missing("".join(cell["source"])):
                make_text(cell, module)
                continue
            if EXPECTED in cell["metadata"].get("tags", ()):
                cell["source"] = CAUGHT.format(textwrap.indent("".join(cell["source"]), "    "))
            cell |= {"outputs": [], "execution_count": None}
    notebook["metadata"]["kernelspec"] = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
    return notebook


def make_text(cell: dict, module: str) -> None:
    """Make a cell of text of a cell of code: why it does not run, its code, and its outputs as they are stored."""
    parts, pictures = [NOTE.format(f"`{module}`"), fenced("".join(cell["source"]), "python")], {}
    for output in cell["outputs"]:
        data = output.get("data", {"text/plain": output.get("text", "")})
        if PICTURE in data:
            name = f"picture-{len(pictures)}.png"
            pictures[name] = {PICTURE: data[PICTURE]}
            parts.append(f"![What the cell drew; what it says stands below](attachment:{name})")
        else:
            parts.append(fenced("".join(data.get("text/plain", ""))))
    del cell["outputs"], cell["execution_count"]
    cell |= {"cell_type": "markdown", "source": "\n\n".join(parts)}
    if pictures:
        cell["attachments"] = pictures


def fenced(text: str, language: str = "") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def copy_for_browser(source: Path, target: Path, available: Collection[str]) -> None:
    """Write the notebook at `source` as a browser can run it."""
    notebook = for_browser(json.loads(source.read_text(encoding="utf-8")), available)
    target.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
