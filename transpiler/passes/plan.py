"""Decides everything about the plugin: which cells make which step, titles, fields, names. Analysis in, Plan out.

One code cell is one step. Cells that only import, define or set options run with the step after them; `join: true` runs
a cell with the step before it; `by="heading"` makes one step of a section. Templates decide nothing.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from transpiler.fields.vocabulary import RESERVED_FIELDS
from transpiler.merge.match_cells import Now
from transpiler.model import names
from transpiler.model import rules as codes
from transpiler.model.diagnostics import WHOLE, Diagnostic, Found, Span
from transpiler.model.ir import (
    JSON,
    AnalysedCode,
    Analysis,
    Edit,
    KnownSteps,
    Plan,
    PlannedCell,
    PlannedField,
    PlannedStep,
    Text,
)
from transpiler.model.options import Options
from transpiler.planning import titles
from transpiler.planning.fields import as_value, planned_field
from transpiler.planning.ids import Identity, Wanted, assign_ids
from transpiler.planning.imports import needed_helpers, plugin_imports
from transpiler.planning.prefill import suggestions, with_known_parts
from transpiler.planning.titles import first_words, training_prompt
from transpiler.python.positions import apply

NAMES_IN = "in: from the cells before"
NAMES_CHANGED = "in and out: changed here"
NAMES_OUT = "out: for the cells after"
NAMES_KEPT = "stays in the notebook's namespace"
NAMES_GIVEN = "given by IPython"


@dataclass
class Draft:
    """A step while it is put together."""

    title: str | None
    texts: list[str] = field(default_factory=list)
    setup: list[AnalysedCode] = field(default_factory=list)
    codes: list[AnalysedCode] = field(default_factory=list)
    section: str | None = None
    """The heading it stands below, further up."""

    @property
    def pin(self) -> str | None:
        """The id the owner asked for."""
        return next((c.code.options.pin for c in self.codes if c.code.options.pin), None)


def plan(
    analysis: Analysis,
    options: Options,
    files: tuple[str, ...] = (),
    immovable: Mapping[str, str] | None = None,
    known: Mapping[str, KnownSteps] | None = None,
) -> tuple[Plan, Found]:
    """Return the plan of the plugin and what was found on the way.

    `files` are the paths of `analysis.files`, and of local modules, that exist beside the notebook. `immovable` are the
    cells that an earlier plan had as functions and that could not be moved into one: cell id -> reason. `known` is what an
    earlier port left, by the plugin's name: its steps keep their ids, their `done` keys and the names of their functions.
    """
    notebook = analysis.annotated.notebook
    found: list[Diagnostic] = []
    if immovable:
        analysis = _kept_as_text(analysis, immovable, found)
    app_name = names.slug(
        str(notebook.options.get("app_name") or notebook.name.removesuffix(".ipynb"))
    )
    if app_name in names.SERVER_ROUTES:
        found.append(codes.RESERVED_APP_NAME.at(WHOLE, name=app_name))
    parameter = _free_name("form", analysis)
    by_heading = (options.by or notebook.options.get("by")) == "heading"
    drafts, intro, closing = _drafts(analysis, by_heading, found)
    named = titles.distinct_titles([(d.title, d.section, d.codes) for d in drafts])
    for number, (draft, title) in enumerate(zip(drafts, named, strict=True)):
        draft.title = title
        both = with_known_parts([*draft.setup, *draft.codes], number == 0, found)
        draft.setup, draft.codes = both[: len(draft.setup)], both[len(draft.setup) :]
    _check_pins(drafts, found)
    names_of = assign_ids(
        [Wanted(d.pin, _now(d.setup), _now(d.codes)) for d in drafts], (known or {}).get(app_name)
    )
    steps = tuple(
        _step(identity, draft, analysis, parameter, found)
        for identity, draft in zip(names_of.steps, drafts, strict=True)
    )
    if not steps:
        found.append(codes.NOTHING_TO_RUN.at(WHOLE, name=notebook.name))
    description = str(notebook.options.get("description") or first_words(intro))
    roles = notebook.options.get("roles") or ["Core"]
    title = analysis.annotated.title
    description = description or f"Begins with: {steps[0].title if steps else title}."
    prompt = training_prompt(title, intro, steps, closing)
    look = _look(notebook.options, f"{app_name}.files", files)
    helpers = needed_helpers(steps)
    texts = [description, prompt, closing, *dict(look).values(), *(step.text for step in steps)]
    return (
        Plan(
            app_name=app_name,
            class_name=names.class_name(app_name),
            title=title,
            description=description,
            training_prompt=prompt,
            look=look,
            roles=tuple(map(str, roles if isinstance(roles, list) else [roles])),
            imports=plugin_imports(steps, helpers, texts),
            notebook=notebook.name,
            parameter=parameter,
            steps=steps,
            helpers=helpers,
            closing=closing,
            files=files,
            requirements=analysis.requirements,
            chosen=options.fields or (),
            by=options.by,
            moves=names_of.moves,
        ),
        tuple(found),
    )


def _look(
    options: Mapping[str, JSON], folder: str, files: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return what the notebook's metadata gives all pages, as constants; `folder` is where the plugin's `files` stand."""
    given = {
        key.upper(): str(options.get(key, "")) for key in ("accent", "logo", "intro", "contact")
    }
    logo = posixpath.normpath(given["LOGO"])
    given["LOGO"] = f"{folder}/{logo}" if logo in files else ""
    return tuple((name, value) for name, value in given.items() if value)


