"""Every notebook keeps the rules of notebook_rules.py, and every rule finds a notebook that breaks it."""

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes
from support import notebook_rules as rules

ROOT = Path(__file__).parents[2]
LESSONS = sorted(ROOT.glob("notebooks/[0-9][0-9]-*.ipynb"))
PAGES = sorted({*ROOT.glob("notebooks/*.ipynb")} - {*LESSONS})  # glossary and the like
SOLUTIONS = sorted(ROOT.glob("notebooks/solutions/*.ipynb"))
EXERCISES = sorted(ROOT.glob("notebooks/exercises/*.ipynb"))

RULES_OF_FORM = [
    rules.is_valid,
    rules.stores_no_widget_state,
    rules.has_short_cells,
    rules.waits_with_a_limit,
    rules.has_drawings_that_fit_a_phone,
    rules.begins_no_paragraph_with_a_code,
]
RULES_OF_A_RUN = [
    rules.was_run_in_order,
    rules.fails_only_where_it_says_so,
    rules.ignores_few_outputs_and_says_why,
    rules.shows_no_carriage_return,
    rules.shows_printed_lines_in_one_piece,
    rules.shows_nothing_of_this_machine,
    rules.says_in_text_what_it_shows,
]
RULES_OF_LINKS = [rules.has_links_that_lead_somewhere, rules.has_pictures_that_need_no_network]


def name(value):
    return value.stem if isinstance(value, Path) else getattr(value, "__name__", None)


# --- the notebooks keep the rules -----------------------------------------------------------------------------------


def test_the_course_has_lessons_and_begins_with_the_first():
    assert LESSONS[0].name == "00-start-here.ipynb"


@pytest.mark.parametrize("rule", RULES_OF_FORM, ids=name)
@pytest.mark.parametrize("path", [*LESSONS, *PAGES, *SOLUTIONS, *EXERCISES], ids=name)
def test_a_notebook(path, rule):
    assert list(rule(rules.read(path))) == []


@pytest.mark.parametrize("rule", RULES_OF_A_RUN, ids=name)
@pytest.mark.parametrize("path", [*LESSONS, *PAGES, *SOLUTIONS], ids=name)
def test_a_lesson_or_solution_that_was_run(path, rule):
    assert list(rule(rules.read(path))) == []


@pytest.mark.parametrize("rule", RULES_OF_LINKS, ids=name)
@pytest.mark.parametrize("path", [*LESSONS, *PAGES, *SOLUTIONS, *EXERCISES], ids=name)
def test_a_notebook_with_links_and_pictures(path, rule):
    assert list(rule(rules.read(path), path)) == []


def test_exercises_are_handed_out_before_anybody_ran_them():
    assert {path.name: found for path in EXERCISES if (found := list(rules.was_never_run(rules.read(path))))} == {}


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_begins_with_goals_time_and_what_to_read_before(path):
    assert list(rules.begins_with_goals_time_and_what_to_read_before(rules.read(path))) == []


@pytest.mark.parametrize("rule", [rules.takes_the_time_that_it_says, rules.asks_a_few_predictions], ids=name)
@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_is_of_a_good_length(path, rule):
    assert list(rule(rules.read(path))) == []


@pytest.mark.parametrize("rule", [rules.gives_ten_lines_to_take_home, rules.says_what_should_happen], ids=name)
@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_gives_ten_lines_to_take_home_and_answers_its_tasks(path, rule):
    assert list(rule(rules.read(path))) == []


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_does_not_answer_its_own_questions_in_sight(path):
    assert list(rules.hides_what_is_to_be_predicted(rules.read(path))) == []


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_has_no_code_in_its_sentences_that_a_phone_cuts_off(path):
    assert list(rules.has_code_in_sentences_that_fits_a_phone(rules.read(path))) == []


@pytest.mark.parametrize("path", EXERCISES, ids=name)
def test_a_lesson_links_to_its_exercises(path):
    [lesson] = [lesson for lesson in LESSONS if lesson.name[:2] == path.name[:2]]
    assert f"(exercises/{path.name})" in rules.all_markdown(rules.read(lesson))


