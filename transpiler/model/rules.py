"""All rules, sorted by code. Numbers are never used twice; each has a page in docs/diagnostics and a fixture.

PP1xx reading and annotations, PP2xx Python in cells, PP3xx planning, PP4xx writing and merging, PP9xx our bugs. (PP5xx is
the host's table, in pipulate_runtime/host/base/errors.py: the two sides do not import each other.)
"""

from transpiler.model.diagnostics import Rule, Severity

NOTICE, WARNING, ERROR = Severity

# A rule: code, name, severity; message; help.
# fmt: off

# --- PP1xx: reading and annotations ------------------------------------------------------------------------------------
NOT_JSON = Rule("PP101", "not-json", ERROR,
    "{name} is not a notebook: it is not JSON ({reason})",
    "Give a file that Jupyter saved, usually named *.ipynb; if it was one, restore it from a backup or a checkpoint.")
NOT_A_NOTEBOOK = Rule("PP102", "not-a-notebook", ERROR,
    "{name} is JSON, but not a notebook: {reason}",
    "Give a file that Jupyter saved. If Jupyter opens this one, saving it there again repairs it.")
NBFORMAT_UNKNOWN = Rule("PP103", "nbformat-unknown", ERROR,
    "{name} has notebook format {version}; only the formats 2 to 4 can be read",
    "Open it in Jupyter and save it there: that writes format 4.")
NO_CODE = Rule("PP104", "no-code", ERROR,
    "{name} has no code to run",
    "An app is made of code cells. If the code is in raw or markdown cells, change their type to code.")
NOT_PYTHON = Rule("PP105", "kernel-not-python", ERROR,
    "{name} uses a kernel of {language}, not of Python",
    "Only Python notebooks can be ported. If this is one, choose a Python kernel in Jupyter and save.")
NOT_UTF8 = Rule("PP106", "not-utf8", ERROR,
    "{name} is not UTF-8 text: byte {byte} at position {position}",
    "Notebooks are UTF-8. Save it as UTF-8, or restore it from a backup: the file may be damaged.")
EMPTY_FILE = Rule("PP107", "empty-file", ERROR,
    "{name} is empty",
    "Jupyter leaves an empty file when it could not finish saving. Restore it from .ipynb_checkpoints or a backup.")
MERGE_MARKERS = Rule("PP108", "merge-markers", ERROR,
    "{name} contains an unfinished merge: line {line} is `{marker}`",
    "Resolve the conflict first, for example with `git mergetool`; `nbdime` does it cell by cell.")
CANNOT_OPEN = Rule("PP109", "cannot-open", ERROR,
    "{name} cannot be read: {reason}",
    "Give the path of a notebook file that you may read.")
ODD_CELL = Rule("PP110", "odd-cell", WARNING,
    "This cell is left out: {reason}",
    "Jupyter would not show it either. Opening the notebook in Jupyter and saving it repairs or removes it.")
DUPLICATE_ID = Rule("PP111", "duplicate-cell-id", NOTICE,
    "Cell {first} already has the id `{id}`; this cell gets the id `{new}`",
    "Save the notebook in a recent Jupyter: that gives each cell its own id.")
LONE_SURROGATE = Rule("PP112", "not-a-character", WARNING,
    "This cell contains half a character, which no file can store; `?` replaces it",
    "An emoji was probably cut in two. Type it again.")
UNKNOWN_OPTION = Rule("PP120", "unknown-option", WARNING,
    "`{key}` is not an option of {owner} and is ignored",
    "Did you mean `{nearest}`? `pipulate explain PP120` lists all options.")
OPTION_VALUE = Rule("PP121", "option-value", WARNING,
    "`{key}` cannot be {value}; it is ignored",
    "It takes {expected}.")
OPTION_YAML = Rule("PP122", "option-not-yaml", WARNING,
    "`{key}` cannot be read: {reason}",
    "Options are YAML. Put quotes around a text that holds `: ` or ` #`, or begins with one of `[{{&*!|>%@`.")
FIELD_NOT_ASSIGNED = Rule("PP123", "field-not-assigned", WARNING,
    "`{name}` should become a field, but this cell has no line `{name} = ...` at its top level",
    "Move the option to the cell that has this line. This cell assigns: {names}.")
FIELD_DEFAULT = Rule("PP124", "field-default", WARNING,
    "The default of `{name}` is {default}, which is not {expected}",
    "Make the value match its type; until then the form starts with {instead}.")
PARAM_FORM = Rule("PP125", "param-not-understood", WARNING,
    "This `#@param` cannot be read: {reason}",
    'Colab writes, for example, `x = 5 #@param {{type:"slider", min:0, max:10}}` or `c = "a" #@param ["a", "b"]`.')