def _kept_as_text(
    analysis: Analysis, reasons: Mapping[str, str], found: list[Diagnostic]
) -> Analysis:
    """Return the analysis with some cells not to be functions."""
    items: list[Text | AnalysedCode] = []
    for item in analysis.items:
        if isinstance(item, AnalysedCode) and (reason := reasons.get(item.code.cell.id)):
            found.append(codes.NOT_MOVABLE.at(_whole(item), reason=reason))
            item = replace(item, text_reason=reason, edits=())
        items.append(item)
    return replace(analysis, items=tuple(items))


# --- cells to steps -----------------------------------------------------------------------------------------------


def _drafts(
    analysis: Analysis, by_heading: bool, found: list[Diagnostic]
) -> tuple[list[Draft], str, str]:
    """Group the cells; return the drafts, the text that introduces the app, the text that ends it."""
    drafts: list[Draft] = []
    texts: list[str] = []
    setup: list[AnalysedCode] = []
    intro = ""
    title: str | None = None
    fresh = False  # whether a heading stands between the last step and here
    place = 0  # where among the texts it stands
    app_title_seen = False
    for item in analysis.items:
        if isinstance(item, Text):
            for heading, text in item.parts:
                is_app_title = heading is not None and heading.level == 1 and not app_title_seen
                if is_app_title and not drafts and not setup:
                    app_title_seen = True
                    intro = text
                    continue
                if heading is not None:
                    # A heading without cells of its own is part of the next card's text.
                    if fresh and title:
                        texts.insert(place, _bold(title))
                    title, fresh, place = heading.title, True, len(texts)
                    app_title_seen = True
                if text:
                    texts.append(text)
            continue
        code = item.code
        if code.text:
            texts.append(code.text)
        if item.setup and not code.fields and not code.options.step:
            setup.append(item)
            continue
        if code.options.join and not drafts:
            found.append(codes.NOTHING_TO_JOIN.at(_whole(item)))
        section_goes_on = by_heading and not fresh and code.options.step is None
        if drafts and (code.options.join or section_goes_on):
            if fresh and title:
                texts.insert(place, _bold(title))
            drafts[-1].codes += [*setup, item]
            drafts[-1].texts += texts
        else:
            if fresh and title and not all(map(_is_bold, texts[:place])):
                texts.insert(place, _bold(title))  # else what was said above it would be said below
            own = code.options.step or code.title or (title if fresh else None)
            drafts.append(Draft(own or titles.from_code(item), texts, setup, [item], title))
        texts, setup, fresh = [], [], False
    if setup and drafts:
        drafts[-1].codes += setup
    elif setup:
        drafts.append(Draft(title, [], [], setup))
    first, _, rest = intro.partition("\n\n")
    if rest.strip() and drafts:
        drafts[0].texts.insert(0, rest.strip())
    if drafts and fresh and title:
        texts.insert(place, _bold(title))
    return drafts, first.strip(), "\n\n".join(texts)


def _bold(heading: str) -> str:
    """A heading as a paragraph of a card's text: the card has its title already."""
    return f"**{heading}**"


def _is_bold(text: str) -> bool:
    return text.startswith("**") and text.endswith("**")


def _check_pins(drafts: list[Draft], found: list[Diagnostic]) -> None:
    """Report the pins that a cell further up has already."""
    pinned: set[str] = set()
    for draft in drafts:
        if (pin := draft.pin) in pinned:
            where = _whole(draft.codes[0])
            found.append(codes.BAD_PIN.at(where, pin=pin, reason="a cell above it has that id"))
        elif pin is not None:
            pinned.add(pin)


def _now(items: Iterable[AnalysedCode]) -> tuple[Now, ...]:
    """Cells as they are compared with those of an earlier port."""
    return tuple(Now(item.code.cell.id, item.code.cell.source) for item in items)


# --- one step -----------------------------------------------------------------------------------------------------


