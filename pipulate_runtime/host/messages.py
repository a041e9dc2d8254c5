"""All that can go wrong in the host before a page is shown, in one table, so that the texts can be proof-read.

Codes are PP5xx and are never reused.
"""

from dataclasses import dataclass

PROBLEM = 1  # exit code: the command ran and found a problem
USAGE = 2  # exit code: the command was given something it cannot use


class HostError(Exception):
    """Something the person at the command line can put right.

    `code` names the rule, `message` says what is wrong, `remedy` what to do, `exit_code` is the process's.
    """

    def __init__(self, code: str, message: str, remedy: str, exit_code: int) -> None:
        """Made by Rule.error."""
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


FOLDER_MISSING = Rule(
    "PP501",
    "There is no folder {folder}.",
    "Give the folder that holds the ported plugins, or port a notebook first: pipulate port NOTEBOOK -o {folder}",
    USAGE,
)
NO_PLUGINS = Rule(
    "PP502",
    "The folder {folder} holds no plugin.",
    "Port a notebook into it: pipulate port NOTEBOOK -o {folder}",
    USAGE,
)
PORT_IN_USE = Rule(
    "PP503",
    "Port {port} on {host} is taken by another program.",
    "Stop that program, or choose another port: --port {other}",
)
ADDRESS_UNUSABLE = Rule(
    "PP504",
    "The server cannot listen on {host}:{port}: {reason}.",
    "Choose an address of this machine (--host 127.0.0.1) and a port above 1023 (--port 5001).",
    USAGE,
)
DATA_UNUSABLE = Rule(
    "PP505",
    "The data folder {data} cannot be used: {reason}.",
    "Choose a folder you can write to: --data DIR",
    USAGE,
)
NOT_A_DATABASE = Rule(
    "PP506",
    "{path} is not a database of this program: {reason}.",
    "Move the file away (it is left as it is), or choose another folder: --data DIR",
)
PLUGIN_MISSING = Rule(
    "PP507",
    "There is no plugin file {path}.",
    "Give the path of a file that `pipulate port` wrote.",
    USAGE,
)
PLUGIN_BROKEN = Rule(
    "PP508",
    "The plugin {path} cannot be used: {reason}",
    "{remedy}",
)
RUN_UNKNOWN = Rule(
    "PP509",
    "There is no run {key!r}.",
    "`pipulate runs list` shows the runs that are there.",
    USAGE,
)
RUN_UNREADABLE = Rule(
    "PP510",
    "What is stored for the run {key!r} cannot be read: {reason}.",
    "The row is left as it is. Delete the run, or put the database back from a backup.",
)
RUN_OF_OTHER_PLUGIN = Rule(
    "PP511",
    "The run {key!r} belongs to {owner!r}, not to {plugin!r}.",
    "Choose another key, or the plugin the run belongs to.",
    USAGE,
)
ANSWER_UNKNOWN = Rule(
    "PP512",
    "No step asks for {answer!r}.",
    "Answers are given as step.field=value; {asked}.",
    USAGE,
)
ANSWER_REFUSED = Rule(
    "PP513",
    "{step} did not accept its answers: {reason}",
    "Give an answer it accepts: {asked}",
)
STEP_FAILED = Rule(
    "PP514",
    "{step} failed: {reason}",
    "Correct the plugin or its answers; --key {key} goes on from this step.",
)
WALK_STUCK = Rule(
    "PP515",
    "The workflow did not get to its end: {reason}.",
    "Open it in the browser (pipulate serve) and look at the step it stopped at.",
)
PLUGIN_GONE = Rule(
    "PP516",
    "No plugin for the run {key!r} is in {folder}.",
    "Give the folder with the plugin {app!r}: --folder DIR. The run as data: pipulate runs show --json",
)
EXPORT_UNAVAILABLE = Rule(
    "PP517",
    "The run {key!r} cannot be exported as a notebook: {reason}.",
    "The run as data: pipulate runs show --json",
)
KEY_UNUSABLE = Rule(
    "PP518",
    "{key!r} cannot be the name of a run: {reason}.",
    "Choose a shorter name made of letters, digits, spaces, dots and dashes.",
    USAGE,
)