ASKS_WHILE_RUNNING = Rule("PP126", "asks-while-running", NOTICE,
    "This `{call}()` {reason}, so it does not become a field",
    "The app asks when the running cell reaches it. For `run` and `verify`, give the answers with `--set step_NN.input=...`, one for each question.")
NOT_A_LITERAL = Rule("PP127", "parameter-not-literal", NOTICE,
    "`{name}` is computed, so it does not become a field",
    "Only plain values (numbers, text, lists...) become fields by themselves. `#| input: {name}` makes this one a field, too.")
DUPLICATE_FIELD = Rule("PP128", "field-twice", WARNING,
    "`{name}` is described twice in `{key}`; the first description counts",
    "Remove one of them.")
OPTION_BELOW = Rule("PP129", "option-below-code", WARNING,
    "`#| {key}` stands below code and is not read",
    "Move it to the top of the cell, or split the cell above it.")
REQUIREMENT = Rule("PP130", "requirement", NOTICE,
    "The notebook installs {packages}, which the app needs but does not install",
    "Install it where the app runs. The port leaves this line out.")
MAGIC_DROPPED = Rule("PP131", "magic-left-out", NOTICE,
    "`{magic}` is left out: {reason}",
    "Nothing needs to be done.")
HELP_DROPPED = Rule("PP132", "help-left-out", NOTICE,
    "`{line}` shows help in Jupyter only, so the port leaves it out",
    "Nothing needs to be done.")
KEY_IN_NOTEBOOK = Rule("PP140", "key-in-notebook", WARNING,
    "This text looks like a key or a token, so the port leaves it out of the app",
    "If others may have seen the notebook, revoke it where it was issued. Where it is a whole string in the code, the app asks the user for it.")

# --- PP2xx: Python in cells --------------------------------------------------------------------------------------------
SYNTAX_ERROR = Rule("PP201", "syntax-error", WARNING,
    "This cell does not parse as Python: {reason}",
    "The app keeps it as text and shows this error when it runs the cell, as Jupyter does. Correct it in the notebook.")
EDITED = Rule("PP202", "edited", NOTICE,
    "{change}, since {reason}",
    "Nothing to do: the app computes the same. To keep the cell unchanged, write it this way in the notebook.")
KEPT_AS_TEXT = Rule("PP203", "kept-as-text", NOTICE,
    "this cell is kept as text, not as a function: {reason}",
    "Nothing to do: the cell runs unchanged. To get a function in the plugin, write the cell differently in the notebook.")
UNDEFINED = Rule("PP204", "undefined-name", WARNING,
    "neither this cell nor one above defines `{name}`{hint}",
    "The app starts with an empty namespace: correct the name, or add the cell that defines it.")
USED_BEFORE = Rule("PP205", "used-before-definition", WARNING,
    "`{name}` is used here, but only cell {definition} below defines it",
    "The app runs cells from top to bottom: move the cell that defines it above this one.")
DELETED = Rule("PP206", "deleted-name", WARNING,
    "`{name}` is used here, but cell {deletion} above deletes it",
    "The app runs cells from top to bottom: use it before it is deleted, or leave out the `del`.")
SHOWS_MORE = Rule("PP207", "interactivity", NOTICE,
    "this cell sets `{setting}`, so the cells after it are kept as text",
    "A function shows one value. To get functions, use `display(...)` where a cell shows more than its last value.")
NOT_ANALYSED = Rule("PP208", "not-analysed", NOTICE,
    "this cell is nested too deeply to be analysed",
    "The app keeps it as text and runs it unchanged. Split the long expression to have it analysed.")
UNSEEDED = Rule("PP210", "unseeded-chance", WARNING,
    "`{call}` draws different numbers in each run, since nothing above sets a seed{more}",
    "{remedy} Otherwise a step that must run again gives other numbers than it did before.")
OTHER_ORDER = Rule("PP211", "other-order", NOTICE,
    "the notebook was saved after its cells ran in a different order: this one ran {relation}{more}",
    "The app runs them from top to bottom, with possibly different results. Restart the kernel, run all cells and check the outputs.")
HISTORY = Rule("PP212", "history-number", WARNING,
    "`{written}` is the output of cell number {number}, counted from the top: {reason}{hint}",
    "The numbers depend on the order in which the cells ran. Give the value a name in the cell that computes it, and use that name.")
ANSWER_REPLACED = Rule("PP213", "answer-replaced", NOTICE,
    "`{name}` is a field of cell {cell}, but gets another value here, whatever the user answered",
    "Use another name here if later cells should still see the user's answer.")
