"""Whatever is killed at whatever moment: no run is lost, no step is done twice without being asked, nothing is left over.

The real host runs as a process. Three people walk workflows, one of which cannot be kept, over HTTP, one run after the other, while the server, a kernel,
or both are killed at random moments. PIPULATE_FAULTS says how many times, PIPULATE_SEED with which moments.
"""

import asyncio
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import httpx
import psutil
import pytest

from pipulate_runtime.cells.kernel.cleanup import MARK, OWNER
from pipulate_runtime.cells.kernel.questions import RUN
from pipulate_runtime.cells.storage.folders import RunFolder
from pipulate_runtime.host.base.browser import defaults
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.walk.walker import HTMX, Walker
from tests.build import raw
from tests.conftest import ROOT
from tests.host.helpers import free_port
from transpiler.model.options import Options
from transpiler.pipeline import port

FAULTS = int(os.environ.get("PIPULATE_FAULTS", "25"))
SEED = int(os.environ.get("PIPULATE_SEED", "4"))

SLOW = (
    "import os, subprocess, threading, time, uuid\n"
    "def journal(word):\n"
    "    with open(os.environ['SLOW_JOURNAL'], 'a') as file:\n"
    "        file.write(f'{os.path.basename(os.path.dirname(os.getcwd()))} {word}\\n')\n"
    "journal('step_01')\n"
    "seen, ticket = [], uuid.uuid4()\n"
    "for n in range(5):\n"
    "    print('counting', n, flush=True)\n"
    "    seen.append(n)\n"
    "    time.sleep(0.05)\n"
    "print('ticket', ticket)",
    "#| input: {name: amount, min: 0}\namount = 3\njournal('step_02')\ntime.sleep(0.2)\nseen.append(amount)\nsum(seen)",
    "journal('step_03')\n"
    "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
    "time.sleep(0.2)\nopen('result.txt', 'w').write(str(seen))\nprint(seen, 'ticket', ticket)",
)
"""Writes outside its run and draws a ticket; all of it can be kept."""
UNKEPT = (
    SLOW[0] + "\nlock = threading.Lock()",
    *(f"{cell}\nlock.acquire(blocking=False)" for cell in SLOW[1:]),
)
"""The same, but nothing of it can be kept: a later cell needs the lock."""
STEPS = {"sales_report": 4, "slow": 3, "unkept": 3}
EXPECTED = ("KernelDied", "Interrupted")  # what a card may say of a step


class Host:
    """The server, killed and started again on the same port and data."""

    def __init__(self, folder, home):
        self.folder, self.data, self.home = folder, home / "data", home
        self.journal = home / "journal"
        self.journal.touch()
        self.place = Path(tempfile.mkdtemp(prefix="faults-"))  # a short path: sockets will be there
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        command = [sys.executable, "-m", "transpiler", "serve", str(self.folder)]
        command += ["--data", str(self.data), "--port", str(self.port), "--kernels", "4"]
        env = {**os.environ, "TMPDIR": str(self.place), "SLOW_JOURNAL": str(self.journal)}
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)

    async def ready(self):
        async with httpx.AsyncClient() as client:
            for _ in range(1200):
                assert self.process.poll() is None, (self.home / "log").read_text()[-3000:]
                try:
                    await client.get(self.url)
                    return
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
        raise AssertionError("the server does not answer")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def kernels(self):
        return [p for p in psutil.Process(self.process.pid).children() if is_alive(p)]

    def marked(self):
        """All processes of kernels, by the folder of the kernel."""
        found = {}
        for process in psutil.process_iter():
            try:
                mark = process.environ().get(MARK, "")
                if mark.startswith(str(self.place)) and is_alive(process):
                    found.setdefault(mark, []).append(process)
            except psutil.Error:
                continue
        return found

    def check_only_its_own(self):
        """What a server that was killed has started is gone when the next one answers."""
        for folder, processes in self.marked().items():
            owner = json.loads((Path(folder) / OWNER).read_text())["server"]
            assert owner == self.process.pid, (folder, processes)

    def states(self):
        with sqlite3.connect(f"file:{self.data / 'pipulate.db'}?mode=ro", uri=True) as connection:
            rows = connection.execute("select pkey, data from pipeline").fetchall()
        connection.close()
        return {key: json.loads(data) for key, data in rows}


def is_alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def done_of(state):
    return {step: json.dumps(v) for step, v in state.items() if step.startswith("step_")}


