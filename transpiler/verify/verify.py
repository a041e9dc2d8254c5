"""Verifies an app: executes the notebook, walks the app through its own routes, compares cell by cell.

The notebook is executed twice: what its two executions do not agree about cannot be asked of the app. When the app differs
all the same it is executed again, since two executions can agree by chance (a coin thrown once). The app may be walked in
several ways; all are compared with the same executions.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from transpiler.model import rules as codes
from transpiler.model.diagnostics import Severity, UserError
from transpiler.model.ir import JSON, Code, Plan
from transpiler.model.options import Options
from transpiler.pipeline import planned, port, read_bytes
from transpiler.plugin_folder.files import copy_files
from transpiler.verify.compare import Outputs, Verdict, compare
from transpiler.verify.result import ComparedCell, Verified, Way, merge_rows
from transpiler.verify.visible import expand_outputs, has_controls, visible_outputs

if TYPE_CHECKING:
    from pipulate_runtime.host.walk.trace import Witnessed

EXECUTIONS = 4  # The notebook is executed so often at most

Given = Mapping[str, Mapping[str, str]]  # Step id -> field -> answer, as they are typed
Tell = Callable[[str], None]


def verify(
    notebook: Path,
    plugin: Path | None,
    given: Given,
    tell: Tell,
    ways: Sequence[Way] = ("straight",),
) -> Verified:
    """Verify a plugin, or what a port would make of the notebook now. Writes nothing beside temporary folders.

    `tell` hears what is being done. Raises UserError PP401 (cannot be read), PP408 (`input()` without an answer), and the
    host's HostError when the plugin cannot be walked.
    """
    before = time.perf_counter()
    raw = read_bytes(notebook)
    with TemporaryDirectory(prefix="pipulate-verify-") as name:
        folder = Path(name)
        if plugin is None:
            tell("porting")
            ported = port(notebook, folder / "app", Options())
            plan, found, path = ported.plan, ported.found, ported.plugin
        else:
            made = planned(raw, notebook, Options())
            plan, found, path = made.plan, made.found, plugin
        if plan is None or path is None or any(d.rule.severity is Severity.ERROR for d in found):
            return Verified(notebook.name, str(plugin or ""), plan, found)
        job = _Job(notebook, path, plan, _codes(raw, notebook), given, tuple(ways), tell, folder)
        rows, executions, stopped = asyncio.run(_run_and_compare(job))
    seconds, shown = time.perf_counter() - before, str(plugin or path.name)
    return Verified(notebook.name, shown, plan, found, rows, job.ways, executions, seconds, stopped)


@dataclass(frozen=True, slots=True)
class _Job:
    """What a verification is about."""

    notebook: Path
    plugin: Path
    plan: Plan
    codes: tuple[Code, ...]
    given: Given
    ways: tuple[Way, ...]
    tell: Tell
    folder: Path

    @property
    def controlled(self) -> set[str]:
        return {c.cell.id for c in self.codes if c.controls or any(f.source for f in c.fields)}

    async def walk(self, way: Way) -> "Witnessed":
        from pipulate_runtime.host.walk.trace import witness

        return await witness(self.plugin, self.folder / f"data-{way}", self.given, way)

    async def execution(
        self, steps: Mapping[str, str], answers: Mapping[str, Mapping[str, JSON]], number: int
    ) -> Any:
        """Execute the notebook in a clean folder; return the outputs by cell. Raises UserError PP408."""
        from transpiler.verify.reference import Replies, execute, notebook_of

        # No spaces in the names of folders: shell lines of notebooks seldom quote their paths.
        work = self.folder / f"notebook-{number}"
        copy_files(self.plan.files, self.notebook.parent, work)
        for uploads in self.folder.glob(f"data-{self.ways[0]}/runs/*/*/uploads"):  # of one run
            await asyncio.to_thread(shutil.copytree, uploads, work / "uploads", dirs_exist_ok=True)

        def started(index: int) -> None:
            self.tell(f"notebook, execution {number + 1}: cell {index + 1} of {len(self.codes)}")

        replies = Replies(steps, self.given)
        notebook = notebook_of(self.codes, answers)
        found = await execute(notebook, work, number, started, replies)
        replies.check(self.notebook.name)
        return found


def _codes(raw: bytes, path: Path) -> tuple[Code, ...]:
    from transpiler.passes.annotate import annotate
    from transpiler.passes.read import read

    notebook, _ = read(raw, path.name)
    assert notebook is not None  # there is a plan
    return tuple(item for item in annotate(notebook)[0].items if isinstance(item, Code))


# --- doing it -----------------------------------------------------------------------------------------------------


async def _run_and_compare(job: _Job) -> tuple[tuple[ComparedCell, ...], int, str]:
    """Walk and execute, at the same time where the notebook's own values are used; compare."""
    from pipulate_runtime.host.walk.trace import cells_of
    from transpiler.verify.reference import asks_while_running

    steps = cells_of(job.plugin, job.folder / "data")
    wanted = _wanted_answers(job, steps)
    # the kernels of the app hash strings as the first execution does: a set has one order
    with variable_set("PYTHONHASHSEED", "0"):
        async with _tasks() as start:
            walking = start(job.walk(job.ways[0]))
            answers: dict[str, dict[str, JSON]] = {}
            if wanted or any(map(asks_while_running, job.codes)):
                job.tell("walking the app")  # first: the form says what the answers are as values
                answers = _answers(job, steps, wanted, (await walking).answers)
            executing = [start(job.execution(steps, answers, n)) for n in range(2)]
            executions = list(await asyncio.gather(*executing))
            job.tell("walking the app")
            walks = [await walking]
        for way in job.ways[1:]:  # one after the other: a process has one pool of kernels
            job.tell(f"walking the app, {way}")
            walks.append(await job.walk(way))
    while len(executions) < EXECUTIONS and any(
        _differ(job, executions, _outputs(walked)) for walked in walks
    ):
        executions.append(await job.execution(steps, answers, len(executions)))
    found = [
        list(_rows(job, steps, executions, walked, way))
        for way, walked in zip(job.ways, walks, strict=True)
    ]
    return merge_rows(found), len(executions), _stop_reasons(job, executions[0], walks)


