"""The compiler at a glance: bytes to files, one pass after the other.

    bytes -read-> Notebook -annotate-> Annotated -analyse-> Analysis -bundle-> files -plan-> Plan      `planned`
    -emit-> text -regenerate-> the plugin with its hand edits -write-> disk                            `port`

`port` first asks whether anything has changed; what comes after that question is imported after it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from transpiler.model import rules
from transpiler.model.diagnostics import WHOLE, Found, Severity, UserError
from transpiler.model.options import Asked, Options
from transpiler.model.resources import templates_folder
from transpiler.plugin_folder.files import read_bytes as read_bytes
from transpiler.plugin_folder.last_port import remembered, unchanged, with_remembered

if TYPE_CHECKING:
    from transpiler.fields.options import Ask
    from transpiler.model.ir import Analysis, KnownSteps, Notebook, Plan
    from transpiler.passes.regenerate import Emitted, Regenerated
    from transpiler.plugin_folder.place import Place
    from transpiler.plugin_folder.plugin_folder import PluginFolder


@dataclass(frozen=True, slots=True)
class Ported:
    """What a port did. `plan` is None when the notebook was unchanged and nothing had to be looked at."""

    notebook: Path
    plugin: Path | None
    plan: "Plan | None"
    found: Found
    changed: bool
    """Whether the plugin is another one now, or would be if this were not a dry run."""
    regenerated: "Regenerated | None" = None
    """How the plugin came about; None when nothing had to be looked at."""
    before: bytes | None = None
    """The plugin as it was; None for a new one."""
    backup: bool = False
    """Whether the plugin as it was is kept."""
    read: "Notebook | None" = None
    """The notebook as it was read; None when it was not, or cannot be."""

    @property
    def failed(self) -> bool:
        """Whether a diagnostic of severity error stopped the port."""
        return _failed(self.found)


@dataclass(frozen=True, slots=True)
class Planned:
    """What is known of a plugin before it is written. `plan` is None when the notebook cannot be used."""

    plan: "Plan | None"
    found: Found
    moved: Mapping[str, str]
    """The lines of each cell's function, by its name."""
    analysis: "Analysis | None" = None
    read: "Notebook | None" = None


def planned(
    raw: bytes,
    path: Path,
    options: Options,
    kept: tuple[str, ...] = (),
    known: "Mapping[str, KnownSteps] | None" = None,
) -> Planned:
    """Return the plan of a notebook's plugin. Writes nothing.

    `raw` is the notebook's bytes; `path` is where it stands, to find the files that it reads. `kept` are the fields that were
    chosen at the last port, for when the options say nothing of fields; `known` is what that port has left of the steps of a
    plugin, by the plugin's name. Raises UserError PP407 for a field that cannot be.
    """
    from transpiler.passes.analyse import analyse
    from transpiler.passes.annotate import annotate
    from transpiler.passes.bundle import bundle
    from transpiler.passes.read import read

    notebook, of_read = read(raw, path.name)
    if notebook is None:
        return Planned(None, of_read, {})
    options, asks, of_chosen = _chosen(notebook, options, kept)
    annotated, of_annotate = annotate(notebook, asks)
    analysis, of_analyse = analyse(annotated)
    files, of_bundle = bundle(analysis, path.parent)
    plan, moved, of_plan = _plan(analysis, options, files, known)
    found = of_read + of_annotate + of_analyse + of_chosen + of_bundle + of_plan
    in_order = tuple(sorted(found, key=lambda d: d.order))
    return Planned(plan, in_order, moved, analysis, notebook)


def _chosen(
    notebook: "Notebook", options: Options, kept: tuple[str, ...]
) -> "tuple[Options, Mapping[int, tuple[Ask, ...]], Found]":
    """Return what `--fields` makes fields of, by the cell, and the options with these names."""
    if not (options.fields or (options.fields is None and kept)):
        return options, {}, ()
    from transpiler.passes.analyse import analyse
    from transpiler.passes.annotate import annotate
    from transpiler.suggest.select import select_inputs

    choice = select_inputs(analyse(annotate(notebook)[0])[0], options.fields or kept)
    found = []
    for name, reason in choice.unknown.items():
        if options.fields is not None:
            raise UserError(rules.BAD_OPTION, option="--fields", value=name, reason=reason)
        names = ",".join((*choice.names, "NAME"))
        found.append(rules.CHOSEN_GONE.at(WHOLE, name=name, reason=reason, names=names))
    return replace(options, fields=choice.names), choice.asks, tuple(found)


