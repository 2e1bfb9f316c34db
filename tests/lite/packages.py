"""What Python finds in the browser: Pyodide, the wheels of the kernel and of wslab, and the file that lists them."""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).parents[2]
PYODIDE = "314.0.7"
PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
DISTRIBUTION = f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE}/full/"
DRAWING = ("numpy", "matplotlib")  # compiled for the browser they exist only in Pyodide's own distribution

# What the kernel of the site and the lessons import; their versions are those of this environment.
WANTED = ("ipython", "comm", "jedi", "jupyter-core", "ipywidgets", "anywidget", "idna", "websocket-client")
ONLY_THERE = ("micropip==0.11.1",)  # what installs packages in the browser
BROWSER = {
    "sys_platform": "emscripten",
    "platform_system": "Emscripten",
    "platform_machine": "wasm32",
    "os_name": "posix",
    "python_version": "3.14",
    "python_full_version": "3.14.2",
    "extra": "",
}


@dataclass(frozen=True)
class Wheel:
    """A wheel in the folder of the site, as Pyodide's list of packages describes one."""

    path: Path

    @property
    def name(self) -> str:
        return parse_wheel_filename(self.path.name)[0]

    def entry(self, known: Iterable[str]) -> dict[str, object]:
        """The entry of the list; a package that is not `known` is no dependency, as nothing of it is there."""
        with zipfile.ZipFile(self.path) as archive:
            names = archive.namelist()
            [file] = [name for name in names if name.count("/") == 1 and name.endswith(".dist-info/METADATA")]
            head = HeaderParser().parsestr(archive.read(file).decode())
        tops = {name.partition("/")[0].removesuffix(".py") for name in names if name.endswith(".py")}
        return {
            "name": self.name,
            "version": head["Version"],
            "file_name": self.path.name,
            "install_dir": "site",
            "sha256": hashlib.sha256(self.path.read_bytes()).hexdigest(),
            "package_type": "package",
            "imports": sorted(top for top in tops if top.isidentifier()),
            "depends": sorted(needed_names(head.get_all("Requires-Dist", [])) & set(known)),
        }


def needed_names(requirements: Iterable[str]) -> set[str]:
    """The packages of a list of requirements that a browser needs, too."""
    read = map(Requirement, requirements)
    return {canonicalize_name(it.name) for it in read if it.marker is None or it.marker.evaluate(BROWSER)}


def wanted_versions(left_out: Iterable[str]) -> list[str]:
    """What the kernel and the lessons need, each as `name==version`, without what comes from elsewhere."""
    waiting, found = set(WANTED), {}
    while waiting:
        name = waiting.pop()
        found[name] = metadata.version(name)
        waiting |= needed_names(metadata.requires(name) or ()) - set(found) - set(left_out)
    return [*ONLY_THERE, *(f"{name}=={version}" for name, version in sorted(found.items()))]


def run(*command: str | Path, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> None:
    """Run a command, whose words are shown only if it fails."""
    result = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode:
        sys.exit(result.stdout)


def add_pyodide(folder: Path, scratch: Path) -> None:
    """Put Pyodide itself into the folder, as npm has it."""
    run("npm", "pack", "--silent", f"pyodide@{PYODIDE}", folder=scratch)
    with tarfile.open(scratch / f"pyodide-{PYODIDE}.tgz") as package:
        package.extractall(scratch, filter="data")
    for name in PYODIDE_FILES:
        shutil.copy(scratch / "package" / name, folder)


def add_wheels(folder: Path, of_the_kernel: Path) -> None:
    """Put the wheels into the folder: those of the kernel of JupyterLite, those from PyPI, and wslab."""
    for path in of_the_kernel.glob("*.whl"):
        if not path.name.startswith("widgetsnbextension-3"):
            shutil.copy(path, folder)
    there = {Wheel(path).name for path in folder.glob("*.whl")}
    anywhere = ("--platform=any", "--implementation=py", "--abi=none", "--python-version=3.14", "--only-binary=:all:")
    pip = (sys.executable, "-m", "pip")
    run(*pip, "download", "--quiet", "--no-deps", *anywhere, "--dest", folder, *wanted_versions(there))
    build_wslab(folder)


def build_wslab(folder: Path) -> None:
    """Put the wheel of wslab into the folder, built from a copy: what an earlier build has left stays out of it."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(ROOT / "wslab", Path(copy) / "wslab", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, copy)


def write_lock(folder: Path, distribution: bool) -> dict[str, dict]:
    """Write Pyodide's list of packages anew: just what is in the folder, and with `distribution` what draws.

    Return the list, all of which the kernel loads when it starts.
    """
    path = folder / "pyodide-lock.json"
    lock = json.loads(path.read_text(encoding="utf-8"))
    wheels = [Wheel(path) for path in sorted(folder.glob("*.whl"))]
    drawing = closure(lock["packages"], DRAWING) if distribution else {}
    known = {wheel.name for wheel in wheels} | set(drawing)
    mine = {wheel.name: wheel.entry(known) for wheel in wheels}
    lock["packages"] = drawing | mine
    path.write_text(json.dumps(lock, indent=1, sort_keys=True), encoding="utf-8")
    return lock["packages"]


def closure(packages: dict[str, dict], names: Iterable[str]) -> dict[str, dict]:
    """These packages of the distribution and what they need, each at its address there."""
    waiting, found = set(names), {}
    while waiting:
        name = waiting.pop()
        found[name] = packages[name] | {"file_name": DISTRIBUTION + packages[name]["file_name"]}
        waiting |= set(packages[name]["depends"]) - set(found)
    return found