def _wanted_answers(job: _Job, steps: Mapping[str, str]) -> dict[str, set[str]]:
    """Cell id -> its variables that are answered: by `--set`, or since only a person can. Raises UserError PP408."""
    from transpiler.verify.reference import is_question

    fields = {c.cell: {f.name for f in s.fields} for s in job.plan.steps for c in s.cells}
    wanted: dict[str, set[str]] = {}
    missing = []
    for code in job.codes:
        step = steps.get(code.cell.id)
        for asked in code.fields:
            if step is None or asked.name not in fields.get(code.cell.id, ()):
                continue
            answered = asked.name in job.given.get(step, {})
            question = is_question(code, asked)
            if question and asked.required and not answered:
                missing.append(f"--set {step}.{asked.name}=VALUE")
            elif question or answered:
                wanted.setdefault(code.cell.id, set()).add(asked.name)
    if missing:
        raise UserError(codes.ANSWER_NEEDED, name=job.notebook.name, answers=" ".join(missing))
    return wanted


def _answers(
    job: _Job,
    steps: Mapping[str, str],
    wanted: Mapping[str, set[str]],
    answered: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, JSON]]:
    """Cell id -> variable -> the value the form made of the answer. A secret is not kept: it is as it was typed."""
    secret = {f.name for step in job.plan.steps for f in step.fields if f.reader == "password"}
    answers: dict[str, dict[str, JSON]] = {}
    for cell, names in wanted.items():
        typed, kept = job.given.get(steps[cell], {}), answered.get(steps[cell], {})
        shown = {name: value for name, value in kept.items() if name not in secret}
        values = {**kept, **typed, **shown}
        answers[cell] = {name: values[name] for name in names if name in values}
    return answers


