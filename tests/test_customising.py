"""docs/customising.md: each change is typed as the page says, the plugin works, and the next port keeps it."""

import asyncio
import re
import shutil
from pathlib import Path

import httpx
import pytest

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.walk.walk import walk_app
from pipulate_runtime.host.walk.walker import HTMX, ORIGIN
from tests.conftest import ROOT
from transpiler.model.options import Options
from transpiler.pipeline import port

PAGE = (ROOT / "docs" / "customising.md").read_text(encoding="utf-8")
EDITS = re.findall(
    r"<!-- edit: \w+ -->\n```python\n(.*?)```\n```python\n(.*?)```\n", PAGE, re.DOTALL
)


@pytest.mark.kernel
def test_what_the_page_says_works_and_the_next_port_keeps_it(tmp_path: Path) -> None:
    assert len(EDITS) == 7
    notebook = tmp_path / "hello.ipynb"
    shutil.copy(ROOT / "fixtures" / "hello.ipynb", notebook)
    port(notebook, tmp_path, Options())
    plugin = tmp_path / "hello.py"
    logo = tmp_path / "pictures" / "logo.svg"
    logo.parent.mkdir()
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    text = plugin.read_text(encoding="utf-8")
    for old, new in EDITS:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    plugin.write_text(text, encoding="utf-8")
    assert not port(
        notebook, tmp_path, Options()
    ).changed, "the same notebook: the file is as it was"
    notebook.write_text(
        notebook.read_text(encoding="utf-8").replace("Hello ", "Welcome, "), encoding="utf-8"
    )
    ported = port(notebook, tmp_path, Options())
    assert ported.regenerated is not None
    assert ported.regenerated.open == 0
    now = plugin.read_text(encoding="utf-8")
    assert "Welcome, " in now
    for _, new in EDITS:
        assert new in now

    async def life() -> None:
        app = create_app(None, tmp_path / "data", files=[plugin])
        async with app.router.lifespan_context(app):
            (loaded,) = (p for p in app.state.loaded.plugins if p.key == "hello")
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(
                transport=transport, base_url=ORIGIN, timeout=60
            ) as client:
                answers = {"step_01": {"a": "Ada"}, "step_90": {"mood": "fine"}}
                walked = await walk_app(app, loaded, answers)
                assert walked.finalized
                assert app.state.store.read(walked.key)["step_90"] == {"mood": "fine"}
                about = await client.get("/hello/about", headers=HTMX)
                assert "A page of our own." in about.text
                for address in ("/hello", f"/hello?run={walked.key}"):
                    page = (await client.get(address)).text
                    for shown in (
                        "own-colours",
                        "/static/logo/hello",
                        "<strong>guests</strong>",
                        'href="mailto:desk@example.org"',
                    ):
                        assert shown in page, (address, shown)
                assert "own-colours" not in (await client.get("/")).text
                card = await client.get(
                    "/hello/step_02", params={"pipeline_id": walked.key}, headers=HTMX
                )
                assert 'class="ours"' in card.text
                assert "as the notebook prints it" in card.text

    asyncio.run(life())