MAYBE_MISSING = Rule("PP214", "maybe-missing", WARNING,
    "`{name}` does not exist for some answers to `{field}`: only a branch of an `if` in cell {cell} sets it",
    "Set `{name}` before the `if` or in an `else`; otherwise this step fails with a NameError for these answers.")
OLD_CLASS = Rule("PP215", "old-class", NOTICE,
    "`{name}` is an instance of the `{kind}` that cell {old} defines, not of the one in cell {new}",
    "Run from top to bottom, it has the methods of the older class. Create it again below the newer one.")
SHELL_COMMAND = Rule("PP216", "shell-command", NOTICE,
    "`{command}` runs on the machine that serves the app, each time its step runs",
    "Make sure that what it needs is installed there, and that every user of the app may run it.")
RUNS_ANSWER = Rule("PP217", "runs-answer", WARNING,
    "{answer} is run {what}: every user of the app can run anything on the machine that serves it",
    "Offer `choices`, or use `shlex.quote(...)` in a command, and `ast.literal_eval(...)` or `float(...)` instead of `eval`.")
UNKNOWN_MAGIC = Rule("PP218", "unknown-magic", WARNING,
    "`{magic}` is not a magic of IPython, and no cell above loads an extension that may have it",
    "The step fails. Load the extension in the notebook (`%load_ext ...`), or remove the line.")
OPENS_WINDOW = Rule("PP219", "opens-window", WARNING,
    "`{call}` opens a window on the machine that serves the app, or fails there; the page does not show it",
    "The page shows figures of matplotlib without it; show other pictures with `display(...)`.")
LEAVES_FOLDER = Rule("PP220", "leaves-folder", NOTICE,
    "from here on the cells work in `{folder}`, not in the run's own folder",
    "Runs of the app may overwrite each other's files there, and the page does not offer these files. Remove the line if you can.")
ABSOLUTE_PATH = Rule("PP221", "absolute-path", NOTICE,
    "`{path}` exists on one machine only and is not copied with the plugin",
    "Put the file beside the notebook and read it by its name: each run of the app gets a copy.")
WIDGET = Rule("PP222", "live-widget", WARNING,
    "`{widget}` does not become a field and keeps its initial value: {reason}",
    "Ask for the value instead: `limit = 5` with `#| input: limit` above it becomes a field of the form.")
LEFT_RUNNING = Rule("PP223", "left-running", WARNING,
    "this {what} may still run when its step is done; the page does not show what it prints after that",
    "Wait for it in the same cell (`await ...`, `.join()`).")
ACTS_AGAIN = Rule("PP224", "acts-again", NOTICE,
    "`{code}` may {may}{more}, and what is computed here is not kept, since {reason}",
    "Going on after a pause runs this cell again: the app asks the user first. Ask for secrets, and open connections, in the cell that uses them.")

# --- PP3xx: planning ---------------------------------------------------------------------------------------------------
RESERVED_APP_NAME = Rule("PP301", "reserved-app-name", ERROR,
    "the app would be named {name}, but every Pipulate server uses that address itself",
    'Rename the notebook, or set another name in its metadata: {{"pipulate": {{"app_name": "my_{name}"}}}}.')
BAD_PIN = Rule("PP302", "bad-pin", WARNING,
    "this cell cannot be pinned to {pin}: {reason}",
    "Pin it to an id that no other cell has, such as step_03; until then it gets the next free id.")
FIELD_IN_TEXT_CELL = Rule("PP303", "field-in-text-cell", WARNING,
    "{name} does not become a field: this cell is kept as text ({reason}), and a field needs a function",
    "Move the assignment of {name} to a separate cell above this one.")
NOTHING_TO_JOIN = Rule("PP304", "nothing-to-join", NOTICE,
    "`join: true` on the first step: there is no step above it",
    "Remove the option, or move the cell.")
FILE_NOT_FOUND = Rule("PP305", "file-not-found", WARNING,
    "the notebook reads {path}, which is missing beside it or cannot be read",
    "Put the file where the notebook looks for it and port again: the port copies it beside the plugin.")
RESERVED_FIELD = Rule("PP306", "reserved-field", WARNING,
    "{name} does not become a field: the page uses that name itself",
    "Use another name for the variable, for example my_{name}.")
FILE_OUTSIDE = Rule("PP307", "file-outside", WARNING,
    "the notebook reads {path}, which is outside the notebook's folder and is not copied with the plugin",
    "Put the file beside the notebook and read it from there; each run of the app works in its own folder.")
