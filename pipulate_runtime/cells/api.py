"""`Cells`: what a plugin sees of its cells."""

import asyncio
import json
import weakref
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any

from pipulate_runtime.cells import routes
from pipulate_runtime.cells.answers import Answers
from pipulate_runtime.cells.kernel import pool as pools
from pipulate_runtime.cells.open_run import OpenRun, chain, open_run
from pipulate_runtime.cells.page import live, questions, render
from pipulate_runtime.cells.run import checkpoint, in_progress
from pipulate_runtime.cells.run.execution import CHANGED, RERAN, execute
from pipulate_runtime.cells.run.history import answers, basis_of, history_before
from pipulate_runtime.cells.run.job import CELLS, Job, Record, Stored
from pipulate_runtime.cells.run.replay import AGAIN
from pipulate_runtime.cells.run.replies import answer_late, known_of
from pipulate_runtime.cells.run.step import INTERRUPTED, Execution, Save
from pipulate_runtime.cells.run.stop import interrupt, listening, stop
from pipulate_runtime.cells.source.marks import CellOptions, cells_of_class
from pipulate_runtime.cells.source.source import Source, with_answers
from pipulate_runtime.cells.storage.folders import RunFolder
from pipulate_runtime.cells.storage.secrets import Vault, mask_secrets

FAILED = 50  # executions that have failed are kept in memory, the last ones; of others it is known that they failed
GIVEN_AGAIN = "What you have answered is given again."
QUICK = 0.3  # seconds an answer waits for its step: most cells are through by then


