"""check neither prints nor raises nor hangs, whatever the function does; and it says what the function did."""

import functools
import gc
import random
import re
import threading
import time

import pytest
from support.correct_solutions import CORRECT, HEAD
from support.learners import faults, written

import wslab
from wslab.exercises import check
from wslab.exercises.checking import is_stub
from wslab.exercises.checks import isolation
from wslab.exercises.progress import source_of
from wslab.exercises.sets import before_websocket
from wslab.exercises.sets.catalogue import EXERCISES

GOOD = source_of("apply_mask")


@pytest.fixture(autouse=True, params=["fork", "thread"])
def _both_ways(request, monkeypatch):
    monkeypatch.setattr(isolation, "LIMIT", 30.0)  # a busy machine may take long for what is right
    if request.param == "thread":
        monkeypatch.setattr(isolation, "can_fork", lambda: False)
        gc.disable()  # what ends a thread may fall into a callback of the collector, such as that of hypothesis
    elif not isolation.can_fork():
        pytest.skip("this system cannot fork")
    yield
    gc.enable()


@pytest.fixture
def impatient(monkeypatch, _both_ways):
    """For a function that never returns."""
    monkeypatch.setattr(isolation, "LIMIT", 0.3)


def body(text):
    return written("apply_mask", f"def apply_mask(data, key):\n    {text}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise SystemExit", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("return 1 / 0", "ZeroDivisionError (division by zero)"),
        ("return apply_mask(data, key)", "RecursionError"),
        ("return data[99999]", "in line 2 of the function"),
        ("while True: pass", "the call never returned"),
        ("import sys; sys.exit('bye')", "sys.exit ends the whole program in line 2"),
        ("return 10 ** 4000", "An int of 13,288 bits"),
        ("return [0] * 100_001", "A list of 100,001 values"),
        ("all = []; all.append(all); return all", "a list in too many others"),
        ("return type('x' * 9999, (), {})()", f"A {'x' * 60} is not what the contract names"),
        ("class M(type): __name__ = __module__ = property(lambda _: 1 / 0)\n    return M('Odd', (), {})()", "An Odd"),
        ("class E(Exception):\n        def __str__(self): raise SystemExit\n    raise E", "came:     E"),
        ("return NotImplemented", "NotImplementedType"),
        ("return b'x' * 5_000_000", "bytes of 5,000,000 bytes"),
        ("class E(Exception):\n        def __str__(self): raise ValueError\n    raise E", "E"),
    ],
)
def test_whatever_the_function_does_the_report_says_so(text, words, capfd, impatient):
    report = check(body(text))

    assert (report.passed, report.points) == (False, 0)
    assert words in str(report)
    assert capfd.readouterr() == ("", "")


def test_a_loop_that_catches_everything_is_left_and_does_not_spin_on(impatient):
    before = set(threading.enumerate())
    report = check(body("while True:\n        try:\n            while True: pass\n        except BaseException: pass"))

    assert "never returned" in str(report)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


def test_a_wait_in_c_does_not_hold_the_check_up(impatient):
    started = time.monotonic()
    report = check(body("__import__('threading').Event().wait(20) or __import__('time').sleep(20)"))

    assert "never returned" in str(report)
    assert time.monotonic() - started < 15


def test_after_two_calls_that_do_not_return_the_rest_is_not_tried(impatient):
    report = check(body("__import__('time').sleep(9)"))

    assert [result.word for result in report.results] == ["failed", "failed", "skipped", "skipped"]


def test_what_it_prints_is_swallowed_and_counted(capfd):
    report = check(written("apply_mask", GOOD.replace("return", "print('abc', end=''); return")))

    assert report.passed
    assert f"printed {3 * count_of_cases('apply_mask')} characters" in str(report)
    assert capfd.readouterr() == ("", "")


def test_threads_that_run_on_are_told():
    source = GOOD.replace("return", "threading.Thread(target=time.sleep, args=(0.5,), daemon=True).start(); return")
    report = check(written("apply_mask", f"import threading, time\n{source}"))

    assert report.passed
    assert f"Threads that it has started run on after its return: {count_of_cases('apply_mask')}." in str(report)


def test_a_thread_of_the_check_itself_is_not_told(monkeypatch):
    def writes_and_ends_late(*arguments):
        write(*arguments)
        threading.Event().wait(0.02)

    write = before_websocket._write
    monkeypatch.setattr(before_websocket, "_write", writes_and_ends_late)
    report = check(written("read_exactly", "def read_exactly(sock, count):\n    raise ValueError"))

    assert "ValueError" in str(report)
    assert "run on" not in str(report)


def count_of_cases(name):
    return sum(len(list(aspect.cases(random.Random(1)))) for aspect in EXERCISES[name].aspects)


def test_what_a_report_says_to_call_can_be_called_where_only_wslab_is_imported():
    told = str(check(accept_key := written("accept_key", "def accept_key(key): return 0"), seed=7))
    calls = re.findall(r"wslab\.exercises\.\w+\(.*?\)", told)
    again, hint = (str(eval(call, {"wslab": wslab, "accept_key": accept_key})) for call in calls)
    assert again == told
    assert hint.startswith("Hint ")


def test_the_same_seed_draws_the_same_inputs_and_another_draws_others():
    wrong = body("return bytes(len(data))")
    first, second, other = (str(check(wrong, seed=seed)) for seed in (7, 7, 8))

    assert "seed=7" in first
    assert first == second
    assert first != other.replace("seed=8", "seed=7")


def test_each_check_draws_anew():
    assert len({check(body("return b'x'")).seed for _ in range(4)}) > 1


