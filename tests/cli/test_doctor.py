"""doctor: what is found, and what is said of what is missing."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import wslab
from wslab.__main__ import main
from wslab.cli import doctor
from wslab.cli.doctor import Finding, examine
from wslab.sockets.failures import PROXIES

BARE = "import sys; sys.path.insert(0, sys.argv.pop()); from wslab.cli.main import main; sys.exit(main(['doctor']))"


def test_this_machine_can_take_the_course() -> None:
    assert [str(finding) for finding in examine() if finding.required and not finding.fine] == []


def test_the_doctor_reports_each_subject_in_a_line_and_ends_with_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(examine()) + 1
    assert lines[-1] == f"All is well. Next: {doctor.this_python()} -m wslab lessons --open"
    assert lines[0] == f"ok       Python: {'.'.join(map(str, sys.version_info[:3]))}"


def test_what_is_missing_is_said_with_its_remedy() -> None:
    assert str(Finding("nbval", False, "not installed", "run pip")) == "MISSING  nbval: not installed - run pip"
    assert str(Finding("Node.js", False, "not on the PATH", "get it", required=False)).startswith("without")


def test_a_missing_package_makes_the_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", [("no-such-package", "for nothing")])
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert f"MISSING  no-such-package: not installed, for nothing - run: {doctor.this_python()} -m pip install" in told
    assert told.endswith("Missing: no-such-package. Do what stands behind it, then run this again.\n")


def test_a_version_that_the_course_was_not_tested_with_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "requirements.txt").write_text("pytest==0.1 ; python_version > '3'\n")
    monkeypatch.setattr(doctor, "REQUIREMENTS", tmp_path / "requirements.txt")
    assert doctor._check_package("pytest", "x").found == f"{pytest.__version__} (the course is tested with 0.1)"
    assert doctor._check_package("psutil", "x").found == psutil.__version__
    (tmp_path / "requirements.txt").write_text(f"pytest==0.1 ; python_version > '3'\npytest=={pytest.__version__}\n")
    assert doctor._check_package("pytest", "x").found == pytest.__version__
    monkeypatch.setattr(doctor, "REQUIREMENTS", tmp_path / "nowhere.txt")
    assert doctor._check_package("pytest", "x").found == pytest.__version__


def test_a_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES | {"no_proxy"}:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert str(doctor._check_proxy()) == "ok       a proxy: none is set"
    monkeypatch.setenv("HTTPS_PROXY", "http://user:sesame@proxy.example/")
    told = str(doctor._check_proxy())
    assert told.startswith("note     a proxy: set by HTTPS_PROXY: wslab does not use it")
    assert "NO_PROXY=localhost,127.0.0.1" in told
    assert "sesame" not in told
    monkeypatch.setenv("NO_PROXY", "example.org, localhost,127.0.0.1")
    assert str(doctor._check_proxy()) == "ok       a proxy: set by HTTPS_PROXY, but not for this machine"


def test_the_doctor_works_with_nothing_installed_at_all(tmp_path) -> None:
    """A clone and a Python without any package: that of this test, with its packages out of sight."""
    command = [sys.executable, "-I", "-S", "-c", BARE, str(Path(wslab.__file__).parents[1])]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, cwd=tmp_path)
    assert "Traceback" not in result.stderr
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert "ok       echo over 127.0.0.1: a message came back as it went" in lines
    missing = [line.split()[1].rstrip(":") for line in lines if line.startswith("MISSING")]
    # Where `pip install -e` has been, the clone itself says which version of wslab it is.
    is_described = any(Path(wslab.__file__).parents[1].glob("wslab.egg-info"))
    assert missing == [name for name, _ in doctor.PACKAGES if not (name == "wslab" and is_described)]
    assert lines[-1].startswith(f"Missing: {', '.join(missing[:2])}")


def test_the_python_is_named_as_it_can_be_typed(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    python = tmp_path / "project/.venv/bin/python"
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor.shutil, "which", {"python": str(python)}.get)
    assert doctor.this_python() == "python"
    monkeypatch.setattr(doctor.shutil, "which", {"python": "/usr/bin/python"}.get)
    assert doctor.this_python() == str(Path("project/.venv/bin/python"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert doctor.this_python() == str(python)


def test_an_old_python_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (99, 0))
    assert not examine()[0].fine


def test_an_address_that_cannot_be_had_is_found_out() -> None:
    finding = doctor._check_echo("192.0.2.1", required=False)
    assert not finding.fine
    assert "firewall" in finding.remedy


def test_programs_are_looked_for_under_all_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", {"firefox": "/somewhere/firefox"}.get)
    assert doctor._check_program("a browser", ("chromium", "firefox"), "").found == "firefox"
    assert not doctor._check_program("Node.js", ("node",), "").fine
