"""The style sheet for outputs of cells; the host appends it to its own."""

from importlib import import_module
from pathlib import Path
from typing import Any

# At least 4.5 to 1 on the page, on a card, and on the tinted grounds of warnings and errors (WCAG 1.4.3)
_LIGHT_COLOURS = (
    "--ansi-red: #b3261e; --ansi-green: #1f7034; --ansi-yellow: #7a5a00; --ansi-blue: #1f5bb5; "
    "--ansi-magenta: #8f3a97; --ansi-cyan: #0f6672; --ansi-white: #666666; --ansi-black: #555555;"
)
_DARK_COLOURS = (
    "--ansi-red: #ff8580; --ansi-green: #6fd389; --ansi-yellow: #e0c060; --ansi-blue: #86b4ff; "
    "--ansi-magenta: #dd94e0; --ansi-cyan: #66cddd; --ansi-white: #e6e6e6; --ansi-black: #9a9a9a;"
)


def stylesheet() -> str:
    """Return the style sheet: layout of outputs, colours of terminals, and of code in light and dark.

    `data-theme` of the root decides between light and dark; without it, the device.
    """
    formatter: Any = import_module("pygments.formatters").HtmlFormatter
    light = _tokens(formatter(style="default").get_style_defs(".highlight"))

    def dark(root: str) -> str:
        tokens = _tokens(formatter(style="github-dark").get_style_defs(f"{root} .highlight"))
        return f"{root} {{ {_DARK_COLOURS} }}\n{tokens}"

    by_device = dark(":root:not([data-theme=light])")
    by_device = f"@media (prefers-color-scheme: dark) {{\n{by_device}\n}}"
    colours = f":root {{ {_LIGHT_COLOURS} }}"
    layout = Path(__file__).with_name("outputs.css").read_text(encoding="utf-8")
    return "\n".join([layout, colours, light, by_device, dark(":root[data-theme=dark]")]) + "\n"


def _tokens(rules: str) -> str:
    """Keep the rules of tokens; the page has its own background."""
    return "\n".join(rule for rule in rules.splitlines() if ".highlight ." in rule)
