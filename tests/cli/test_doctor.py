"""doctor: what is found, and what is said of what is missing."""

import sys

import pytest

from wslab.__main__ import main
from wslab.cli import doctor
from wslab.cli.doctor import Finding, examine


def test_this_machine_can_take_the_course() -> None:
    assert [str(finding) for finding in examine() if finding.required and not finding.fine] == []


def test_the_doctor_reports_each_subject_in_a_line_and_ends_with_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(examine())
    assert lines[0] == f"ok       Python: {'.'.join(map(str, sys.version_info[:3]))}"


def test_what_is_missing_is_said_with_its_remedy() -> None:
    assert str(Finding("nbval", False, "not installed", "run pip")) == "MISSING  nbval: not installed - run pip"
    assert str(Finding("Node.js", False, "not on the PATH", "get it", required=False)).startswith("without")


def test_a_missing_package_makes_the_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", [("no-such-package", "for nothing")])
    assert main(["doctor"]) == 1
    assert "MISSING  no-such-package: not installed, for nothing - run: pip install" in capsys.readouterr().out


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
