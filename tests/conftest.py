"""Options and paths shared by all tests."""

import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes says more of the machine than of the code. The examples are the same each time, so that what lands
# does not hang on chance; `HYPOTHESIS=random make test` looks for new ones.
settings.register_profile(
    "ours", deadline=None, derandomize=os.environ.get("HYPOTHESIS") != "random"
)
settings.load_profile("ours")

ROOT = Path(__file__).parent.parent
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)

PATIENCE = 30_000  # milliseconds a page may take on a busy machine; a test goes on as soon as what it expects is there
LONGEST = "test_faults.py"
CORPUS = "test_faithful.py"


def slow_but(cases: Iterable[Any], *quick: Any) -> list[Any]:
    """The cases of a parametrised test: those named are in `make test`, the others only in `make test-all`."""
    listed = list(cases)
    assert not [case for case in quick if case not in listed], "a case that is not there"
    values = [case if isinstance(case, tuple) else (case,) for case in listed]
    return [
        pytest.param(*value, marks=[] if case in quick else pytest.mark.slow)
        for case, value in zip(listed, values, strict=True)
    ]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write the expected files anew (make golden)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """A shell has what it runs in the background ignore Ctrl+C; the commands that tests start would do so, too, and never end."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        from playwright.sync_api import expect
    except ImportError:  # browser tests are skipped
        return
    expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file stays on one worker; of the slow corpus, what belongs to one notebook, since its tests share an execution.

    Marks of groups (`--dist loadgroup`) have no effect with pytest 9.2 and xdist 3.8: xdist changes the ids of tests where
    pytest does not look for them any more.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            return test.partition("[")[2] or file if file.endswith(CORPUS) else file

    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes longest comes first, and last what is in small pieces: so the workers end together.

    Browser tests need Chromium; they are skipped without it unless PIPULATE_REQUIRE_BROWSER is set.
    """
    items.sort(key=lambda item: (item.path.name != LONGEST, item.path.name == CORPUS))
    if CHROMIUM or os.environ.get("PIPULATE_REQUIRE_BROWSER"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no Chromium here"))


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """What a test configures for kernels (how many, how long idle) ends with it: later tests would replay step after step."""
    from pipulate_runtime.cells.kernel import pool

    before = dict(vars(pool.settings))
    yield
    vars(pool.settings).clear()
    vars(pool.settings).update(before)


@pytest.fixture(scope="session", autouse=True)
def own_ipython(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Kernels neither read nor write the `~/.ipython` of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        yield


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether expected files are to be written anew."""
    return bool(request.config.getoption("--update"))
