"""Earlier steps run again unasked only if that repeats nothing; a card never shows what later cells did not get."""

import json

import pytest
from fasthtml.common import to_xml

from pipulate_runtime.cells import configure, shutdown
from pipulate_runtime.cells.kernel.questions import LEAVE, RUN
from pipulate_runtime.cells.page import questions
from pipulate_runtime.cells.run.step import Execution
from tests.cells.conftest import results, run
from tests.cells.test_failures import until

pytestmark = pytest.mark.kernel

LETTER = """
    @cell("a")
    def step_01_cell(form):
        global ticket
        import random
        with open({path!r}, "a") as log:
            log.write("sent\\\\n")
        ticket = random.SystemRandom().random()
        return ticket

    @cell("b", {options})
    def step_02_cell(form):
        print(form["x"])

    @cell("c")
    def step_03_cell(form):
        return ticket
    """
PLAIN = """
    @cell("a")
    def step_01_cell(form):
        global total
        total = sum([form["x"], 2])
        return total

    @cell("b")
    def step_02_cell(form):
        return total * 2
    """


@pytest.fixture
def letter(make, tmp_path):
    """A walk that sends a letter and stands before its last step; nothing of it was kept. And the letters that were sent."""

    def made(options="checkpoint='never'"):
        path = tmp_path / "letters"
        code = LETTER.format(path=str(path), options=options)
        if "never" in options:
            code = code.replace('@cell("a")', '@cell("a", checkpoint="never")')
        walker = make(code, steps=3)
        configure(replay="ask")

        async def begin():
            await walker.walk({}, {"x": 1})
            await shutdown()

        run(begin())
        return walker, lambda: path.read_text().count("sent")

    return made


async def asked(walker, step_id="step_03", form=None):
    """Begin a step, and return its execution once it asks."""
    execution = await walker.begin(step_id, form)
    await until(lambda: execution.question or not execution.running)
    assert execution.question, execution.cells
    return execution


def test_what_may_repeat_something_is_asked_first_and_named(letter):
    walker, sent = letter()

    async def test():
        execution = await asked(walker)
        assert sent() == 1
        one, other = execution.question.repeats
        assert (one.title, other.title) == ("Step 1", "Step 2")
        assert one.may == ["write files outside this run", "draw other random values"]
        assert (other.may, other.once) == ([], False)
        assert one.ran == walker.pip.read_state("k")["step_01"]["_cells"][0]["at"]
        text = to_xml(questions.question(execution, "made"))
        assert (
            "Running it again may write files outside this run and draw other random values."
            in text
        )
        execution.page.take(execution.question.id, LEAVE)
        await execution.task
        assert sent() == 1
        assert execution.said[0] == "Not run"
        assert "step_03" not in walker.pip.read_state("k")

    run(test())


def test_who_says_so_runs_it_again_and_the_card_shows_what_the_later_ones_got(letter):
    walker, sent = letter()
    first = results(walker.outputs("step_01"))

    async def test():
        execution = await asked(walker)
        execution.page.take(execution.question.id, RUN)
        await execution.task
        assert not execution.error, execution.cells

    run(test())
    assert sent() == 2
    assert results(walker.outputs("step_03")) == results(walker.outputs("step_01")) != first
    state = walker.pip.read_state("k")
    assert state["step_03"]["_cells"][0]["reran"] == ["step_01"]
    assert state["step_01"]["_cells"][-1]["again"] is True
    assert "again" not in state["step_02"]["_cells"][-1]
    shown = to_xml(walker.plugin.cells.show("k", state["step_01"]["_cells"]))
    assert "This step had to run again" in shown
    later = to_xml(walker.plugin.cells.show("k", state["step_03"]["_cells"]))
    assert 'id="step_01-cells"' in later.replace("&quot;", '"')
    assert later.count("hx-swap-oob") == 1


def test_a_kept_step_asks_nobody(letter):
    walker, sent = letter(options="")

    async def test():
        execution = await walker.step("step_03")
        assert not execution.error, execution.cells

    run(test())
    assert sent() == 1
    assert results(walker.outputs("step_03")) == results(walker.outputs("step_01"))


