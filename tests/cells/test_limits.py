"""What a cell may use, what becomes of it when it takes more, and what is left over when its kernel is gone."""

import asyncio
import errno
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import dedent

import nbformat
import psutil
import pytest
from fasthtml.common import to_xml
from nbclient import NotebookClient

from pipulate_runtime.cells.kernel import cleanup, limits
from pipulate_runtime.cells.kernel import kernel as kernels
from pipulate_runtime.cells.kernel import messages as watching
from pipulate_runtime.cells.kernel import pool as pools
from pipulate_runtime.cells.kernel.kernel import Kernel
from pipulate_runtime.cells.page import live
from pipulate_runtime.cells.run import in_progress
from pipulate_runtime.cells.run import step as steps
from pipulate_runtime.cells.storage.folders import load_outputs
from tests.cells.conftest import run
from tests.cells.test_failures import gone, has_output, until

DIES = """
    @cell("a")
    def step_01_cell(form):
        import ctypes, os
        print("before", flush=True)
        BODY
    """


def error_of(execution):
    return execution.cells[-1]["outputs"][-1]


def is_zombie_or_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("ctypes.string_at(0)", "crashed (SIGSEGV)"),
        ("os._exit(3)", "ended its own process (exit code 3)"),
        ("os.kill(os.getpid(), 9)", "memory"),
        ("os.kill(os.getpid(), 15)", "SIGTERM"),
    ],
)
def test_a_kernel_that_dies_is_told_in_plain_words(make, body, words):
    walker = make(DIES.replace("BODY", body))

    async def test():
        failed = await walker.step("step_01")
        said = error_of(failed)
        assert said["ename"] == "KernelDied"
        assert words in said["evalue"]
        assert "Run it again" in said["evalue"]
        if "SIGSEGV" in words:
            assert "Segmentation fault" in "\n".join(said["traceback"])
        assert walker.saves == []

    run(test())


@pytest.mark.kernel
def test_memory(make, monkeypatch):
    monkeypatch.setattr(pools.settings, "memory", 400 * 1024**2)
    walker = make("""
        @cell("a")
        def step_01_cell(form):
            import time
            kept = [bytes(form["mb"] * 1024**2)]
            kept[0] = bytearray(kept[0])
            time.sleep(600 if form["mb"] > 400 else 0)
        """)

    async def test():
        failed = await walker.step("step_01", {"mb": 600})
        said = error_of(failed)
        assert said["ename"] == "MemoryExceeded"
        assert "400 MB" in said["evalue"]
        assert not (await walker.step("step_01", {"mb": 1})).error

    run(test())


@pytest.mark.kernel
@pytest.mark.slow
def test_memory_of_what_a_cell_has_started_counts(make, monkeypatch):
    monkeypatch.setattr(pools.settings, "memory", 400 * 1024**2)
    walker = make("""
        @cell("a")
        def step_01_cell(form):
            import subprocess, sys
            subprocess.run([sys.executable, "-c", "import time; x = bytearray(600_000_000); time.sleep(600)"])
        """)

    async def test():
        assert error_of(await walker.step("step_01"))["ename"] == "MemoryExceeded"

    run(test())


@pytest.mark.kernel
def test_what_is_printed_goes_to_a_file_while_it_comes(make, monkeypatch):
    """And all of it is there in the end, also what is flushed faster than the server reads."""
    walker = make("""
        @cell("a")
        def step_01_cell(form):
            for n in range(20_000):
                print("line", n, flush=True)
            for n in range(300_000):
                print("line", n)
        """)

    async def test():
        execution = await walker.begin("step_01")
        await execution.task
        assert not execution.error

    run(test())
    (record,) = walker.pip.read_state("k")["step_01"]["_cells"]
    (stream,) = record["outputs"]
    assert stream["text"] == ""
    (whole,) = load_outputs(walker.plugin.cells.folder("k"), record)
    lines = [f"line {n}" for n in [*range(20_000), *range(300_000)]]
    assert whole["text"].splitlines() == lines
    assert not list(walker.plugin.cells.folder("k").outputs.glob("spill.*"))


