"""Ends what kernels leave behind: processes of their cells, and the kernels and folders of a server that was killed.

The environment variable `MARK` names a kernel's folder. Every process that its cells start inherits it, also one in a
session of its own. A note in the data folder and `owner.json` in the kernel's folder name the server that owns it, so
that the next server on this machine can clean up even when the data folder is gone.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

MARK = "PIPULATE_KERNEL"  # in the environment: the folder of the kernel
PREFIX = "pipu-"
OWNER = "owner.json"
STALE = 24 * 3600.0  # seconds after which a folder without an owner may be deleted
_STARTED = 22 - 4  # proc(5): `starttime` is field 22; the list begins with field 4


def note_kernel(data: Path, pid: int, folder: Path) -> Path:
    """Note a kernel in `<data>/kernels`; return the file, which is deleted when the kernel has ended."""
    note = data.resolve() / "kernels" / f"{pid}.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    entry = {
        "pid": pid,
        "born": start_time(pid),
        "birth": process_identity(pid),
        **server(),
        "folder": str(folder),
    }
    note.write_text(json.dumps(entry), encoding="utf-8")
    return note


def claim(folder: Path) -> None:
    """Write into a kernel's folder which server owns it."""
    entry = {**server(), "where": _where()}
    (folder / OWNER).write_text(json.dumps(entry), encoding="utf-8")


def server() -> dict[str, Any]:
    """Return what a later server needs to know whether this one still lives."""
    me = os.getpid()
    return {"server": me, "server_born": start_time(me), "server_birth": process_identity(me)}


def server_lives(entry: dict[str, Any]) -> bool:
    """Whether the server that wrote an entry still lives. Raises KeyError for an entry without its fields."""
    return is_same(entry["server"], entry["server_born"], entry.get("server_birth"))


def end_all(data: Path) -> int:
    """End the kernels whose server no longer lives, with all their processes; return how many there were."""
    ended = 0
    folders = set()
    for note in (data.resolve() / "kernels").glob("*.json"):
        try:
            entry = json.loads(note.read_text(encoding="utf-8"))
            if server_lives(entry):
                continue
            # The system reuses process ids: only end the process that was noted
            if is_same(entry["pid"], entry["born"], entry.get("birth")):
                _kill_group(entry["pid"])
                ended += 1
            folders.add(Path(entry["folder"]))
        except (ValueError, KeyError, TypeError):
            pass  # half written when the server was killed
        note.unlink(missing_ok=True)
    folders |= _abandoned({folder.parent for folder in folders})
    folders = {folder for folder in folders if folder.name.startswith(PREFIX)}
    end_marked(folders)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return ended


def _abandoned(places: Collection[Path]) -> set[Path]:
    """Return the folders of this user's kernels whose server, whatever its data folder, no longer lives."""
    found = set()
    for place in {*places, *map(Path, kernel_places())}:
        for folder in place.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                seen = folder.lstat()
                if hasattr(os, "getuid") and seen.st_uid != os.getuid():
                    continue
                if not _owned(folder, time.time() - seen.st_mtime > STALE):
                    found.add(folder)
    return found


def _owned(folder: Path, stale: bool) -> bool:
    try:
        entry = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        if entry.get("where") == _where():
            return server_lives(entry)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # it may be half written
    return not stale


def _where() -> str:
    """Return the id of this process's PID namespace: containers may share a temporary folder."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def kernel_places() -> list[str]:
    """Return where kernels have their folders: they hold sockets, whose path may have 107 characters at most."""
    import tempfile

    folder = tempfile.gettempdir()
    return [folder] if len(folder) < 60 or os.name == "nt" else ["/tmp"]


class Guard:
    """A process that outlives this one, however it is killed, and then ends what the cells of its kernels have started.

    It is this file as a program. It waits for the end of a pipe, which the system closes with this process.
    """

    def __init__(self) -> None:
        options = ["-I", "-S"] if sys.platform == "linux" else ["-I"]  # elsewhere it needs psutil
        self._process = subprocess.Popen(
            [sys.executable, *options, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl+C in the terminal is not for it
        )

    def lives(self) -> bool:
        """Whether it was not ended by somebody else."""
        return self._process.poll() is None

    def watch(self, folder: Path) -> None:
        """Name the folder of a kernel."""
        with contextlib.suppress(OSError):  # somebody has ended it
            assert self._process.stdin
            self._process.stdin.write(f"{folder}\n")
            self._process.stdin.flush()

    def end(self) -> None:
        """Let it look after what is left, and end."""
        with contextlib.suppress(OSError):
            self._process.communicate()


def guard() -> None:
    """Read the folders of kernels until their server is gone; then end what carries their marks."""
    folders = {Path(line.removesuffix("\n")) for line in sys.stdin}
    end_marked(folders)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def end_marked(folders: Collection[Path]) -> int:
    """Kill all processes that carry the mark of one of these kernels; return how many there were.

    It searches again until none is left: a process may start another one while it is being killed.
    """
    ended = 0
    wanted = {os.fsencode(folder) for folder in folders}
    while wanted and (found := _marked(wanted)):
        for kill in found:
            kill()
        ended += len(found)
        time.sleep(0.02)
    return ended


def _marked(wanted: set[bytes]) -> list[Callable[[], None]]:
    """Return a function that kills it for each process with one of the marks."""
    if not Path("/proc/self/environ").exists():
        return _marked_elsewhere(wanted)
    mark = MARK.encode() + b"="
    found: list[Callable[[], None]] = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = Path(entry.path, "environ").read_bytes()  # empty for a zombie
        except OSError:
            continue
        values = (line[len(mark) :] for line in environment.split(b"\0") if line.startswith(mark))
        if next(values, None) in wanted:
            found.append(_killer(int(entry.name)))
    return found


def _marked_elsewhere(wanted: set[bytes]) -> list[Callable[[], None]]:
    import psutil

    found: list[Callable[[], None]] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            value = process.environ().get(MARK)
            ours = value is not None and os.fsencode(value) in wanted
            if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.kill)
    return found


def _killer(pid: int) -> Callable[[], None]:
    def kill() -> None:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)

    return kill


def _kill_group(pid: int) -> None:
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


def start_time(pid: int) -> float | None:
    """Return when a process began; None if there is none with this id. Setting the clock changes the result."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def process_identity(pid: int) -> str | None:
    """Return what tells a process from all others that ever had its id; None where the system has no such value.

    On Linux: the boot, and how many ticks after it. Unlike `start_time` it does not change when the clock is set.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    # The name of the program is in brackets, and may contain brackets and spaces
    state, *fields = status.rpartition(b")")[2].split()
    return None if state in (b"Z", b"X") else f"{boot} {int(fields[_STARTED])}"


def is_same(pid: int, began: float | None, birth_then: str | None) -> bool:
    """Whether a process is the one that was noted with this time, and this birth if one was known."""
    if birth_then is not None:
        return process_identity(pid) == birth_then
    return began is not None and start_time(pid) == began


if __name__ == "__main__":
    guard()
