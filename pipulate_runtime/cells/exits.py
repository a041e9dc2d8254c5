"""A cell that ends the run on purpose: `raise SystemExit("...")` and `sys.exit("...")`, with words for whoever runs it.

Later cells do not run, in Jupyter as here. On the page the words stand alone: there is no error that a traceback would explain.
An exit with a number, or with nothing, says nothing to anybody and stays an error.
"""

import re
from collections.abc import Mapping
from typing import Any

_ADVICE = re.compile(r".*UserWarning: To exit: use 'exit', 'quit', or Ctrl-D\.\n.*\n?")


def ended_with(output: Mapping[str, Any]) -> str:
    """Return the words with which an output ends the run; empty for any other output."""
    words = str(output.get("evalue", "")) if output.get("ename") == "SystemExit" else ""
    number = words.removeprefix("-")
    return "" if number.isdigit() or words in ("None", "True", "False") else words


def is_advice(output: Mapping[str, Any]) -> bool:
    """Whether an output is nothing but what IPython tells people at a terminal when a cell exits."""
    said = output.get("text", "")
    text = "".join(said) if isinstance(said, list) else str(said)
    return output.get("name") == "stderr" and _ADVICE.fullmatch(text) is not None
