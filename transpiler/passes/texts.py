"""The plugin's words: made of the notebook's own."""

import re

from transpiler.ir import PlannedStep
from transpiler.passes.markdown import plain


def first_words(markdown: str) -> str:
    """Return the first paragraph of a markdown text as one line of plain words, without its pictures."""
    paragraph = " ".join(markdown.strip().split("\n\n")[0].split())
    return plain(re.sub(r"!\[[^\]]*\]\([^)]*\)", "", paragraph))


def training_prompt(title: str, intro: str, steps: tuple[PlannedStep, ...], closing: str) -> str:
    """Return what a language model is told about the workflow: the notebook's own words, and what each step asks."""
    parts = [f"# {title}", intro]
    for step in steps:
        parts += [f"## {step.title}", step.text]
        parts += [f"The person gives: {f.label}." for f in step.fields]
    parts.append(closing)
    return "\n\n".join(part.strip() for part in parts if part.strip())
