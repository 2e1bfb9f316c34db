"""The rules of a notebook: each is a function that yields one sentence for each place that breaks it.

They stand where strict nbval cannot see: it compares nothing for a cell that was never run, and it reads no prose, no
link, no traceback and no picture.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import nbformat

MAX_LINES = 15
MAX_LINES_EXPLAINED = 30
MAX_MINUTES = 45
MAX_PREDICTIONS = 15
MINUTES_BETWEEN_PREDICTIONS = 4
MAX_DRAWING = 37  # characters that nbconvert shows in a line of a phone, 390 pixels wide
MAX_INLINE_CODE = 40  # the same, in the smaller letters of code within a sentence
WHY_LONG = re.compile(r"\blong", re.IGNORECASE)
WHY_IGNORED = re.compile(r"\b(differ|change|vary|varies|random|depend|measure|(each|every) run\b)", re.IGNORECASE)

RICH = re.compile(r"text/html|image/|application/javascript|application/vnd\.jupyter\.widget-view")
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

# What differs from machine to machine, or publishes a secret of whoever ran the notebook.
FOLDERS = "home|root|tmp|usr|opt|var|private|mnt|srv|work|workspace|Users|Applications|Library"
NOT_IN_OUTPUTS = {
    "an absolute path": re.compile(rf"(?<![\w.:/])(~|/({FOLDERS}))/\w|\b[A-Z]:\\\w"),
    "a cookie": re.compile(r"(?i)_xsrf=|jupyterhub-(user|session)|username-\d|cookie\W+[^\s=]+=[\w+/|-]{16}"),
    "a token": re.compile(r"(?i)token=[\w-]{8}|authorization\W+\w+ [\w+/.-]{16}|\btoken [0-9a-f]{16}"),
    "an object address": re.compile(r"(?i)\bat 0x[0-9a-f]{6}"),
    "a port that the system chose": re.compile(
        r"(?i)(127\.0\.0\.1|0\.0\.0\.0|\blocalhost|::1|\bport)\W{1,4}(3276[89]|327[7-9]\d|32[89]\d\d|3[3-9]\d{3}|[4-6]\d{4})\b"
    ),
}

FENCED_CODE = re.compile(r"^ *(```|~~~).*?^ *\1", re.DOTALL | re.MULTILINE)
INLINE_CODE = re.compile(r"(`+)[^`].*?\1")
LINK = re.compile(r"(?<!!)\[[^\[\]]*\]\(<?([^()\s>]+)|^ *\[[^\[\]]+\]: *(\S+)|<a [^>]*href=\"([^\"]+)", re.MULTILINE)
IMAGE = re.compile(r"!\[[^\[\]]*\]\(<?([^()\s>]+)")
HEADING = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?[ \t]*$", re.MULTILINE)


def read(path: Path) -> dict:
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))


def tags(cell: dict) -> set[str]:
    """The cell's tags; nbval's comments, such as NBVAL_SKIP, count as the tags that they stand for."""
    comments = re.findall(r"^\s*#\s*(NBVAL_\w+)\s*$", cell["source"], re.MULTILINE)
    return {*cell["metadata"].get("tags", []), *(comment.lower().replace("_", "-") for comment in comments)}


def code_cells(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def outputs(notebook: dict) -> Iterator[tuple[str, dict]]:
    """Each output with the name of its cell: `In [3]`."""
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            yield f"In [{cell['execution_count']}]", output


def words_of(output: dict) -> str:
    """All text of an output, without pictures in bytes and without the colours of a traceback."""
    data = [text for kind, text in output.get("data", {}).items() if kind not in {"image/png", "image/jpeg"}]
    values = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", []), *data]
    return ANSI_COLOUR.sub("", "\n".join(value if isinstance(value, str) else json.dumps(value) for value in values))


def prose(cell: dict) -> str:
    """A Markdown cell without the code in it."""
    return INLINE_CODE.sub("", FENCED_CODE.sub("", cell["source"])) if cell["cell_type"] == "markdown" else ""


def headings(text: str) -> list[tuple[int, str]]:
    """Level and text of each heading of a Markdown text, in order."""
    return [(len(marks), title or "") for marks, title in HEADING.findall(FENCED_CODE.sub("", text))]


def anchors(text: str) -> set[str]:
    """What a link to a heading of this Markdown text may say after `#`, in JupyterLab's spelling and in GitHub's."""
    titles = [re.sub(r"[*`]", "", title) for _, title in headings(text)]
    github = [re.sub(r"[^\w\- ]", "", title.lower()) for title in titles]
    return {title.replace(" ", "-") for title in titles + github}


def all_markdown(notebook: dict) -> str:
    return "\n\n".join(cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def explanation(notebook: dict, cell: dict) -> str:
    """Where an exception to a rule may be explained: the Markdown right before the cell, and the cell's comments."""
    at = notebook["cells"].index(cell)
    before = prose(notebook["cells"][at - 1]) if at else ""
    return "\n".join([before, *re.findall(r"#\s*(?!NBVAL_)(.*)", cell["source"])])


