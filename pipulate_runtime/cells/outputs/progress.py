"""Shows progress bars in the text of a terminal as `progress` elements, which screen readers can read.

The stored output does not change.
"""

import html as escaping
import re
from dataclasses import dataclass

# "rows:  45%|####5     | 45/100 [00:04<00:05,  9.5it/s]", as tqdm draws it; the characters of the bar can be chosen
_KNOWN = re.compile(
    r"(?P<label>.*?)\s*\d{1,3}%\|[^|]{0,400}\|\s*(?P<done>[\d.,]+)(?P<unit>[kMGTPEZY]?)/(?P<total>[\d.,]+)"
    r"(?P<units>[kMGTPEZY]?)\s*(?P<rest>\[\d+:\d\d.*)"
)
# "rows: 45it [00:04,  9.5it/s]": of unknown length
_OPEN = re.compile(
    r"(?P<label>.*?)(?:^|(?<=\s))(?P<count>\d[\d.,]*[kMGTPEZY]?)\s?(?P<what>[A-Za-z]\w*)\s"
    r"(?P<rest>\[\d+:\d\d(:\d\d)?,.*)"
)
_TIMES = {unit: 1000.0**power for power, unit in enumerate(("", *"kMGTPEZY"))}
LONGEST = 600  # characters of a line that can be a bar


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar. `share` is between 0 and 1, or None for a bar of unknown length."""

    label: str
    share: float | None
    figures: str  # as tqdm writes them: how many of how many, since when, how fast


def in_text(line: str) -> Bar | None:
    """Return the bar that a line of a terminal draws, or None."""
    line = line.strip()
    if len(line) > LONGEST or "[" not in line:
        return None
    share = None
    if match := _KNOWN.fullmatch(line):
        done, total = _number(match["done"], match["unit"]), _number(match["total"], match["units"])
        if done is None or not total:
            return None
        share = min(1.0, done / total)
        counted = f"{match['done']}{match['unit']}/{match['total']}{match['units']} {match['rest']}"
    elif match := _OPEN.fullmatch(line):
        counted = f"{match['count']} {match['what']} {match['rest']}"
    else:
        return None
    return Bar(match["label"].rstrip(" :"), share, counted)


def _number(digits: str, unit: str) -> float | None:
    try:
        return float(digits.replace(",", "")) * _TIMES[unit]
    except ValueError:
        return None


def html(bar: Bar) -> str:
    """Return a bar as one line of HTML for a `pre`. The style sheet moves one of unknown length while its step runs."""
    label, figures = escaping.escape(bar.label), escaping.escape(bar.figures)
    words = f'<span class="bar-label">{label}</span>' if label else ""
    name = f'aria-label="{label or "Progress"}"'
    if bar.share is None:
        meter = f"<progress {name}></progress>"
    else:
        percent = f"{bar.share:.0%}"
        meter = f'<progress value="{bar.share:.4f}" max="1" {name}>{percent}</progress>'
        meter += f'<span class="bar-share">{percent}</span> '
    return f'<span class="bar">{words}{meter}<span class="bar-told">{figures}</span></span>'