def shown_by(state):
    """What the steps of a run show, without what differs between runs: tickets, times, whether a step ran again."""
    text = re.sub(r', "(at|again|reran)": (\d+|true|\[[^]]*\])', "", json.dumps(done_of(state)))
    text = re.sub(r', \\"(at|again|reran)\\": (\d+|true|\[[^]]*\])', "", text)
    return re.sub(r"ticket [0-9a-f-]{36}", "ticket", text)


def tickets_of(state):
    """The tickets on a run's cards: one, if no card shows what a later cell did not get."""
    return set(re.findall(r"ticket ([0-9a-f-]{36})", json.dumps(done_of(state))))


class Asked(Walker):
    """A walk that counts what it has asked for: how often each step may have run at most."""

    def __init__(self, *given, counts, **options):
        super().__init__(*given, **options)
        self.counts = counts
        self.answering = self

    async def _send(self, call):
        step = call.path.rpartition("/")[2]
        if step.endswith("_submit"):
            self.counts[self.key, step.removesuffix("_submit")] += 1
        await super()._send(call)

    async def values(self, form, earlier, before):
        """Say that the steps may run again that a card asks about."""
        assert form.has_attr("data-replays")
        for item in form.select("li strong"):
            self.counts[self.key, self.ids[item.get_text()]] += 1
            self.counts["", "replays"] += 1
        return [*defaults(form), ("answer", RUN)]


class Person:
    """Walks runs of one workflow. When the server is gone, or a step failed, they look again and go on."""

    def __init__(self, host, app):
        self.host, self.app = host, app
        steps = [SimpleNamespace(id=f"step_{n:02}", show="") for n in range(1, STEPS[app] + 1)]
        steps.append(SimpleNamespace(id="finalize", show=""))
        self.plugin = SimpleNamespace(key=app, app_name=app, steps=steps, computes=False)
        self.finished = []
        self.counts = Counter()
        plugin = (host.folder / f"{app}.py").read_text()
        steps_of = re.findall(r'id="(step_\d\d)".*?show="([^"]*)"', plugin, re.DOTALL)
        self.titles = {title: step for step, title in steps_of}
        assert len(self.titles) == STEPS[app]

    async def walk(self, name):
        """Walk one run to its end, however often that takes."""
        key = f"Default_Profile-{self.app}-{name}"
        kept = {}
        while True:
            try:
                async with httpx.AsyncClient(base_url=self.host.url, timeout=60) as client:
                    walker = Asked(client, self.plugin, {}, timeout=500, counts=self.counts)
                    walker.ids = self.titles
                    walker.key = key
                    await walker.start(name)
                    self._check_kept(key, kept)
                    while await walker.advance():
                        self._check_kept(key, kept)
                    state = self.host.states()[key]
                    assert "finalized" in state["finalize"]
                    assert len(done_of(state)) == STEPS[self.app]
                    self._check_kept(key, kept)
                    self.finished.append(key)
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
            except HostError as error:
                if error.code != "PP514" or not any(word in error.message for word in EXPECTED):
                    raise

    def _check_kept(self, key, kept):
        """What was once done stays as it was, unless it was asked for: it is not lost, and not done again."""
        state = self.host.states()[key]
        now = done_of(state)
        for step, data in kept.items():
            same = now.get(step) == data
            assert same or self.counts["", "replays"], f"{step} of {key} is not what it was"
        kept.update(now)
        assert len(tickets_of(state)) <= 1, f"a card of {key} shows what a later cell did not get"


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    for name, cells in (("slow", SLOW), ("unkept", UNKEPT)):
        notebook = folder / f"{name}.ipynb"
        notebook.write_bytes(raw(*cells))
        port(notebook, folder / "plugins", Options())
    port(ROOT / "fixtures" / "sales_report.ipynb", folder / "plugins", Options())
    return folder / "plugins"


@pytest.fixture
def host(plugins, tmp_path):
    host = Host(plugins, tmp_path)
    try:
        yield host
    finally:
        if host.process and host.process.poll() is None:
            host.kill()
        for processes in host.marked().values():
            for process in processes:
                process.kill()
        shutil.rmtree(host.place, ignore_errors=True)


