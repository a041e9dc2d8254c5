"""Where the templates are."""

from pathlib import Path


def templates_folder() -> Path:
    """Return the folder of the templates: beside the package in a checkout, inside it in a wheel.

    An editable install may leave an old copy in site-packages, so the checkout is asked first.
    """
    here = Path(__file__).parent
    checkout = here.parent / "templates"
    return checkout if (checkout / "plugin.py.j2").is_file() else here / "templates"


def pages_folder() -> Path:
    """Return the folder of the diagnostics' pages, docs/diagnostics in a checkout."""
    here = Path(__file__).parent
    checkout = here.parent / "docs" / "diagnostics"
    return checkout if checkout.is_dir() and any(checkout.glob("PP*.md")) else here / "pages"