def test_a_function_has_the_same_parameters_in_every_lesson():
    heads = {}
    for path in LESSONS:
        for function, needed in rules.functions_of(rules.read(path)):
            heads.setdefault(function, {}).setdefault(needed, []).append(path.stem)
    assert {function: found for function, found in heads.items() if len(found) > 1} == {}


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_ends_with_a_summary_questions_and_links_to_its_neighbours(path):
    names = [None, *(lesson.name for lesson in LESSONS), None]
    here = names.index(path.name)

    broken = rules.ends_with_summary_questions_and_links(rules.read(path), names[here - 1], names[here + 1])
    assert list(broken) == []


# --- the rules find what breaks them --------------------------------------------------------------------------------

FIRST = """# 05 · The frame

**After this lesson you can**

- read a frame;
- write a frame;
- break a frame.

**Time:** 30 minutes. **Read before:** nothing."""
LAST = """## What you learned

A frame.

## Check yourself

---
Previous: [04](04.ipynb) · [Contents](../README.md#lessons) · Next: [06](06.ipynb)"""


def code(source="1 + 1", *outputs, count=1, tags=()):
    return new_code_cell(source, outputs=list(outputs), execution_count=count, metadata={"tags": list(tags)})


def stream(text):
    return new_output("stream", name="stdout", text=text)


def result(text, **rich):
    data = {"text/plain": text} | {kind.replace("_", "/"): value for kind, value in rich.items()}
    return new_output("execute_result", data, execution_count=1)


def failure(traceback="Traceback"):
    return new_output("error", ename="ValueError", evalue="no", traceback=[traceback])


def notebook(*cells, **metadata):
    made = new_notebook(metadata=metadata)
    made.cells = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return made


def without_id(cell):
    del cell["id"]
    return cell


GOOD = notebook(
    FIRST,
    code("1 + 1", result("2", text_html="<b>2</b>", image_png="AA==")),
    code("int('x')", failure("int('x') raises ValueError"), count=2, tags=["raises-exception"]),
    "The time differs from run to run.",
    code("clock()", stream("12:01"), count=3, tags=["nbval-ignore-output"]),
    code("plt.show()", stream("two steps"), result("<Figure size 640x480 with 1 Axes>", image_png="AA=="), count=4),
    "This cell is long, because a proxy has two directions.",
    code("\n".join(["x = 1"] * 20), count=5, tags=["long-cell"]),
    LAST,
)


@pytest.mark.parametrize("rule", [*RULES_OF_FORM, *RULES_OF_A_RUN], ids=name)
def test_a_good_notebook_breaks_no_rule(rule):
    assert list(rule(GOOD)) == []


def test_a_good_lesson_begins_and_ends_well():
    assert list(rules.begins_with_goals_time_and_what_to_read_before(GOOD)) == []
    assert list(rules.ends_with_summary_questions_and_links(GOOD, "04.ipynb", "06.ipynb")) == []


