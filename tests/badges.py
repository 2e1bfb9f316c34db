"""The badges of the README, by which a reader opens the course on Binder, or as a site, with one click.

Where the repository stands is one setting in pyproject.toml; while it is not there, the README has no badges.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
README, PYPROJECT = ROOT / "README.md", ROOT / "pyproject.toml"
REPOSITORY = re.compile(r"https://github\.com/(?P<owner>[\w-]+)/(?P<name>[\w.-]+)")
BADGES = """\
[![Open the course on Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/{owner}/{name}/HEAD?urlpath=lab/tree/notebooks/{first})
[![Open the course in this browser](https://jupyterlite.rtfd.io/en/latest/_static/badge.svg)](https://{owner}.github.io/{name}/lab/index.html?path={first})

"""
FIRST = "00-start-here.ipynb"
OLD = re.compile(r"(\[!\[Open the course .*\n)+\n")


def repository() -> str:
    """The address of the repository, "" where pyproject.toml does not name it."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    address: str = project["urls"].get("Repository", "")
    return address


def with_badges(readme: str, address: str) -> str:
    """The README with the badges of this repository below its title; with none if there is no address.

    Raises ValueError for an address that is none of a repository on GitHub.
    """
    found = REPOSITORY.fullmatch(address)
    if address and not found:
        raise ValueError(f"{address!r} is no https://github.com/OWNER/REPOSITORY")
    badges = BADGES.format(**found.groupdict(), first=FIRST) if found else ""
    title, empty, rest = OLD.sub("", readme).partition("\n\n")
    return title + empty + badges + rest


def main() -> None:
    address = repository()
    try:
        README.write_text(with_badges(README.read_text(encoding="utf-8"), address), encoding="utf-8")
    except ValueError as error:
        sys.exit(f"pyproject.toml: {error}")
    if not address:
        sys.exit("pyproject.toml names no Repository, so the README has no badges.")


if __name__ == "__main__":
    main()
