"""The types that the passes hand on, in the order of the pipeline.

Each stage has its own type; nothing here is filled in later. Positions are of two kinds: `Span` (lines and columns in the
cell as the notebook has it) is for people; `Slice` (offsets into a cell's Python text) is for edits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from transpiler.model.diagnostics import Span
from transpiler.model.options import By

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]

# --- read ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as the notebook has it. Its id is the notebook's own, or a stable one made from its content."""

    index: int
    id: str
    kind: Literal["code", "markdown", "raw"]
    source: str
    tags: tuple[str, ...] = ()
    options: Mapping[str, JSON] | None = None  # The cell's metadata under `pipulate`
    attachments: Mapping[str, Mapping[str, str]] | None = None
    """Pictures of a markdown cell: name -> {mime type: base64}."""
    count: int | None = None
    """The execution count of a code cell as saved: evidence of the order cells were run in, nothing more."""


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook, whatever its version was."""

    name: str  # The file's name, `sales_report.ipynb`
    cells: tuple[Cell, ...]
    options: Mapping[str, JSON]  # The notebook's metadata under `pipulate`
    language: str = "python"


# --- annotate -----------------------------------------------------------------------------------------------------


class Slice(NamedTuple):
    """Character offsets into a cell's Python text (`Annotated cell.python`), end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Python:
    """The Python text of a code cell, after IPython's input transformer, with `#|` lines removed.

    `lines[i]` is the 1-based line of the notebook's cell that line i+1 of the text came from; there is one for each line of
    `text.split("\n")`.
    """

    text: str
    lines: tuple[int, ...]
    magic: bool = False  # Whether the transformer changed anything but the `#|` lines
    tail_semicolon: bool = False
    """Whether the cell's last line ends in `;`: IPython does not show the value of its last expression."""
    requirements: tuple[str, ...] = ()
    """Packages the cell installs, as pip would be given them, in order. The lines that install them are not in the text."""


FieldType = Literal[
    "text", "textarea", "integer", "number", "range", "switch", "select", "multi-select", "radio",
    "date", "time", "datetime", "color", "url-list", "json", "file", "files", "password",
]  # fmt: skip


ANSWER = "__answer__"  # Stands for the form's value in `Field.answer`