@pytest.mark.parametrize(
    ("rule", "broken", "sentence"),
    [
        (rules.is_valid, notebook(*[code()] * 2), "2 cells have the id"),
        (rules.is_valid, notebook(without_id(code())), "'id' is a required property"),
        (rules.is_valid, notebook(code() | {"cell_type": "poem"}), "nbformat"),
        (rules.stores_no_widget_state, notebook(widgets={"state": {}}), "metadata.widgets"),
        (rules.was_run_in_order, notebook(code(count=None)), "run as [None]"),
        (rules.was_run_in_order, notebook(code(count=2)), "run as [2]"),
        (rules.was_run_in_order, notebook(code(count=2), code(count=1)), "run as [2, 1]"),
        (rules.was_never_run, notebook(code(count=1)), "code cell 1 was run"),
        (rules.was_never_run, notebook(code("1", stream("1"), count=None)), "code cell 1 was run"),
        (rules.fails_only_where_it_says_so, notebook(code("x", failure())), "no tag raises-exception"),
        (rules.fails_only_where_it_says_so, notebook(code(tags=["raises-exception"])), "did not fail"),
        (rules.fails_only_where_it_says_so, notebook(code("# NBVAL_RAISES_EXCEPTION")), "did not fail"),
        (rules.ignores_few_outputs_and_says_why, notebook("Now:", code(tags=["nbval-ignore-output"])), "says why"),
        (rules.ignores_few_outputs_and_says_why, notebook(code("# NBVAL_IGNORE_OUTPUT\nnow()")), "says why"),
        (rules.ignores_few_outputs_and_says_why, notebook(code(tags=["nbval-skip"])), "nothing would run it"),
        (
            rules.ignores_few_outputs_and_says_why,
            notebook(*[code("now()  # changes", tags=["nbval-ignore-output"])] * 2),
            "2 of 2 cells have ignored output",
        ),
        (rules.shows_no_carriage_return, notebook(code("x", stream("GET /\r\n"))), "carriage return"),
        (
            rules.shows_printed_lines_in_one_piece,
            notebook(code("x", stream("a\n"), stream("b\n"))),
            "two pieces of stdout",
        ),
        (rules.says_in_text_what_it_shows, notebook(code("x", result("", text_html="<b>2</b>"))), "text/html"),
        (
            rules.says_in_text_what_it_shows,
            notebook(code("x", result("<Figure size 640x480 with 1 Axes>", image_png="AA=="))),
            "image/png",
        ),
        (rules.has_short_cells, notebook(code("\n".join(["x = 1"] * 16))), "16 lines"),
        (rules.has_short_cells, notebook(code("\n".join(["x = 1"] * 16), tags=["long-cell"])), "16 lines"),
        (rules.has_code_in_sentences_that_fits_a_phone, notebook(f"Then `f({'x' * 38})` is"), "f(xxx"),
        (rules.begins_no_paragraph_with_a_code, notebook("What code?\n\n1009. It is too big."), "1009. It is"),
        (
            rules.has_short_cells,
            notebook("A long one:", code("\n".join(["x = 1"] * 31), tags=["long-cell"])),
            "31 lines",
        ),
        (
            rules.has_short_cells,
            notebook(*["A long one:", code("\n".join(["x = 1"] * 16), tags=["long-cell"])] * 3),
            "more than two cells are long",
        ),
    ],
)
def test_a_notebook_that_breaks_a_rule_is_found(rule, broken, sentence):
    assert any(sentence in found for found in rule(broken)), list(rule(broken))


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("an absolute path", "/home/ada/wslab/frames.py"),
        ("an absolute path", 'File "/usr/lib/python3.11/socket.py"'),
        ("an absolute path", "File ~/course/wslab/frames.py:12"),
        ("an absolute path", r"C:\Users\ada"),
        ("a cookie", "Cookie: _xsrf=2|b1"),
        ("a cookie", "'Cookie': 'session=0123456789abcdef'"),
        ("a token", "GET /?token=0123456789abcdef"),
        ("a token", "Authorization: Bearer 0123456789abcdef"),
        ("an object address", "<Echo object at 0x7f3a5c0d2e10>"),
        ("a port that the system chose", "ws://127.0.0.1:41321/"),
        ("a port that the system chose", "('localhost', 51234)"),
        ("a port that the system chose", "{'port': 60999}"),
    ],
)
@pytest.mark.parametrize("output", [stream, failure, result], ids=name)
def test_what_must_not_be_published_is_found_in_every_kind_of_output(what, text, output):
    found = rules.shows_nothing_of_this_machine(notebook(code("x", output(text))))

    assert any(f"shows {what}" in one for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "GET /chat HTTP/1.1",
        "Host: 127.0.0.1:8080",
        "http://example.com/home/ada",
        "Cookie: [redacted]",
        "/?token=[redacted]",
        "mask 0x37fa213d",
        "server port 8765, 65536 bytes",
    ],
)
def test_what_is_the_same_everywhere_may_be_shown(text):
    assert list(rules.shows_nothing_of_this_machine(notebook(code("x", stream(text))))) == []


