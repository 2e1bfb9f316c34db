"""The key of a generated capture is right, as the inspector and an endpoint say; wrong answers earn less."""

import re

import pytest
from support.waiting import PATIENCE

import wslab
from wslab import Direction, Protocol, ProtocolError, Role, State, build_request, parse_request
from wslab.exercises import capture_task
from wslab.exercises.captures.faults import FAULTS
from wslab.exercises.checks import isolation
from wslab.exercises.diagnosing import FIELDS
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.states import DIRECTIONS
from wslab.recording.recorded_frames import dissect_recording

SEEDS = range(200)
TASKS = [capture_task(seed) for seed in SEEDS]
LATE = "nothing but control frames follows a close frame"
IN_PARTS = re.compile("but no message has begun|not UTF-8")  # what a fragment alone may look like
OTHER = {Role.CLIENT: Role.SERVER, Role.SERVER: Role.CLIENT}


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    monkeypatch.setattr(isolation, "LIMIT", PATIENCE)


def found_by_inspector(task):
    """(row, faults) of each row of the recording that the inspector finds illegal."""
    return [(n, row.seen) for n, row in enumerate(dissect_recording(task.recording)) if row.seen.illegal]


def agreed(task) -> bool:
    return b"Sec-WebSocket-Extensions" in task.row(1)


def receiver(task, sender: Role) -> Protocol:
    """The endpoint that is open for what a side sends, after the handshake of the task."""
    deflate = PermessageDeflate() if agreed(task) else None
    endpoint = Protocol(OTHER[sender], deflate=deflate)
    if sender is Role.CLIENT:
        list(endpoint.receive_data(task.row(0)))
        endpoint.accept()
    else:
        request, _ = parse_request(task.row(0))
        endpoint.connect(build_request("localhost", key=request.headers["Sec-WebSocket-Key"]))
        list(endpoint.receive_data(task.row(1)))
    assert endpoint.state is State.OPEN
    return endpoint


def refused_rows(task):
    """The rows at which an endpoint that receives them, one for each side, refuses one; it reads no further then."""
    for sender in Role:
        endpoint = receiver(task, sender)
        for number, (role, data) in enumerate(task.rows):
            if number < 2 or role is not sender:
                continue
            try:
                list(endpoint.receive_data(data))
            except ProtocolError:
                yield number
                break


def test_the_inspector_finds_that_fault_and_no_other():
    for task in TASKS:
        [(row, seen)] = found_by_inspector(task)

        assert (task.seed, row) == (task.seed, task.key.row)
        if seen.faults:  # there are none of a frame whose end cannot be told
            assert seen.faults[0].field == task.key.field
            assert seen.faults[0].section in task.key.sections


def test_every_other_frame_has_a_header_that_is_legal_by_itself():
    # The recording is not read on behind a header that breaks a rule: so each frame is looked at alone, too.
    for task in TASKS:
        for number, (sender, data) in enumerate(task.rows[2:], 2):
            table = wslab.inspect(data, deflate=True, direction=DIRECTIONS[sender])
            told = [table.rows[at] for at in table.faulty if number != task.key.row]
            assert [row for row in told if not IN_PARTS.search(repr(row))] == []


def test_an_endpoint_refuses_that_row_and_no_other():
    for task in TASKS:
        # What follows a close frame is not read any more, whatever it is (§5.5.1).
        expected = [] if task.key.sentence == LATE else [task.key.row]
        assert (task.seed, list(refused_rows(task))) == (task.seed, expected)


@pytest.mark.parametrize("task", TASKS[:5], ids=lambda task: task.seed)
def test_right_answers_earn_all_points_and_wrong_ones_less(task):
    row, field, section = task.key.row, task.key.field, task.key.sections[0]
    other = next(it for it in FIELDS if it != field)
    points = {
        (row, field, section): 4,
        (row, field, "§1.1"): 3,
        (row, other, section): 3,
        (row + 1, field, section): 2,
        (row + 1, other, section): 1,
        (row + 1, other, "§1.1"): 0,
    }

    assert {answer: task.check(lambda answer=answer: answer).points for answer in points} == points


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda: None, "Return three values"),
        (lambda: (3, "MASK"), "Return three values"),
        (lambda: ("3", "MASK", "§5.1"), "Return three values"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: 99, "Return three values"),
        (lambda row: row, "It must be possible to call it as answer()"),
        ((3, "MASK", "§5.1"), "cannot be called"),
        (lambda: (99, "MASK", "§5.1"), "The row: 99 is another one."),
    ],
)
def test_what_is_no_answer_is_told_so(answer, expected):
    report = capture_task("no answer").check(answer)

    assert report.points < 4
    if report.attempted:
        assert expected in str(report)
        assert "hint" not in str(report)


def test_an_answer_that_is_not_written_yet_is_not_attempted():
    def answer():
        raise NotImplementedError

    report = capture_task(1).check(answer)

    assert (report.attempted, report.points) == (False, 0)


def test_a_report_does_not_give_the_key_away():
    for task in TASKS[:20]:
        text = str(task.check(lambda: (0, "nothing", "§0")))
        assert task.key.sentence not in text
        assert not any(section in text for section in task.key.sections)


def test_the_same_seed_gives_the_same_task_and_others_differ():
    assert [capture_task(seed).rows for seed in SEEDS] == [task.rows for task in TASKS]
    assert capture_task("7").rows == capture_task(7).rows
    assert len({task.rows for task in TASKS}) == len(TASKS)


def test_the_seeds_cover_every_fault_and_both_sides():
    assert {task.key.sentence for task in TASKS} == {fault.sentence for fault in FAULTS}
    assert {task.rows[task.key.row][0] for task in TASKS} == set(Role)


def test_a_capture_has_several_innocents_that_a_recording_keeps():
    for task in TASKS:
        assert len(task.rows) >= 10
        chunks = [(chunk.direction, chunk.data) for chunk in task.recording.chunks]
        assert chunks == [(DIRECTIONS[role], data) for role, data in task.rows]


def test_a_task_shows_its_rows_in_text_and_html_without_the_answer():
    task = capture_task("Ada 1")

    for shown in (repr(task), task._repr_html_()):
        assert all(str(direction) in shown for direction in Direction)
        assert task.row(2)[:8].hex(" ") in shown
        assert "illegal" not in shown
        assert task.key.sentence not in shown


def test_the_teachers_key_is_a_line():
    key = capture_task("Ada 1").key

    assert str(key) == f"row {key.row}, {key.field}, {' or '.join(key.sections)}: {key.sentence}"