@pytest.mark.kernel
@pytest.mark.slow
def test_a_failed_cell_that_printed_much_keeps_its_text_in_a_file(make):
    walker = make(
        DIES.replace(
            "BODY", "print('x' * 3_000_000, flush=True); __import__('time').sleep(1); os._exit(1)"
        )
    )

    async def test():
        failed = await walker.step("step_01")
        assert sum(len(o.get("text", "")) for o in failed.cells[0]["outputs"]) < 1000
        folder = walker.plugin.cells.folder("k")
        assert len(load_outputs(folder, failed.cells[0])[0]["text"]) == 3_000_008
        assert failed.collectors == []

    run(test())


@pytest.mark.kernel
def test_what_a_cell_has_started_ends_with_its_kernel(make):
    walker = make("""
        @cell("a")
        def step_01_cell(form):
            import os, subprocess
            child = subprocess.Popen(["sleep", "600"], start_new_session=True)
            with open("child.txt", "w") as file:  # what is printed just before a SIGKILL may never leave the process
                file.write(str(child.pid))
            os.kill(os.getpid(), form["signal"])
        """)

    async def test():
        for number in (9, 0):
            await walker.step("step_01", {"signal": number})
            child = int((walker.plugin.cells.folder("k").work / "child.txt").read_text())
            if number == 0:
                assert not gone(child)
                await walker.plugin.cells.stop("k")
                pools.pool().discard(pools.pool().run("made", "k"))
            else:
                await walker.step("step_01", {"signal": 0})
            await until(lambda: is_zombie_or_gone(child))

    run(test())


SERVER = """
import asyncio, os, sys
from pathlib import Path
from pipulate_runtime.cells.kernel.kernel import Kernel
async def main():
    kernel = Kernel(sys.executable, Path(sys.argv[1]))
    await kernel.start()
    print(kernel.pid, kernel.folder, flush=True)
    code = "import ctypes, subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)"
    await kernel.execute(code, lambda kind, content: kind == "stream" and print(content["text"], flush=True))
    # A cell that holds the interpreter's lock, so that the kernel cannot see that its server is gone
    await kernel.execute("ctypes.PyDLL(None).sleep(600)", print)
asyncio.run(main())
"""


@pytest.mark.kernel
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.slow
def test_a_killed_server_leaves_nothing_that_the_next_one_does_not_end(tmp_path, monkeypatch):
    with tempfile.TemporaryDirectory(prefix="left-") as place:  # short: a socket will be there
        monkeypatch.setattr(cleanup, "kernel_places", lambda: [place])
        leaves_nothing(tmp_path, {**os.environ, "PYTHONPATH": os.getcwd(), "TMPDIR": place})