@dataclass(frozen=True, slots=True)
class Field:
    """A value that the person who runs the app gives."""

    name: str  # The variable it becomes, and its name in the form
    type: FieldType
    label: str
    default: JSON
    value: Slice  # The right-hand side in the cell that the answer takes the place of
    span: Span
    help: str = ""
    choices: tuple[JSON, ...] = ()
    min: int | float | str | None = None
    max: int | float | str | None = None
    step: int | float | None = None
    required: bool = True
    placeholder: str = ""
    allow_input: bool = False
    """A select that also takes a value of one's own (Colab's `allow-input`)."""
    raw: bool = False
    """The text is a Python literal or expression to be evaluated as a literal (Colab's `raw`)."""
    answer: str = ANSWER
    """What stands in the cell in the place of `value`: Python, with ANSWER for the form's value."""
    source: tuple[Slice, str] | None = None
    """Where and how an answer is put into the notebook when it is executed to be compared with the app, if not so."""
    intro: str = ""  # Markdown above it in the form
    empty: JSON = None  # What the cell gets when a field that need not be answered is left empty
    accept: tuple[str, ...] = ()  # The endings of names that a file may have: `.csv`
    computed: bool = False
    """Whether the notebook computes its value: it is not known before earlier cells were executed."""
    parts: tuple[tuple[str, str], ...] = ()
    """What else of it is computed from earlier cells: `choices`, `label`, `help`, each with the text of an expression."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the owner asked for in a cell: `#|` lines, then metadata, then tags."""

    step: str | None = None
    join: bool = False
    setup: bool | None = None
    skip: bool = False
    show: Literal["output", "code", "both", "none"] = "output"
    run: Literal["auto", "button"] = "auto"
    confirm: str | None = None
    timeout: float | None = None
    checkpoint: Literal["auto", "always", "never"] = "auto"
    once: bool = False
    pin: str | None = None
    raises: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that lets a cell be a function: `text` takes the place of `slice`. Listed in the plan and the report."""

    slice: Slice
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Controls:
    """What the app does in the place of a person who moves the widgets of a cell, beside giving answers."""

    edits: tuple[Edit, ...] = ()  # Changes of the cell
    pressed: tuple[Edit, ...] = ()
    """Changes of the notebook's own cell when it is executed to be compared: what a person presses there."""
    button: str | None = None  # The label of the button that the notebook shows
    shows: bool | None = None
    """Whether the last value is shown after the edits; None for what the cell itself says."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A markdown heading, `level` 1 to 6."""

    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Text:
    """A markdown cell: headings and the text below each of them, in order. Text before a heading has None."""

    cell: Cell
    parts: tuple[tuple[Heading | None, str], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A code cell with what its annotations say. `python` is None when the cell does not parse."""

    cell: Cell
    python: Python | None
    options: Options
    fields: tuple[Field, ...] = ()
    title: str | None = None  # A title given in the code: `#@title`
    text: str = ""  # Markdown given in the code: `#@markdown`
    controls: Controls | None = None  # What its widgets do, where they do more than hold a value


@dataclass(frozen=True, slots=True)
class Annotated:
    """The notebook with its annotations read: text and code in document order; skipped, blank and raw cells left out.

    `notebook.options` holds only keys that are known, with values of their type.
    """

    notebook: Notebook
    title: str  # Metadata `title`, else the first H1, else the file's name in words
    items: tuple[Text | Code, ...]


# --- analyse ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Names:
    """What a cell does with the names of the notebook's one namespace. Builtins are left out."""

    reads: tuple[str, ...] = ()  # Names it may need from the cells before, in order of first use
    binds: tuple[str, ...] = ()
    """Names it may bind at its top level, in order. Exact by the compiler: `global` lines depend on it."""
    deletes: tuple[str, ...] = ()
    mutates: tuple[str, ...] = ()
    """Names whose objects it may change in place, and names that functions it calls may bind."""
    asks: tuple[str, ...] = ()
    """Names of the cells before from which its form computes choices and labels."""


@dataclass(frozen=True, slots=True)
class AnalysedCode:
    """A code cell and what the analysis found in it."""

    code: Code
    names: Names
    setup: bool  # Only imports, definitions, options: shows nothing, asks nothing
    edits: tuple[Edit, ...] = ()
    text_reason: str | None = None
    """Why it cannot be a function and is kept as text; None when it can."""
    awaits: bool = False  # Whether it uses `await`, `async for` or `async with` at its top level
    shows: bool = False  # Whether it ends in an expression whose value IPython shows
    suggested_title: str | None = None
    """A title from the code itself: its first comment line, if that is a short phrase."""
    given: tuple[str, ...] = ()
    """Names it reads that IPython gives: `display`, `get_ipython`, `In`, `Out`, `_`..."""
    dynamic: bool = False
    """Whether it may also read, bind and delete names that cannot be known: `exec`, `%run`, a star import."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """The annotated notebook with the data flow between its cells."""

    annotated: Annotated
    items: tuple[Text | AnalysedCode, ...]
    live: Mapping[str, tuple[str, ...]]
    """Cell id -> the names it binds, deletes or mutates that a later cell may read: what is worth naming as output."""
    files: tuple[str, ...] = ()
    """Relative paths of files and local modules that the notebook names by literal path, in order."""
    written: tuple[str, ...] = ()  # Those it makes itself: they need not be there when it is ported
    modules: tuple[str, ...] = ()
    """Modules it imports that are not of the standard library, `a.b` for `import a.b`: some may be files beside it."""
    requirements: tuple[str, ...] = ()  # Packages the notebook installs with pip, in order
    needs: Mapping[str, Span] = field(default_factory=dict)
    """Modules that a cell imports in any case, without their submodules -> where the first one does."""


# --- what an earlier port left --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KnownCell:
    """A cell as it was ported last."""

    id: str
    function: str  # `step_02_cell`
    source: str


@dataclass(frozen=True, slots=True)
class KnownStep:
    """A step as it was ported last."""

    id: str
    done: str
    cells: tuple[KnownCell, ...]


@dataclass(frozen=True, slots=True)
class KnownSteps:
    """The identities of an earlier port. Ids never change, and none is used twice."""

    steps: tuple[KnownStep, ...]
    taken: frozenset[str]
    """Ids of steps that may not be given again: of steps that are gone, and of the user's own."""


# --- plan ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell as it will stand in the plugin. `source` has its edits applied; it is user code, templates never see it."""

    function: str  # `step_02_cell`
    cell: str  # The notebook's cell id
    index: int  # The cell's position in the notebook, for messages
    source: str
    shows: bool  # Whether the function returns the value of its last expression
    awaits: bool = False
    changes: tuple[str, ...] = ()  # The reasons of its listed edits
    text_reason: str | None = None  # Why it is kept as text; None for a function
    declarations: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """`(comment, names)` for each `global` line. For a cell kept as text they are reported, not emitted."""
    reads_only: bool = False  # Whether some of the names of its `global` lines are only read
    dynamic: bool = False  # Whether it may use names that cannot be known
    options: tuple[tuple[str, JSON], ...] = ()  # Keyword arguments of `@cell`
    original: str = ""  # The cell as the notebook has it, by which the next port knows it again


Control = Literal["input", "textarea", "range", "switch", "select", "multi_select", "radio", "file"]
Reader = Literal[
    "text",
    "integer",
    "number",
    "switch",
    "choice",
    "choices",
    "date",
    "time",
    "datetime",
    "color",
    "json",
    "urls",
    "literal",
    "file",
    "several_files",
    "password",
]
"""How an answer is read: the name of a method of what a form sent."""


@dataclass(frozen=True, slots=True)
class PlannedField:
    """A field as the form shows and reads it."""

    name: str
    type: FieldType
    label: str
    help: str
    default: JSON
    required: bool
    control: Control  # What the page shows: a template in templates/control
    reader: Reader
    attributes: tuple[tuple[str, JSON], ...]
    """Attributes of its control beside id, name and value, in order."""
    arguments: tuple[tuple[str, JSON], ...] = ()
    """Keyword arguments of its reader: limits, and what differs from the reader's defaults."""
    choices: tuple[JSON, ...] = ()
    intro: str = ""  # Markdown above it in the form
    empty: JSON = None  # What an empty answer gives, where it may be empty
    wide: bool = False  # Whether it takes the whole width of the form
    computed: tuple[str, ...] = ()
    """What of it the cells before compute: `value`, `choices`, `label`, `help`."""

    @property
    def shown_computed(self) -> bool:
        """Whether the cells before compute more of it than its value."""
        return any(part != "value" for part in self.computed)


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One card of the app."""

    id: str
    done: str
    title: str
    text: str
    cells: tuple[PlannedCell, ...]
    fields: tuple[PlannedField, ...] = ()
    suggestions: PlannedCell | None = None
    """The function that computes the values which the form shows."""
    button: str | None = None  # The label of the button that runs it; None when it runs by itself
    confirm: str | None = None
    done_apart: bool = False
    """Whether no field's answer is kept under `done`: then that key is put beside them."""


@dataclass(frozen=True, slots=True)
class Helpers:
    """Which small parts the plugin needs."""

    fields: bool  # The method that draws a field
    controls: tuple[Control, ...]  # What it draws
    json: bool  # The method that shows a value as JSON
    lines: bool  # The method that shows a list, one item a line
    secrets: bool  # The cards that ask again for a secret
    choices: bool  # The method for what stands there when nothing can be chosen from
    reads: bool  # The line for linters: a cell's `global` lines name what it only reads


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is decided about a plugin. Plain data: `inspect --json` prints it."""

    app_name: str
    class_name: str
    title: str
    description: str
    training_prompt: str
    look: tuple[tuple[str, str], ...]
    """What the owner gives each page of the workflow, as constants: `ACCENT`, `LOGO`, `INTRO`, `CONTACT`."""
    roles: tuple[str, ...]
    imports: tuple[tuple[str, tuple[str, ...]], ...]
    """Modules and the names that the plugin imports from them, in order."""
    notebook: str  # The notebook's file name
    parameter: str
    """The parameter of the cells' functions: `form`, unless the notebook uses that name."""
    steps: tuple[PlannedStep, ...]
    helpers: Helpers
    closing: str = ""  # Markdown after the last code cell
    files: tuple[str, ...] = ()  # Paths, relative to the notebook, that travel with the plugin
    requirements: tuple[str, ...] = ()

    chosen: tuple[str, ...] = ()
    """Variables that `--fields` made fields of; the lock keeps them for the next port."""
    by: By = None  # What `--by` said; kept as well
    moves: tuple[tuple[str, str], ...] = ()
    """Functions that had another name at the last port, since their cell goes with another step now: before, now."""
