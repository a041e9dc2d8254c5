"""Parts that a copy of the package can be without: the host starts, serves and walks a workflow all the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.host.helpers import PLUGINS

WALK = """
import sys
from pathlib import Path
from starlette.testclient import TestClient
import pipulate_runtime
from pipulate_runtime.host.around import answering
from pipulate_runtime.host.app import create_app

copy, plugins, data = map(Path, sys.argv[1:])
assert Path(pipulate_runtime.__file__).is_relative_to(copy)
app = create_app(plugins, data, ollama=answering(None, None))
with TestClient(app, base_url="http://127.0.0.1") as client:
    home = client.get("/")
    print(home.status_code, "Trip planner" in home.text, 'id="chat' in home.text, client.get("/chat").status_code)
    begun = client.post("/trip/init", data={"pipeline_id": "x"}, headers={"HX-Request": "true"})
    print(begun.status_code, "step_01" in begun.text)
    print(client.post("/tasks", data={"text": "mine"}, headers={"HX-Request": "true"}).status_code)
"""


WHOLE = """
import sys
from pathlib import Path
from pipulate_runtime.host.commands.serve import run

copy, plugin, data = map(Path, sys.argv[1:])
print(run(plugin, {"step_01": {"a": "Ada"}}, data))
"""


def output_of(copy: Path, tmp_path: Path, script: str = WALK, plugins: Path = PLUGINS) -> list[str]:
    command = [sys.executable, "-c", script, str(copy), str(plugins), str(tmp_path / "data")]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.fixture
def copy(tmp_path):
    made = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "pipulate_runtime", made / "pipulate_runtime", ignore=ignored)
    return made


def test_the_host_starts_with_the_chat(copy, tmp_path):
    assert output_of(copy, tmp_path) == ["200 True True 200", "200 True", "200"]


def test_the_host_starts_without_the_chat(copy, tmp_path):
    shutil.rmtree(copy / "pipulate_runtime/host/chat")
    assert output_of(copy, tmp_path) == ["200 True False 404", "200 True", "200"]


def test_the_host_starts_without_what_upstreams_plugins_need(copy, tmp_path):
    shutil.rmtree(copy / "pipulate_runtime/host/upstream")
    assert output_of(copy, tmp_path) == ["200 True True 200", "200 True", "200"]


@pytest.mark.kernel
def test_a_ported_plugin_needs_neither(copy, tmp_path):
    for part in ("chat", "upstream"):
        shutil.rmtree(copy / "pipulate_runtime/host" / part)
    said = output_of(copy, tmp_path, WHOLE, ROOT / "generated/hello.py")
    assert any("Hello Ada" in line for line in said)
    assert said[-1] == "0"