def leaves_nothing(tmp_path, env):
    command = [sys.executable, "-c", SERVER, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as server:
        pid, folder = server.stdout.readline().split()
        child = int(server.stdout.readline())
        server.kill()
    psutil.wait_procs([psutil.Process(int(pid))] if psutil.pid_exists(int(pid)) else [], timeout=20)
    assert is_zombie_or_gone(int(pid)), "it ends with its server, though nobody else can run in it"
    assert not is_zombie_or_gone(child)
    cleanup.end_all(tmp_path / "another data folder")
    assert is_zombie_or_gone(child)
    assert not Path(folder).exists()


@pytest.mark.kernel
@pytest.mark.slow
def test_no_zombie_is_left(tmp_path):
    async def test():
        killed, ended = Kernel(sys.executable, tmp_path), Kernel(sys.executable, tmp_path)
        await asyncio.gather(killed.start(), ended.start())
        pids = killed.pid, ended.pid
        killed.kill()
        killed.forget()
        await ended.end()
        return pids

    for pid in asyncio.run(test()):
        assert not psutil.pid_exists(pid)


@pytest.mark.kernel
@pytest.mark.slow
def test_a_kernel_starts_as_jupyter_starts_it_but_without_the_debugger(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)  # a relative one is another one in each folder
    code = dedent("""
    import sys, __main__
    print(sys.path, sys.argv[0], sys.flags, sys.warnoptions, hasattr(__main__, "code"), __main__.__name__)
    """)
    debugger = "\nprint('debugpy' in sys.modules)\nimport debugpy\nprint(debugpy.__name__)"

    async def test():
        kernel, said = Kernel(sys.executable, tmp_path), []
        await kernel.start()
        await kernel.execute(
            code + debugger, lambda kind, content: said.append(content.get("text", ""))
        )
        await kernel.end()
        return "".join(said)

    make = nbformat.v4
    notebook = make.new_notebook(cells=[make.new_code_cell(code)])
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert asyncio.run(test()) == notebook.cells[0].outputs[0].text + "False\ndebugpy\n"


@pytest.mark.kernel
@pytest.mark.parametrize("lost", ["execute_request", "kernel_info_request"])
@pytest.mark.slow
def test_a_kernel_that_overlooks_a_request_is_woken(tmp_path, monkeypatch, lost):
    """As in ipykernel 7.0 to 7.3 (its issue 1554): the shell socket sees a request only when the next one comes."""
    from jupyter_client.session import Session

    monkeypatch.setattr(watching, "OVERLOOKED", 0.2)
    monkeypatch.setattr(kernels, "OVERLOOKED", 0.2)
    send, held, woken = Session.send, [], []

    def late(self, stream, msg, *args, **options):
        if isinstance(msg, dict) and msg["msg_type"] == lost and not held:
            held.append(msg)
            return msg
        if held and not woken:
            woken.append(msg["msg_type"])
            send(self, stream, held[0], *args, **options)
        return send(self, stream, msg, *args, **options)

    monkeypatch.setattr(Session, "send", late)

    async def test():
        kernel, said = Kernel(sys.executable, tmp_path), []
        await kernel.start()
        await kernel.execute("print(6 * 7)", lambda kind, content: said.append((kind, content)))
        await kernel.end()
        return [content["text"] for kind, content in said if kind == "stream"]

    assert asyncio.run(asyncio.wait_for(test(), 60)) == ["42\n"]
    assert woken == ["kernel_info_request"]


def test_a_cell_that_computes_is_not_woken(monkeypatch):
    monkeypatch.setattr(watching, "OVERLOOKED", 0.0)
    watch = watching.Watch("m", lambda kind, content: None)
    assert watch.is_overlooked()
    message = {"parent_header": {"msg_id": "m"}, "msg_type": "status"}
    watch.take_published({**message, "content": {"execution_state": "busy"}})
    assert not watch.is_overlooked()
    watch.take_published({**message, "content": {"execution_state": "idle"}})
    assert watch.is_overlooked(), "the reply does not come"
    watch.take_reply({"parent_header": {"msg_id": "m"}, "content": {}})
    assert not watch.is_overlooked()


@pytest.mark.kernel
def test_submits_wait_in_a_line_that_is_seen(make, tmp_path, monkeypatch):
    monkeypatch.setattr(pools.settings, "max_kernels", 1)
    walker = make("""
        @cell("a")
        def step_01_cell(form):
            import os, time
            print("on", flush=True)
            while not os.path.exists(form["until"]):
                time.sleep(0.01)
        """)

    def told(execution):
        return to_xml(live._ticking(execution, "made"))

    async def test():
        form = {"until": str(tmp_path / "go")}
        first = await walker.begin("step_01", form, key="one")
        await until(has_output(first))
        others = [await walker.begin("step_01", form, key=key) for key in ("two", "three", "four")]
        assert [e.waits for e in others] == [1, 2, 3]
        assert "3rd in line" in told(others[2])
        await walker.plugin.cells.interrupt("two", "step_01")
        assert [e.waits for e in others[1:]] == [1, 2]
        (tmp_path / "go").touch()
        for execution in (first, *others[1:]):
            await execution.task
            assert not execution.error
        assert error_of(others[0])["ename"] == "Stopped"
        assert walker.saves == ["step_01"] * 3

    run(test())


@pytest.mark.kernel
@pytest.mark.slow
def test_a_full_disk_while_saving(make):
    walker = make('@cell("a")\ndef step_01_cell(form):\n    return form["x"]\n')

    async def test():
        async def save(cells):
            raise OSError(errno.ENOSPC, "No space left on device")

        execution = await walker.plugin.cells.start("k", "step_01", {"x": 1}, save)
        await execution.task
        assert error_of(execution)["ename"] == "DiskFull"
        assert "no room left" in error_of(execution)["evalue"]
        assert not (await walker.step("step_01", {"x": 2})).error

    run(test())


@pytest.mark.kernel
@pytest.mark.slow
def test_a_full_disk_while_a_long_text_comes_in(make):
    """RLIMIT_FSIZE: a file of this process may be 500 kB, as if the disk ended there."""
    walker = make('@cell("a")\ndef step_01_cell(form):\n    print("x" * form["n"])\n')

    async def test():
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        assert not (await walker.step("step_01", {"n": 1})).error  # kernels start without the limit
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
        try:
            failed = await walker.step("step_01", {"n": 3_000_000})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert error_of(failed)["ename"] == "DiskFull"
        assert not list(walker.plugin.cells.folder("k").outputs.glob("spill.*"))
        assert not (await walker.step("step_01", {"n": 3_000_000})).error

    run(test())
    assert len(walker.pip.read_state("k")["step_01"]["_cells"][0]["files"]) == 1


class BusyError(Exception):
    """As apsw calls it."""


@pytest.mark.kernel
@pytest.mark.slow
def test_a_database_that_another_program_locks_is_waited_for(make, monkeypatch):
    walker = make('@cell("a")\ndef step_01_cell(form):\n    return 1\n')
    tries = []

    async def test():
        async def save(cells):
            tries.append(cells)
            if len(tries) < 3:
                raise BusyError

        execution = await walker.plugin.cells.start("k", "step_01", {}, save)
        await execution.task
        assert not execution.error
        assert len(tries) == 3
        monkeypatch.setattr(steps, "PATIENCE", 0)
        tries.clear()
        execution = await walker.plugin.cells.start("k", "step_01", {}, save)
        await execution.task
        assert error_of(execution)["ename"] == "DatabaseBusy"

    run(test())


class TestUnfinished:
    """What the next server says of a step that this one has begun."""

    BODY = '@cell("a")\ndef step_01_cell(form):\n    return 1\n'

    @staticmethod
    def of_a_dead_server(folder):
        path = folder.path / "unfinished" / "step_01.json"
        entry = json.loads(path.read_text())
        path.write_text(
            json.dumps({**entry, "server": 2**22 + 1, "server_born": 1.0, "server_birth": None})
        )

    def test_it_was_interrupted_and_waits(self, make):
        walker = make(self.BODY)
        walker.pip.write_state("k", {"_typed": {"step_01": {"x": 5}}})
        folder = walker.plugin.cells.folder("k")
        in_progress.begin(folder, "step_01", 1.0)
        self.of_a_dead_server(folder)
        found = walker.plugin.cells.execution("k", "step_01")
        assert (found.running, found.error, found.form) == (False, True, {"x": 5})
        assert error_of(found)["ename"] == "Interrupted"

    def test_it_was_saved_after_all(self, make):
        walker = make(self.BODY)
        folder = walker.plugin.cells.folder("k")
        cells = [{"id": "a", "outputs": [{"data": {1: "ü"}}]}]
        in_progress.saving(folder, "step_01", 1.0, cells)
        self.of_a_dead_server(folder)
        walker.pip.write_state("k", {"step_01": {"ran": True, "_cells": cells}})
        assert walker.plugin.cells.execution("k", "step_01") is None
        assert in_progress.of_run(folder) == {}

    def test_another_program_runs_it(self, make):
        walker = make(self.BODY)
        walker.pip.write_state("k", {"a": 1})
        folder = walker.plugin.cells.folder("k")
        in_progress.begin(folder, "step_01", 1.0)
        entry = json.loads((folder.path / "unfinished/step_01.json").read_text())
        parent = os.getppid()
        other = {"server": parent, "server_born": cleanup.start_time(parent), "server_birth": None}
        (folder.path / "unfinished/step_01.json").write_text(json.dumps({**entry, **other}))

        async def test():
            found = await walker.begin("step_01")
            assert (found.running, found.doing) == (True, "Running in another program")
            assert walker.saves == []

        run(test())

    @pytest.mark.kernel
    def test_a_failure_is_remembered_without_what_it_said(self, make):
        walker = make('@cell("a")\ndef step_01_cell(form):\n    raise ValueError("hunter2")\n')
        walker.pip.write_state("k", {"a": 1})
        run(walker.step("step_01"))
        folder = walker.plugin.cells.folder("k")
        (note,) = (folder.path / "unfinished").iterdir()
        assert "hunter2" not in note.read_text()
        walker.plugin.cells._executions.clear()  # as a new server
        assert error_of(walker.plugin.cells.execution("k", "step_01"))["ename"] == "ValueError"

    @pytest.mark.kernel
    def test_failed_executions_are_bounded_in_memory(self, make, monkeypatch):
        monkeypatch.setattr("pipulate_runtime.cells.api.FAILED", 2)
        walker = make('@cell("a")\ndef step_01_cell(form):\n    1 / 0\n')

        async def test():
            for key in "abcd":
                walker.pip.write_state(key, {"a": 1})
                await walker.step("step_01", key=key)

        run(test())
        assert {place[0] for place in walker.plugin.cells._executions} == {"c", "d"}
        assert (
            error_of(walker.plugin.cells.execution("a", "step_01"))["ename"] == "ZeroDivisionError"
        )


@pytest.mark.parametrize(
    ("text", "size"),
    [("2G", 2 * 1024**3), ("500m", 500 * 1024**2), ("1.5 GB", 3 * 1024**3 // 2), ("1KiB", 1024)],
)
def test_sizes(text, size):
    assert limits.size_of(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "2 apples", "1e3"])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match=r".*"):
        limits.size_of(text)


def test_how_many_kernels_a_machine_is_good_for(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)), raising=False)
    for memory, each, wanted in (
        (64 * 1024**3, None, 16),  # the cores decide
        (4 * 1024**3, None, 4),  # the memory does
        (4 * 1024**3, 2 * 1024**3, 2),  # at least two
    ):
        monkeypatch.setattr(limits, "machine_memory", lambda memory=memory: memory)
        assert limits.default_kernels(each) == wanted


def test_ordinals():
    assert [live.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 113)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "113th"),
    ]  # fmt: skip


def test_a_folder_of_a_live_server_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(cleanup, "kernel_places", lambda: [str(tmp_path)])
    folders = [tmp_path / f"pipu-{name}" for name in ("mine", "dead", "fresh", "elsewhere")]
    mine, dead, _, elsewhere = folders
    for folder in folders:
        folder.mkdir()
    cleanup.claim(mine)
    cleanup.claim(dead)
    dead_server = {"server": 2**22 + 1, "server_born": 1.0, "server_birth": None}
    owner = json.loads((dead / cleanup.OWNER).read_text())
    (dead / cleanup.OWNER).write_text(json.dumps(owner | dead_server))
    (elsewhere / cleanup.OWNER).write_text(json.dumps(owner | dead_server | {"where": "there"}))
    cleanup.end_all(tmp_path / "data")
    assert [folder.exists() for folder in folders] == [True, False, True, True]
