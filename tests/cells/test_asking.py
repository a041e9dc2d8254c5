"""`input()` and `getpass()` that depend on the data: a running cell waits, its card asks, whoever looks at it answers."""

import asyncio

import pytest
from bs4 import BeautifulSoup
from fasthtml.common import to_xml

from pipulate_runtime.cells import configure, shutdown
from pipulate_runtime.cells.page import live, questions
from pipulate_runtime.cells.run import replies, step
from tests.cells.conftest import run, stdout
from tests.cells.test_failures import until

pytestmark = pytest.mark.kernel

LOOP = """
    @cell("a")
    def step_01_cell(form):
        global said
        said = []
        while True:
            print(len(said), "so far")
            x = input("Next? ")
            if x == "q":
                break
            said.append(x)

    @cell("b")
    def step_02_cell(form):
        return said
"""


async def asked(execution):
    """Wait until something is asked; return the question."""
    await until(lambda: execution.question or execution.task.done())
    assert execution.question, execution.cells
    return execution.question


async def say(walker, execution, text, why=""):
    question = await asked(execution)
    await walker.plugin.cells.answered("k", execution.step_id, question.id, text, why)
    return question


def form_of(execution):
    return BeautifulSoup(to_xml(questions.question(execution, "made")), "html.parser").form


def told(walker, step_id="step_01"):
    return replies.asked_in(walker.pip.read_state("k")[step_id]["_cells"])


def results(walker, step_id):
    return [
        o["data"]["text/plain"]
        for o in walker.outputs(step_id)
        if o["output_type"] == "execute_result"
    ]


def test_a_loop_is_answered_question_by_question_and_replayed(make):
    walker = make(LOOP, steps=2)

    async def test():
        execution = await walker.begin("step_01")
        for n, text in enumerate(["one", "<b>two</b>", "", "q"]):
            question = await asked(execution)
            assert (question.number, question.prompt, question.secret) == (n, "Next? ", False)
            await until(lambda n=n: f"{n} so far" in stdout(execution.cells[0]["outputs"]))
            await say(walker, execution, text)
        await execution.task
        assert not execution.error, execution.cells
        assert [entry["answer"] for entry in told(walker)] == ["one", "<b>two</b>", "", "q"]
        assert "_asked" not in walker.pip.read_state("k")
        shown = to_xml(
            walker.plugin.cells.show("k", walker.pip.read_state("k")["step_01"]["_cells"])
        )
        assert "&lt;b&gt;two&lt;/b&gt;" in shown
        # with the kernel it has, and in another life of the server
        await walker.step("step_02")
        assert results(walker, "step_02") == ["['one', '<b>two</b>', '']"]
        await shutdown()
        second = await walker.step("step_02")
        assert not second.error, second.cells
        assert results(walker, "step_02") == ["['one', '<b>two</b>', '']"]

    run(test())


def test_two_submits_answer_once_and_bad_answers_say_why(make):
    walker = make(LOOP)

    async def test():
        cells = walker.plugin.cells
        execution = await walker.begin("step_01")
        first = await asked(execution)
        await say(walker, execution, "two\nlines")
        assert execution.question is first
        assert form_of(execution).input["aria-invalid"] == "true"
        assert "one line" in form_of(execution).text
        await say(walker, execution, "", "There is a character in this that no text can hold.")
        assert "character" in form_of(execution).text
        await asyncio.gather(
            *(cells.answered("k", "step_01", first.id, text, "") for text in ("a", "b"))
        )
        assert (await asked(execution)).number == 1
        await cells.answered("k", "step_01", first.id, "late", "")
        await say(walker, execution, "q")
        await execution.task
        assert [entry["answer"] for entry in told(walker)] == ["a", "q"]

    run(test())