async def interrupted_steps_wait(host):
    """After a start nothing is executed until somebody asks, though every card is looked at."""
    before = host.journal.read_text()
    async with httpx.AsyncClient(base_url=host.url, timeout=60, headers=HTMX) as client:
        for key, state in host.states().items():
            app = key.split("-")[1]
            unfinished = [n for n in range(1, STEPS[app] + 1) if f"step_{n:02}" not in state]
            for n in unfinished[:1]:
                answer = await client.get(f"/{app}/step_{n:02}", params={"pipeline_id": key})
                assert answer.status_code == 200
                begun = (host.data / "runs" / app).glob(f"*/unfinished/step_{n:02}.json")
                if any(path.parts[-3].startswith(key.replace("-", "_")) for path in begun):
                    assert 'data-state="error"' in answer.text
                    assert "Interrupted" in answer.text or "KernelDied" in answer.text
    assert host.journal.read_text() == before


def no_step_ran_unasked(host, people):
    """Each line in the journal was asked for: by a form that was sent, or by a question that was answered."""
    asked = sum((person.counts for person in people), Counter())
    ran = Counter(tuple(line.split()) for line in host.journal.read_text().splitlines())
    for (folder, step), times in ran.items():
        key = next(
            k
            for k, s in asked
            if s == step and RunFolder(host.data, k.split("-")[1], k).name == folder
        )
        assert times <= asked[key, step], (key, step, times)


async def faulty(host, chance):
    people = [Person(host, app) for app in STEPS]
    over = asyncio.Event()

    async def live(person):
        number = 0
        while not over.is_set() or number == 0:
            number += 1
            await person.walk(f"r{number}")

    lives = [asyncio.ensure_future(live(person)) for person in people]
    for _ in range(FAULTS):
        await asyncio.sleep(chance.uniform(0, 2.5))
        for task in lives:
            assert not task.done(), task.exception()
        victim = chance.choice(["server", "kernel", "both"])
        kernels = host.kernels()
        if victim != "server" and kernels:
            chance.choice(kernels).kill()
        if victim != "kernel":
            host.kill()
            host.start()
            await host.ready()
            host.check_only_its_own()
    over.set()
    await asyncio.gather(*lives)
    return people


@pytest.mark.slow
@pytest.mark.kernel
@pytest.mark.timeout(120 + 20 * FAULTS)
def test_kills_at_random_moments(host):
    async def test():
        host.start()
        await host.ready()
        first = [Person(host, app) for app in STEPS]
        for person in first:  # as it is when nothing goes wrong
            await person.walk("reference")
        assert not any(person.counts["", "replays"] for person in first)
        people = await faulty(host, random.Random(SEED))
        for person, before in zip(people, first, strict=True):
            person.counts += before.counts
        return people

    people = asyncio.run(test())
    states = host.states()
    for person in people:
        reference = states[f"Default_Profile-{person.app}-reference"]
        for key in person.finished:
            assert shown_by(states[key]) == shown_by(reference), key
    no_step_ran_unasked(host, people)
    assert len(states) == len(STEPS) + sum(len(person.finished) for person in people)
    host.process.send_signal(signal.SIGTERM)
    host.process.wait(timeout=30)
    assert host.marked() == {}
    # A kill just between making a kernel's folder and saying whose it is leaves an empty one, which goes after a day
    assert [p for p in host.place.glob("pipu-*") if any(p.iterdir())] == []
    assert not list((host.data / "kernels").iterdir())


@pytest.mark.kernel
def test_an_interrupted_step_is_not_begun_again_by_looking_at_it(host):
    async def test():
        host.start()
        await host.ready()
        walking = asyncio.ensure_future(Person(host, "slow").walk("cut"))
        while "step_02" not in host.journal.read_text():
            await asyncio.sleep(0.01)
        host.kill()
        walking.cancel()
        await asyncio.wait([walking])
        host.start()
        await host.ready()
        host.check_only_its_own()
        await interrupted_steps_wait(host)
        await Person(host, "slow").walk("cut")

    asyncio.run(test())
    steps = [line.split()[1] for line in host.journal.read_text().splitlines()]
    again = ["step_01", "step_02", "step_03"]  # the kill may have come before the first was kept
    assert steps in (["step_01", "step_02", *again[1:]], ["step_01", "step_02", *again])


@pytest.mark.slow
@pytest.mark.kernel
@pytest.mark.timeout(600)
def test_many_runs_at_once(host):
    people = [Person(host, app) for app in STEPS for _ in range(8)]

    async def test():
        host.start()
        await host.ready()
        await asyncio.gather(*(p.walk(f"load{n}") for n, p in enumerate(people)))

    asyncio.run(test())
    states = host.states()
    assert len(states) == 8 * len(STEPS)
    for app in STEPS:
        assert len({shown_by(s) for k, s in states.items() if f"-{app}-" in k}) == 1