class Cells(Answers):
    """The cells of one plugin: starts them, tells how they are doing, and shows what they gave."""

    def __init__(self, plugin: Any, files: str | None = None) -> None:
        """Make it in the plugin's `__init__`, after `app`, `app_name`, `pip` and `steps` are set.

        `files` names a folder beside the plugin's file; its content is put into the working folder of each run.
        """
        self.plugin = plugin
        self.source = Source(type(plugin))
        self.files = self.source.path.parent / files if files and self.source.path else None
        self._executions: dict[tuple[str, str], Execution] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self.vault = Vault(plugin)
        _all.add(self)
        routes.register(plugin, self, self.files)
        questions.register(self)

    async def open_run(self, request: Any, step_id: str) -> OpenRun:
        """Return the run that a request is about, as one step sees it."""
        return await open_run(self, request, step_id)

    def chain(self, key: str) -> Any:
        """Return the cards of a run as an answer: each that is done loads the next one."""
        return chain(self.plugin, key)

    def stop_button(self, execution: Execution, label: str = "Stop") -> Any:
        """Return the button that stops a step; nothing of it is saved."""
        title = next(s.show for s in self.plugin.steps if s.id == execution.step_id)
        return live.stop_button(execution, self.plugin.app_name, label, title)

    async def start(self, key: str, step_id: str, form: dict[str, Any], save: Save) -> Execution:
        """Execute the cells of a step and return the execution, finished or still running.

        The cells run in a task of their own, which awaits `save(cells)` when all went through; `cells` is a list of
        JSON dicts with "id", "hash", "code" and nbformat "outputs". After an error nothing is saved. A step of a run
        that is executing already is not started again: that execution is returned. If the answers are others now, its
        card says that they were not taken: whoever started it did not ask for them. `form` is what JSON can say.
        """
        given = json.loads(json.dumps(form))
        execution = self.execution(key, step_id)
        if execution is None or not execution.running:
            interrupted = execution is not None and execution.said[0] == INTERRUPTED
            job, state = self._job(key), self._state(key)
            earlier = known_of(state, step_id, interrupted)
            basis = basis_of(history_before(job, step_id, state), state)
            execution = Execution(key, step_id, given, save=save, basis=basis, earlier=earlier)
            self._executions[key, step_id] = execution
            self.vault.remember(key, step_id, given)
            execution.task = asyncio.ensure_future(self._run(job, execution, save))
        elif execution.form != given:
            execution.refused = True
        await execution.page.wait_until_asked(execution.task, QUICK)
        return execution

    async def _run(self, job: Job, execution: Execution, save: Save) -> None:
        place = (execution.key, execution.step_id)
        try:
            await self._make_way(execution)
            pool = pools.pool()
            run = pool.run(self.plugin.app_name, execution.key)
            async with listening(run, execution):
                await execute(pool, run, job, execution, save)
        finally:
            execution.running = False
            if not execution.error and self._executions.get(place) is execution:
                del self._executions[place]
            failed = [p for p, e in self._executions.items() if e.error and not e.running]
            for old in failed[:-FAILED]:
                del self._executions[old]

    def succeed(self, old: "Cells") -> None:
        """Go on where the cells of the plugin's version before are: what it executes ends, and is followed from here."""
        self._executions = old._executions
        self.vault.take_over(old.vault)

    def _job(self, key: str) -> Job:
        stored = Stored(self.plugin, key)
        return Job(self.source, tuple(self.plugin.steps), self.files, self.vault, stored)

    async def _make_way(self, starting: Execution) -> None:
        """A step that starts makes void what is being computed after it, and forgets what had failed in its run."""
        order = [step.id for step in self.plugin.steps]
        for place, execution in list(self._executions.items()):
            if execution is starting or execution.key != starting.key:
                continue
            # A step that the plugin has not any more, since it was loaded again, counts as a later one
            earlier = order[: order.index(starting.step_id) + 1]
            if execution.running and execution.step_id not in earlier:
                await self._stop(execution)
            if not execution.running and self._executions.get(place) is execution:
                del self._executions[place]
        self._clear(starting.key)

    def _clear(self, key: str) -> None:
        """Forget which steps of a run did not get to their end; not those that run."""
        running = {step for (run, step), e in self._executions.items() if run == key and e.running}
        in_progress.clear(self.folder(key), running)

    def execution(self, key: str, step_id: str) -> Execution | None:
        """Return the execution of a step that is running or has failed. One that went through is forgotten.

        A step that a server began which was killed has failed, too; one that another program executes is running.
        """
        execution = self._executions.get((key, step_id))
        if (
            execution
            and execution.running
            and execution.task
            and execution.task.get_loop().is_closed()
        ):
            del self._executions[
                key, step_id
            ]  # a server ended in this process, in the middle of the step
            execution = None
        return execution or self._begun(key, step_id)

    def _begun(self, key: str, step_id: str) -> Execution | None:
        """Return what the run's folder says of a step that did not end, or not here."""
        note = in_progress.read(self.folder(key), step_id)
        if note is None:
            return None
        state = self._state(key)
        data = state.get(step_id) or {}
        if note.saved(data.get(CELLS)) or not state:
            in_progress.end(self.folder(key), step_id)
            return None
        typed = (state.get("_typed") or {}).get(step_id) or answers(data)
        execution = Execution(key, step_id, typed, started=note.began, running=note.running)
        if note.running:
            execution.active, execution.doing = True, "Running in another program"
        else:
            again = note.message == in_progress.INTERRUPTED and known_of(state, step_id, True).some
            execution.fail(note.name, note.message + (f" {GIVEN_AGAIN}" if again else ""))
        return execution

    async def stop(self, key: str) -> None:
        """End whatever is computing for a run, and forget what had failed. Nothing of it is saved after this."""
        # Another tab may start a step while one is being stopped: until nothing is left
        while place := next((place for place in self._executions if place[0] == key), None):
            execution = self._executions[place]
            await self._stop(execution)
            if self._executions.get(place) is execution:
                del self._executions[place]
        self._clear(key)

    def forget(self, key: str) -> None:
        """Let go of all that is executing or has failed in a run, without waiting for it, and of its secrets."""
        self.vault.forget(key)
        for place, execution in list(self._executions.items()):
            if place[0] == key:
                del self._executions[place]
                execution.stopped, execution.running = True, False
                if execution.task and not execution.task.get_loop().is_closed():
                    execution.task.cancel()

    async def _stop(self, execution: Execution) -> None:
        pool = pools.pool()
        await stop(pool, pool.run(self.plugin.app_name, execution.key), execution)

    async def interrupt(self, key: str, step_id: str) -> None:
        """Stop a step that is running, as the button of its card does; it ends as an error that says so.

        Returns as soon as it has ended, or after a moment: a cell that does not react has some seconds. What another
        program runs is stopped there, when it sees that somebody wants it.
        """
        execution = self.execution(key, step_id)
        if execution and execution.running and not execution.task:
            in_progress.ask_to_stop(self.folder(key), step_id)
        elif execution and execution.running and execution.task:
            run = pools.pool().run(self.plugin.app_name, key)
            stopping = asyncio.ensure_future(interrupt(run, execution))
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)
            await asyncio.wait([execution.task], timeout=QUICK)

    async def answered(self, key: str, step_id: str, question: str, text: str, why: str) -> None:
        """Take the answer to what a running step asks, or `why` it is none. Of a question that is over it is ignored.

        Returns when the step goes on to its end or to its next question, or after a moment.
        """
        execution = self.execution(key, step_id)
        if execution and execution.running:
            if execution.page.take(question, text, why):
                await execution.page.wait_until_asked(execution.task, QUICK)
        elif not why:
            answer_late(Stored(self.plugin, key), step_id, question, text)

    def show(self, key: str, cells: list[Record]) -> Any:
        """Return the outputs of cells as a component, or None if there is nothing to show."""
        shown = []
        for record in cells:
            if parts := (view := self._view(key, record)).parts():
                shown.append(render.cell_of(view.record, parts))
        visible = [record for record in cells if self._view(key, record).show != "none"]
        shown.append(render.files(self.folder(key), self.plugin.app_name, visible))
        shown.append(self._not_stored(self.folder(key), cells))
        if any(record.get(AGAIN) for record in cells):
            shown.append(render.ran_again())
        changed = [part for record in cells for part in self._changed(key, record)]
        return render.all_cells([p for p in shown if p is not None], changed, self._place(cells))

    def _place(self, cells: list[Record]) -> str | None:
        """Return the id of what a step shows, in the page."""
        step = self._step_of(cells[0]) if cells else None
        return f"{step.id}-cells" if step else None

    def follow(self, execution: Execution) -> Any:
        """Return the outputs of a step that is running, so far; what comes later is added in the page."""
        return live.cells(execution, self.plugin.app_name, partial(self._view, execution.key))

    def clock(self, execution: Execution) -> Any:
        """Return what a running step is doing and for how long. It asks what is new, until the step is done."""
        return live.clock(execution, self.plugin.app_name)

    def news(
        self, key: str, step_id: str, execution_id: str, seen: int, question: str = ""
    ) -> list[Any]:
        """Return what a page asks for that shows an execution as it was at the tick `seen`, and a question by its id."""
        execution = self.execution(key, step_id)
        gone = execution is None or not execution.running or execution.id != execution_id
        asked = execution.question.id if execution and execution.question else ""
        if gone or execution is None or asked != question:
            return [live.card_again(self.plugin.app_name, step_id)]
        return live.changes(execution, self.plugin.app_name, seen, partial(self._view, key))

    def _view(self, key: str, record: Record) -> render.View:
        option = next((o for o in self._options if o.cell_id == record["id"]), None)
        show = option.show if option else "output"
        answered = self._answered(key, record, show)
        return render.View(self.folder(key), self.plugin.app_name, answered, show)

    def _changed(self, key: str, record: Record) -> Iterator[Any]:
        """Yield what earlier steps show since a cell changed it, or they ran again: their cards may be on the page already."""
        for step_id in record.get(RERAN, ()):
            records = (self._state(key).get(step_id) or {}).get(CELLS, [])
            alone = [{k: v for k, v in r.items() if k not in (CHANGED, RERAN)} for r in records]
            if part := self.show(key, alone):
                part.attrs["hx-swap-oob"] = "true"
                yield part
        for step_id, index, number in record.get(CHANGED, ()):
            records = (self._state(key).get(step_id) or {}).get(CELLS, [])
            if index < len(records):
                for _, part in self._view(key, records[index]).outputs([number]):
                    part.attrs["hx-swap-oob"] = "true"
                    yield part

    @cached_property
    def _options(self) -> list[CellOptions]:
        return [mark.options for _, mark in cells_of_class(type(self.plugin))]

    def _answered(self, key: str, record: Record, show: str) -> Record:
        """Put the answers into code that is shown, as in the exported notebook."""
        if show not in ("code", "both") or "form" not in record.get("code", ""):
            return record
        step = self._step_of(record)
        execution = step and self.execution(key, step.id)
        stored = (self._state(key).get(step.id) if step else None) or {}
        given = execution.form if execution else answers(stored)
        if step:
            given = mask_secrets(self.plugin, step.id, given)
        return record | {"code": with_answers(record["code"], given)}

    def _step_of(self, record: Record) -> Any:
        """Return the step that a cell belongs to; None if there is none in the plugin any more."""
        names = (
            n for n, m in cells_of_class(type(self.plugin)) if m.options.cell_id == record["id"]
        )
        name = next(names, "")
        return next((step for step in self.plugin.steps if name.startswith(f"{step.id}_")), None)

    def _not_stored(self, folder: RunFolder, cells: list[Record]) -> Any:
        """Say that the steps up to this one run again when somebody goes back, if they do."""
        step = self._step_of(cells[-1]) if cells else None
        if step is None or not (lost := checkpoint.reason(folder, step.id)):
            return None
        order = [s.id for s in self.plugin.steps]
        last = order.index(step.id) + 1
        stored = [order.index(s) + 1 for s in checkpoint.stored(folder) if s in order]
        return render.not_stored(lost, max((n for n in stored if n < last), default=0) + 1, last)

    def _state(self, key: str) -> Mapping[str, Any]:
        return Stored(self.plugin, key).read()

    def ask_again(self, execution: Execution) -> Any:
        """Return the form that asks for the secrets that a step needs again."""
        return questions.form(self, execution)

    def markdown(self, text: str) -> Any:
        """Return Markdown, with formulas in it, as a component."""
        return render.markdown(text)

    def notice(self, step_id: str, data: dict[str, Any]) -> Any:
        """Return a paragraph if a step was made by other code than the plugin has now, else None."""
        return render.older_version() if self.is_outdated(step_id, data) else None

    def is_outdated(self, step_id: str, data: dict[str, Any]) -> bool:
        """Return whether a step was made by other code than the plugin has now; without cells it was not."""
        made = [record["hash"] for record in data.get(CELLS, [])]
        return CELLS in data and made != [cell.hash for cell in self.source.of_step(step_id)]


_all: "weakref.WeakSet[Cells]" = weakref.WeakSet()


def everywhere() -> list[Cells]:
    """Return the cells of all plugins."""
    return list(_all)
