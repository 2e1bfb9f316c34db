"""What the fuzzing has found, and more inputs like it, through every target; without atheris, in a few seconds."""

import subprocess

import pytest
from fuzz import inputs, run
from fuzz.inputs import MAX_SIZE, corpus_file, crash_file, read_inputs, seeds, write_inputs
from fuzz.targets import TARGETS
from hypothesis import given
from hypothesis import strategies as st

every_target = pytest.mark.parametrize("target", TARGETS)


def known(target):
    return [*seeds(target), *read_inputs(corpus_file(target)), *read_inputs(crash_file(target))]


@every_target
def test_every_seed_and_every_input_of_the_corpus_keeps_the_promises_of_its_target(target):
    for data in known(target):
        TARGETS[target](data)


CHANGES = st.lists(st.tuples(st.integers(0, MAX_SIZE), st.integers(0, 9), st.binary(max_size=9)), max_size=4)


@every_target
@given(st.data())
def test_so_do_the_same_inputs_with_some_bytes_changed_and_any_other_bytes(target, data):
    changed = data.draw(st.sampled_from(known(target)) | st.binary(max_size=80))
    for position, width, inserted in data.draw(CHANGES):
        start = position % (len(changed) + 1)
        changed = changed[:start] + inserted + changed[start + width :]

    TARGETS[target](changed)


def test_the_corpus_has_inputs_for_every_target_and_stays_small():
    files = {corpus_file(target) for target in TARGETS}
    assert files <= set(inputs.CORPUS.iterdir()) <= files | {crash_file(target) for target in TARGETS}
    assert all(0 < len(read_inputs(file)) <= 200 for file in files)
    assert all(len(data) <= MAX_SIZE for file in files for data in read_inputs(file))
    assert sum(file.stat().st_size for file in files) < 300 * 1024


def test_inputs_are_read_as_they_were_written(tmp_path):
    write_inputs(tmp_path / "some.txt", [b"\r\n\x00'\"\\\xff", b"", b"a", b"a"])

    assert read_inputs(tmp_path / "some.txt") == [b"", b"a", b"\r\n\x00'\"\\\xff"]
    assert read_inputs(tmp_path / "none.txt") == []


# The script


@pytest.fixture
def scratch_corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "CORPUS", tmp_path)
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: name)
    return tmp_path


def libfuzzer(crash=b"", found=b"found"):
    """Stands for atheris: writes a crash, or an input that it found, where it is told to."""

    def start(target, seconds, *options):
        prefix = next(option.partition("=")[2] for option in options if "-artifact_prefix" in str(option))
        if crash:
            run.Path(prefix + "crash-1").write_bytes(crash)
            run.Path(prefix + "slow-unit-1").write_bytes(b"slow")
        folder = next(option for option in options if isinstance(option, run.Path))
        (folder / "1").write_bytes(found)
        log = "#7\tDONE   cov: 20 ft: 28 corp: 6/13b lim: 1024 exec/s: 7 rss: 60Mb\n"
        return subprocess.CompletedProcess([], 77 if crash and "-set_cover_merge=1" not in options else 0, log)

    return start


def test_the_script_keeps_what_it_found_and_tells_the_figures(scratch_corpus, monkeypatch, capsys):
    monkeypatch.setattr(run, "_run_target", libfuzzer())

    assert run.main(["close", "text"]) == 0
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()] == [
        [t, "7", "runs,"] for t in ("close", "text")
    ]
    assert read_inputs(scratch_corpus / "close.txt") == [b"found"]
    assert not (scratch_corpus / "close-crashes.txt").exists()


def test_the_script_can_leave_the_corpus_as_it_is(scratch_corpus, monkeypatch):
    monkeypatch.setattr(run, "_run_target", libfuzzer())

    assert run.main(["--read-only", "close"]) == 0
    assert list(scratch_corpus.iterdir()) == []


def test_what_a_target_fails_with_is_kept_beside_the_corpus_and_the_exit_status_says_so(scratch_corpus, monkeypatch):
    write_inputs(scratch_corpus / "close-crashes.txt", [b"older"])
    monkeypatch.setattr(run, "_run_target", libfuzzer(crash=b"newer"))

    assert run.main(["close"]) == 1
    assert read_inputs(scratch_corpus / "close-crashes.txt") == [b"newer", b"older"]
    assert read_inputs(scratch_corpus / "close.txt") == [b"found"]


@pytest.mark.parametrize(
    ("arguments", "installed", "words"),
    [([], False, "pip install atheris"), (["close", "nothing"], True, "there is no target nothing")],
)
def test_the_script_says_in_a_sentence_what_is_missing(
    scratch_corpus, monkeypatch, capsys, arguments, installed, words
):
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: name if installed else None)

    with pytest.raises(SystemExit) as ended:
        run.main(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
