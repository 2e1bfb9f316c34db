"""What all tests share: no silent skips in CI, repeatable examples, notebooks that run alike everywhere, browsers."""

import gc
import os
import signal
import tempfile
import warnings
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

# Set where every browser and program is installed: a skipped test is then a failed one.
NO_SKIP = "WSLAB_NO_SKIP"

# A deadline would measure the machine. CI tries the same examples every time.
hypothesis.settings.register_profile("wslab", deadline=None, derandomize="CI" in os.environ, print_blob=True)
hypothesis.settings.load_profile("wslab")


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts what it runs in the background (`pytest &`) deaf to Ctrl-C, nohup makes it deaf to the end of the
    # terminal, and so would be all that tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # A kernel reads the user's IPython profile, which may change what every cell prints.
    profile = tempfile.TemporaryDirectory(prefix="wslab-ipython-", ignore_cleanup_errors=True)
    config.add_cleanup(profile.cleanup)
    os.environ["IPYTHONDIR"] = profile.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    cells = [item for item in items if hasattr(item, "output_timeout")]
    for cell in cells:
        # nbval waits 5 seconds for an output after the reply; on a busy machine it can take longer.
        cell.output_timeout = 30
    if cells:
        # The first import in a new home builds the font cache, and says so on standard error of the cell that imports.
        import matplotlib.font_manager  # noqa: F401
    longest: dict[Path, float] = {}
    for item in items:
        longest[item.path] = max(longest.get(item.path, 0), time_limit(item))
    # Else one worker would be left alone with it at the end.
    items.sort(key=lambda item: -longest[item.path])


def time_limit(item: pytest.Item) -> float:
    """The seconds that a test may take if that is more, or less, than usual; otherwise 0."""
    marker = item.get_closest_marker("timeout")
    return marker.args[0] if marker else 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    fail_if_skipped(report)
    return report


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get(NO_SKIP) and report.skipped and not hasattr(report, "wasxfail"):
        _, _, reason = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} ({NO_SKIP} is set, so a skipped test is a failed one)"


@pytest.fixture(scope="module")
def swept():
    """For modules that interrupt calls in any line: no later test is blamed for a socket that nobody could close."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


# Browsers are imported where they are used: most tests need none, and the rest of this file works without them.


@pytest.fixture(scope="module")
def browser():
    """A Chromium, for one module: while Playwright runs, nothing else in its thread can run an event loop."""
    from support.chromium import running_chromium

    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def tab_of_module(browser):
    with browser.new_page(ignore_https_errors=True) as page:
        yield page


@pytest.fixture
def tab(tab_of_module):
    """A tab of Chromium with an empty page, which trusts every certificate.

    All tests of a module have the same, as opening one takes a while.
    """
    yield tab_of_module
    tab_of_module.goto("about:blank")
    tab_of_module.emulate_media(color_scheme="light")
    tab_of_module.set_viewport_size({"width": 1280, "height": 720})


@pytest.fixture(scope="session")
def firefox_tab(tmp_path_factory):
    """A tab of a Firefox."""
    from support.firefox import running_firefox

    with running_firefox(tmp_path_factory.mktemp("firefox")) as tab:
        yield tab


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab below a path, as on a hub, with a copy of the lessons."""
    from support.jupyterlab import running_lab

    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab
