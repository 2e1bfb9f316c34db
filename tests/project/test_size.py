"""wslab can be read: the README says how long it is, and no file or function is too long to be taken in at once."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "wslab"
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = sorted(PACKAGE.rglob("*.py"))

NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}


def lines_of_code(source: str) -> set[int]:
    """The numbers of the lines that hold code: no blank ones, no comments, no docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def code_in(folder: str) -> int:
    return sum(len(lines_of_code(path.read_text(encoding="utf-8"))) for path in (PACKAGE / folder).rglob("*.py"))


def test_the_readme_says_how_long_the_core_is():
    said = re.search(r"`protocol` and `sockets` together have about ([\d,]+)00 lines of code", README)
    assert said is not None
    assert int(said[1].replace(",", "")) == round((code_in("protocol") + code_in("sockets")) / 100)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_and_no_function_is_long(path):
    source = path.read_text(encoding="utf-8")
    code = lines_of_code(source)

    assert len(source.splitlines()) <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = {line for line in code if node.body[0].lineno <= line <= node.end_lineno}
            assert len(body) <= 30, node.name


def test_only_lines_of_code_are_counted():
    source = '"""Text."""\n\n# why\nx = 1\n\n\ndef f():\n    """Text."""\n    return (\n        x\n    )\n'

    assert lines_of_code(source) == {4, 7, 9, 10, 11}