@contextmanager
def variable_set(name: str, value: str) -> Iterator[str | None]:
    """Processes that start meanwhile have this environment variable. Gives the value that it had."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield before
    finally:
        put_variable(name, before)


def put_variable(name: str, value: str | None) -> None:
    """Give an environment variable its value; None takes it away."""
    os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value


@asynccontextmanager
async def _tasks() -> AsyncIterator[Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]]:
    """Tasks that end here: when one fails, the others are cancelled and waited for, and its error goes on."""
    tasks: list[asyncio.Task[Any]] = []

    def start(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        tasks.append(asyncio.create_task(work))
        return tasks[-1]

    try:
        yield start
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# --- comparing ----------------------------------------------------------------------------------------------------

Execution = Mapping[str, Outputs]
MISSING = Verdict("differs", "cell", "it is there", "there is no such cell")


def _outputs(walked: "Witnessed") -> Execution:
    return {
        cell: expand_outputs(outputs, walked.widgets) for cell, outputs in walked.outputs.items()
    }


def _compared(job: _Job, cell: str, executions: list[Execution], app: Execution) -> Verdict:
    versions, mine = [e.get(cell, ()) for e in executions], app.get(cell, ())
    if cell in job.controlled or any(map(has_controls, (*versions, mine))):
        # the page has a form in the place of what asks
        versions, mine = [visible_outputs(version) for version in versions], visible_outputs(mine)
    return compare(versions, mine, job.plugin.name)


def _differ(job: _Job, executions: list[Execution], app: Execution) -> bool:
    both = executions[0].keys() & app.keys()
    return any(_compared(job, cell, executions, app).kind == "differs" for cell in both)


def _rows(
    job: _Job, steps: Mapping[str, str], executions: list[Execution], walked: "Witnessed", way: Way
) -> Iterator[ComparedCell]:
    """A row for each cell of the notebook that the app runs, then for those that only the app has.

    Where the notebook or the app stopped at an error, the cells after it cannot be compared.
    """
    first, app = executions[0], _outputs(walked)
    for code in job.codes:
        cell = code.cell
        if cell.id not in steps:
            if not first.get(cell.id):
                continue  # nothing was left of it, and nothing is missed
            verdict = MISSING
        elif cell.id in first and (cell.id in app or not walked.failed):
            verdict = _compared(job, cell.id, executions, app)
        else:
            verdict = Verdict("not compared")
        step, notebook, mine = steps.get(cell.id, ""), first.get(cell.id, ()), app.get(cell.id, ())
        yield ComparedCell(cell.id, cell.index, step, cell.source, verdict, notebook, mine, way)
    known = {code.cell.id for code in job.codes}
    for cell_id, outputs in app.items():
        if cell_id not in known:
            verdict = Verdict("differs", "cell", "there is no such cell", "it is there")
            yield ComparedCell(cell_id, -1, steps[cell_id], "", verdict, (), outputs, way)


def _stop_reasons(job: _Job, first: Execution, walks: "Sequence[Witnessed]") -> str:
    places: dict[str, list[str]] = {}
    for way, walked in zip(job.ways, walks, strict=True):
        if walked.failed:
            places.setdefault(walked.failed, []).append(way)
    last = next((code for code in reversed(job.codes) if code.cell.id in first), None)
    errors = [o for o in first[last.cell.id] if o["output_type"] == "error"] if last else []
    said = []
    if last and errors and not last.options.raises:
        said.append(f"the notebook stops at cell {last.cell.index} ({errors[-1]['ename']})")
    for place, ways in places.items():
        some = f" ({', '.join(ways)})" if len(ways) < len(walks) else ""
        said.append(f"the app stops at {place}{some}")
    if not said:
        return ""
    sentence = " and ".join(said)
    return f"{sentence[0].upper()}{sentence[1:]}: what comes after it is not compared."
