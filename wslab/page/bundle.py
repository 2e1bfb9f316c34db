"""Bundles: a page of HTML and the style sheets and scripts that it links to in, one page that loads nothing out."""

import re
from pathlib import Path

_STYLES = re.compile(r'(?:<link rel="stylesheet" href="[^"]+">\n)+')
_SCRIPTS = re.compile(r'(?:<script type="module" src="[^"]+"></script>\n)+')


def bundle(file: Path) -> str:
    """Return the page in `file`, with all its style sheets in one element and all its scripts in one module."""
    page = file.read_text(encoding="utf-8")
    page = _STYLES.sub(lambda links: f"<style>\n{_read_all(links[0], file.parent)}</style>\n", page)
    return _SCRIPTS.sub(lambda links: f'<script type="module">\n{_read_all(links[0], file.parent)}</script>\n', page)


def _read_all(links: str, folder: Path) -> str:
    return "".join((folder / name).read_text(encoding="utf-8") for name in re.findall(r'(?:href|src)="([^"]+)"', links))