# --- the file -------------------------------------------------------------------------------------------------------


def is_valid(notebook: dict) -> Iterator[str]:
    yield from (f"nbformat: {error.message}" for error in nbformat.validator.iter_validate(notebook))
    ids = Counter(cell.get("id") for cell in notebook["cells"])
    yield from (f"{count} cells have the id {name}" for name, count in ids.items() if name and count > 1)


def stores_no_widget_state(notebook: dict) -> Iterator[str]:
    # GitHub shows "Invalid Notebook" instead of a notebook with half a widget state.
    if "widgets" in notebook["metadata"]:
        yield "metadata.widgets is stored"


# --- the run --------------------------------------------------------------------------------------------------------


def was_run_in_order(notebook: dict) -> Iterator[str]:
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"the code cells were run as {counts}"


def was_never_run(notebook: dict) -> Iterator[str]:
    for number, cell in enumerate(code_cells(notebook), 1):
        if cell["execution_count"] is not None or cell["outputs"]:
            yield f"code cell {number} was run"


def fails_only_where_it_says_so(notebook: dict) -> Iterator[str]:
    for cell in code_cells(notebook):
        failed = any(output["output_type"] == "error" for output in cell["outputs"])
        if failed and "raises-exception" not in tags(cell):
            yield f"In [{cell['execution_count']}] failed and has no tag raises-exception"
        if not failed and tags(cell) & {"raises-exception", "nbval-raises-exception"}:
            yield f"In [{cell['execution_count']}] is tagged raises-exception and did not fail"


def ignores_few_outputs_and_says_why(notebook: dict) -> Iterator[str]:
    cells = code_cells(notebook)
    ignored = [cell for cell in cells if "nbval-ignore-output" in tags(cell)]
    if len(ignored) > max(1, len(cells) // 10):
        yield f"{len(ignored)} of {len(cells)} cells have ignored output"
    for cell in ignored:
        if not WHY_IGNORED.search(explanation(notebook, cell)):
            yield f"nothing before or in In [{cell['execution_count']}] says why its output is ignored"
    for cell in cells:
        if "nbval-skip" in tags(cell):
            yield f"In [{cell['execution_count']}] is skipped: nothing would run it"


# --- the outputs ----------------------------------------------------------------------------------------------------


def shows_no_carriage_return(notebook: dict) -> Iterator[str]:
    # JupyterLab drops them when it saves.
    yield from (f"{name} shows a carriage return" for name, output in outputs(notebook) if "\r" in words_of(output))


def shows_printed_lines_in_one_piece(notebook: dict) -> Iterator[str]:
    # Whether two prints come in one message or in two differs from run to run.
    previous = None
    for name, output in outputs(notebook):
        if output["output_type"] == "stream" and previous == (name, output["name"]):
            yield f"{name} has two pieces of {output['name']}, one after the other"
        previous = name, output.get("name")


def shows_nothing_of_this_machine(notebook: dict) -> Iterator[str]:
    for name, output in outputs(notebook):
        for what, pattern in NOT_IN_OUTPUTS.items():
            if found := pattern.search(words_of(output)):
                yield f"{name} shows {what}: {found[0]!r}"


def says_in_text_what_it_shows(notebook: dict) -> Iterator[str]:
    for cell in code_cells(notebook):
        rich = sorted({kind for output in cell["outputs"] for kind in output.get("data", {}) if RICH.match(kind)})
        plain = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell["outputs"]]
        # `<Figure size 640x480 with 1 Axes>` says nothing about what the figure shows.
        if rich and all(re.fullmatch(r"|<.*>", text.strip()) for text in plain):
            yield f"In [{cell['execution_count']}] has {', '.join(rich)} and no text that says the same"


# --- the cells ------------------------------------------------------------------------------------------------------


def has_short_cells(notebook: dict) -> Iterator[str]:
    long = []
    for cell in code_cells(notebook):
        lines = len(re.findall(r"^\s*[^\s#]", cell["source"], re.MULTILINE))
        explained = "long-cell" in tags(cell) and WHY_LONG.search(explanation(notebook, cell))
        if lines > (MAX_LINES_EXPLAINED if explained else MAX_LINES):
            yield f"In [{cell['execution_count']}] has {lines} lines of code"
        elif lines > MAX_LINES:
            long.append(f"In [{cell['execution_count']}]")
    if len(long) > 2:
        yield f"more than two cells are long: {', '.join(long)}"


