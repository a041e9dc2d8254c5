"""A step that runs, as a page follows it: what it is sent, and that what it then shows is what a new page shows."""

import asyncio
import re

import pytest
from bs4 import BeautifulSoup
from fasthtml.common import to_xml
from starlette.testclient import TestClient

from pipulate_runtime.cells.kernel import pool as pools
from pipulate_runtime.cells.outputs import collect
from pipulate_runtime.cells.page import live
from pipulate_runtime.cells.run import stop
from pipulate_runtime.cells.run.step import Execution
from pipulate_runtime.host.base.browser import Call, Page
from tests.cells.conftest import run, stdout
from tests.cells.test_failures import gone, has_output, until


class Tab:
    """A browser's tab on a running step, without a browser."""

    def __init__(self, walker, execution):
        self.cells = walker.plugin.cells
        self.page = Page(to_xml(self.cells.follow(execution)) + to_xml(self.cells.clock(execution)))
        self.answers = []

    def poll(self):
        """Ask what is new, as the clock on the page would; return the answer's HTML."""
        clock = self.page.soup.select_one("[id$=-clock]")
        path = clock["hx-get"]
        match = re.search(r"/live/(\w+)\?execution=(\w+)&seen=(\d+)", path)
        if not match:
            return None
        step_id, id_, seen = match.groups()
        parts = self.cells.news("k", step_id, id_, int(seen))
        html = "".join(map(to_xml, parts))
        self.page.swap(Call("GET", path, [], clock), html, {})
        self.answers.append(html)
        return html

    @property
    def html(self):
        shown = self.page.soup.select_one(".live .cells")
        return re.sub(r">\s+<", "><", str(shown))


def fresh(walker, execution):
    return Tab(walker, execution).html


STEPWISE = """
    @cell("a")
    def step_01_cell(form):
        import os, time, sys
        global go
        def go(name):
            while not os.path.exists(form["to"] + "/" + name):
                time.sleep(0.005)
BODY
    """


def stepwise(make, tmp_path, body, steps=1, more=""):
    """A step that prints in parts; each begins when the test says so."""
    text = "\n".join(f"        {line}" for line in body.strip("\n").splitlines())
    walker = make(STEPWISE.replace("BODY", text) + more, steps=steps)
    return walker, {"to": str(tmp_path)}


class Steps:
    """Lets a step go on part by part while tabs look at it."""

    def __init__(self, walker, execution, folder):
        self.walker, self.execution, self.folder = walker, execution, folder

    async def until_shown(self, text):
        await until(lambda: text in fresh(self.walker, self.execution))

    def go(self, name):
        (self.folder / name).touch()


def followed(make, tmp_path, body, deed, form=None):
    walker, to = stepwise(make, tmp_path, body)

    async def test():
        execution = await walker.begin("step_01", {**to, **(form or {})})
        await deed(walker, execution, Steps(walker, execution, tmp_path))
        (tmp_path / "end").touch()
        await execution.task
        assert not execution.error, execution.cells

    run(test())
    return walker


@pytest.mark.kernel
def test_only_what_is_new_is_sent_and_the_rest_stays(make, tmp_path):
    async def deed(walker, execution, steps):
        await steps.until_shown("first line")
        tab = Tab(walker, execution)
        first = tab.page.by_id("output-a-0-0").contents[0]
        assert len(tab.poll()) < 400, "nothing new: the clock alone"
        steps.go("more")
        await steps.until_shown("a thing")
        await steps.until_shown("on stderr")
        answer = tab.poll()
        assert tab.html == fresh(walker, execution)
        assert "first line" in tab.html
        assert answer.count("a thing") == 1
        assert (
            "first line" not in BeautifulSoup(answer, "html.parser").find(id="step_01-clock").text
        )
        assert first  # the node itself may be swapped: it is the block that grows
        steps.go("late")
        await steps.until_shown("changed")
        answer = tab.poll()
        assert "first line" not in answer, "what did not change is not sent"
        assert "on stderr" not in answer
        assert tab.html == fresh(walker, execution)

    body = """
print("first line", flush=True)
go("more")
for n in range(100): print("row", n)
handle = display({"text/plain": "a thing"}, raw=True, display_id=True)
print("on stderr", file=sys.stderr, flush=True)
go("late")
handle.update({"text/plain": "changed"}, raw=True)
go("end")
"""
    followed(make, tmp_path, body, deed)


@pytest.mark.kernel
@pytest.mark.slow
def test_two_tabs_that_look_at_other_times_see_the_same(make, tmp_path):
    async def deed(walker, execution, steps):
        await until(has_output(execution))
        often, seldom, number = Tab(walker, execution), Tab(walker, execution), 0
        while "round 30" not in fresh(walker, execution):
            number += 1
            often.poll()
            if number % 7 == 0:
                seldom.poll()
            await asyncio.sleep(0.01)
        assert often.poll()
        assert seldom.poll()
        assert often.html == seldom.html == fresh(walker, execution)

    body = """
from IPython.display import clear_output
for n in range(31):
    if n % 10 == 9:
        clear_output(wait=n % 20 == 9)
    print("round", n, "\\x1b[1mbold\\x1b[0m", flush=True)
    print("\\rbar", n, end="", file=sys.stderr, flush=True)
    if n % 3 == 0:
        display({"text/html": f"<b>{n}</b>"}, raw=True)
    time.sleep(0.02)
go("end")
"""
    followed(make, tmp_path, body, deed)


