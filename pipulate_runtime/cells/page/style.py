"""The style sheet for outputs of cells; the host appends it to its own."""

from importlib import import_module
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

_LAYOUT = """
.cells { display: grid; gap: 0.75rem; }
.cell { display: grid; gap: 0.5rem; min-width: 0; }
.output { min-width: 0; margin: 0; }
.output pre, pre.output { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.output[data-mime="text/plain"] pre { white-space: pre; overflow-wrap: normal; }
.output[data-name="stderr"] { border-inline-start: 3px solid var(--ansi-yellow, #a67c00); padding-inline-start: 0.6rem; }
.output table { width: auto; border-collapse: collapse; font-variant-numeric: tabular-nums; }
.output th, .output td { padding: 0.25rem 0.6rem; border: 0; border-bottom: 1px solid color-mix(in srgb, currentcolor 15%, transparent); }
.output iframe { display: block; background: #fff; border-radius: 4px; max-height: 60rem; }
.output img { display: block; }
.error-message { margin: 0; font-weight: 600; color: var(--ansi-red, #d0453f); overflow-wrap: anywhere; }
.files { font-size: 0.92em; }
.files > p { margin: 0 0 0.2rem; font-weight: 600; }
.files > ul { margin: 0; padding: 0; list-style: none; display: grid; gap: 0.15rem; }
.files .file-name { overflow-wrap: anywhere; }
.files .file-size { opacity: 0.75; white-space: nowrap; font-variant-numeric: tabular-nums; }
.highlight { margin: 0; overflow-x: auto; }

/* progress: a line of a terminal, or a widget */
.bar { display: inline-flex; flex-wrap: wrap; align-items: center; gap: 0 0.75em; width: 100%; white-space: pre-wrap; vertical-align: top; }
.bar progress { flex: 1 1 8rem; width: auto; min-width: 5rem; height: 0.5rem; margin: 0; }
.bar-share { min-width: 4ch; text-align: right; }
.bar progress:not([value]) { display: none; }
[data-state="running"] .bar progress:not([value]) { display: inline-block; }
.output[data-name="stderr"]:has(.bar) { border: 0; padding-inline: 0; background: none; }
.widget-row { display: flex; flex-wrap: wrap; align-items: center; gap: 0 0.75rem; font-variant-numeric: tabular-nums; }
.widget-row .bar { flex: 1 1 10rem; width: auto; }
.widget-text { margin: 0; }

"""


def stylesheet() -> str:
    """Return the style sheet: layout of outputs, colours of terminals, and of code in light and dark.

    `data-theme` of the root decides between light and dark; without it, the device.
    """
    formatter: Any = import_module("pygments.formatters").HtmlFormatter
    light = _tokens(formatter(style="default").get_style_defs(".highlight"))

    def dark(root: str) -> str:
        tokens = _tokens(formatter(style="github-dark").get_style_defs(f"{root} .highlight"))
        return f"{root} {{ {_DARK_COLOURS} }}\n{tokens}"

    by_device = (
        f"@media (prefers-color-scheme: dark) {{\n{dark(':root:not([data-theme=light])')}\n}}"
    )
    colours = f":root {{ {_LIGHT_COLOURS} }}"
    return "\n".join([_LAYOUT, colours, light, by_device, dark(":root[data-theme=dark]")]) + "\n"


def _tokens(rules: str) -> str:
    """Keep the rules of tokens; the page has its own background."""
    return "\n".join(rule for rule in rules.splitlines() if ".highlight ." in rule)
