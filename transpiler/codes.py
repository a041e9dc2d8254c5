"""All rules, sorted by code. Numbers are never used twice; each has a page in docs/diagnostics and a fixture.

PP1xx reading and annotations, PP2xx Python in cells, PP3xx planning, PP4xx writing and merging, PP9xx our bugs. (PP5xx is
the host's table, in pipulate_runtime/host/messages.py: the two sides do not import each other.)
"""

from transpiler.diagnostics import Rule, Severity

NOTICE, WARNING, ERROR = Severity

# --- PP1xx: reading and annotations -------------------------------------------------------------------------------
NOT_JSON = Rule(
    "PP101",
    "not-json",
    ERROR,
    "{name} is not a notebook: it is not JSON ({reason})",
    "Give a file that Jupyter saved, usually named *.ipynb; if it was one, restore it from a backup or a checkpoint.",
)
NOT_A_NOTEBOOK = Rule(
    "PP102",
    "not-a-notebook",
    ERROR,
    "{name} is JSON, but not a notebook: {reason}",
    "Give a file that Jupyter saved. If Jupyter opens this one, saving it there again repairs it.",
)
NBFORMAT_UNKNOWN = Rule(
    "PP103",
    "nbformat-unknown",
    ERROR,
    "{name} has notebook format {version}, which is not known here (2 to 4 are)",
    "Open it in Jupyter and save it there: that writes format 4.",
)
NO_CODE = Rule(
    "PP104",
    "no-code",
    ERROR,
    "{name} has no code to run",
    "An app is made of code cells. If the code is in raw or markdown cells, change their type to code.",
)
NOT_PYTHON = Rule(
    "PP105",
    "kernel-not-python",
    ERROR,
    "{name} is written for a kernel of {language}, not of Python",
    "Only notebooks in Python can be ported. If this one is in Python, choose a Python kernel in Jupyter and save.",
)
NOT_UTF8 = Rule(
    "PP106",
    "not-utf8",
    ERROR,
    "{name} is not UTF-8 text: byte {byte} at position {position}",
    "Notebooks are UTF-8. Save it as UTF-8, or restore it from a backup: the file may be damaged.",
)
EMPTY_FILE = Rule(
    "PP107",
    "empty-file",
    ERROR,
    "{name} is empty",
    "Jupyter leaves an empty file when it could not finish saving. Restore it from .ipynb_checkpoints or a backup.",
)
MERGE_MARKERS = Rule(
    "PP108",
    "merge-markers",
    ERROR,
    "{name} holds an unfinished merge: line {line} is `{marker}`",
    "Resolve the conflict first, for example with `git mergetool`; `nbdime` does it cell by cell.",
)
CANNOT_OPEN = Rule(
    "PP109",
    "cannot-open",
    ERROR,
    "{name} cannot be read: {reason}",
    "Give the path of a notebook file that you may read.",
)
ODD_CELL = Rule(
    "PP110",
    "odd-cell",
    WARNING,
    "This cell is left out: {reason}",
    "Jupyter would not show it either. Opening the notebook in Jupyter and saving it repairs or removes it.",
)
DUPLICATE_ID = Rule(
    "PP111",
    "duplicate-cell-id",
    NOTICE,
    "Cell {first} has the id `{id}` too; this one is called `{new}` instead",
    "Saving the notebook in a recent Jupyter gives each cell an id of its own.",
)
LONE_SURROGATE = Rule(
    "PP112",
    "not-a-character",
    WARNING,
    "This cell holds half a character, which no file can hold; it is replaced by `?`",
    "An emoji was probably cut in two. Type it again.",
)
UNKNOWN_OPTION = Rule(
    "PP120",
    "unknown-option",
    WARNING,
    "`{key}` is not an option of {owner} and is ignored",
    "Did you mean `{nearest}`? `pipulate explain PP120` lists all options.",
)
OPTION_VALUE = Rule(
    "PP121",
    "option-value",
    WARNING,
    "`{key}` cannot be {value}; it is ignored",
    "It takes {expected}.",
)
OPTION_YAML = Rule(
    "PP122",
    "option-not-yaml",
    WARNING,
    "`{key}` cannot be read: {reason}",
    "Options are YAML. Put quotes around a text that holds `: ` or ` #`, or begins with one of `[{{&*!|>%@`.",
)
FIELD_NOT_ASSIGNED = Rule(
    "PP123",
    "field-not-assigned",
    WARNING,
    "`{name}` is to be asked for, but this cell has no line `{name} = ...` at its top level",
    "Put the option into the cell that has it. Names assigned here: {names}.",
)
FIELD_DEFAULT = Rule(
    "PP124",
    "field-default",
    WARNING,
    "The default of `{name}` is {default}, which is not {expected}",
    "Make the value and its type agree; until then the form begins with {instead}.",
)
PARAM_FORM = Rule(
    "PP125",
    "param-not-understood",
    WARNING,
    "`#@param` is not understood: {reason}",
    'Colab writes, for example, `x = 5 #@param {{type:"slider", min:0, max:10}}` or `c = "a" #@param ["a", "b"]`.',
)
ASKS_WHILE_RUNNING = Rule(
    "PP126",
    "asks-while-running",
    NOTICE,
    "This `{call}()` {reason}, so it is not a field of the form",
    "The app asks when the cell comes to it. For `run` and `verify`, answers are given as `--set step_NN.input=...`, one for each question.",
)
NOT_A_LITERAL = Rule(
    "PP127",
    "parameter-not-literal",
    NOTICE,
    "`{name}` is computed, so it does not become a field",
    "Only plain values (numbers, text, lists...) are asked for. `#| input: {name}` asks for this one as well.",
)
DUPLICATE_FIELD = Rule(
    "PP128",
    "field-twice",
    WARNING,
    "`{name}` is described twice in `{key}`; the first description counts",
    "Take one of them away.",
)
KEY_IN_NOTEBOOK = Rule(
    "PP140",
    "key-in-notebook",
    WARNING,
    "What stands here looks like a key or a token: it is left out of the app",
    "Make it invalid where it was issued if others may have seen the notebook. The app asks for it where the code has it as a text of its own.",
)
REQUIREMENT = Rule(
    "PP130",
    "requirement",
    NOTICE,
    "The notebook installs {packages}: a requirement of the app, not a part of it",
    "Install it where the app runs. The line itself is left out.",
)
MAGIC_DROPPED = Rule(
    "PP131",
    "magic-left-out",
    NOTICE,
    "`{magic}` is left out: {reason}",
    "Nothing needs to be done.",
)
HELP_DROPPED = Rule(
    "PP132",
    "help-left-out",
    NOTICE,
    "`{line}` asks for help on the notebook's screen and is left out",
    "Nothing needs to be done.",
)

