"""Where the templates and the pages of diagnostics are."""

import os
from pathlib import Path


def templates_folder() -> Path:
    """Return the folder of the templates: beside the package in a checkout, inside it in a wheel.

    An editable install may leave an old copy in site-packages, so the checkout is asked first.
    """
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "templates"
    return checkout if (checkout / "plugin.py.j2").is_file() else package / "templates"


def cache_folder() -> Path | None:
    """Return the folder of what can be made anew at any time, in the user's cache; None when nobody knows where that is."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given, "pipulate")
    try:
        return Path.home() / ".cache" / "pipulate"
    except RuntimeError:  # a user without a home
        return None


def pages_folder() -> Path:
    """Return the folder of the diagnostics' pages, docs/diagnostics in a checkout."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "docs" / "diagnostics"
    return checkout if checkout.is_dir() and any(checkout.glob("PP*.md")) else package / "pages"