def test_cells_that_only_compute_run_again_unasked(make):
    walker = make(PLAIN.replace('("a")', '("a", checkpoint="never")'), steps=2)
    configure(replay="ask")

    async def begin():
        await walker.walk({"x": 1})
        await shutdown()
        before = walker.pip.rows["k"]
        await walker.step("step_02")
        assert json.loads(walker.pip.rows["k"])["step_01"] == json.loads(before)["step_01"]

    run(begin())
    assert results(walker.outputs("step_02")) == ["6"]


def test_a_step_that_is_marked_once_is_asked_each_time(make):
    code = PLAIN.replace('("a")', '("a", checkpoint="never", once=True)')
    walker = make(code, steps=2)
    configure(replay="ask")

    async def test():
        walker.pip.write_state("k", {"app_name": "made"})
        await walker.walk({"x": 1})
        await shutdown()
        execution = await asked(walker, "step_02")
        assert [r.once for r in execution.question.repeats] == [True]
        execution.page.take(execution.question.id, RUN)
        await execution.task
        execution = await asked(walker, "step_01", {"x": 5})  # somebody has gone back to it
        assert [r.title for r in execution.question.repeats] == ["Step 1"]
        assert "This step has run already in this run." in to_xml(
            questions.question(execution, "made")
        )
        assert "It is marked to run only once." in to_xml(questions.question(execution, "made"))
        execution.page.take(execution.question.id, LEAVE)
        await execution.task

    run(test())
    assert walker.pip.read_state("k")["step_01"]["x"] == 1


def test_a_server_that_is_killed_while_it_asks_leaves_the_step_as_it_was(letter):
    walker, sent = letter()

    async def test():
        execution = await asked(walker)
        assert not list(walker.plugin.cells.folder("k").path.glob("unfinished/*"))
        execution.page.take(execution.question.id, "anything else")
        await execution.task

    run(test())
    assert sent() == 1


def test_where_no_copy_can_store_the_kernel_does(make, tmp_path):
    """A library is in use that a fork would break."""
    (tmp_path / "made.files").mkdir()
    (tmp_path / "made.files" / "mpi4py.py").touch()
    cells = """
        @cell("a")
        def step_01_cell(form):
            import mpi4py, uuid
            global n
            n = uuid.uuid4().hex
            return n

        @cell("b")
        def step_02_cell(form):
            return n
        """
    walker = make(cells, steps=2, files="made.files")
    configure(replay="ask")

    async def test():
        await walker.walk({})
        await shutdown()
        await walker.walk({}, key="other")  # so the kernel is another one
        await walker.step("step_02")

    run(test())
    assert results(walker.outputs("step_02")) == results(walker.outputs("step_01"))


def test_a_changed_replay_that_fails_later_shows_what_ran(make, tmp_path):
    """The step after the replay fails: the cards above it show what the kernel has."""
    walker = make(
        """
        @cell("a", checkpoint="never")
        def step_01_cell(form):
            global n
            import uuid
            n = str(uuid.uuid4())
            return n

        @cell("b")
        def step_02_cell(form):
            raise ValueError(n)
        """,
        steps=2,
    )

    async def test():
        await walker.walk({})
        await shutdown()
        execution = await walker.step("step_02")
        assert isinstance(execution, Execution)
        (now,) = results(walker.outputs("step_01"))
        assert execution.said == ("ValueError", now.strip("'"))
        assert execution.cells[0]["reran"] == ["step_01"]

    run(test())


def test_what_computes_values_of_a_form_is_looked_at_too(make):
    walker = make(
        """
        @cell("a", checkpoint="never")
        def step_01_cell(form):
            global urlopen
            from urllib.request import urlopen

        def step_02_suggestions(form):
            return {"x.choices": [urlopen("http://127.0.0.1:9/none").read()]}

        @cell("b")
        def step_02_cell(form):
            return form["x"]
        """,
        steps=2,
    )
    configure(replay="ask")

    async def test():
        await walker.walk({})
        await shutdown()
        execution = await asked(walker, "step_02", {"x": 1})
        assert [list(repeat.may) for repeat in execution.question.repeats] == [["use the network"]]
        execution.page.take(execution.question.id, LEAVE)
        await execution.task

    run(test())
