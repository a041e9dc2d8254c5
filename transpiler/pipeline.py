"""The compiler at a glance: bytes to files, one pass after the other."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from transpiler import codes
from transpiler.diagnostics import WHOLE, Found, Severity, UserError
from transpiler.ir import Analysis, Known, Plan
from transpiler.options import Asked, Options
from transpiler.passes import target
from transpiler.passes import write as disk
from transpiler.passes.paths import sha
from transpiler.passes.ported import FILE as CELLS
from transpiler.passes.ported import ported_from, read_ported
from transpiler.passes.regenerated import REFUSED, Regenerated, regenerate
from transpiler.passes.stamp import Before, options_before, stamp_of, unchanged
from transpiler.passes.upgraded import Emitted
from transpiler.resources import templates_folder

if TYPE_CHECKING:
    from transpiler.passes.chosen import Choice


@dataclass(frozen=True, slots=True)
class Ported:
    """What a port did. `plan` is None when the notebook was unchanged and nothing had to be looked at."""

    notebook: Path
    plugin: Path | None
    plan: Plan | None
    found: Found
    changed: bool
    """Whether the plugin is another one now, or would be if this were not a dry run."""
    regenerated: Regenerated | None = None
    """How the plugin came about; None when nothing had to be looked at."""
    before: bytes | None = None
    """The plugin as it was; None for a new one."""
    backup: bool = False
    """Whether the plugin as it was is kept."""

    @property
    def failed(self) -> bool:
        """Whether a diagnostic of severity error stopped the port."""
        return any(d.rule.severity is Severity.ERROR for d in self.found)


@dataclass(frozen=True, slots=True)
class Planned:
    """What is known of a plugin before it is written. `plan` is None when the notebook cannot be used."""

    plan: Plan | None
    found: Found
    moved: Mapping[str, str]
    """The lines of each cell's function, by its name."""
    analysis: Analysis | None = None


def planned(
    raw: bytes,
    path: Path,
    options: Options,
    kept: tuple[str, ...] = (),
    known: Mapping[str, Known] | None = None,
) -> Planned:
    """Return the plan of a notebook's plugin. Writes nothing.

    `raw` is the notebook's bytes; `path` is where it stands, to find the files that it reads. `kept` are the fields that were
    chosen at the last port, for when the options say nothing of fields; `known` is what that port has left of the steps of a
    plugin, by the plugin's name. Raises UserError PP407 for a field that cannot be.
    """
    from transpiler.passes.read import read
    from transpiler.passes.splicing import splicing

    notebook, found = read(raw, path.name)
    if notebook is None:
        return Planned(None, found, {})
    with splicing(len(notebook.cells), meanwhile=_load_templates) as splice:
        from transpiler.passes.analyse import analyse
        from transpiler.passes.annotate import annotate
        from transpiler.passes.bundle import bundle
        from transpiler.passes.plan import plan

        annotated, of_annotate = annotate(notebook)
        analysis, of_analyse = analyse(annotated)
        of_chosen: Found = ()
        if options.fields or (options.fields is None and kept):
            from transpiler.passes.chosen import chosen

            choice = chosen(analysis, options.fields or kept)
            of_chosen = _about_unknown(choice, options)
            options = replace(options, fields=choice.names)
            annotated, of_annotate = annotate(notebook, choice.asks)
            analysis, of_analyse = analyse(annotated)
        files, of_bundle = bundle(analysis, path.parent)
        result, of_plan = plan(analysis, options, files, known=known)
        moved, refused = splice(result)
        if refused:
            result, of_plan = plan(analysis, options, files, refused, known)
            moved, _ = splice(result)
    everything = found + of_annotate + of_analyse + of_chosen + of_bundle + of_plan
    return Planned(result, tuple(sorted(everything, key=lambda d: d.order)), moved, analysis)