# --- PP2xx: Python in cells ---------------------------------------------------------------------------------------
SYNTAX_ERROR = Rule(
    "PP201",
    "syntax-error",
    WARNING,
    "This cell does not parse as Python: {reason}",
    "It is kept as text and gives this error when the app runs it, as in the notebook. Correct it in the notebook.",
)

# --- PP3xx: planning ----------------------------------------------------------------------------------------------
RESERVED_APP_NAME = Rule(
    "PP301",
    "reserved-app-name",
    ERROR,
    "the app would be called {name}, which is an address that every Pipulate server answers itself",
    'Rename the notebook, or set another name in its metadata: {{"pipulate": {{"app_name": "my_{name}"}}}}.',
)
BAD_PIN = Rule(
    "PP302",
    "bad-pin",
    WARNING,
    "this cell cannot be pinned to {pin}: {reason}",
    "Pin it to an id of its own, written like step_03; until then it gets the next free one.",
)
FIELD_IN_TEXT_CELL = Rule(
    "PP303",
    "field-in-text-cell",
    WARNING,
    "{name} is not asked for: this cell is kept as text ({reason}), and a field needs a function",
    "Move the assignment of {name} to a cell of its own above this one.",
)
NOTHING_TO_JOIN = Rule(
    "PP304",
    "nothing-to-join",
    NOTICE,
    "`join: true` on the first step: there is no step above it",
    "Remove the option, or move the cell.",
)
FILE_NOT_FOUND = Rule(
    "PP305",
    "file-not-found",
    WARNING,
    "the notebook reads {path}, which is not there beside it or cannot be read",
    "Put the file where the notebook looks for it and port again: it will travel with the plugin.",
)
RESERVED_FIELD = Rule(
    "PP306",
    "reserved-field",
    WARNING,
    "{name} is not asked for: the page needs that name for itself",
    "Use another name for the variable, for example my_{name}.",
)
FILE_OUTSIDE = Rule(
    "PP307",
    "file-outside",
    WARNING,
    "the notebook reads {path}, which lies outside its folder and does not travel with the plugin",
    "Put the file beside the notebook and read it from there; a run of the app works in a folder of its own.",
)
NOTHING_TO_RUN = Rule(
    "PP308",
    "nothing-to-run",
    ERROR,
    "{name} has no code cell that would run: all are empty or skipped",
    "Remove `skip: true` or the tag from the cells that the app shall run.",
)
NOT_MOVABLE = Rule(
    "PP309",
    "not-movable",
    WARNING,
    "this cell is kept as text: as a function it would not come out as it is here ({reason})",
    "Nothing to do: the cell runs as it stands. This is a gap of ours; please report the cell if you may share it.",
)
NOT_KNOWN_YET = Rule(
    "PP310",
    "not-known-yet",
    WARNING,
    "the {part} of {name} cannot be computed before this step runs: {reason}",
    "Compute it in a cell of its own above this step, and name what comes of it here.",
)
NOT_INSTALLED = Rule(
    "PP311",
    "not-installed",
    WARNING,
    "not installed here: {modules}. Where the app runs without, the step that imports it fails",
    "Install it where the app runs{command}. A package may have another name than its module.",
)
ONLY_ON_COLAB = Rule(
    "PP312",
    "only-on-colab",
    WARNING,
    "google.colab is there on Colab only; in the app this step fails",
    "Take the line out, or skip its cell with `#| skip: true`. A file comes in by a field: `#| input: {{name: orders, type: file}}`.",
)

