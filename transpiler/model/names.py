"""Words of the notebook made into names: slugs, class names, titles."""

import difflib
import keyword
import re
import unicodedata
from collections.abc import Iterable

# --- names and words ------------------------------------------------------------------------------------------------------


_EDGES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")


def as_label(name: str) -> str:
    """Return a variable's or a file's name as a label: `min_amount`, `minAmount` and `MIN_AMOUNT` give "Min amount".

    Abbreviations stay as they are: `userID` gives "User ID".
    """
    words = _EDGES.sub(" ", name).split()
    if not words:
        return name
    shouted = name.isupper()
    text = " ".join(w if len(w) > 1 and w.isupper() and not shouted else w.lower() for w in words)
    return text[0].upper() + text[1:]


def title_of_file(name: str) -> str:
    """Return a notebook's file name as a title: `01_sales-report.ipynb` gives "Sales report"."""
    stem = name.rpartition("/")[2].rpartition("\\")[2].removesuffix(".ipynb")
    return as_label(re.sub(r"^\d+[\W_]+(?=\w)", "", stem)) or "Notebook"


def as_name(words: str, otherwise: str) -> str:
    """Return a Python name made of at most the first four words, or `otherwise` when they give none."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    name = "_".join(re.findall(r"[a-z0-9]+", plain.lower())[:4])
    return name if name.isidentifier() and not keyword.iskeyword(name) else otherwise


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the one of `known` most like `word`; the first one when all are equally unlike it."""
    return difflib.get_close_matches(word, list(known), n=1, cutoff=0.0)[0]


# --- names of apps and classes --------------------------------------------------------------------------------------------


# The components of FastHTML that the templates use.
COMPONENTS = frozenset({
    "H3", "Article", "Button", "Datalist", "Dd", "Div", "Dl", "Dt", "Fieldset", "Footer", "Form", "Header",
    "HtmxResponseHeaders", "Input", "Label", "Legend", "Option", "Output", "P", "Response", "Select", "Small",
    "Textarea",
})  # fmt: skip

# What an emitted module defines or imports: a workflow class must not take one of these names.
TAKEN = COMPONENTS | {"Step", "Cells", "Typed", "None", "True", "False"}

LONGEST = 80  # Characters of a slug: it is part of file names, which end at 255 bytes

# The first path segments that a Pipulate server answers itself (CONTRACT 1.4): a workflow of that name would never be seen.
SERVER_ROUTES = frozenset({
    "assets", "chat", "clear_db", "clear_pipeline", "download_file", "generate_new_key", "imports", "log",
    "mcp_tool_executor", "open_folder", "poke", "port", "profiles", "redirect", "refresh_app_menu",
    "refresh_profile_menu", "roles", "runs", "search_apps", "select_profile", "sse", "static",
    "switch_environment", "tasks", "toggle_profile_lock", "toggle_theme", "vendor", "ws",
})  # fmt: skip


def ascii_words(text: str) -> list[str]:
    """Return the words of a text in plain ASCII: `"Größe (cm)"` -> `["Grosse", "cm"]`."""
    text = text.replace("ß", "ss").replace("ẞ", "SS")
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.findall(r"[A-Za-z0-9]+", plain)


def slug(text: str) -> str:
    """Return an identifier in lower case for a URL, a key and a file name; `notebook` when nothing is left."""
    name = "_".join(word.lower() for word in ascii_words(text))[:LONGEST] or "notebook"
    name = re.sub(r"^(\d+_)+", "", name + "_").rstrip("_") or f"notebook_{name}"
    if name[0].isdigit() or keyword.iskeyword(name):
        name = f"notebook_{name}"
    return name


def class_name(app_name: str) -> str:
    """Return the class name of a workflow: `sales_report` -> `SalesReport`."""
    name = "".join(part[:1].upper() + part[1:] for part in app_name.split("_"))
    return f"{name}Workflow" if name in TAKEN or len(name) < 3 else name


def in_words(name: str) -> str:
    """Return a name as people write it: `min_amount` -> `Min amount`, `salesReport-2024` -> `Sales report 2024`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", re.sub(r"[_\-.\s]+", " ", name)).strip()
    words = [
        word if word.isupper() and len(word) > 1 and not name.isupper() else word.lower()
        for word in spaced.split()
    ]
    text = " ".join(words)
    return text[:1].upper() + text[1:]
