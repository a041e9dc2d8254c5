"""What a workflow gives its pages of its own: the constants ACCENT, LOGO, INTRO and CONTACT (docs/customising.md)."""

import colorsys
import re
from pathlib import Path
from typing import Any

from pipulate_runtime.host.plugins.model import Plugin

_PICTURES = {".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif"}
_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
_LIGHTEST, _DARKEST = (246, 245, 241), (30, 35, 33)  # --paper and, in the dark, --card of host.css


def own_text(instance: Any, name: str) -> str:
    """Return the workflow's constant `name`, "" for none."""
    return str(getattr(instance, name, None) or "").strip()


def colours(instance: Any) -> tuple[str, str] | None:
    """Return ACCENT as a colour for light pages and one for dark pages, as `#rrggbb`; None for none.

    ACCENT is `#rgb` or `#rrggbb`. It is made darker or lighter where texts in it could not be read well otherwise.
    """
    accent = own_text(instance, "ACCENT")
    if not re.fullmatch(r"#([0-9a-fA-F]{3}){1,2}", accent):
        return None
    digits = accent[1:] if len(accent) == 7 else "".join(digit * 2 for digit in accent[1:])
    given = tuple(bytes.fromhex(digits))
    return _readable(given, _LIGHTEST, -0.01), _readable(given, _DARKEST, 0.01)


def _readable(colour: tuple[int, ...], ground: tuple[int, ...], change: float) -> str:
    """Change the lightness of a colour until it can be read on a ground."""
    while _contrast(colour, ground) < _CONTRAST:
        hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
        lightness = min(max(lightness + change, 0), 1)
        changed = colorsys.hls_to_rgb(hue, lightness, saturation)
        colour = tuple(round(part * 255) for part in changed)
    return "#" + bytes(colour).hex()


def _contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The contrast of two colours, 1 to 21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: tuple[int, ...]) -> float:
    parts = [part / 255 for part in colour]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def logo(plugin: Plugin) -> Path | None:
    """Return the file of LOGO, a path from the plugin's folder; None if it is no picture or not below that folder."""
    folder = plugin.path.parent.resolve()
    path = (folder / own_text(plugin.instance, "LOGO")).resolve()
    inside = path.is_relative_to(folder) and path.suffix.lower() in _PICTURES
    return path if inside and path.is_file() else None