CHOSEN_GONE = Rule(
    "PP390",
    "chosen-field-gone",
    WARNING,
    "`{name}`, which `--fields` made a field of at an earlier port, is none any more: {reason}",
    "If it has another name now, say so: --fields {names}",
)

# --- PP4xx: writing and merging -----------------------------------------------------------------------------------
NOTEBOOK_UNREADABLE = Rule(
    "PP401",
    "notebook-unreadable",
    ERROR,
    "cannot read {path}: {reason}",
    "Give the path of a notebook file that you may read.",
)
OUTPUT_UNWRITABLE = Rule(
    "PP402",
    "output-unwritable",
    ERROR,
    "cannot write to {path}: {reason}",
    "Choose another folder with -o, or make this one writable. Nothing was changed.",
)
EDITED_BY_HAND = Rule(
    "PP403",
    "edited-by-hand",
    ERROR,
    "{path} was edited by hand, and {option} would drop that: {edits}",
    "Nothing was written. Without {option} your edits stay. To drop them, add --yes: a backup is kept, and --undo brings it back.",
)
NOT_OURS = Rule(
    "PP404",
    "not-ours",
    ERROR,
    "{path} is there already and was not made from this notebook",
    'Nothing was written. Choose another folder with -o, or another name: {{"pipulate": {{"app_name": "..."}}}} in the metadata.',
)
SLUG_CLASH = Rule(
    "PP405",
    "slug-clash",
    ERROR,
    "{path} is a plugin of the same name: of two plugins called {name}, a server shows only one",
    "Nothing was written. Choose another folder with -o, or another app_name in the notebook's metadata.",
)
BUNDLED_FILE_KEPT = Rule(
    "PP406",
    "bundled-file-kept",
    NOTICE,
    "{path} was changed beside the plugin since it was copied; your version stays",
    "Delete it and port again to get the notebook's version.",
)
BAD_OPTION = Rule(
    "PP407",
    "bad-option",
    ERROR,
    "{option} cannot be {value}: {reason}",
    "Add --help to the command to see what each option takes.",
)
ANSWER_NEEDED = Rule(
    "PP408",
    "answer-needed",
    ERROR,
    "{name} asks with input(), which nobody answers while it is verified",
    "Give the answers that the notebook and the app shall both get: {answers}",
)
SECOND_PLUGIN = Rule(
    "PP409",
    "second-plugin",
    NOTICE,
    "{old} was made from this notebook when it had the name {name}; {path} is a new plugin beside it, without its edits and runs",
    'To go on with the old one, put {{"pipulate": {{"app_name": "{name}"}}}} into the notebook\'s metadata, delete {path} and port again. '
    "Else delete the old one.",
)
PLUGIN_NOT_PYTHON = Rule(
    "PP420",
    "plugin-not-python",
    ERROR,
    "{path} is not Python at line {line}, so nothing can be merged into it: {reason}",
    "Nothing was written. Repair that line and port again.",
)
NO_BASE = Rule(
    "PP421",
    "no-base",
    ERROR,
    "{path} was edited by hand, and what it was ported from is not known: {reason}",
    "Nothing was written. Put the folder .port back (it belongs into git), or take the notebook as it is now for the base: --adopt.",
)
CONFLICT = Rule(
    "PP422",
    "merge-conflict",
    WARNING,
    "{unit} ({path}, line {line}): {reason}",
    "Edit it and delete the block of comments at line {line}, or add --resolve {id}=mine (or =notebook, or =both).",
)
MERGE_UNSAFE = Rule(
    "PP423",
    "merge-unsafe",
    ERROR,
    "{path} and the notebook's changes cannot be merged safely: {reason}",
    "Nothing was written. Port into another folder with -o and compare; and please report it, with both files if you may.",
)
RUNS_INSERTED = Rule(
    "PP424",
    "runs-affected",
    NOTICE,
    "{step} is new before {later}: to complete it in a run made earlier clears what that run has from there on",
    "Nothing to do for new runs. Runs that are locked stay as they are.",
)
STEP_RETIRED = Rule(
    "PP425",
    "step-retired",
    NOTICE,
    "{step} is gone from the notebook; what saved runs keep of it stays, unused",
    "Nothing to do: its id is not given again.",
)
DELETED_AND_CHANGED = Rule(
    "PP426",
    "deleted-by-you",
    NOTICE,
    "you deleted {step} from the plugin; the notebook has changed its cell since",
    "It stays deleted. To have it back: --restore {step}.",
)
UNDEFINED_AFTER_MERGE = Rule(
    "PP427",
    "undefined-after-merge",
    WARNING,
    "nothing in the plugin defines `{name}`, which {method} uses in your text",
    "The notebook may have renamed it: use the new name there. The step fails with a NameError otherwise.",
)
STRAY_BLOCK = Rule(
    "PP428",
    "stray-conflict-block",
    WARNING,
    "{path} has a conflict block at line {line} that its lock does not know",
    "Settle it by hand: keep the lines you want and delete the block.",
)
NO_BACKUP = Rule(
    "PP429",
    "no-backup",
    ERROR,
    "there is nothing to undo for {path}",
    "A backup is made whenever a port changes a plugin that is there; the last ten are kept in .port.",
)
NEWER_COMPILER = Rule(
    "PP430",
    "newer-compiler",
    NOTICE,
    "a newer compiler writes {parts} in another way; the notebook {also}",
    "Nothing to do: the compiler's changes are merged first, apart from the notebook's, and your edits stay.",
)
NOT_BOTH = Rule(
    "PP431",
    "not-both",
    WARNING,
    "the conflict of {unit} stays open: the lines of both sides cannot stand below each other as whole statements of either",
    "Write the statement that you want and delete the block of comments, or add --resolve {id}=mine (or =notebook).",
)
NOT_PORTED = Rule(
    "PP435",
    "not-ported",
    ERROR,
    "there is no plugin of {path} in {folder}",
    "Port the notebook first: pipulate port {path} -o {folder}",
)
EDIT_STAYS = Rule(
    "PP436",
    "edit-stays",
    WARNING,
    "an edit of {function} stays in the plugin only: {reason}",
    "Nothing is lost: each port keeps it. To have it in the notebook, make the change there and port again.",
)
FOLDER_BUSY = Rule(
    "PP437",
    "folder-busy",
    ERROR,
    "another port has been at work in {path} for more than {seconds} seconds",
    "Nothing was written. Wait until it has ended, or end it, and try again: what it leaves half done is put in order then.",
)
WHICH_PLUGIN = Rule(
    "PP438",
    "which-plugin",
    ERROR,
    "several plugins were made from {path}, {names}, and {reason}",
    'Nothing was written. Say which one it is in the notebook\'s metadata: {{"pipulate": {{"app_name": "{name}"}}}}, or delete those you do not need.',
)
CHANGED_MEANWHILE = Rule(
    "PP490",
    "changed-meanwhile",
    ERROR,
    "{path} has changed since it was read",
    "Nothing was written. Save it where it is open, then do it again.",
)
NO_TERMINAL = Rule(
    "PP491",
    "no-terminal",
    ERROR,
    "annotate asks its questions in a terminal, and this is none",
    "Name the fields instead: --fields auto or --fields NAME,NAME; `pipulate inspect` lists what looks like an input.",
)

