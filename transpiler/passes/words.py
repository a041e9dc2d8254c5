"""Names in words, and words as names."""

import difflib
import keyword
import re
import unicodedata
from collections.abc import Iterable

_EDGES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")


def in_words(name: str) -> str:
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
    return in_words(re.sub(r"^\d+[\W_]+(?=\w)", "", stem)) or "Notebook"


def as_name(words: str, otherwise: str) -> str:
    """Return a Python name made of at most the first four words, or `otherwise` when they give none."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    name = "_".join(re.findall(r"[a-z0-9]+", plain.lower())[:4])
    return name if name.isidentifier() and not keyword.iskeyword(name) else otherwise


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the one of `known` most like `word`; the first one when all are equally unlike it."""
    return difflib.get_close_matches(word, list(known), n=1, cutoff=0.0)[0]