def _plan(
    analysis: "Analysis",
    options: Options,
    files: tuple[str, ...],
    known: "Mapping[str, KnownSteps] | None",
) -> "tuple[Plan, Mapping[str, str], Found]":
    """Return the plan, with the cells that cannot be functions as texts, and the lines of each cell."""
    from transpiler.passes.plan import plan
    from transpiler.splicing.splice import splice

    result, found = plan(analysis, options, files, known=known)
    moved, refused = splice(result)
    if refused:
        result, found = plan(analysis, options, files, refused, known)
        moved, _ = splice(result)
    return result, moved, found


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
    asked = asked or Asked()
    known = known_as or path
    options, kept = with_remembered(options, remembered(known, out))
    quick = not anew and asked in (Asked(), Asked(dry=True))
    if quick and (plugin := unchanged(known, raw, out, _fingerprint(options, kept))):
        return Ported(path, plugin, None, (), changed=False)

    from transpiler.passes.emit import emit
    from transpiler.passes.regenerate import Emitted, regenerate
    from transpiler.passes.write import write
    from transpiler.plugin_folder.place import known_steps, place
    from transpiler.plugin_folder.plugin_folder import PluginFolder

    folder = PluginFolder.open(out, known, raw)
    if folder.renamed:
        options, kept = with_remembered(options, folder.plugins[0].lock.chosen)
    made = planned(raw, path, options, kept, known_steps(folder.plugins))
    plan = made.plan
    if plan is None or _failed(made.found):
        return Ported(path, None, plan, made.found, changed=False, read=made.read)
    where = place(plan, known, out, options.number, folder.plugins)
    now = Emitted(emit(plan, made.moved, where.port_id, where.notebook), plan.moves)
    again = _emitted_again(where, path, options)
    result, of_merge = regenerate(where, now, asked, again)
    of_write: Found = ()
    if not asked.dry:
        fingerprint = _fingerprint(options, plan.chosen)
        of_write = write(folder, where, plan, result, path, raw, compiler_digest(), fingerprint)
    changed = where.raw != result.content
    found = made.found + _of_place(where, folder) + of_merge + of_write
    backup = changed and where.raw is not None and not asked.dry
    return Ported(path, where.path, plan, found, changed, result, where.raw, backup, made.read)


def _failed(found: Found) -> bool:
    return any(d.rule.severity is Severity.ERROR for d in found)


def _of_place(where: "Place", folder: "PluginFolder") -> Found:
    """What to say of a new plugin when the notebook has one already, of another name."""
    if where.raw is not None:
        return ()
    return tuple(
        rules.SECOND_PLUGIN.at(WHOLE, old=str(old.path), path=str(where.path), name=old.app_name)
        for old in folder.plugins
    )


def _emitted_again(where: "Place", path: Path, options: Options) -> "Emitted | None":
    """What the compiler makes of the notebook as it was ported last; None when that was this very compiler."""
    from transpiler.passes.emit import emit
    from transpiler.passes.regenerate import Emitted
    from transpiler.plugin_folder.place import known_steps

    before = where.ported_by_another(compiler_digest())
    if before is None:
        return None
    options = replace(options, by=before.by, fields=None)
    made = planned(before.raw, path, options, before.fields, known_steps([where]))
    if made.plan is None or _failed(made.found):
        return None  # the newer compiler refuses them: its changes come with the notebook's
    return Emitted(emit(made.plan, made.moved, where.port_id, where.notebook), made.plan.moves)


def undo(path: Path, out: Path, yes: bool) -> Path:
    """Bring back the plugin of a notebook as it was before the last port changed it; return its path.

    Raises UserError: when there is no plugin or no backup, or nobody can say which plugin (exit 2), and when the plugin was
    edited since and that is not to be dropped (exit 3).
    """
    from transpiler.plugin_folder.plugin_folder import PluginFolder

    folder = PluginFolder.open(out, path)
    where = _to_undo(path, folder.plugins)
    folder.undo(where, path, yes)
    return where.path


def _to_undo(path: Path, there: "tuple[Place, ...]") -> "Place":
    """Return the plugin whose port is undone: of several, the one that the notebook would be ported to now.

    Raises UserError (exit 2): PP429 when there is none, PP438 when none of several is the one, PP401 for an unreadable notebook.
    """
    if not there:
        raise UserError(rules.NO_BACKUP, path=str(path))
    if len(there) == 1:
        return there[0]
    plan = planned(read_bytes(path), path, Options()).plan
    for where in there:
        if plan is not None and where.app_name == plan.app_name:
            return where
    reason = f"its name is {plan.app_name} now" if plan else "it cannot be read"
    names = ", ".join(where.path.name for where in there)
    raise UserError(
        rules.WHICH_PLUGIN, path=str(path), names=names, reason=reason, name=there[0].app_name
    )


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
    for folder, pattern in ((here, "*.py"), (templates_folder(), "*.j2")):
        for file in sorted(folder.rglob(pattern)):
            total.update(file.read_bytes())
    return total.hexdigest()[:16]
