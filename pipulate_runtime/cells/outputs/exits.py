"""A cell that ends the run on purpose, with a message: `raise SystemExit("...")` and `sys.exit("...")`.

Later cells do not run, as in Jupyter. The page shows the message without a traceback. An exit with a number, or without
an argument, has no message and stays an error.
"""

import re
from collections.abc import Mapping
from typing import Any

_ADVICE = re.compile(r".*UserWarning: To exit: use 'exit', 'quit', or Ctrl-D\.\n.*\n?")


def exit_message(output: Mapping[str, Any]) -> str:
    """Return the message of an output that ends the run; "" for any other output."""
    message = str(output.get("evalue", "")) if output.get("ename") == "SystemExit" else ""
    number = message.removeprefix("-")
    return "" if number.isdigit() or message in ("None", "True", "False") else message


def is_advice(output: Mapping[str, Any]) -> bool:
    """Whether an output is only the advice that IPython prints when a cell exits."""
    text = "".join(output.get("text", ""))  # a text, or a list of lines
    return output.get("name") == "stderr" and _ADVICE.fullmatch(text) is not None
