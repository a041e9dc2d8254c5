"""Ports notebooks whenever they are saved.

The system says when a file changes. Then contents are compared, not times: editors and git change times without changing anything, and network drives keep them badly.
A content is ported when it was there at two looks in a row, so that what is half written is not: exactly these bytes are, and what is saved while they are ported is the next content.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from transpiler.model import rules
from transpiler.model.diagnostics import Severity, UserError
from transpiler.model.options import Options
from transpiler.pipeline import Ported, port

SECONDS = 0.5  # Between two looks


@dataclass(frozen=True, slots=True)
class _Look:
    """What stands for a notebook, and what travels with its plugin, at one moment."""

    notebook: str  # The hash of its bytes
    files: Mapping[Path, tuple[int, int] | None] = field(default_factory=dict)
    """Time and size of the other files; None for one that is not there."""

    def knowing(self, files: Sequence[Path]) -> "_Look":
        """Return the same moment for other files. Of those that were not looked at then, it is how they are now."""
        now = _times_of(files)
        return _Look(self.notebook, {path: self.files.get(path, now[path]) for path in now})


@dataclass
class _Watched:
    """A notebook that is watched."""

    path: Path
    seen: _Look | None = None  # What was there at the last look
    ported: _Look | None = None
    """What was there when the last port began: what was saved since has still to be ported."""
    files: tuple[Path, ...] = ()  # What travels with its plugin: a change of these is one, too

    def look(self) -> tuple[_Look | None, bytes | None]:
        """Return what stands for the content now, and the notebook's bytes; None when there is none."""
        try:
            raw = self.path.read_bytes()
        except OSError:
            return None, None
        return _Look(hashlib.sha256(raw).hexdigest(), _times_of(self.files)), raw


def _times_of(files: Sequence[Path]) -> dict[Path, tuple[int, int] | None]:
    """Return time and size of files: hashes of them would be too much, twice a second."""
    found: dict[Path, tuple[int, int] | None] = dict.fromkeys(files)
    for path in files:
        with suppress(OSError):
            stat = path.stat()
            found[path] = (stat.st_mtime_ns, stat.st_size)
    return found


Tell = Callable[[str], None]
Wait = Callable[[Collection[Path], bool], bool]
"""Given the files to watch and whether their last contents are still to be ported, waits: until one of the files changes, or else until it is time
for the next look. Returns whether to stop."""


def watch(
    notebooks: Sequence[Path], output: Path, options: Options, tell: Tell, wait: Wait
) -> None:
    """Port each notebook now and whenever it changes, until `wait` says to stop; `tell` gets a line a change.

    What is wrong with a notebook is told, and it is ported again when it changes.
    """
    watched = [_Watched(path) for path in notebooks]
    for each in watched:
        each.seen, raw = each.look()
        _port(each, raw, output, options, tell)
    while not wait(
        {path for each in watched for path in (each.path, *each.files)},
        any(each.seen != each.ported for each in watched),
    ):
        for each in watched:
            before = each.seen
            each.seen, raw = each.look()
            if each.seen == before and each.seen != each.ported:
                _port(each, raw, output, options, tell)


class Changes:
    """Waits for changes of files with watchfiles: `WATCHFILES_FORCE_POLLING=1` makes it look, where a network drive reports nothing."""

    def __init__(self) -> None:
        """Nothing is watched yet."""
        self._folders: set[Path] = set()
        self._names: set[str] = set()
        self._rounds: Iterator[Collection[tuple[object, str]]] = iter(())

    def __call__(self, files: Collection[Path], again: bool) -> bool:
        """Wait as `Wait` says; never stops. Files may come and go, and their folders."""
        # A notebook may be a link: what is written is the file that it leads to
        paths = {path.absolute() for path in files} | {path.resolve() for path in files}
        self._names = {str(path) for path in paths}
        while True:
            folders = {path.parent for path in paths if path.parent.is_dir()}
            fresh = folders != self._folders
            if fresh:
                self._folders, self._rounds = folders, self._of(folders)
            changes = next(self._rounds)
            if {path for _, path in changes} & {str(folder) for folder in folders}:
                self._folders = set()  # deleted or moved: the one of that name is another
            if changes or fresh or again:
                return False

    def _of(self, folders: Collection[Path]) -> Iterator[Collection[tuple[object, str]]]:
        """The changes of these folders' files: each time that some are there, and every `SECONDS`."""
        from watchfiles import watch as changes

        known = {str(folder) for folder in folders}
        return changes(
            *folders,
            watch_filter=lambda _, path: path in self._names or path in known,
            debounce=int(SECONDS * 1000),
            rust_timeout=int(SECONDS * 1000),
            yield_on_timeout=True,
            recursive=False,
        )


def _port(each: _Watched, raw: bytes | None, output: Path, options: Options, tell: Tell) -> None:
    """Port a notebook as it was at the last look, with these bytes, and tell what came of it."""
    began = each.ported = each.seen
    try:
        ported = port(each.path, output, options, raw=raw)
    except UserError as error:
        found = error.diagnostic
        if found.rule in _PASSING:
            each.ported = None  # the next look tries again
        line = f"{each.path.name}: {found.rule.code} {found.message}"
    else:
        if ported.plan is not None and began is not None:
            each.files = tuple(each.path.parent / name for name in ported.plan.files)
            each.seen = each.ported = began.knowing(each.files)
        line = line_of(ported)
    tell(f"{datetime.now():%H:%M:%S}  {line}")


_PASSING = (rules.FOLDER_BUSY, rules.CHANGED_MEANWHILE)
"""Why a port was refused that will work in a moment, though the notebook is the same."""


def line_of(ported: Ported) -> str:
    """Return what a port did, in one line."""
    name, result = ported.notebook.name, ported.regenerated
    worst = next((d for d in ported.found if d.rule.severity is Severity.ERROR), None)
    if worst:
        span = worst.span
        where = f" (cell {span.cell}, line {span.line})" if span.cell >= 0 else ""
        return f"{name} was not ported: {worst.rule.code} {worst.message}{where}"
    if ported.plugin is None:
        return f"{name} was not ported: it cannot be ported"
    if not ported.changed:
        text = f"{name}: {ported.plugin} is up to date"
    elif ported.before is None:
        steps = len(ported.plan.steps) if ported.plan else 0
        text = f"{name} → {ported.plugin}: new, {steps} step{'s' * (steps != 1)}"
    else:
        rows = [r for r in (result.rows if result else ()) if r.what not in _QUIET]
        told = ", ".join(f"{row.subject} {row.what}" for row in rows)
        text = f"{name} → {ported.plugin}: {told or 'written'}"
    if result is not None and result.open:
        text += f"; {result.open} conflict{'s' * (result.open != 1)} open"
    return text


_QUIET = {"unchanged", "kept", "yours", "deleted by you"}