NOTHING_TO_RUN = Rule("PP308", "nothing-to-run", ERROR,
    "{name} has no code cell to run: all are empty or skipped",
    "Remove `skip: true` or the tag from the cells that the app should run.")
NOT_MOVABLE = Rule("PP309", "not-movable", WARNING,
    "this cell is kept as text: moving it into a function would change its code ({reason})",
    "Nothing to do: the cell runs unchanged. This is a gap in the transpiler; please report the cell if you may share it.")
NOT_KNOWN_YET = Rule("PP310", "not-known-yet", WARNING,
    "the {part} of {name} cannot be computed before this step runs: {reason}",
    "Compute it in a separate cell above this step and use the result here.")
NOT_INSTALLED = Rule("PP311", "not-installed", WARNING,
    "not installed here: {modules}. If it is also missing where the app runs, the step that imports it fails",
    "Install it where the app runs{command}. The name of a package may differ from the name of its module.")
ONLY_ON_COLAB = Rule("PP312", "only-on-colab", WARNING,
    "google.colab exists on Colab only; in the app this step fails",
    "Remove the line, or skip its cell with `#| skip: true`. To get a file from the user, make it a field: `#| input: {{name: orders, type: file}}`.")
CHOSEN_GONE = Rule("PP390", "chosen-field-gone", WARNING,
    "`{name}` was chosen with `--fields` before, but can no longer be a field: {reason}",
    "If it has a new name, give that one: --fields {names}")

# --- PP4xx: writing, merging and commands ------------------------------------------------------------------------------
NOTEBOOK_UNREADABLE = Rule("PP401", "notebook-unreadable", ERROR,
    "cannot read {path}: {reason}",
    "Give the path of a notebook file that you may read.")
OUTPUT_UNWRITABLE = Rule("PP402", "output-unwritable", ERROR,
    "cannot write to {path}: {reason}",
    "Choose another folder with -o, or make this one writable. Nothing was changed.")
EDITED_BY_HAND = Rule("PP403", "edited-by-hand", ERROR,
    "{path} was edited by hand, and {option} would drop those edits: {edits}",
    "Nothing was written. Without {option} your edits stay. To drop them, add --yes: the port keeps a backup, and --undo restores it.")
NOT_OURS = Rule("PP404", "not-ours", ERROR,
    "{path} exists already and was not ported from this notebook",
    'Nothing was written. Choose another folder with -o, or another name: {{"pipulate": {{"app_name": "..."}}}} in the metadata.')
SLUG_CLASH = Rule("PP405", "slug-clash", ERROR,
    "{path} is a plugin of the same name, and a server shows only one of two plugins named {name}",
    "Nothing was written. Choose another folder with -o, or another app_name in the notebook's metadata.")
BUNDLED_FILE_KEPT = Rule("PP406", "bundled-file-kept", NOTICE,
    "{path} beside the plugin has changed since the port copied it; your version stays",
    "Delete it and port again to get the notebook's version.")
BAD_OPTION = Rule("PP407", "bad-option", ERROR,
    "{option} cannot be {value}: {reason}",
    "Add --help to the command to see what each option takes.")
ANSWER_NEEDED = Rule("PP408", "answer-needed", ERROR,
    "{name} calls input(), and verify has no answer to give it",
    "Give the answers, for the notebook and the app alike: {answers}")
SECOND_PLUGIN = Rule("PP409", "second-plugin", NOTICE,
    "{old} was ported from this notebook under its former name {name}; {path} is a new plugin without those edits and runs",
    'To keep using the old plugin, put {{"pipulate": {{"app_name": "{name}"}}}} into the notebook\'s metadata, delete {path} and port again. '
    "Otherwise delete the old plugin.")
PLUGIN_NOT_PYTHON = Rule("PP420", "plugin-not-python", ERROR,
    "{path} is not valid Python at line {line}, so the port cannot merge into it: {reason}",
    "Nothing was written. Repair that line and port again.")
NO_BASE = Rule("PP421", "no-base", ERROR,
    "{path} was edited by hand, and the base of its last port is not known: {reason}",
    "Nothing was written. Restore the folder .port (it belongs in git), or use the current notebook as the base: --adopt.")
CONFLICT = Rule("PP422", "merge-conflict", WARNING,
    "{unit} ({path}, line {line}): {reason}",
    "Edit it and delete the block of comments at line {line}, or add --resolve {id}=mine (or =notebook, or =both).")
MERGE_UNSAFE = Rule("PP423", "merge-unsafe", ERROR,
    "{path} and the notebook's changes cannot be merged safely: {reason}",
    "Nothing was written. Port into another folder with -o and compare. Please report it, with both files if you may share them.")