def syntax(cell: dict) -> ast.Module:
    """The syntax tree of a cell, which may await at its top level."""
    return compile(cell["source"], cell["id"], "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def functions_of(notebook: dict) -> Iterator[tuple[str, str]]:
    """The functions that the cells of a notebook define, each with the parameters that a call has to give."""
    for cell in code_cells(notebook):
        for node in syntax(cell).body:
            if isinstance(node, ast.FunctionDef):
                needed = node.args.args[: len(node.args.args) - len(node.args.defaults)]
                yield node.name, ", ".join(argument.arg for argument in needed)


def waits_with_a_limit(notebook: dict) -> Iterator[str]:
    """What a cell waits for may never come: then the cell has to end all the same."""
    for cell in code_cells(notebook):
        for node in ast.walk(syntax(cell)):
            if reason := endless(node, cell["source"]):
                yield f"In [{cell['execution_count']}] may wait without an end: {reason}"


def endless(node: ast.AST, source: str) -> str | None:
    """Why this piece of a cell may wait without an end."""
    if isinstance(node, ast.While):
        only_looks = all(isinstance(it, ast.Pass) or "sleep(" in ast.unparse(it) for it in node.body)
        reads_on = re.search(r"\b(next|receive_event)\(", ast.unparse(node.test))
        return "a loop that looks again and again" if only_looks and not reads_on else None
    if isinstance(node, ast.AugAssign):
        return "a loop that takes the end of a connection for data" if ".recv(" in ast.unparse(node.value) else None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    match node.func.attr:
        case "join" | "get" if not node.args and not node.keywords and "daemon=True" not in source:
            return f"{node.func.attr}()"
        case "create_connection" if not any(keyword.arg == "timeout" for keyword in node.keywords):
            return "a connection without a timeout"
        case "create_server" if ".settimeout(" not in source:
            return "a listening socket without a timeout"
    return None


def has_links_that_lead_somewhere(notebook: dict, path: Path) -> Iterator[str]:
    for cell in notebook["cells"]:
        for target in ("".join(groups) for groups in LINK.findall(prose(cell))):
            if re.match(r"(https?|mailto|wss?):", target):
                continue
            file, _, anchor = unquote(target).partition("#")
            linked = path.parent / file if file else path
            if not linked.exists():
                yield f"the link to {target} leads nowhere"
            elif anchor:
                text = all_markdown(read(linked)) if linked.suffix == ".ipynb" else linked.read_text(encoding="utf-8")
                if anchor not in anchors(text):
                    yield f"the link to {target} leads to no heading"


def has_pictures_that_need_no_network(notebook: dict, path: Path) -> Iterator[str]:
    for cell in notebook["cells"]:
        for target in IMAGE.findall(prose(cell)):
            if target.startswith("attachment:"):
                present = target.removeprefix("attachment:") in cell.get("attachments", {})
            else:
                present = (path.parent / unquote(target)).is_file()
            if not present:
                yield f"the picture {target} is not in the repository"


def begins_no_paragraph_with_a_code(notebook: dict) -> Iterator[str]:
    # Markdown takes "1009. Too big" for item 1009 of a list, and its number hangs over the edge of the page.
    for found in re.findall(r"^ {0,3}\d{3,}[.)] .{0,40}", all_markdown(notebook), re.MULTILINE):
        yield f"a paragraph begins as a list would: {found}"


def has_drawings_that_fit_a_phone(notebook: dict) -> Iterator[str]:
    """A page that is too narrow folds the lines of a drawing, and nobody can read it any more."""
    for drawing in re.findall(r"^```text\n(.*?)^```", all_markdown(notebook), re.DOTALL | re.MULTILINE):
        width = max(map(len, drawing.splitlines()))
        if re.search(r"--[+>]|\+--", drawing) and width > MAX_DRAWING:
            yield f"a drawing is {width} characters wide: {drawing.splitlines()[0]}"


def has_code_in_sentences_that_fits_a_phone(notebook: dict) -> Iterator[str]:
    """A piece of code without a place to break runs over the edge of a narrow page, where nobody can read it."""
    for code in re.findall(r"`([^`\n]+)`", FENCED_CODE.sub("", all_markdown(notebook))):
        longest = max(re.split(r"(?<=[\s?-])", code), key=len)
        if len(longest.strip()) > MAX_INLINE_CODE:
            yield f"a phone cannot break {longest}"


# --- the lesson -----------------------------------------------------------------------------------------------------


def begins_with_goals_time_and_what_to_read_before(notebook: dict) -> Iterator[str]:
    first = notebook["cells"][0]["source"]
    goals = len(re.findall(r"^- ", first, re.MULTILINE))
    if "**After this lesson you can**" not in first or not 3 <= goals <= 5:
        yield f"the first cell lists {goals} goals after '**After this lesson you can**', not three to five"
    if not re.search(r"\*\*Time:\*\* \d+ minutes", first):
        yield "the first cell does not say '**Time:** ... minutes'"
    if not re.search(r"\*\*Read before:\*\* \S", first):
        yield "the first cell does not say '**Read before:** ...'"


@dataclass(frozen=True)
class Effort:
    """How much there is to do in a lesson."""

    words: int
    cells: int
    predictions: int
    tasks: int

    @property
    def minutes(self) -> float:
        """200 words a minute, half a minute for each cell that is run, four for each open task ("Break it")."""
        return self.words / 200 + self.cells / 2 + self.tasks * 4


def effort(notebook: dict) -> Effort:
    markdown = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    text = "\n".join(markdown)
    return Effort(
        words=sum(len(re.sub(r"<[^>]*>|\]\([^)]*\)", " ", source).split()) for source in markdown),
        cells=len(code_cells(notebook)),
        predictions=text.count("**Predict"),
        tasks=text.count("**Break it"),
    )


def takes_the_time_that_it_says(notebook: dict) -> Iterator[str]:
    said = int(re.findall(r"\*\*Time:\*\* (\d+) minutes", notebook["cells"][0]["source"])[0])
    counted = effort(notebook).minutes
    if abs(said - counted) > counted / 4:
        yield f"it says {said} minutes and takes about {counted:.0f}"
    if max(said, counted) > MAX_MINUTES:
        yield f"{max(said, counted):.0f} minutes are too long for a lesson"


def asks_a_few_predictions(notebook: dict) -> Iterator[str]:
    said = int(re.findall(r"\*\*Time:\*\* (\d+) minutes", notebook["cells"][0]["source"])[0])
    count = effort(notebook).predictions
    if not said / MINUTES_BETWEEN_PREDICTIONS <= count <= MAX_PREDICTIONS:
        yield f"{count} predictions in {said} minutes: one for every four minutes, and at most {MAX_PREDICTIONS}"


def hides_what_is_to_be_predicted(notebook: dict) -> Iterator[str]:
    """A fold comes before the next prediction and the next heading; what a browser said is recorded in one."""
    open_question = ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            if re.search(r"\bfold\(|\.run\(script|\bverdicts\(", cell["source"]):
                open_question = ""
            continue
        for part in re.split(r"(?=\*\*Predict\b|^#+ )", cell["source"], flags=re.MULTILINE):
            if open_question and part.startswith(("**Predict", "#")):
                yield f"no fold hides the answer to: {open_question}"
            if part.startswith("**Predict"):
                open_question = part.partition("\n")[0]
            if "<details>" in part:
                open_question = ""
    if open_question:
        yield f"no fold hides the answer to: {open_question}"


def says_what_should_happen(notebook: dict) -> Iterator[str]:
    for cell in notebook["cells"]:
        for task in re.findall(r"\*\*Break it.*", cell["source"], re.DOTALL):
            if "<details>" not in task:
                yield f"nobody says what should happen: {task[:60]}"


def gives_ten_lines_to_take_home(notebook: dict) -> Iterator[str]:
    part = all_markdown(notebook).partition("### Take home\n")[2].partition("\n#")[0]
    if (count := len(re.findall(r"^(?:-|\d+\.) ", part, re.MULTILINE))) != 10:
        yield f"{count} lines to take home, not ten"


def ends_with_summary_questions_and_links(notebook: dict, previous: str | None, following: str | None) -> Iterator[str]:
    titles = [title for _, title in headings(all_markdown(notebook)) if title != "Take home"]
    if titles[-2:] != ["What you learned", "Check yourself"]:
        yield f"the last two headings are {titles[-2:]} and not 'What you learned' and 'Check yourself'"
    last_line = notebook["cells"][-1]["source"].strip().splitlines()[-1]
    targets = [target.partition("#")[0] for target, _, _ in LINK.findall(last_line)]
    expected = [name for name in (previous, "../README.md", following) if name]
    if targets != expected:
        yield f"the last line links to {targets} and not to {expected}"