# --- PP9xx: our bugs ----------------------------------------------------------------------------------------------
PORT_FAILED = Rule(
    "PP440",
    "port-failed",
    ERROR,
    "the notebook could not be ported: {reason}",
    "Nothing was written. `pipulate port` on the command line says more; please report it with the notebook.",
)
UNKNOWN_TOOL = Rule(
    "PP441",
    "unknown-tool",
    ERROR,
    "there is no tool {name}",
    "The tools are {names}: `pipulate tools list`.",
)
BAD_ARGUMENTS = Rule(
    "PP442",
    "bad-arguments",
    ERROR,
    "the arguments of the tool {name} cannot be used: {reason}",
    "`pipulate tools list` gives the JSON schema of its arguments.",
)
PROCESS_DIED = Rule(
    "PP445",
    "process-died",
    ERROR,
    "the process that verified {path} ended before it was done",
    "Nothing is known of this notebook; the others are not affected. Verify it alone to see what happens: pipulate verify {path}",
)
INTERNAL = Rule(
    "PP901",
    "internal-error",
    ERROR,
    "this is a bug of ours, not of your notebook: {reason}",
    "Nothing was written. Please report it with the traceback below, and with the notebook if you may share it.",
)

# --- PP2xx: Python in cells ---------------------------------------------------------------------------------------
EDITED = Rule(
    "PP202",
    "edited",
    NOTICE,
    "{change}, since {reason}",
    "Nothing to do: the app computes the same. To have the cell unchanged, write it so in the notebook.",
)
KEPT_AS_TEXT = Rule(
    "PP203",
    "kept-as-text",
    NOTICE,
    "this cell is kept as text, not as a function: {reason}",
    "Nothing to do: the cell runs as it stands. To read it as code in the plugin, write it another way in the notebook.",
)
UNDEFINED = Rule(
    "PP204",
    "undefined-name",
    WARNING,
    "`{name}` is not defined by this cell or one above{hint}",
    "The app starts with an empty namespace: correct the name, or add the cell that defines it.",
)
USED_BEFORE = Rule(
    "PP205",
    "used-before-definition",
    WARNING,
    "`{name}` is used here, but only cell {definition} below defines it",
    "The app runs cells from top to bottom: move the cell that defines it above this one.",
)
DELETED = Rule(
    "PP206",
    "deleted-name",
    WARNING,
    "`{name}` is used here, but cell {deletion} above deletes it",
    "The app runs cells from top to bottom: use it before it is deleted, or leave out the `del`.",
)
SHOWS_MORE = Rule(
    "PP207",
    "interactivity",
    NOTICE,
    "this cell sets `{setting}`, so the cells after it are kept as text",
    "A function shows one value. To have functions, use `display(...)` where a cell shows more than its last value.",
)
NOT_ANALYSED = Rule(
    "PP208",
    "not-analysed",
    NOTICE,
    "this cell is nested too deeply to be analysed",
    "It is kept as text and runs as it stands. Split the long expression to have it analysed.",
)


