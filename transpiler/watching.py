"""Ports notebooks whenever they are saved.

Contents are compared, not times: editors and git change times without changing anything, and network drives keep them badly.
A content is ported when it was there at two looks in a row, so that what is half written is not.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from transpiler.diagnostics import Severity, UserError
from transpiler.options import Options
from transpiler.pipeline import Ported, port

SECONDS = 0.5
"""Between two looks."""


@dataclass
class _Watched:
    """A notebook that is watched."""

    path: Path
    seen: str | None = None
    """What was there at the last look."""
    ported: str | None = None
    """What was ported last."""
    files: tuple[Path, ...] = field(default_factory=tuple)
    """What travels with its plugin: a change of these is one, too."""

    def look(self) -> str | None:
        """Return what stands for the content now; None when there is none. Of the other files time and size must do."""
        try:
            total = hashlib.sha256(self.path.read_bytes())
        except OSError:
            return None
        for path in self.files:
            try:
                found = path.stat()
                total.update(f"{path} {found.st_mtime_ns} {found.st_size}\n".encode())
            except OSError:
                total.update(f"{path}\n".encode())
        return total.hexdigest()


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
        each.seen = each.look()
        _port(each, output, options, tell)
    while not wait(SECONDS):
        for each in watched:
            now, before = each.look(), each.seen
            each.seen = now
            if now == before and now != each.ported:
                _port(each, output, options, tell)


def _port(each: _Watched, output: Path, options: Options, tell: Callable[[str], None]) -> None:
    """Port a notebook and tell what came of it."""
    each.ported = each.seen
    try:
        ported = port(each.path, output, options)
    except UserError as error:
        tell(
            _at_this_time(
                f"{each.path.name}: {error.diagnostic.rule.code} {error.diagnostic.message}"
            )
        )
        return
    if ported.plan is not None:
        each.files = tuple(each.path.parent / name for name in ported.plan.files)
        each.seen = each.ported = each.look()
    tell(_at_this_time(line_of(ported)))


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
