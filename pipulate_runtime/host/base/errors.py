"""The host's errors: codes, messages and remedies in one table, so that the texts can be proof-read.

Codes are PP5xx and are never reused.
"""

from dataclasses import dataclass

PROBLEM = 1  # exit code: the command ran and found a problem
USAGE = 2  # exit code: the command was given something it cannot use


class HostError(Exception):
    """A problem that the user of the command line can solve.

    `code` names the rule, `message` says what is wrong, `remedy` what to do, `exit_code` is the process's.
    """

    def __init__(self, code: str, message: str, remedy: str, exit_code: int) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.remedy = remedy
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of problem: its code, its texts (format strings) and the exit code it leads to."""

    code: str
    message: str
    remedy: str
    exit_code: int = PROBLEM

    def error(self, **values: object) -> HostError:
        """The rule applied to what was found; values fill the format strings."""
        message, remedy = self.message.format(**values), self.remedy.format(**values)
        return HostError(self.code, message, remedy, self.exit_code)


# A rule: code; message; remedy, exit code.
# fmt: off
FOLDER_MISSING = Rule("PP501",
    "There is no folder {folder}.",
    "Give the folder that holds the ported plugins, or port a notebook first: pipulate port NOTEBOOK -o {folder}", USAGE)
NO_PLUGINS = Rule("PP502",
    "The folder {folder} contains no plugin.",
    "Port a notebook into it: pipulate port NOTEBOOK -o {folder}", USAGE)
PORT_IN_USE = Rule("PP503",
    "Another program uses port {port} on {host}.",
    "Stop that program, or choose another port: --port {other}")
ADDRESS_UNUSABLE = Rule("PP504",
    "The server cannot listen on {host}:{port}: {reason}.",
    "Choose an address of this machine (--host 127.0.0.1) and a port above 1023 (--port 5001).", USAGE)
DATA_UNUSABLE = Rule("PP505",
    "The data folder {data} cannot be used: {reason}.",
    "Choose a folder you can write to: --data DIR", USAGE)
NOT_A_DATABASE = Rule("PP506",
    "{path} is not a database of this program: {reason}.",
    "Move the file away (it was not changed), or choose another folder: --data DIR")
PLUGIN_MISSING = Rule("PP507",
    "There is no plugin file {path}.",
    "Give the path of a file that `pipulate port` wrote.", USAGE)
PLUGIN_BROKEN = Rule("PP508",
    "The plugin {path} cannot be used: {reason}",
    "{remedy}")
RUN_UNKNOWN = Rule("PP509",
    "There is no run {key!r}.",
    "`pipulate runs list` shows all runs.", USAGE)
RUN_UNREADABLE = Rule("PP510",
    "The stored state of the run {key!r} cannot be read: {reason}.",
    "The row was not changed. Delete the run, or restore the database from a backup.")
RUN_OF_OTHER_PLUGIN = Rule("PP511",
    "The run {key!r} belongs to {owner!r}, not to {plugin!r}.",
    "Choose another key, or the plugin the run belongs to.", USAGE)
ANSWER_UNKNOWN = Rule("PP512",
    "No step asks for {answer!r}.",
    "Write answers as step.field=value; {asked}.", USAGE)
ANSWER_REFUSED = Rule("PP513",
    "{step} did not accept its answers: {reason}",
    "Give an answer it accepts: {asked}")
STEP_FAILED = Rule("PP514",
    "{step} failed: {reason}",
    "Correct the plugin or its answers; --key {key} continues from this step.")
WALK_STUCK = Rule("PP515",
    "The workflow did not reach its end: {reason}.",
    "Open it in the browser (pipulate serve) and look at the step it stopped at.")
PLUGIN_GONE = Rule("PP516",
    "The folder {folder} has no plugin for the run {key!r}.",
    "Give the folder with the plugin {app!r}: --folder DIR. To get the run as data: pipulate runs show --json")
EXPORT_UNAVAILABLE = Rule("PP517",
    "The run {key!r} cannot be exported as a notebook: {reason}.",
    "To get the run as data: pipulate runs show --json")
KEY_UNUSABLE = Rule("PP518",
    "{key!r} cannot be the name of a run: {reason}.",
    "Choose a shorter name made of letters, digits, spaces, dots and dashes.", USAGE)
FILE_UNWRITABLE = Rule("PP519",
    "The file {path} cannot be written: {reason}.",
    "Give a path in an existing folder that you may write to.", USAGE)
INTERRUPTED = Rule("PP530",
    "The run was interrupted in {step}. All steps before it are kept.",
    "To continue: {command}", 130)  # a shell's exit code of a program that Ctrl+C ended
DISK_FULL = Rule("PP531",
    "Nothing could be saved: the disk of {path} is full.",
    "Free some space, then try again. Everything saved before is intact.")
DATABASE_BUSY = Rule("PP532",
    "Another program has locked the database {path}, so nothing could be saved.",
    "Try again in a moment. If it lasts, finish or stop that program's work on the database. Everything saved before is intact.")
RUN_EXISTS = Rule("PP533",
    "The run {key!r} exists already.",
    "Choose another name for the new run, or leave --key out: it gets the next free number.", USAGE)
NOT_A_TIME = Rule("PP534",
    "{text!r} is not a length of time.",
    "Write it as a number and a unit: 12h, 30d, 8w.", USAGE)
NOT_A_SIZE = Rule("PP535",
    "{text!r} is not a size.",
    "Write it as a number and a unit: 500M, 2G.", USAGE)
QUESTION_UNANSWERED = Rule("PP536",
    "{step} asks while it runs, and its question {number} has no answer: {prompt!r}",
    "Give one answer for each question, in their order: --set {step}.{name}=..., repeated, or a list under {name!r} in a file for --answers.")
ANSWERS_LEFT = Rule("PP537",
    "{step} got {given} answers for its questions while it runs, but asked {asked} times.",
    "Leave out the answers of {step}.{name} that are too many. The results of the run are kept.", USAGE)
REPLAY_REFUSED = Rule("PP538",
    "Earlier steps would have to run again, since what they computed is not kept, and that may repeat what they did:{steps}",
    "Nothing has run. To let them run again: --replay. Or start a new run: --from KEY takes its answers.")
DATABASE_UNWRITABLE = Rule("PP539",
    "Nothing could be saved: the database {path} cannot be written: {reason}.",
    "Allow the user of the server to write there, or see to the disk, then try again. Everything saved before is intact.")
RUN_LOCKED = Rule("PP545",
    "The run {key!r} is locked.",
    "Unlock it first (the button is on its last card). Nothing was changed.")
OLLAMA_ADDRESS = Rule("PP550",
    "{text!r} is not an address of Ollama.",
    "Write it as it is in a browser: --ollama http://localhost:11434", USAGE)
OLLAMA_MISSING = Rule("PP551",
    "No Ollama server answers at {url}.",
    "Get it from ollama.com, start it, then: ollama pull {model}. Everything else works without it.")
MODEL_MISSING = Rule("PP552",
    "Ollama has no model {model!r}.",
    "Get it: ollama pull {model}. Or start with another one: pipulate serve --model NAME")
ANSWER_BROKEN = Rule("PP553",
    "The answer broke off: {reason}.",
    "Ask again. Ollama's own log says more about it.")
MODEL_REFUSED = Rule("PP554",
    "Ollama could not answer: {reason}.",
    "Ask again, or start with another model: pipulate serve --model NAME")
DROP_NO_LENGTH = Rule("PP555",
    "The upload does not state its size.",
    "Choose the notebook with the button on the page, or drop it there.")
DROP_TOO_LARGE = Rule("PP556",
    "That is more than this page accepts: {size} and {files} files.",
    "Clear the outputs of the notebook in Jupyter, or port it on the command line: pipulate port NOTEBOOK")
DROP_NOT_ONE = Rule("PP557",
    "The page needs exactly one notebook and got {count}.",
    "Drop one file that ends in .ipynb, with the data files it reads if it needs any.")
DROP_GONE = Rule("PP558",
    "This notebook is no longer waiting to be ported.",
    "Drop it again: this page keeps a notebook for an hour.")
DROP_SAME_NAME = Rule("PP559",
    "Two of the files would both be saved as {name}.",
    "Rename one of them, also in the notebook's code, or leave one out. Nothing was saved.")
REQUEST_TOO_LARGE = Rule("PP560",
    "The request is larger than {most:,} bytes.",
    "Send less at once; a large file can be given to a field for files.")
REQUEST_UNREADABLE = Rule("PP561",
    "The request cannot be read: {reason}.",
    "Use the form on the page. Nothing was changed.")
HEAD_TOO_LARGE = Rule("PP562",
    "The {what} of the request are larger than {most:,} bytes.",
    "Delete the cookies of this address in the browser, or open its first page again.")
REQUEST_TOO_SLOW = Rule("PP563",
    "The rest of the request came too slowly.",
    "Send it again when the connection is better. Nothing was changed.")
OPEN_TO_NETWORK = Rule("PP564",
    "Everybody who can reach this machine ({host}) can open these workflows, run their cells here, and see, change and delete all runs{more}. There is no login.",
    "For yourself alone leave out --host. For others, put a server with a login in front.")
# fmt: on

RULES: tuple[Rule, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Rule)
)