FILE_UNWRITABLE = Rule(
    "PP519",
    "The file {path} cannot be written: {reason}.",
    "Give a path in a folder that is there and that you may write to.",
    USAGE,
)

INTERRUPTED = Rule(
    "PP530",
    "The run was interrupted in {step}. All steps before it are kept.",
    "This goes on with it: {command}",
    130,  # as a shell says it of a program that Ctrl+C has ended
)

DISK_FULL = Rule(
    "PP531",
    "Nothing could be saved: there is no room left on the disk of {path}.",
    "Make room, then try again. What was saved before is as it was.",
)
DATABASE_BUSY = Rule(
    "PP532",
    "Nothing could be saved: another program keeps the database {path} locked.",
    "End what that program does with the database, then try again. What was saved before is as it was.",
)
RUN_EXISTS = Rule(
    "PP533",
    "There is a run {key!r} already.",
    "Choose another name for the new run, or leave --key out: it gets the next free number.",
    USAGE,
)
NOT_A_TIME = Rule(
    "PP534",
    "{text!r} is no length of time.",
    "Write it as a number and a unit: 12h, 30d, 8w.",
    USAGE,
)
NOT_A_SIZE = Rule(
    "PP535",
    "{text!r} is no size.",
    "Write it as a number and a unit: 500M, 2G.",
    USAGE,
)
QUESTION_UNANSWERED = Rule(
    "PP536",
    "{step} asks while it runs, and there is no answer to question {number}: {prompt!r}",
    "Give one for each question, in their order: --set {step}.{name}=..., repeated, or a list under {name!r} in a file for --answers.",
)
ANSWERS_LEFT = Rule(
    "PP537",
    "{step} was given {given} answers for what it asks while it runs, and asked {asked} times.",
    "Leave out those of {step}.{name} that nothing asks for. What the run gave is kept.",
    USAGE,
)

RUN_LOCKED = Rule(
    "PP545",
    "The run {key!r} is locked.",
    "Unlock it first (the button is on its last card). Nothing was changed.",
)
DROP_NO_LENGTH = Rule(
    "PP555",
    "What was sent does not say how large it is.",
    "Choose the notebook with the button on the page, or drop it there.",
)
DROP_TOO_LARGE = Rule(
    "PP556",
    "That is more than this page takes: {size}, and {files} files.",
    "Clear the outputs of the notebook in Jupyter, or port it on the command line: pipulate port NOTEBOOK",
)
DROP_NOT_ONE = Rule(
    "PP557",
    "One notebook is needed, and {count} came.",
    "Drop one file that ends in .ipynb, with the data files it reads if it needs any.",
)
DROP_GONE = Rule(
    "PP558",
    "This notebook waits no more.",
    "Drop it again: what is shown here is kept for an hour.",
)
DROP_SAME_NAME = Rule(
    "PP559",
    "Two files came that would both be kept as {name}.",
    "Rename one of them, and what the notebook calls it, or leave one out. Nothing was kept.",
)

OLLAMA_ADDRESS = Rule(
    "PP550",
    "{text!r} is not an address of Ollama.",
    "Write it as it is in a browser: --ollama http://localhost:11434",
    USAGE,
)
OLLAMA_MISSING = Rule(
    "PP551",
    "There is no Ollama at {url}.",
    "Get it from ollama.com, start it, then: ollama pull {model}. All else works without it.",
)
MODEL_MISSING = Rule(
    "PP552",
    "Ollama has no model {model!r}.",
    "Get it: ollama pull {model}. Or start with another one: pipulate serve --model NAME",
)
ANSWER_BROKEN = Rule(
    "PP553",
    "The answer broke off: {reason}.",
    "Ask again. What Ollama says about it is in its own log.",
)
MODEL_REFUSED = Rule(
    "PP554",
    "Ollama could not answer: {reason}.",
    "Ask again, or start with another model: pipulate serve --model NAME",
)

RULES: tuple[Rule, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Rule)
)