@pytest.mark.slow
def test_the_page_learns_of_a_question_and_of_its_end(make):
    walker = make(LOOP)

    async def test():
        cells = walker.plugin.cells
        execution = await walker.begin("step_01")
        question = await asked(execution)
        tick = execution.tick
        again = [to_xml(part) for part in cells.news("k", "step_01", execution.id, tick)]
        assert again == [to_xml(live.card_again("made", "step_01"))], "a page without the question"
        clock = to_xml(cells.clock(execution))
        assert f"question={question.id}" in clock
        assert "Waiting for your answer" in clock
        assert "aria-busy" not in clock
        calm = [to_xml(p) for p in cells.news("k", "step_01", execution.id, tick, question.id)]
        assert "hx-target" not in "".join(calm), "the form stays, with what is being typed"
        await say(walker, execution, "x")
        await asked(execution)
        gone = [to_xml(p) for p in cells.news("k", "step_01", execution.id, tick, question.id)]
        assert gone == again
        await say(walker, execution, "q")
        await execution.task

    run(test())


SECRET = """
    @cell("a")
    def step_01_cell(form):
        global size
        from getpass import getpass
        sizes = {}
        for n in range(2):
            name = input(f"Name {n} ")
            sizes[name] = len(getpass("Key: "))
        size = sum(sizes.values())

    @cell("b")
    def step_02_cell(form):
        return size
"""


def test_a_secret_is_kept_nowhere_and_asked_again_in_another_life(make, data):
    walker = make(SECRET, steps=2)
    walker.pip.write_state("k", {"started": True})

    async def test():
        execution = await walker.begin("step_01")
        for text in ("ann", "hunter-22", "bob", "hunter-3"):
            question = await asked(execution)
            assert question.secret == text.startswith("hunter")
            control = form_of(execution).find("input", attrs={"name": "answer"})
            assert control["type"] == ("password" if question.secret else "text")
            await say(walker, execution, text)
            assert "hunter" not in walker.pip.rows["k"]
        await execution.task
        assert not execution.error, execution.cells
        await shutdown()  # the server lives: it remembers
        second = await walker.step("step_02")
        assert results(walker, "step_02") == ["17"], second.cells
        await shutdown()
        walker.plugin.cells.vault.forget("k")
        third = await walker.begin("step_02")
        for number, text in ((1, "other"), (3, "long one")):
            question = await asked(third)
            assert (question.step_id, question.number, question.secret) == ("step_01", number, True)
            assert form_of(third)["data-asks"] == "step_01"
            await say(walker, third, text)
        await third.task
        assert results(walker, "step_02") == ["13"], third.cells
        assert "hunter" not in walker.pip.rows["k"]
        assert [entry.get("answer") for entry in told(walker)] == ["ann", None, "bob", None]

    run(test())
    for path in data.rglob("*"):
        assert not path.is_file() or b"hunter" not in path.read_bytes(), path


def test_the_stop_button_ends_a_question_and_thinking_takes_no_time(make):
    body = """
    @cell("a", timeout=1.5)
    def step_01_cell(form):
        print(input("Slow? "))
    """
    walker = make(body)

    async def test():
        execution = await walker.begin("step_01")
        await asked(execution)
        await asyncio.sleep(2.5)
        assert execution.question, execution.cells
        await walker.plugin.cells.interrupt("k", "step_01")
        await execution.task
        assert execution.question is None
        assert execution.said[0] == "Stopped"
        again = await walker.begin("step_01")
        await say(walker, again, "now")
        await again.task
        assert stdout(walker.outputs("step_01")) == "now\n"

    run(test())


@pytest.mark.slow
def test_after_a_kill_the_answers_are_given_again_and_a_late_one_counts(make):
    walker = make(LOOP)

    async def test():
        execution = await walker.begin("step_01")
        await say(walker, execution, "one")
        await say(walker, execution, "two")
        waiting = await asked(execution)
        # The server is gone: nothing of it is left but the state and the note in the run's folder
        pip = walker.pip
        kept = pip.rows["k"]
        execution.task.cancel()
        await asyncio.wait([execution.task])
        walker.plugin.cells._executions.clear()
        await shutdown()
        pip.rows["k"] = kept
        cells = walker.plugin.cells
        found = cells.execution("k", "step_01")
        assert found.error, found
        assert found.said[0] == "Interrupted"
        assert found.said[1].endswith("given again.")
        await cells.answered("k", "step_01", waiting.id, "three", "")
        again = await walker.begin("step_01")
        question = await asked(again)
        assert question.number == 3
        await say(walker, again, "q")
        await again.task
        assert [entry["answer"] for entry in told(walker)] == ["one", "two", "three", "q"]

    walker.pip.write_state("k", {"started": True})
    run(test())