def _about_unknown(choice: "Choice", options: Options) -> Found:
    """What to say of names that cannot be fields: now asked for, a refusal; chosen at an earlier port, a warning."""
    for name, reason in choice.unknown.items():
        if options.fields is not None:
            raise UserError(codes.BAD_OPTION, option="--fields", value=name, reason=reason)
    names = ",".join((*choice.names, "NAME"))
    return tuple(
        codes.CHOSEN_GONE.at(WHOLE, name=name, reason=reason, names=names)
        for name, reason in choice.unknown.items()
    )


def port(
    path: Path,
    out: Path,
    options: Options,
    asked: Asked | None = None,
    known_as: Path | None = None,
    anew: bool = False,
    raw: bytes | None = None,
) -> Ported:
    """Port a notebook to a plugin in a folder; into one that is there its changes are merged.

    `known_as` is the path under which the plugin knows the notebook, where `path` is a copy. `anew`: look at everything even
    where nothing has changed since the last port. `raw`: the notebook's bytes, as they were read already or, for a dry run, as they would be.
    Raises UserError when the notebook cannot be read (exit 2), or the plugin not be written safely (exit 3); an
    InternalError or anything else that escapes is a bug of ours. In all these cases nothing has been written.
    """
    raw = read_bytes(path) if raw is None else raw
    known = known_as or path
    options, kept = as_before(options, options_before(known, out))
    fingerprint = _fingerprint(options, kept)
    quick = not anew and asked in (None, Asked(), Asked(dry=True))
    if quick and (plugin := unchanged(known, raw, out, fingerprint)):
        return Ported(path, plugin, None, (), changed=False)
    asked = asked or Asked()
    there = disk.ported_from(known, out)
    if not there and (there := disk.renamed_from(known, raw, out)):
        options, kept = as_before(options, there[0].lock.chosen)
    made = planned(raw, path, options, kept, target.known_steps(there))
    plan, found = made.plan, made.found
    if plan is None or any(d.rule.severity is Severity.ERROR for d in found):
        return Ported(path, None, plan, found, changed=False)

    from transpiler.passes.emit import emit

    where = target.place(plan, known, out, options.number, there)
    text = emit(plan, made.moved, where.port_id, where.notebook)
    again = _emitted_again(where, path, options)
    result, of_merge = regenerate(
        str(where.path), where.raw, where.base, where.lock, Emitted(text, plan.moves), asked, again
    )
    changed = where.raw != result.content
    of_write: Found = ()
    if not asked.dry:
        fingerprint = _fingerprint(options, plan.chosen)
        stamp = ""
        if known == path and not (result.open or result.undefined):
            stamp = stamp_of(plan, result.content, where.path, path, raw, fingerprint)
        papers = {
            CELLS: ported_from(raw, text, compiler_digest(), options.by, plan.chosen),
            # The last of all: with it a port says that it has come to its end.
            "unchanged.stamp": stamp,
        }
        changed, of_write = disk.write(plan, result, where, path, raw, papers)
    backup = changed and where.raw is not None and not asked.dry
    everything = found + _of_place(where, there) + of_merge + of_write
    return Ported(path, where.path, plan, everything, changed, result, where.raw, backup)


def as_before(options: Options, before: Before) -> tuple[Options, tuple[str, ...]]:
    """Return what a port is asked for, where it does not say otherwise as the last one was; and the fields that are chosen."""
    fields = before.fields if options.fields is None else options.fields
    return replace(options, by=options.by or before.by), fields


def _of_place(where: target.Place, there: list[target.Place]) -> Found:
    """What to say of a new plugin when the notebook has one already, of another name."""
    if where.raw is not None:
        return ()
    return tuple(
        codes.SECOND_PLUGIN.at(WHOLE, old=str(old.path), path=str(where.path), name=old.app_name)
        for old in there
    )


def _emitted_again(where: target.Place, path: Path, options: Options) -> Emitted | None:
    """What the compiler makes of the notebook as it was ported last; None when that was this very compiler."""
    from transpiler.passes.emit import emit

    digest = compiler_digest()
    before = read_ported(where.home / CELLS, where.lock.base_sha, digest) if where.raw else None
    if before is None:
        return None
    options = replace(options, by=before.by, fields=None)
    made = planned(before.raw, path, options, before.fields, target.known_steps([where]))
    if made.plan is None or any(d.rule.severity is Severity.ERROR for d in made.found):
        return None  # the newer compiler refuses them: its changes come with the notebook's
    return Emitted(emit(made.plan, made.moved, where.port_id, where.notebook), made.plan.moves)