def test_colours_do_not_hide_a_path_in_a_traceback():
    traceback = "File \x1b[32m/home/ada\x1b[39m/frames.py"

    assert list(rules.shows_nothing_of_this_machine(notebook(code("x", failure(traceback))))) != []


@pytest.mark.parametrize(
    ("markdown", "sentence"),
    [
        ("[Next](06.ipynb)", "the link to 06.ipynb leads nowhere"),
        ("[the `Frame`](06.ipynb)", "the link to 06.ipynb leads nowhere"),
        ("[next]: 06.ipynb", "the link to 06.ipynb leads nowhere"),
        ('<a href="06.ipynb">', "the link to 06.ipynb leads nowhere"),
        ("[top](#No-such)", "the link to #No-such leads to no heading"),
        ("[top](04.ipynb#No-such)", "the link to 04.ipynb#No-such leads to no heading"),
        ("[top](README.md#no-such)", "the link to README.md#no-such leads to no heading"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(tmp_path, markdown, sentence):
    assert list(rules.has_links_that_lead_somewhere(notebook(markdown), course(tmp_path))) == [sentence]


@pytest.mark.parametrize(
    "markdown",
    [
        "[here](#The-frame)",
        "[before](04.ipynb#The-frame) and [all of it](04.ipynb)",
        "[contents](README.md#the-lessons-12-of-them)",
        "[RFC 6455](https://www.rfc-editor.org/rfc/rfc6455)",
        "`[code](no-link)`",
        "```\n[code](no-link)\n```",
    ],
)
def test_a_link_that_leads_somewhere_is_fine(tmp_path, markdown):
    assert list(rules.has_links_that_lead_somewhere(notebook(markdown), course(tmp_path))) == []


def course(folder):
    """A folder with lessons 04 and 05 and a README; returns the path of lesson 05."""
    for lesson in ("04.ipynb", "05.ipynb"):
        (folder / lesson).write_text(writes(notebook("# The frame")), encoding="utf-8")
    (folder / "README.md").write_text("## The lessons (12 of them)\n", encoding="utf-8")
    return folder / "05.ipynb"


@pytest.mark.parametrize(
    ("markdown", "sentence"),
    [
        ("![a frame](https://example.com/a.png)", "is not in the repository"),
        ("![a frame](missing.png)", "is not in the repository"),
        ("![a frame](attachment:a.png)", "is not in the repository"),
    ],
)
def test_a_picture_that_needs_the_network_is_found(tmp_path, markdown, sentence):
    found = rules.has_pictures_that_need_no_network(notebook(markdown), course(tmp_path))

    assert any(sentence in one for one in found)


@pytest.mark.parametrize(
    ("kept", "changed", "sentence"),
    [
        ("- break a frame.", "", "lists 2 goals"),
        ("**Time:** 30 minutes", "", "**Time:**"),
        ("**Read before:** nothing.", "", "**Read before:**"),
    ],
)
def test_a_first_cell_without_its_parts_is_found(kept, changed, sentence):
    found = rules.begins_with_goals_time_and_what_to_read_before(notebook(FIRST.replace(kept, changed)))

    assert [one for one in found if sentence in one]


@pytest.mark.parametrize(
    "part", ["## What you learned", "## Check yourself", "[04](04.ipynb)", "(../README.md#lessons)", "[06](06.ipynb)"]
)
def test_a_last_cell_without_its_parts_is_found(part):
    lesson = notebook(FIRST, LAST.replace(part, ""))

    assert len(list(rules.ends_with_summary_questions_and_links(lesson, "04.ipynb", "06.ipynb"))) == 1


@pytest.mark.parametrize(("count", "is_found"), [(9, True), (10, False), (11, True)])
def test_too_few_or_too_many_lines_to_take_home_are_found(count, is_found):
    lesson = notebook("\n".join(["### Take home", "", *["- Test it."] * count, "", "## Check yourself", "", "- Why?"]))

    assert bool(list(rules.gives_ten_lines_to_take_home(lesson))) is is_found


def test_a_task_without_an_answer_is_found():
    answer = "\n\n<details><summary>What should happen</summary>It breaks.</details>"

    assert len(list(rules.says_what_should_happen(notebook("**Break it.** Take the mask away.")))) == 1
    assert list(rules.says_what_should_happen(notebook("**Break it.** Take the mask away." + answer))) == []


MANY_WORDS = " ".join(["word"] * 3000)


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ([MANY_WORDS], "it says 30 minutes and takes about 15"),
        ([MANY_WORDS * 4], "60 minutes are too long for a lesson"),
        ([code()] * 120, "60 minutes are too long for a lesson"),
        (["**Break it.** Count wrong."] * 15, "60 minutes are too long for a lesson"),
        ([MANY_WORDS, *[code()] * 30], None),
    ],
)
def test_a_lesson_takes_the_time_that_it_says(cells, sentence):
    found = list(rules.takes_the_time_that_it_says(notebook(FIRST, *cells)))

    assert found == [] if sentence is None else sentence in found[-1]


@pytest.mark.parametrize(("count", "is_found"), [(7, True), (8, False), (15, False), (16, True)])
def test_a_lesson_without_predictions_or_with_too_many_is_found(count, is_found):
    asked = notebook(FIRST, *["**Predict:** how many?"] * count)

    assert bool(list(rules.asks_a_few_predictions(asked))) is is_found


QUESTION = "Three are sent. **Predict:** how many arrive?"
FOLDED = code("with wslab.fold():\n    print(3)", stream("3"))


@pytest.mark.parametrize(
    ("cells", "is_found"),
    [
        ([QUESTION, code("3", result("3")), "Three."], True),
        ([QUESTION, code("3", result("3")), "Three. **Predict:** and now?", FOLDED], True),
        ([QUESTION, "## The next section", FOLDED], True),
        ([QUESTION, code(), FOLDED, "Three."], False),
        ([QUESTION, code('browser.run(script, "three")')], False),
        ([QUESTION + "\n\n<details><summary>Answer</summary>Three.</details>", code()], False),
    ],
)
def test_a_prediction_whose_answer_is_in_sight_is_found(cells, is_found):
    assert bool(list(rules.hides_what_is_to_be_predicted(notebook(*cells)))) is is_found


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("while not done:\n    time.sleep(0.1)", "looks again and again"),
        ("while knock() != 101:\n    pass", "looks again and again"),
        ("while not head.endswith(end):\n    head += sock.recv(1)", "the end of a connection"),
        ("arrived.get()", "get()"),
        ("thread.join()", "join()"),
        ("socket.create_connection(address)", "without a timeout"),
        ("listener = socket.create_server(address)", "a listening socket"),
        ("listener = socket.create_server(address)\nlistener.settimeout(5)", None),
        ("socket.create_connection(address, timeout=5)", None),
        ("while piece := sock.recv(4096):\n    data += piece", None),
        ("arrived.get(timeout=5), thread.join(5), ', '.join(names), wait_until(lambda: done)", None),
    ],
)
def test_a_cell_that_may_wait_without_an_end_is_found(source, reason):
    found = list(rules.waits_with_a_limit(notebook(code(source))))

    assert found == [] if reason is None else reason in found[0]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("client " + "-" * 23 + "> server", True),
        ("client " + "-" * 22 + "> server", False),
        ("% netstat" + " " * 70, False),
    ],
)
def test_a_drawing_that_a_phone_would_fold_is_found(text, is_found):
    assert bool(list(rules.has_drawings_that_fit_a_phone(notebook(f"```text\n{text}\n```")))) is is_found


def test_the_functions_of_a_lesson_are_found_with_what_they_need():
    cells = code("def ask(server, data, goodbye=b''):\n    pass\n\n\nclass Room:\n    def ask(self):\n        pass")
    assert list(rules.functions_of(notebook(cells))) == [("ask", "server, data")]