@pytest.mark.kernel
@pytest.mark.slow
def test_of_a_flood_the_page_gets_both_ends(make, tmp_path, monkeypatch):
    async def deed(walker, execution, steps):
        await until(has_output(execution))
        tab = Tab(walker, execution)
        while "the last line" not in tab.html:
            tab.poll()
            await asyncio.sleep(0.05)
        assert "line number 0\n" in tab.html
        assert "are not shown while the step runs" in tab.html
        assert len(tab.html) < 500_000
        assert max(map(len, tab.answers)) < 500_000

    body = """
for n in range(300_000): print("line number", n)
print("the last line", flush=True)
go("end")
"""
    walker = followed(make, tmp_path, body, deed)
    html = to_xml(walker.plugin.cells.show("k", walker.pip.read_state("k")["step_01"]["_cells"]))
    assert "see all" in html
    assert len(html) < 500_000
    (record,) = walker.pip.read_state("k")["step_01"]["_cells"]
    whole = walker.plugin.cells.folder("k").read(record["files"]["0"]["text"]).decode()
    assert whole.count("\n") == 300_001


def bars(tab):
    """Ask what is new; return the bars on the page."""
    tab.poll()
    return [(float(b["value"]), b["aria-label"][:5]) for b in tab.page.soup.select("progress")]


@pytest.mark.kernel
@pytest.mark.parametrize("variant", ["tqdm", "tqdm.auto", "tqdm.notebook"])
def test_bars_of_tqdm(make, tmp_path, variant):
    pytest.importorskip("tqdm")
    pytest.importorskip("ipywidgets")

    async def deed(walker, execution, steps):
        tab = Tab(walker, execution)
        await until(lambda: bars(tab) == [(0.5, "outer"), (0.25, "inner")])
        steps.go("middle")
        await until(lambda: bars(tab) == [(1, "outer")])  # the inner one is gone: leave=False
        assert tab.html == fresh(walker, execution)

    body = f"""
from {variant} import tqdm
for i in tqdm(range(2), desc="outer", mininterval=0):
    for j in tqdm(range(4), desc="inner", mininterval=0, leave=False):
        if (i, j) == (1, 1):
            go("middle")
go("end")
"""
    walker = followed(make, tmp_path, body, deed)
    html = to_xml(walker.plugin.cells.show("k", walker.pip.read_state("k")["step_01"]["_cells"]))
    assert html.count("<progress") == 1
    assert 'value="1.0000"' in html
    assert "2/2" in html


@pytest.mark.kernel
def test_widgets_and_what_later_steps_change(make):
    pytest.importorskip("ipywidgets")
    walker = make(
        """
        @cell("a")
        def step_01_cell(form):
            global bar, out, handle
            import ipywidgets as w
            bar = w.IntProgress(value=2, max=8, description="Load")
            out = w.Output()
            display(w.VBox([bar, w.HTML("<b>bold</b><script>x</script>"), w.IntSlider(description="many", value=7)]))
            display(out)
            with out:
                print("into the widget")
                1 / 0
            handle = display({"text/plain": "old"}, raw=True, display_id="here")

        @cell("b")
        def step_02_cell(form):
            bar.value = 6
            with out:
                print("from step 2")
            display({"text/plain": "new"}, raw=True, display_id="here", update=True)
            print("own")
        """,
        steps=2,
    )

    async def test():
        await walker.walk({})
        state = walker.pip.read_state("k")
        html = to_xml(walker.plugin.cells.show("k", state["step_01"]["_cells"]))
        assert 'value="0.2500"' in html
        assert 'aria-label="Load"' in html
        assert "<b>bold</b>" in html
        assert "<script" not in html
        assert "many: 7" not in html  # a slider asks: the form stands in its place
        assert "into the widget" in html
        assert "ZeroDivisionError" in html
        await walker.step("step_02")

    run(test())
    cells = walker.plugin.cells
    state = walker.pip.read_state("k")
    # The outputs are those of the notebook: what went into the widget is not among them
    kinds = [o["output_type"] for o in state["step_01"]["_cells"][0]["outputs"]]
    assert kinds == ["display_data"] * 3
    assert stdout(walker.outputs("step_02")) == "own\n"
    html = to_xml(cells.show("k", state["step_01"]["_cells"]))
    assert 'value="0.7500"' in html
    assert "from step 2" in html
    assert ">new<" in html
    assert ">old<" not in html
    later = to_xml(cells.show("k", state["step_02"]["_cells"]))
    assert 'hx-swap-oob="true"' in later, "the earlier card may be on the page already"
    assert ">new<" in later