def undo(path: Path, out: Path, yes: bool) -> Path:
    """Bring back the plugin of a notebook as it was before the last port changed it; return its path.

    What `--to-notebook` did goes back together: the notebook as it was, too, unless it was saved since.

    Raises UserError: when there is no plugin or no backup, or nobody can say which plugin (exit 2), and when the plugin was
    edited since and that is not to be dropped (exit 3).
    """
    where = _to_undo(path, disk.ported_from(path, out))
    backup = disk.latest_backup(where)
    if backup is None or where.raw is None:
        raise UserError(codes.NO_BACKUP, path=str(where.path))
    edited = sha(where.raw) != where.lock.written_sha
    kept = disk.notebook_backup(where.home, int(backup.name[:4]))
    before = kept.read_bytes() if kept.is_file() else None
    now = read_bytes(path) if before is not None else b""
    saved = before is not None and sha(now) != where.lock.notebook_sha
    if saved and not yes:
        raise UserError(codes.CHANGED_MEANWHILE, REFUSED, path=str(path))
    if edited and not yes:
        raise UserError(
            codes.EDITED_BY_HAND, REFUSED, path=str(where.path), option="--undo",
            edits="it is not as the last port left it",
        )  # fmt: skip
    disk.undo(where, backup, keep=edited)
    if before is not None and not saved:
        disk.replace_notebook(path, now, before)
    return where.path


def _to_undo(path: Path, there: list[target.Place]) -> target.Place:
    """Return the plugin whose port is undone: of several, the one that the notebook would be ported to now.

    Raises UserError (exit 2): PP429 when there is none, PP438 when none of several is the one, PP401 for an unreadable notebook.
    """
    if not there:
        raise UserError(codes.NO_BACKUP, path=str(path))
    if len(there) == 1:
        return there[0]
    plan = planned(read_bytes(path), path, Options()).plan
    for where in there:
        if plan is not None and where.app_name == plan.app_name:
            return where
    reason = f"its name is {plan.app_name} now" if plan else "it cannot be read"
    names = ", ".join(where.path.name for where in there)
    raise UserError(
        codes.WHICH_PLUGIN, path=str(path), names=names, reason=reason, name=there[0].app_name
    )


def _load_templates() -> None:
    """What `emit` will need, loaded while other processes are busy."""
    from transpiler.passes.emit import prepare

    prepare()


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes. Raises UserError (exit 2) with the reason in words."""
    try:
        return path.read_bytes()
    except IsADirectoryError as error:
        raise UserError(
            codes.NOTEBOOK_UNREADABLE, path=str(path), reason="it is a folder"
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(codes.NOTEBOOK_UNREADABLE, path=str(path), reason=reason) from error


def _fingerprint(options: Options, fields: tuple[str, ...]) -> str:
    """Return a hash of the options and of the compiler itself, so that a newer one never trusts an old stamp.

    `fields` are the chosen ones as the lock has them: a port that repeats the choice finds its stamp, `auto` looks anew.
    """
    options = replace(options, fields=fields)
    total = hashlib.sha256(repr(sorted(asdict(options).items())).encode())
    return hashlib.sha256(total.digest() + compiler_digest().encode()).hexdigest()[:16]


@cache
def compiler_digest() -> str:
    """Return a hash of the compiler: its modules and templates."""
    total = hashlib.sha256()
    here = Path(__file__).parent
    for folder, pattern in (
        (here, "*.py"),
        (here / "passes", "*.py"),
        (here / "merge", "*.py"),
        (templates_folder(), "**/*.j2"),
    ):
        for file in sorted(folder.glob(pattern)):
            total.update(file.read_bytes())
    return total.hexdigest()[:16]