def _step(
    identity: Identity, draft: Draft, analysis: Analysis, parameter: str, found: list[Diagnostic]
) -> PlannedStep:
    """Return a step with its cells' functions named and its fields in order."""
    step_id = identity.id
    items = [*draft.setup, *draft.codes]
    functions = zip(identity.functions, items, strict=True)
    fields: dict[str, PlannedField] = {}
    cells = []
    for function, item in functions:
        edits = list(item.edits)
        for asked in item.code.fields:
            if item.text_reason:
                rule = codes.FIELD_IN_TEXT_CELL
                found.append(rule.at(asked.span, name=asked.name, reason=item.text_reason))
            elif asked.name in RESERVED_FIELDS:
                found.append(codes.RESERVED_FIELD.at(asked.span, name=asked.name))
            else:
                fields[asked.name] = planned_field(step_id, asked)
                answer = f'{parameter}["{asked.name}"]'
                replaced = as_value(asked, answer)
                edits.append(Edit(asked.value, replaced, f"{asked.name} is asked for"))
        if item.code.controls and not item.text_reason:
            edits += item.code.controls.edits
        cells.append(_cell(function, item, edits, analysis, parameter))
    options = [item.code.options for item in draft.codes]
    confirm = next((o.confirm for o in options if o.confirm), None)
    waits = bool(fields) or confirm is not None or any(o.run == "button" for o in options)
    done = identity.done or next(iter(fields), "ran")
    return PlannedStep(
        id=step_id,
        done=done,
        title=draft.title or "",
        text="\n\n".join(draft.texts),
        cells=tuple(cells),
        fields=tuple(fields.values()),
        suggestions=suggestions(step_id, items, set(fields), NAMES_IN),
        button=(_pressed(draft) or ("Continue" if fields else "Run")) if waits else None,
        confirm=confirm,
        done_apart=done not in fields,
    )


def _pressed(draft: Draft) -> str | None:
    """The label of the last button that the notebook's own cells show."""
    buttons = [item.code.controls.button for item in draft.codes if item.code.controls]
    return next(filter(None, reversed(buttons)), None)


def _cell(
    function: str, item: AnalysedCode, edits: list[Edit], analysis: Analysis, parameter: str
) -> PlannedCell:
    """Return a cell with its edits applied and its `global` lines worked out."""
    code = item.code
    options = code.options
    keywords: list[tuple[str, JSON]] = []
    if options.show != "output":
        keywords.append(("show", options.show))
    if options.raises:
        keywords.append(("raises", True))
    if options.timeout is not None:
        keywords.append(("timeout", options.timeout))
    if options.checkpoint != "auto":
        keywords.append(("checkpoint", options.checkpoint))
    if options.once:
        keywords.append(("once", True))
    as_text = item.text_reason is not None or code.python is None
    # IPython itself transforms what it runs, so a text is the cell as the notebook has it.
    source = code.cell.source if code.python is None or as_text else apply(code.python.text, edits)
    if "display" not in item.names.reads and any("display(" in edit.text for edit in edits):
        item = replace(item, given=(*item.given, "display"))
    declarations = _declarations(item, analysis, parameter)
    assigned = {*item.names.binds, *item.names.deletes}
    return PlannedCell(
        function=function,
        cell=code.cell.id,
        index=code.cell.index,
        source=source,
        shows=item.shows,
        awaits=item.awaits,
        changes=tuple(edit.reason for edit in edits),
        text_reason=(item.text_reason or "it does not parse") if as_text else None,
        declarations=declarations,
        reads_only=not as_text
        and any(name not in assigned for _, listed in declarations for name in listed),
        dynamic=item.dynamic,
        options=tuple(keywords),
        original=code.cell.source,
    )


def _declarations(
    item: AnalysedCode, analysis: Analysis, parameter: str
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Sort the names of a cell into its `global` lines. Each name stands once; every name it binds must stand."""
    live = set(analysis.live.get(item.code.cell.id, ()))
    bound = [*item.names.binds, *item.names.deletes]
    changed = {*bound, *item.names.mutates} & live
    lines: dict[str, list[str]] = {
        key: [] for key in (NAMES_IN, NAMES_CHANGED, NAMES_OUT, NAMES_KEPT, NAMES_GIVEN)
    }
    for name in item.names.reads:
        lines[NAMES_CHANGED if name in changed else NAMES_IN].append(name)
    for name in bound:
        lines[NAMES_OUT if name in live else NAMES_KEPT].append(name)
    # What a function that is called here binds is not bound by this code, but it goes out all the same.
    lines[NAMES_OUT] += [name for name in item.names.mutates if name in live]
    for name in item.given:
        lines[NAMES_GIVEN].append(name)
    seen = {parameter}
    result = []
    for meaning, listed in lines.items():
        fresh = tuple(n for n in dict.fromkeys(listed) if n not in seen)
        seen.update(fresh)
        if fresh:
            result.append((meaning, fresh))
    return tuple(result)


# --- texts --------------------------------------------------------------------------------------------------------


def _free_name(wanted: str, analysis: Analysis) -> str:
    """`form`, or with an underscore more, such that no cell uses it."""
    used = {
        name
        for item in analysis.items
        if isinstance(item, AnalysedCode) and item.code.python is not None
        for name in re.findall(rf"\b{wanted}_*\b", item.code.python.text)
    }
    while wanted in used:
        wanted += "_"
    return wanted


def _whole(item: AnalysedCode) -> Span:
    """The whole cell, as a place."""
    lines = item.code.cell.source.split("\n")
    return Span(item.code.cell.index, 1, 1, len(lines), len(lines[-1]) + 1)