RUNS_INSERTED = Rule("PP424", "runs-affected", NOTICE,
    "{step} was inserted before {later}. Completing it in an existing run clears that run's steps from {later} on.",
    "Nothing to do for new runs. Locked runs do not change.")
STEP_RETIRED = Rule("PP425", "step-retired", NOTICE,
    "{step} is no longer in the notebook; saved runs keep its data, unused",
    "Nothing to do: no other step gets its id.")
DELETED_AND_CHANGED = Rule("PP426", "deleted-by-you", NOTICE,
    "you deleted {step} from the plugin; its cell in the notebook has changed since",
    "It stays deleted. Restore it with --restore {step}.")
UNDEFINED_AFTER_MERGE = Rule("PP427", "undefined-after-merge", WARNING,
    "nothing in the plugin defines `{name}`, which your text in {method} uses",
    "The notebook may have renamed it: use the new name there. Otherwise the step fails with a NameError.")
STRAY_BLOCK = Rule("PP428", "stray-conflict-block", WARNING,
    "{path} has a conflict block at line {line} that lock.json does not list",
    "Resolve it by hand: keep the lines you want and delete the block.")
NO_BACKUP = Rule("PP429", "no-backup", ERROR,
    "there is nothing to undo for {path}",
    "Each port that changes an existing plugin makes a backup; .port keeps the last ten.")
NEWER_COMPILER = Rule("PP430", "newer-compiler", NOTICE,
    "a newer compiler writes {parts} differently; the notebook {also}",
    "Nothing to do: the port merges the compiler's changes first and the notebook's after them, and keeps your edits.")
NOT_BOTH = Rule("PP431", "not-both", WARNING,
    "the conflict of {unit} stays open: the two versions cannot be combined line after line into valid Python",
    "Write the statement that you want and delete the block of comments, or add --resolve {id}=mine (or =notebook).")
NOT_PORTED = Rule("PP435", "not-ported", ERROR,
    "{folder} has no plugin of {path}",
    "Port the notebook first: pipulate port {path} -o {folder}")
EDIT_STAYS = Rule("PP436", "edit-stays", WARNING,
    "an edit in {function} stays in the plugin only: {reason}",
    "Nothing is lost: each port keeps it. To get it into the notebook, make the change there and port again.")
FOLDER_BUSY = Rule("PP437", "folder-busy", ERROR,
    "another port has been using {path} for more than {seconds} seconds",
    "Nothing was written. Wait until it ends, or stop it, and try again: the next port repairs what it leaves unfinished.")
WHICH_PLUGIN = Rule("PP438", "which-plugin", ERROR,
    "several plugins were made from {path}, {names}, and {reason}",
    'Nothing was written. Name the right one in the notebook\'s metadata: {{"pipulate": {{"app_name": "{name}"}}}}, or delete those you do not need.')
PORT_FAILED = Rule("PP440", "port-failed", ERROR,
    "the notebook could not be ported: {reason}",
    "Nothing was written. `pipulate port` on the command line says more; please report it with the notebook.")
UNKNOWN_TOOL = Rule("PP441", "unknown-tool", ERROR,
    "there is no tool {name}",
    "The tools are {names}: `pipulate tools list`.")
BAD_ARGUMENTS = Rule("PP442", "bad-arguments", ERROR,
    "the arguments of the tool {name} cannot be used: {reason}",
    "`pipulate tools list` gives the JSON schema of its arguments.")
PROCESS_DIED = Rule("PP445", "process-died", ERROR,
    "the process that verified {path} ended before it had a result",
    "The other notebooks are not affected. Verify this one alone to see what happens: pipulate verify {path}")
CHANGED_MEANWHILE = Rule("PP490", "changed-meanwhile", ERROR,
    "{path} has changed since it was read",
    "Nothing was written. Save it where it is open, then try again.")
NO_TERMINAL = Rule("PP491", "no-terminal", ERROR,
    "annotate asks its questions in a terminal, and this is not one",
    "Name the fields instead: --fields auto or --fields NAME,NAME; `pipulate inspect` lists what looks like an input.")

# --- PP9xx: our bugs ---------------------------------------------------------------------------------------------------
INTERNAL = Rule("PP901", "internal-error", ERROR,
    "this is a bug in the transpiler, not in your notebook: {reason}",
    "Nothing was written. Please report it with the traceback below, and with the notebook if you may share it.")
# fmt: on


def all_rules() -> tuple[Rule, ...]:
    """Return every rule of this table, sorted by code."""
    return tuple(
        sorted((r for r in globals().values() if isinstance(r, Rule)), key=lambda r: r.code)
    )
