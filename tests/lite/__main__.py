"""Build the site of the course for JupyterLite: the lessons in a browser, with nothing installed and no server."""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lite.notebooks import copy_for_browser
from lite.packages import ROOT, add_pyodide, add_wheels, run, write_lock

NOTEBOOKS = ROOT / "notebooks"
FIRST = "00-start-here.ipynb"
EXTENSIONS = "share/jupyter/labextensions"
KERNEL = "@jupyterlite/pyodide-kernel-extension/static/pypi"
WIDGETS = ("@jupyter-widgets", "anywidget")
# Long notebooks are shown whole, as a reader scrolls in them; and no news is asked for.
OVERRIDES = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python tests lite", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to build the site, anew")
    parser.add_argument(
        "--distribution",
        action="store_true",
        help="numpy and matplotlib, which a reader then loads from Pyodide's site",
    )
    chosen = parser.parse_args(arguments)
    began, site = time.monotonic(), chosen.folder.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        build(site, Path(scratch), chosen.distribution)
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    print(f"{site}: {size / 1e6:.0f} MB, built in {time.monotonic() - began:.0f} s")


def build(site: Path, scratch: Path, distribution: bool = False) -> None:
    """Build the site in the folder `site`, anew."""
    tools, source, contents = scratch / "tools", scratch / "source", scratch / "contents"
    install_tools(tools)
    pyodide = source / "static/pyodide"
    pyodide.mkdir(parents=True)
    add_pyodide(pyodide, scratch)
    add_wheels(pyodide, tools / EXTENSIONS / KERNEL)
    packages = write_lock(pyodide, distribution)
    write_settings(source, sorted(packages))
    copy_notebooks(contents, {name for entry in packages.values() for name in entry["imports"]})
    shutil.rmtree(site, ignore_errors=True)
    folders = ["--lite-dir", source, "--contents", contents, "--output-dir", site]
    extensions = f"--FederatedExtensionAddon.extra_labextensions_path={tools / EXTENSIONS}"
    options = ["--apps", "lab", "--ignore-sys-prefix", "--no-unused-shared-packages", "--no-sourcemaps", extensions]
    command = (sys.executable, "-W", "ignore", "-m", "jupyterlite_core", "build", *folders, *options)
    run(*command, folder=scratch, environment=os.environ | {"PYTHONPATH": str(tools)})
    (site / ".nojekyll").touch()  # GitHub Pages serves all files as they are, then


def install_tools(folder: Path) -> None:
    """Install JupyterLite beside this environment, whose JupyterLab it would change, with the widgets of the latter."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        tools = tomllib.load(file)["dependency-groups"]["lite"]
    run(sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, *tools)
    for name in WIDGETS:
        shutil.copytree(Path(sys.prefix) / EXTENSIONS / name, folder / EXTENSIONS / name)


def write_settings(source: Path, packages: list[str]) -> None:
    """Write what the pages of the site are told: where Pyodide is, what it loads, what opens first."""
    kernel = {
        "pyodideUrl": "./static/pyodide/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": packages},
    }
    data = {
        "appName": "WebSocket, learned by running it",
        "exposeAppInBrowser": True,  # `jupyterapp` runs commands from the browser's console, and from a test
        "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
    }
    settings = {"jupyter-lite-schema-version": 0, "jupyter-config-data": data}
    (source / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
    (source / "overrides.json").write_text(json.dumps(OVERRIDES), encoding="utf-8")


def copy_notebooks(folder: Path, available: Collection[str]) -> None:
    """Copy what the lessons consist of, each notebook as a browser can run it."""
    shutil.copytree(NOTEBOOKS, folder, ignore=shutil.ignore_patterns("solutions", ".*"))
    for path in folder.rglob("*.ipynb"):
        copy_for_browser(path, path, available)


if __name__ == "__main__":
    main()