@pytest.mark.parametrize(
    "stub",
    [
        "def apply_mask(data, key): ...",
        "def apply_mask(data, key): pass",
        "def apply_mask(data, key):\n    'Text.'",
        "def apply_mask(data, key):\n    raise NotImplementedError",
        "def apply_mask(data, key):\n    # YOUR CODE HERE\n    raise NotImplementedError()",
        "class ApplyMask:\n    def __call__(self, data, key): ...\napply_mask = ApplyMask()",
    ],
)
def test_a_stub_is_not_attempted_yet(stub):
    report = check(written("apply_mask", stub))

    assert (report.points, report.max_points, report.attempted, report.passed) == (0, 5, False, False)
    assert "not attempted yet" in str(report)


def test_lines_that_stood_there_already_are_no_attempt():
    source = "def parse_frame(data):\n    if len(data) < 2:\n        return None\n    raise NotImplementedError()"
    assert not check(written("parse_frame", source)).attempted


def test_a_class_of_stubs_is_not_attempted_yet():
    source = "class KeepAlive:\n    def __init__(self, interval, timeout, now): ...\n    def heard(self, now): ...\n"
    assert not check(written("KeepAlive", source + "    def next_action(self, now): ...\n")).attempted
    unwritten = source.replace("...", "raise NotImplementedError")
    assert not check(
        written("KeepAlive", unwritten + "    def next_action(self, now): raise NotImplementedError\n")
    ).attempted


def test_what_is_written_is_no_stub():
    assert not is_stub(body("return data"))
    assert not is_stub(body("yield"))
    assert not is_stub(len)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("apply_mask", "str cannot be called"),
        (None, "There is no exercise of the name"),
        (7, "There is no exercise of the name"),
        (lambda data, key: data, "A lambda has no name"),
        (written("other", "def other(): pass"), "There is no exercise of the name 'other'"),
        (written("apply_mask", "def apply_mask(data): return data"), "apply_mask(data, key)"),
        (written("apply_mask", "def apply_mask(data, key, more): return data"), "more"),
        (wslab.apply_mask, "wslab's own apply_mask did the work"),
        (written("KeepAlive", source_of("KeepAlive"))(20, 10, 0), "give the class itself"),
        (type("apply_mask", (), {"__init__": lambda self, data, key: None}), "apply_mask is to be a function"),
    ],
)
def test_what_cannot_be_checked_is_told(function, words):
    report = check(function, exercise="apply_mask") if function == "apply_mask" else check(function)

    assert (report.passed, report.points) == (False, 0)
    assert words in str(report)


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
@pytest.mark.parametrize("name", ["__name__", "__code__", "__signature__", "__wrapped__", "__call__"])
def test_an_object_whose_attributes_raise_is_told_as_well(name, error):
    class ApplyMask:
        def __getattribute__(self, asked):
            if asked == name:
                raise error(asked)
            return object.__getattribute__(self, asked)

        def __call__(self, data, key):
            return b""

    assert not check(ApplyMask()).passed


def test_partial_objects_decorated_functions_and_lambdas_are_found():
    good = written("apply_mask", GOOD)

    @functools.wraps(good)
    def wrapped(*arguments):
        return good(*arguments)

    assert check(functools.partial(good)).passed
    assert check(wrapped).passed
    assert check(lambda data, key: good(data, key), exercise="apply_mask").passed


def test_coroutines_and_generators_are_explained():
    assert "`async def` makes a coroutine" in faults(check(written("apply_mask", "async " + GOOD[GOOD.index("def") :])))
    assert "A function with `yield` gives a generator" in faults(check(body("yield data")))


@pytest.mark.parametrize("call", ["wslab.apply_mask(data, key)", "wslab.protocol.masking.apply_mask(data, key)"])
def test_the_work_of_wslab_earns_nothing(call):
    report = check(written("apply_mask", f"import wslab\ndef apply_mask(data, key): return {call}"))

    assert report.points == 0
    assert "wslab's own apply_mask did the work here" in str(report)


def test_the_reference_cannot_be_called_in_place_of_the_work():
    source = (
        "from wslab.exercises.solutions.accept_key import accept_key as theirs\ndef accept_key(key): return theirs(key)"
    )
    assert check(written("accept_key", source)).points == 0


def test_partial_credit_is_given_for_each_aspect():
    report = check(written("apply_mask", GOOD.replace("(data))", "(data[:9]))")))

    assert [result.points for result in report.results] == [1, 0, 0, 0]
    assert report.points == 1


def test_what_is_kept_between_calls_is_named_where_each_call_can_have_a_process():
    source = "seen = []\ndef apply_mask(data, key):\n    seen.append(1)\n    n = len(seen) > 1\n"
    report = check(written("apply_mask", f"{source}    return bytes(b ^ key[(i + n) % 4] for i, b in enumerate(data))"))

    assert not report.passed
    assert ("kept from one call to the next" in str(report)) is isolation.can_fork()


def test_an_error_class_of_ones_own_is_told_apart():
    source = source_of("parse_close").replace("from wslab import ProtocolError", "class ProtocolError(Exception): pass")
    assert "another class of the name ProtocolError" in str(check(written("parse_close", source)))


def test_the_html_says_what_the_text_says():
    report = check(body("return b'<b>'"))
    html = report._repr_html_()

    for result in report.results:
        assert result.name.replace("<", "&lt;") in html
        assert result.fault is None or result.fault.meaning in html.replace("&#x27;", "'")
    assert "&lt;" in check(body("return '<b>'"))._repr_html_()


def test_other_threads_may_hold_locks_while_it_forks():
    lock, done = threading.Lock(), threading.Event()

    def hold():
        while not done.is_set():
            with lock:
                time.monotonic()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert check(written("accept_key", HEAD + CORRECT["accept_key"][0])).passed
    finally:
        done.set()
        thread.join()