FOREVER = """
    @cell("a")
    def step_01_cell(form):
        import os, signal, time
        if form.get("deaf"):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("pid", os.getpid(), flush=True)
        while True:
            time.sleep(0.01)

    @cell("b")
    def step_02_cell(form):
        pass
    """


@pytest.mark.kernel
@pytest.mark.parametrize("deaf", [False, True])
def test_the_stop_button(make, monkeypatch, deaf):
    monkeypatch.setattr(stop, "GRACE", 0.5 if deaf else 60.0)
    walker = make(FOREVER, steps=2)

    async def test():
        cells = walker.plugin.cells
        execution = await walker.begin("step_01", {"deaf": deaf})
        await until(has_output(execution))
        pid = int(execution.cells[0]["outputs"][0]["text"].split()[1])
        tab = Tab(walker, execution)
        await cells.interrupt("k", "step_01")
        if deaf:
            assert execution.running
            assert "Stopping…" in tab.poll()
            await cells.interrupt("k", "step_01")  # once more changes nothing
        await execution.task
        assert execution.error
        assert cells.execution("k", "step_01") is execution
        printed, said = execution.cells[0]["outputs"]
        assert printed["text"] == f"pid {pid}\n"
        assert said["ename"] == "Stopped"
        assert ("kernel was ended" in said["evalue"]) == deaf
        assert walker.saves == []
        assert 'hx-get="/made/step_01"' in tab.poll(), "the page asks for the whole card"
        made = pools.pool().run("made", "k")
        assert made.kernel.alive() != deaf
        await pools.pool().drop(made)
        await until(lambda: gone(pid))

    run(test())


@pytest.mark.kernel
def test_a_step_that_waits_can_be_stopped(make, tmp_path):
    walker = make(FOREVER, steps=2)

    async def test():
        first = await walker.begin("step_01")
        await until(has_output(first))
        waiting = await walker.begin("step_02")
        assert not waiting.active
        assert "Waiting for another step" in to_xml(walker.plugin.cells.clock(waiting))
        await walker.plugin.cells.interrupt("k", "step_02")
        await waiting.task
        assert waiting.cells[-1]["outputs"][-1]["ename"] == "Stopped"
        assert first.running
        await walker.plugin.cells.stop("k")

    run(test())


@pytest.mark.kernel
@pytest.mark.slow
def test_sent_again_while_it_runs(make, tmp_path):
    async def deed(walker, execution, steps):
        await until(has_output(execution))
        tab = Tab(walker, execution)
        assert await walker.begin("step_01", execution.form) is execution
        assert not execution.refused
        assert await walker.begin("step_01", {"to": "elsewhere"}) is execution
        assert live.REFUSED in tab.poll(), "the first tab is told"
        assert live.REFUSED in to_xml(walker.plugin.cells.follow(execution)), "and the second"

    walker = followed(make, tmp_path, 'print("on", flush=True)\ngo("end")', deed)
    assert walker.saves == ["step_01"]
    assert walker.pip.read_state("k")["step_01"]["to"] == str(tmp_path)


def test_the_clock_slows_down():
    execution = Execution("k", "step_01", {})
    delays = []
    for age in (0, 5, 20, 3600, 8000):
        execution.started -= age - delays[-1][0] if delays else age
        html = to_xml(live.clock(execution, "app"))
        delays.append((age, int(re.search(r"delay:(\d+)ms", html)[1])))
    assert [delay for _, delay in delays] == [500, 500, 1000, 2000, 2000]
    assert "2 h 13 min" in html
    assert live.duration(59) == "59 s"
    assert live.duration(61) == "1 min 01 s"


def test_the_routes(sample):
    http = TestClient(sample.plugin.app, base_url="http://127.0.0.1:5001")
    sample.pip.db = {"pipeline_id": "k"}
    for path in ("live/step_01?execution=x&seen=9", "live/step_01?seen=no", "live/step_01"):
        answer = http.get(f"/sample/{path}")
        assert answer.status_code == 200
        assert 'hx-get="/sample/step_01"' in answer.text, "nothing runs: the page asks for the card"
    assert http.post("/sample/stop/step_01", data={"pipeline_id": "k"}).status_code == 200
    assert http.get("/sample/live/cells").status_code == 404
    assert http.post("/sample/stop/__init__").status_code == 404


def test_streams_are_put_together_in_linear_time(monkeypatch):
    """So many pieces that putting them together one by one would copy a thousand times as much."""
    copied = 0

    class Text(str):
        def __add__(self, other):
            nonlocal copied
            copied += len(self)
            return Text(str(self) + other)

    collector = collect.Collector(collect.KernelOutputs(), [])
    collector.take("stream", {"name": "stdout", "text": ""})
    collector.outputs[0]["text"] = Text()
    for _ in range(20_000):
        collector.take("stream", {"name": "stdout", "text": "x" * 1000})
    collector.settle()
    assert len(collector.outputs[0]["text"]) == 20_000_000
    assert copied < 12 * 20_000_000
