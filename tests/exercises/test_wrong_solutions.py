"""Every wrong solution is rejected, with a message that names its fault, and nothing is earned without an idea.

Wrong solutions come from three sides: the mistakes that the exercises know by themselves, what learners write
(`support/wrong_solutions`), and mutants of the reference. There are many: most of them run with the slow tests.
"""

import pytest
from support.learners import ALWAYS, edited, params, written
from support.mutants import mutants
from support.shared_browser import share
from support.solution_matrix import Row, missing_words, mistake_tried, row_of, survives, wrong_tried
from support.wrong_solutions import WRONG

from wslab.exercises import check
from wslab.exercises.checks import isolation
from wslab.exercises.progress import source_of
from wslab.exercises.sets import echo_server_with_threads
from wslab.exercises.sets.catalogue import EXERCISES

MISTAKES = [(name, number) for name, exercise in EXERCISES.items() for number in range(len(exercise.mistakes))]
SOLUTIONS = [(name, number) for name, solutions in WRONG.items() for number in range(len(solutions))]

# Without any idea of the contract; `{}` is the list of parameters.
NO_IDEA = {
    "gives nothing back": "def {name}(*a): print('x')",
    "gives a number": "def {name}(*a): return 7",
    "gives True": "def {name}(*a): return True",
    "gives its first argument": "def {name}(*a): return a[0]",
    "gives no bytes": "def {name}(*a): return b''",
    "gives an empty list": "def {name}(*a): return []",
    "gives what is equal to everything": (
        "class Any(bytes):\n    def __eq__(self, other): return True\n    __hash__ = None\n"
        "    __class__ = property(lambda self: list)\ndef {name}(*a): return Any()"
    ),
    "refuses everything": "from wslab import ProtocolError\ndef {name}(*a): raise ProtocolError('no', 1002)",
    "raises what is asked for elsewhere": "def {name}(*a): raise ValueError('no')",
    "always at the end": "def {name}(*a): raise EOFError",
    "is awaited": "async def {name}(*a): return None",
    "yields": "def {name}(*a): yield a",
    "recurses": "def {name}(*a): return {name}(*a)",
}


@pytest.fixture(autouse=True)
def _less_patience(monkeypatch):
    monkeypatch.setattr(isolation, "LIMIT", 1.5)
    monkeypatch.setattr(echo_server_with_threads, "PATIENCE", 0.5)


@pytest.mark.parametrize(("name", "number"), params(MISTAKES))
def test_a_mistake_that_is_known_is_rejected_and_named(name, number):
    report, words = mistake_tried(name, number)

    assert not report.passed
    assert missing_words(report, words) == []


@pytest.mark.parametrize(("name", "number"), params(SOLUTIONS))
def test_a_wrong_solution_is_rejected_and_its_fault_named(name, number, request, monkeypatch):
    if name == "three_echoes":
        share(request.getfixturevalue("browser"), monkeypatch)
    report, words = wrong_tried(name, number)

    assert not report.passed
    assert missing_words(report, words) == [], str(report)


def test_a_row_of_the_table_of_all_solutions_says_whether_a_check_is_trusted():
    assert row_of("accept_key").is_trusted
    assert not Row("accept_key", 20, 20, 19, 5, 5).is_trusted
    assert not Row("accept_key", 20, 20, 20, 5, 4).is_trusted


@pytest.mark.parametrize("name", EXERCISES)
def test_there_are_ten_wrong_solutions_at_least(name):
    assert len(EXERCISES[name].mistakes) + len(WRONG[name]) >= 10
    assert len(WRONG[name]) >= 5


@pytest.mark.parametrize("way", NO_IDEA)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in ALWAYS else [pytest.mark.slow])
        for name, exercise in EXERCISES.items()
        if not exercise.is_class
    ],
)
def test_without_an_idea_of_the_contract_nothing_is_earned(name, way):
    report = check(written(name, NO_IDEA[way].replace("{name}", name)))

    assert (report.points, report.passed) == (0, False), str(report)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("parse_close", "bytes(payload[2:]).decode()", "payload[2:].decode()"),
        ("inflate_message", "bytes(data) + ", "data + "),
        ("deflate_message", "compress(payload)", 'compress(payload + b"")'),
        ("parse_frame", "if len(data) < 2:", 'if len(data + b"") < 2:'),
    ],
)
def test_what_is_earned_by_a_solution_for_bytes_alone_is_no_luck(name, old, new):
    function = written(name, edited(name, (old, new)))

    earned = {check(function, seed=seed).points for seed in range(6)}

    assert len(earned) == 1
    assert 0 < max(earned) < EXERCISES[name].points


# What differs from the reference and is right all the same.
EQUIVALENT = {
    "parse_frame": ("15: 4 -> 5", "12: 127 -> 126", "12: 8 -> 7", "17: start:start + 4 -> start:", "17: 4 -> 5"),
    "join_messages": ("9: 8 -> 7",),
    # 1012 to 1014 are in IANA's registry and not in the RFC: whether they are refused is not checked.
    "parse_close": ("3: 101", "11: len(payload) == 1 or", "11: 1 -> 0", "12: "),
    "serialize_close": ("1: 101",),
    "deflate_message": ("6: 15 -> 14",),  # a smaller window is legal
    "inflate_message": ("10: 1 -> 2",),
}


def test_a_function_survives_if_it_passes_the_check():
    good = written("accept_key", source_of("accept_key"))
    bad = written("accept_key", source_of("accept_key").replace("258EAFA5", "258EAFA6"))

    assert (survives(good, "accept_key", 7), check(good, seed=7).passed) == (True, True)
    assert (survives(bad, "accept_key", 7), check(bad, seed=7).passed) == (False, False)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", EXERCISES)
def test_no_mutant_of_the_reference_passes(name):
    alive = []
    for change, source in mutants(source_of(name)):
        try:
            mutant = written(name, source)
        except Exception:  # this one cannot even be defined
            continue
        if survives(mutant, name, seed=5) and not change.endswith(("return None -> return", "return False -> return")):
            alive.append(change)
    assert [change for change in alive if not change.startswith(EQUIVALENT.get(name, ("-",)))] == []
