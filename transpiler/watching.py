"""Ports notebooks whenever they are saved.

Contents are compared, not times: editors and git change times without changing anything, and network drives keep them badly.
A content is ported when it was there at two looks in a row, so that what is half written is not: exactly these bytes are, and what is saved while they are ported is the next content.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from transpiler import codes
from transpiler.diagnostics import Severity, UserError
from transpiler.options import Options
from transpiler.pipeline import Ported, port

SECONDS = 0.5
"""Between two looks."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What stands for a notebook, and what travels with its plugin, at one moment."""

    notebook: str
    """The hash of its bytes."""
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
    seen: _Look | None = None
    """What was there at the last look."""
    ported: _Look | None = None
    """What was there when the last port began: what was saved since has still to be ported."""
    files: tuple[Path, ...] = ()
    """What travels with its plugin: a change of these is one, too."""

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


def watch(
    notebooks: Sequence[Path],
    output: Path,
    options: Options,
    tell: Callable[[str], None],
    wait: Callable[[float], bool],
) -> None:
    """Port each notebook now and whenever it changes, until `wait` says so; `tell` gets a line a change.

    `wait` waits for so many seconds and returns whether to stop: `threading.Event().wait`. What is wrong with a notebook is
    told, and it is ported again when it changes.
    """
    watched = [_Watched(path) for path in notebooks]
    for each in watched:
        each.seen, raw = each.look()
        _port(each, raw, output, options, tell)
    while not wait(SECONDS):
        for each in watched:
            before = each.seen
            each.seen, raw = each.look()
            if each.seen == before and each.seen != each.ported:
                _port(each, raw, output, options, tell)


def _port(
    each: _Watched, raw: bytes | None, output: Path, options: Options, tell: Callable[[str], None]
) -> None:
    """Port a notebook as it was at the last look, with these bytes, and tell what came of it."""
    began = each.ported = each.seen
    try:
        ported = port(each.path, output, options, raw=raw)
    except UserError as error:
        if error.diagnostic.rule in _PASSING:
            each.ported = None  # the next look tries again
        tell(
            _at_this_time(
                f"{each.path.name}: {error.diagnostic.rule.code} {error.diagnostic.message}"
            )
        )
        return
    if ported.plan is not None and began is not None:
        each.files = tuple(each.path.parent / name for name in ported.plan.files)
        each.seen = each.ported = began.knowing(each.files)
    tell(_at_this_time(line_of(ported)))


_PASSING = (codes.FOLDER_BUSY, codes.CHANGED_MEANWHILE)
"""Why a port was refused that will work in a moment, though the notebook is the same."""


def _at_this_time(line: str) -> str:
    return f"{datetime.now():%H:%M:%S}  {line}"


def line_of(ported: Ported) -> str:
    """Return what a port did, in one line."""
    name, result = ported.notebook.name, ported.regenerated
    worst = [d for d in ported.found if d.rule.severity is Severity.ERROR]
    if worst or ported.plugin is None:
        said = f"{worst[0].rule.code} {worst[0].message}" if worst else "it cannot be ported"
        where = (
            f" (cell {worst[0].span.cell}, line {worst[0].span.line})"
            if worst and worst[0].span.cell >= 0
            else ""
        )
        return f"{name} was not ported: {said}{where}"
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