@pytest.mark.slow
def test_a_question_nobody_answers_gives_way_to_others(make, data):
    walker = make(LOOP)
    walker.pip.write_state("k", {"started": True})
    configure(data=data, max_kernels=1, idle_seconds=0.2)

    async def test():
        cells = walker.plugin.cells
        execution = await walker.begin("step_01")
        await say(walker, execution, "one")
        waiting = await asked(execution)
        other = await walker.begin("step_01", key="other")
        await until(lambda: other.question)
        assert not execution.running
        assert execution.said == (step.INTERRUPTED, step.NOT_ANSWERED)
        await cells.interrupt("other", "step_01")
        await other.task
        await cells.answered("k", "step_01", waiting.id, "two", "")
        again = await walker.begin("step_01")
        assert (await asked(again)).number == 2
        await say(walker, again, "q")
        await again.task
        assert [entry["answer"] for entry in told(walker)] == ["one", "two", "q"]

    run(test())


@pytest.mark.slow
def test_what_was_answered_before_is_suggested_when_the_step_is_run_anew(make):
    walker = make(LOOP)

    async def test():
        execution = await walker.begin("step_01")
        await say(walker, execution, "one")
        await say(walker, execution, "q")
        await execution.task
        again = await walker.begin("step_01")
        assert (await asked(again)).suggestion == "one"
        assert form_of(again).find("input", attrs={"name": "answer"})["value"] == "one"
        await say(walker, again, "other")
        await say(walker, again, "q")
        await again.task
        assert [entry["answer"] for entry in told(walker)] == ["other", "q"]

    run(test())


@pytest.mark.slow
def test_the_first_question_is_heard_however_late_a_channel_tries_again(make, monkeypatch):
    """A channel that finds nobody listening tries again after a while of its own; what is asked before that is lost."""
    import zmq
    from jupyter_client.connect import ConnectionFileMixin

    connect = ConnectionFileMixin._create_connected_socket

    def slow(self, channel, identity=None):
        again = 30_000 if channel == "stdin" else 100
        self.context.sockopts[zmq.RECONNECT_IVL] = again  # milliseconds, for the sockets made next
        return connect(self, channel, identity)

    monkeypatch.setattr(ConnectionFileMixin, "_create_connected_socket", slow)
    walker = make("""
    @cell("a")
    def step_01_cell(form):
        return input("Who? ")
    """)

    async def test():
        execution = await walker.begin("step_01")
        await asyncio.wait_for(say(walker, execution, "Ada"), 15)
        await execution.task

    run(test())
    assert results(walker, "step_01") == ["'Ada'"]


def test_prompts_and_answers_of_any_kind(make):
    body = r"""
    @cell("a")
    def step_01_cell(form):
        print(ascii(input("\x1b[31m<script>alert(1)</script>\x1b[0m\n1) this\0")))
        print(len(input("y" * 5000)))
        print(ascii(input()))
    """
    walker = make(body)

    async def test():
        execution = await walker.begin("step_01")
        question = await asked(execution)
        assert question.prompt == "<script>alert(1)</script>\n1) this"
        assert "<script>" not in to_xml(questions.question(execution, "made"))
        await say(walker, execution, "</form>🙂'\"")
        question = await asked(execution)
        assert len(question.prompt) == replies.LONGEST
        await say(walker, execution, "z" * 1_000_000)
        question = await asked(execution)
        assert form_of(execution).label.text == "Answer"
        await say(walker, execution, " ")
        await execution.task
        assert not execution.error, execution.cells

    run(test())
    assert stdout(walker.outputs("step_01")) == "'</form>\\U0001f642\\'\"'\n1000000\n' '\n"
