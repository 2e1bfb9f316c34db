"""JupyterHub with its real proxy: the console works behind both proxies, and a student reaches only what is hers."""

import subprocess

import pytest
from playwright.sync_api import expect
from support.console_notebook import are_as_recorded, outputs_of, write_console_notebook
from support.hubs import running_hub, sign_in
from support.jupyterlab import LAB_TIMEOUT, choose_run, wait_for_kernel

from wslab.browser.console_endpoint import PAGE as CONSOLE_PAGE

ADA, EVE = USERS = ["ada", "eve"]
ECHO = """(url) => new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send("Hello");
    socket.onmessage = ({ data }) => resolve(data);
    socket.onclose = () => resolve("refused");
})"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A JupyterHub of two students, with a notebook for each."""
    with running_hub(tmp_path_factory.mktemp("hub"), USERS, write_console_notebook) as hub:
        yield hub


@pytest.fixture(scope="module")
def students(browser, hub):
    """The page of each student, in a browser of its own, in which all cells of the notebook have run."""
    pages = sign_in(browser, hub, USERS, "console.ipynb")
    for page in pages.values():
        wait_for_kernel(page)
        choose_run(page, "runmenu:run-all")
    return pages


def proxied(hub, user):
    """The address of the echo server that this student's notebook has started."""
    lab = hub.lab_of(user)
    return f"{lab.address}proxy/{(lab.folder / 'port').read_text()}/"


def test_the_console_works_under_jupyterhub(hub, students):
    for user, page in students.items():
        assert are_as_recorded(outputs_of(page, hub.lab_of(user), is_proxied=True))


@pytest.mark.parametrize(
    ("path", "content"), [("", "<title>Echo"), (CONSOLE_PAGE.removeprefix("/"), "<title>Browser console")]
)
def test_the_pages_of_a_server_are_for_its_student_alone(hub, students, path, content):
    for reader in USERS:
        for owner in USERS:
            answer = students[reader].request.get(proxied(hub, owner) + path, headers={"Accept": "text/html"})
            is_mine = reader == owner
            assert (answer.status, content in answer.text()) == (200 if is_mine else 403, is_mine)


def test_the_echo_server_of_a_student_answers_no_other(hub, students):
    for reader in USERS:
        answers = {of: students[reader].evaluate(ECHO, proxied(hub, of).replace("http", "ws", 1)) for of in USERS}
        assert answers == {of: "Hello" if of == reader else "refused" for of in USERS}


@pytest.mark.parametrize("path", ["api/contents", "api/kernels", "lab/tree/console.ipynb"])
def test_the_notebooks_and_kernels_of_a_student_are_for_nobody_else(hub, students, path):
    for reader in USERS:
        statuses = {of: students[reader].request.get(hub.lab_of(of).address + path).status for of in USERS}
        assert statuses == {of: 200 if of == reader else 403 for of in USERS}


def test_a_link_brings_the_notebooks_of_a_repository_to_a_student_and_opens_one(hub, students, tmp_path):
    course = tmp_path / "course"
    write_console_notebook(course)
    git = ["git", "-c", "user.name=wslab", "-c", "user.email=wslab@example.com", "-C", course]
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "Begin"]):
        subprocess.run([*git, *command], check=True)
    with students[ADA].context.new_page() as page:
        page.set_default_timeout(LAB_TIMEOUT)
        link = f"hub/user-redirect/git-pull?repo=file://{course}&branch=main&urlpath=lab/tree/course/console.ipynb"
        page.goto(hub.address + link)
        expect(page.get_by_role("tab", name="console.ipynb")).to_be_visible(timeout=LAB_TIMEOUT)
    assert (hub.lab_of(ADA).folder / "course/console.ipynb").read_bytes() == (course / "console.ipynb").read_bytes()
