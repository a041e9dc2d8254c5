"""Marks the cells of a notebook in the class of a plugin, and finds them there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Show = Literal["output", "code", "both", "none"]
Policy = Literal["auto", "always", "never"]
POLICIES = ("auto", "always", "never")
SHOWS = ("output", "code", "both", "none")


@dataclass(frozen=True, slots=True)
class Options:
    """What `@cell` or `cell_text` says about one cell."""

    cell_id: str
    show: Show = "output"
    raises: bool = False
    timeout: float | None = None
    checkpoint: Policy = "auto"

    def __post_init__(self) -> None:
        """Refuse what would only fail when the cell is shown."""
        if self.show not in SHOWS:
            raise ValueError(
                f"show={self.show!r} of cell {self.cell_id!r}: one of {', '.join(SHOWS)}"
            )
        if self.checkpoint not in POLICIES:
            raise ValueError(
                f"checkpoint={self.checkpoint!r} of cell {self.cell_id!r}: one of {', '.join(POLICIES)}"
            )


class CellFunction(staticmethod):  # type: ignore[type-arg]  # not subscriptable at run time
    """A function of the class that is a cell: it runs in the kernel, from its source, not here."""

    def __init__(self, function: Callable[..., Any], options: Options) -> None:
        """Keep the options beside the function."""
        super().__init__(function)
        self.options = options


@dataclass(frozen=True, slots=True)
class CellText:
    """A cell that cannot be a function: the shell runs its text as it is."""

    text: str
    options: Options


def cell(
    cell_id: str,
    *,
    show: Show = "output",
    raises: bool = False,
    timeout: float | None = None,
    checkpoint: Policy = "auto",
) -> Callable[[Callable[..., Any]], CellFunction]:
    """Mark a function of the plugin's class as a cell of the notebook.

    `cell_id` is the id of the cell in the notebook. `show` says what the page shows of it, `raises` that an
    exception is expected and the next cell runs all the same, `timeout` after how many seconds it is interrupted, `checkpoint`
    whether what was computed up to its step is stored, so that going on later need not run the steps again.
    """
    options = Options(cell_id, show, raises, timeout, checkpoint)
    return lambda function: CellFunction(function, options)


def cell_text(
    cell_id: str,
    *text: str,
    show: Show = "output",
    raises: bool = False,
    timeout: float | None = None,
    checkpoint: Policy = "auto",
) -> CellText:
    """Return a cell that is kept as text, given in pieces (a line each); the options are those of `cell`."""
    return CellText("".join(text), Options(cell_id, show, raises, timeout, checkpoint))


def marked(plugin_class: type) -> Iterator[tuple[str, CellFunction | CellText]]:
    """Yield name and mark of each cell of a class in source order; a subclass may replace a cell in its place."""
    names: dict[str, CellFunction | CellText] = {}
    for base in reversed(plugin_class.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, CellFunction | CellText):
                names[name] = value
    yield from names.items()
