"""Checkpoints: what a run has computed up to a step, stored so that a new kernel need not run the steps again.

`<run>/checkpoints/<step>/` holds `state.pickle`, a copy of the working folder, and `meta.json`, signed with a key that only
the owner of the data folder can read. A checkpoint is put there only after another kernel has loaded it and found the same
values (DATAFLOW 3.3); it is used only for a run with the same answers and the same code up to there. In all other cases the
earlier steps are run again, which is always right. `<step>.json` beside it says in words why there is none.
"""

import asyncio
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.kernel.kernel import Kernel, KernelDied
from pipulate_runtime.cells.source.marks import Policy
from pipulate_runtime.cells.storage.folders import RunFolder
from pipulate_runtime.cells.storage.keyfile import read_or_make_key

Entry = tuple[str, str, tuple[str, ...]]  # step id, answers as JSON, hashes of its cells

WORTH = 2.0  # seconds of computing from which on it is tried at all: a new kernel alone takes half a second
LIMIT = 2_000_000_000  # bytes of a pickle, and of the files beside it
AT_ONCE = 64_000_000  # bytes of files that are copied after each step, before the next one may change them
MOST_FILES = 2000
PATIENCE = 30.0  # seconds that a copy of the kernel may take to store
ROOM = 500_000_000  # bytes of the checkpoints of a run, but the latest ones stay
TOLD = 10.0  # seconds of computing from which on the page says that it cannot be stored: less nobody minds
OLD = 24 * 3600.0  # seconds after which a draft cannot be in the making any more
KEEP = 4  # checkpoints of a run that stay in any case, the latest ones
_WORD = re.compile(r"[^\W\d]\w*")
_INSIDE = str(Path(__file__).parents[1] / "in_kernel")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose signature was right."""

    folder: Path
    meta: dict[str, Any] = field(repr=False)

    @property
    def entries(self) -> list[Entry]:
        """What had been executed when it was made."""
        return [(step, given, tuple(hashes)) for step, given, hashes in self.meta["entries"]]

    @property
    def proved(self) -> bool:
        """Whether a kernel has loaded it already and found the same values."""
        return bool(self.meta.get("proved", True))  # those of earlier versions were

    @property
    def seconds(self) -> list[float]:
        """How long each of these steps took when it ran."""
        return list(self.meta["seconds"])

    def put_files(self, work: Path) -> None:
        """Make the working folder what it was."""
        if work.exists():
            shutil.rmtree(work)
        shutil.copytree(self.folder / "work", work, symlinks=True)

    async def load(self, kernel: Kernel) -> None:
        """Restore it in a fresh kernel. Raises KernelDied, and the kernel is of no use, when that fails."""
        await _load(kernel, self.folder, self.meta)

    async def prove(self, kernel: Kernel, data: Path) -> str:
        """Compare what a kernel has loaded with what was stored; return in words what differs, "" if nothing.

        Raises KernelDied when that fails.
        """
        place = self.folder / "proof"
        place.mkdir(exist_ok=True)
        lost = str((await _ask(kernel, place, f"compare({str(place)!r}, {self.meta!r})"))["lost"])
        shutil.rmtree(place, ignore_errors=True)
        if not lost:
            _sign(self.folder, self.meta | {"proved": True}, data)
        return lost


def words_of(texts: Iterable[str]) -> list[str]:
    """Return all identifiers in code, those in its strings too: `eval`, `query` and magics read names from text."""
    return sorted({word for text in texts for word in _WORD.findall(text)})


def latest(
    folder: RunFolder,
    data: Path,
    before: Sequence[Entry],
    words_after: Callable[[str], Iterable[str]],
) -> Checkpoint | None:
    """Return the latest checkpoint of steps that `before` begins with.

    It holds all the names that the code after it needs, whose words `words_after(step)` gives: a plugin may have been edited.
    What is not signed with the key of `data`, or was changed since, is not even looked at.
    """
    places = {step: at for at, (step, _, _) in enumerate(before)}
    root = _root(folder)
    for step in sorted(
        filter(places.__contains__, stored(folder)), key=places.__getitem__, reverse=True
    ):
        found = _read(root / step, data)
        if (
            found
            and found.entries == list(before[: len(found.entries)])
            and not set(words_after(step)).intersection(found.meta["left_out"])
        ):
            return found
    return None


async def make(kernel: Kernel, folder: RunFolder, words: list[str], policy: Policy) -> Path | None:
    """Let the kernel store what it has computed, in a folder that is not a checkpoint yet; None if it cannot.

    `kernel.history` and `kernel.seconds` say what that is. The kernel is busy meanwhile.
    """
    assert kernel.history
    step = kernel.history[-1][0]
    worth = sum(kernel.seconds[kernel.restored :])
    draft = _draft(folder)
    kept = False
    seconds = worth if policy == "auto" else 3600.0
    try:
        report = await _ask(
            kernel, draft, f"store({str(draft)!r}, {words!r}, {seconds!r}, {LIMIT})"
        )
        if "lost" in report:
            note(folder, step, report["lost"], seconds)
        elif "dear" not in report and _small(folder.work):
            shutil.copytree(folder.work, draft / "work", symlinks=True)
            report["entries"], report["seconds"] = kernel.history, kernel.seconds
            report["sha256"] = _digest(draft / "state.pickle")
            (draft / "report.json").write_text(json.dumps(report), encoding="utf-8")
            kept = True
    except (KernelDied, OSError, ValueError) as problem:
        # The step itself is through, and saved
        note(folder, step, f"a value ({problem})", seconds)
    finally:
        if not kept:
            shutil.rmtree(draft, ignore_errors=True)
    return draft if kept else None


async def begin(kernel: Kernel, folder: RunFolder, words: list[str]) -> Path | None:
    """Let a copy of the kernel store what it has computed, while the kernel goes on; None where that is not to be had cheaply.

    Returns the draft, which `finish` makes a checkpoint of. The files of the run are copied before this returns.
    """
    if not await asyncio.to_thread(_small, folder.work, AT_ONCE, MOST_FILES):
        return None
    draft = await asyncio.to_thread(_draft, folder)
    call = f"store_aside({str(draft)!r}, {words!r}, {PATIENCE!r}, {LIMIT})"
    try:
        await kernel.run_without_output(f"__pipulate__.inside({_INSIDE!r}).{call}")
        await asyncio.to_thread(shutil.copytree, folder.work, draft / "work", symlinks=True)
        return draft
    except (KernelDied, OSError):
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
        return None


async def finish(
    draft: Path,
    entries: Sequence[Entry],
    seconds: Sequence[float],
    folder: RunFolder,
    data: Path,
    is_valid: Callable[[], bool],
) -> bool:
    """Wait until a draft is written; sign and keep it if `is_valid` then. Returns whether there is a checkpoint now.

    That it can be loaded is proved when it is needed.
    """
    step, spent = entries[-1][0], sum(seconds)
    try:
        deadline, pause = time.monotonic() + PATIENCE + 2, 0.02
        while not (draft / "report.json").exists():
            if time.monotonic() > deadline or not is_valid():
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.25)
        meta = json.loads((draft / "report.json").read_text(encoding="utf-8"))
        if "lost" in meta:
            note(folder, step, meta["lost"], spent)
        if "digests" not in meta:
            return False
        meta |= {"entries": entries, "seconds": seconds, "proved": False}
        meta["sha256"] = await asyncio.to_thread(_digest, draft / "state.pickle")
        meta["tree"] = await asyncio.to_thread(_tree, draft / "work")
        (draft / "report.json").unlink()
        _sign(draft, meta, data)
        if not is_valid():
            return False
        _place(draft, _root(folder) / step)
        (_root(folder) / f"{step}.json").unlink(missing_ok=True)
        return True
    except (OSError, ValueError):
        return False  # no room, or the run is gone
    finally:
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)


async def prove(draft: Path, kernel: Kernel, folder: RunFolder, data: Path, policy: Policy) -> bool:
    """Load a draft in another kernel; sign and keep it if all is as it was, and loading is not the dearer way.

    `kernel` is a fresh one, and of no use afterwards. Returns whether there is a checkpoint now.
    """
    root = _root(folder)
    try:
        meta = json.loads((draft / "report.json").read_text(encoding="utf-8"))
        step = meta["entries"][-1][0]
        scratch = draft / "scratch"
        shutil.copytree(draft / "work", scratch, symlinks=True)
        await kernel.open("", "<checkpoint>", "", scratch)
        started = time.monotonic()
        try:
            await _load(kernel, draft, meta)
            loading = time.monotonic() - started
            report = await _ask(kernel, draft, f"compare({str(draft)!r}, {meta!r})")
        except KernelDied as problem:
            loading, report = 0.0, {"lost": f"a value that cannot be loaded again ({problem})"}
        if report["lost"]:
            note(folder, step, report["lost"], sum(meta["seconds"]) if policy == "auto" else TOLD)
            return False
        if policy == "auto" and loading > sum(meta["seconds"]):
            return False
        meta["tree"] = _tree(draft / "work")
        meta["loading"], meta["proved"] = loading, True
        shutil.rmtree(scratch)
        (draft / "report.json").unlink()
        _sign(draft, meta, data)
        _place(draft, root / step)
        (root / f"{step}.json").unlink(missing_ok=True)
        thin_out(folder)
        return True
    except OSError:
        return False  # no room: the steps can be run again
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def note(folder: RunFolder, step: str, lost: str, seconds: float) -> None:
    """Keep in words what keeps a step from having a checkpoint, if running the steps again takes long enough to be told."""
    if seconds < TOLD:
        return
    _root(folder).mkdir(parents=True, exist_ok=True)
    (_root(folder) / f"{step}.json").write_text(json.dumps({"lost": lost}), encoding="utf-8")


def reason(folder: RunFolder, step_id: str) -> str:
    """Return in words what keeps a step from having a checkpoint; "" if nothing is known to."""
    with suppress(OSError, ValueError, KeyError):
        note = json.loads((_root(folder) / f"{step_id}.json").read_text(encoding="utf-8"))
        return str(note["lost"])
    return ""


def stored(folder: RunFolder) -> list[str]:
    """Return the steps after which there is a checkpoint, in no order."""
    root = _root(folder)
    if not root.is_dir():
        return []
    return [path.name for path in root.iterdir() if path.is_dir() and path.name[0] != "."]


def forget(folder: RunFolder, step_ids: Iterable[str], reasons: bool = True) -> None:
    """Delete the checkpoints of steps that run again, and `reasons` why there was none."""
    for step in step_ids:
        shutil.rmtree(_root(folder) / step, ignore_errors=True)
        if reasons:
            (_root(folder) / f"{step}.json").unlink(missing_ok=True)


# --- the kernel ---


async def _ask(kernel: Kernel, folder: Path, call: str) -> dict[str, Any]:
    await kernel.run_without_output(f"__pipulate__.inside({_INSIDE!r}).{call}")
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


async def _load(kernel: Kernel, folder: Path, meta: dict[str, Any]) -> None:
    buffers = meta.get("buffers", [])  # earlier versions kept all in the pickle
    call = f"load({str(folder)!r}, {meta['sha256']!r}, {meta['versions']!r}, {buffers!r})"
    await kernel.run_without_output(f"__pipulate__.inside({_INSIDE!r}).{call}")


# --- files ---


def _root(folder: RunFolder) -> Path:
    return folder.path / "checkpoints"


def _read(folder: Path, data: Path) -> Checkpoint | None:
    """Return a checkpoint if its signature and all its files are as they were signed."""
    try:
        signed = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        meta = signed["meta"]
        if not hmac.compare_digest(signed["signature"], _signature(meta, _key(data))):
            return None
        if (
            _digest(folder / "state.pickle") != meta["sha256"]
            or _tree(folder / "work") != meta["tree"]
        ):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Checkpoint(folder, meta)


def _key(data: Path) -> bytes:
    """Return the key of this data folder, made at the first need. Only its owner can read it."""
    return read_or_make_key(data.resolve() / "checkpoint.key").encode()


def _signature(meta: dict[str, Any], key: bytes) -> str:
    return hmac.new(key, json.dumps(meta, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def _sign(folder: Path, meta: dict[str, Any], data: Path) -> None:
    signed = json.dumps({"meta": meta, "signature": _signature(meta, _key(data))})
    part = folder / "meta.json.part"
    part.write_text(signed, encoding="utf-8")
    part.replace(folder / "meta.json")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(Path(at) / name for at, _, names in os.walk(folder) for name in names)


def _tree(folder: Path) -> str:
    """Return a digest of the names and contents of all files in a folder."""
    found = hashlib.sha256()
    for path in _files(folder):
        content = str(path.readlink()) if path.is_symlink() else _digest(path)
        found.update(json.dumps([str(path.relative_to(folder)), content]).encode())
    return found.hexdigest()


def _small(folder: Path, limit: int = LIMIT, most: int = 10**6) -> bool:
    paths = _files(folder)
    regular = all(path.is_file() or path.is_symlink() for path in paths)  # no socket, no pipe
    return regular and len(paths) <= most and _size(paths) <= limit


def _size(paths: Iterable[Path]) -> int:
    """Return the bytes of files; of one that several checkpoints share, its part."""
    return sum(seen.st_size // seen.st_nlink for seen in (path.lstat() for path in paths))


def _place(draft: Path, place: Path) -> None:
    if place.exists():
        old = place.with_name(f".{secrets.token_hex(8)}")
        place.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    draft.rename(place)


def thin_out(folder: RunFolder) -> None:
    """Keep the latest checkpoints, and of the others those that there is room for."""
    root, room = _root(folder), ROOM
    made = sorted(((root / step).stat().st_mtime, step) for step in stored(folder))
    for number, (_, step) in enumerate(reversed(made)):
        room -= _size(_files(root / step))
        if number >= KEEP and room < 0:
            shutil.rmtree(root / step, ignore_errors=True)


def _draft(folder: RunFolder) -> Path:
    """Make the folder of a new draft. Drafts that a killed server has left go."""
    from psutil import pid_exists

    root = _root(folder)
    draft = root / f".{os.getpid()}.{secrets.token_hex(8)}"
    for old in root.glob(".*"):
        with suppress(OSError, ValueError):
            if (
                not pid_exists(int(old.name.split(".")[1]))
                or time.time() - old.stat().st_mtime > OLD
            ):
                shutil.rmtree(old, ignore_errors=True)
    draft.mkdir(parents=True)
    return draft
