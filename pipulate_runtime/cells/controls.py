"""Widgets that ask for a value or hold others: in an app a form stands in their place, so their text is not shown.

What such a widget gives is `IntSlider(value=3, max=10)`: it stays in what is stored and exported, since the cell did give it.
"""

import re
from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"
CONTROLS = frozenset(
    [
        "IntSlider",
        "FloatSlider",
        "FloatLogSlider",
        "IntRangeSlider",
        "FloatRangeSlider",
        "Play",
        "BoundedIntText",
        "BoundedFloatText",
        "IntText",
        "FloatText",
        "Text",
        "Textarea",
        "Password",
        "Combobox",
        "Checkbox",
        "ToggleButton",
        "Dropdown",
        "Select",
        "SelectionSlider",
        "RadioButtons",
        "ToggleButtons",
        "SelectMultiple",
        "SelectionRangeSlider",
        "DatePicker",
        "TimePicker",
        "NaiveDatetimePicker",
        "DatetimePicker",
        "ColorPicker",
        "TagsInput",
        "ColorsInput",
        "IntsInput",
        "FloatsInput",
        "FileUpload",
        "Controller",
        "Button",
        "Output",
        "interactive",
        "Box",
        "HBox",
        "VBox",
        "GridBox",
        "Accordion",
        "Tab",
        "Stack",
        "AppLayout",
        "GridspecLayout",
        "TwoByTwoLayout",
    ]
)
_CLASS = re.compile(r"(\w+)\(")


def is_control(output: dict[str, Any]) -> bool:
    """Whether an output is such a widget. One that has a text of its own (a progress bar) is not."""
    data = output.get("data", {})
    if VIEW not in data:
        return False
    text = data.get("text/plain", "")
    match = _CLASS.match("".join(text) if isinstance(text, list) else str(text))
    return match is not None and match[1] in CONTROLS