UNSEEDED = Rule(
    "PP210",
    "unseeded-chance",
    WARNING,
    "`{call}` draws other numbers in each run, since nothing above sets a seed{more}",
    "{remedy} Otherwise going back or resuming may go on with other numbers than the cards above show.",
)
OTHER_ORDER = Rule(
    "PP211",
    "other-order",
    NOTICE,
    "the notebook was saved after its cells had run in another order: this one ran {relation}{more}",
    "The app runs them from top to bottom and may show something else. Restart the kernel, run all and look at the outputs.",
)
HISTORY = Rule(
    "PP212",
    "history-number",
    WARNING,
    "`{written}` is what cell number {number} gave, counted from the top: {reason}{hint}",
    "Numbers come from the order cells were run in. Give the value a name in the cell that computes it, and use that.",
)
ANSWER_REPLACED = Rule(
    "PP213",
    "answer-replaced",
    NOTICE,
    "`{name}` is asked for in cell {cell}, and from here on has another value, whatever was answered",
    "Use another name here if the answer is meant to count further down.",
)
MAYBE_MISSING = Rule(
    "PP214",
    "maybe-missing",
    WARNING,
    "`{name}` does not exist for some answers to `{field}`: only a branch of an `if` in cell {cell} sets it",
    "Set `{name}` before the `if` or in an `else`; otherwise this step fails with a NameError for these answers.",
)
OLD_CLASS = Rule(
    "PP215",
    "old-class",
    NOTICE,
    "`{name}` is still of the `{kind}` that cell {old} defines, not of the one in cell {new}",
    "Run from top to bottom, it has the methods of the older class. Make it again below the newer one.",
)
SHELL_COMMAND = Rule(
    "PP216",
    "shell-command",
    NOTICE,
    "`{command}` runs on the machine that serves the app, each time its step runs",
    "Make sure that what it needs is installed there; and that it may be run by whoever uses the app.",
)
RUNS_ANSWER = Rule(
    "PP217",
    "runs-answer",
    WARNING,
    "{answer} is run {what}: whoever uses the app can run anything on the machine that serves it",
    "Offer `choices`, or use `shlex.quote(...)` in a command, and `ast.literal_eval(...)` or `float(...)` instead of `eval`.",
)
UNKNOWN_MAGIC = Rule(
    "PP218",
    "unknown-magic",
    WARNING,
    "`{magic}` is not a magic of IPython, and no cell above loads an extension that may have it",
    "Its step fails. Load the extension in the notebook (`%load_ext ...`), or leave the line out.",
)
OPENS_WINDOW = Rule(
    "PP219",
    "opens-window",
    WARNING,
    "`{call}` opens a window on the machine that serves the app, or fails there; the page does not show it",
    "Figures of matplotlib are shown without it; show other pictures with `display(...)`.",
)
LEAVES_FOLDER = Rule(
    "PP220",
    "leaves-folder",
    NOTICE,
    "from here on the cells work in `{folder}`, not in the run's own folder",
    "Runs of the app may overwrite each other's files there, and the page does not offer them. Leave the line out if you can.",
)
ABSOLUTE_PATH = Rule(
    "PP221",
    "absolute-path",
    NOTICE,
    "`{path}` is found on one machine only and does not travel with the plugin",
    "Put the file beside the notebook and read it by its name: each run of the app gets a copy.",
)
WIDGET = Rule(
    "PP222",
    "live-widget",
    WARNING,
    "`{widget}` is no field of the form, and stays as it is at the start: {reason}",
    "Ask for the value instead: `limit = 5` with `#| input: limit` above it becomes a field of the form.",
)
LEFT_RUNNING = Rule(
    "PP223",
    "left-running",
    WARNING,
    "this {what} may still run when its step is done; what it prints after that is not on the page",
    "Wait for it in the same cell (`await ...`, `.join()`).",
)


def all_rules() -> tuple[Rule, ...]:
    """Return every rule of this table, sorted by code."""
    return tuple(
        sorted((r for r in globals().values() if isinstance(r, Rule)), key=lambda r: r.code)
    )
