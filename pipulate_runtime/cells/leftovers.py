"""Notes which kernels this server started, so that the next start can end those a killed server left behind.

A kernel sees by itself that its server is gone (ipykernel asks once a second), but not while a cell holds the
interpreter's lock.
"""

import contextlib
import json
import os
import shutil
import signal
from pathlib import Path


def write(data: Path, pid: int, folder: Path) -> Path:
    """Note a kernel in `<data>/kernels`; return the file, which is deleted when the kernel has ended."""
    note = data.resolve() / "kernels" / f"{pid}.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    server = os.getpid()
    entry = {
        "pid": pid,
        "born": _born(pid),
        "server": server,
        "server_born": _born(server),
        "folder": str(folder),
    }
    note.write_text(json.dumps(entry), encoding="utf-8")
    return note


def end_all(data: Path) -> int:
    """End the kernels whose server no longer lives; return how many there were."""
    ended = 0
    for note in (data.resolve() / "kernels").glob("*.json"):
        try:
            entry = json.loads(note.read_text(encoding="utf-8"))
            if entry["server_born"] is not None and _born(entry["server"]) == entry["server_born"]:
                continue
            # A process id is used again some day: only the very process that was noted is ended
            if entry["born"] is not None and _born(entry["pid"]) == entry["born"]:
                _kill(entry["pid"])
                ended += 1
            folder = Path(entry["folder"])
            if folder.name.startswith("pipu-"):
                shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, KeyError, TypeError):
            pass  # half written when the server was killed
        note.unlink(missing_ok=True)
    return ended


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


def _born(pid: int) -> float | None:
    """Return when a process began, or None if there is none of this id."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None
