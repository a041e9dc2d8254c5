"""Options and paths shared by all tests."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more of the machine than of the code
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")

ROOT = Path(__file__).parent.parent
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write the expected files anew (make golden)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files stay together. Browser tests need Chromium; they are skipped without it unless PIPULATE_REQUIRE_BROWSER is set."""
    if getattr(config.option, "dist", "no") == "loadgroup":
        for item in items:  # a file stays on one worker, unless its tests say how to group them
            if not item.get_closest_marker("xdist_group"):
                item.add_marker(pytest.mark.xdist_group(item.path.name))
    if CHROMIUM or os.environ.get("PIPULATE_REQUIRE_BROWSER"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no Chromium here"))


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """What a test configures for kernels (how many, how long idle) ends with it: later tests would replay step after step."""
    from pipulate_runtime.cells import pool

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
