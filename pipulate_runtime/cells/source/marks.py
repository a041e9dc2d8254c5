"""The marks `@cell` and `cell_text`, which make attributes of a plugin's class cells of its notebook."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Show = Literal["output", "code", "both", "none"]
Policy = Literal["auto", "always", "never"]
POLICIES = ("auto", "always", "never")
SHOWS = ("output", "code", "both", "none")


@dataclass(frozen=True, slots=True)
class CellOptions:
    """The options of `@cell` or `cell_text`."""

    cell_id: str
    show: Show = "output"
    raises: bool = False
    timeout: float | None = None
    checkpoint: Policy = "auto"
    once: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError now rather than when the cell is shown."""
        if self.show not in SHOWS:
            raise ValueError(
                f"show={self.show!r} of cell {self.cell_id!r}: one of {', '.join(SHOWS)}"
            )
        if self.checkpoint not in POLICIES:
            raise ValueError(
                f"checkpoint={self.checkpoint!r} of cell {self.cell_id!r}: one of {', '.join(POLICIES)}"
            )


class CellFunction(staticmethod):  # type: ignore[type-arg]  # not subscriptable at run time
    """A cell as a function of the class: the kernel runs its source, this process never calls it."""

    def __init__(self, function: Callable[..., Any], options: CellOptions) -> None:
        super().__init__(function)
        self.options = options


@dataclass(frozen=True, slots=True)
class CellText:
    """A cell that cannot be a function: the shell runs its text."""

    text: str
    options: CellOptions


def cell(
    cell_id: str,
    *,
    show: Show = "output",
    raises: bool = False,
    timeout: float | None = None,
    checkpoint: Policy = "auto",
    once: bool = False,
) -> Callable[[Callable[..., Any]], CellFunction]:
    """Mark a function of the plugin's class as a cell of the notebook.

    `cell_id`: the id of the cell in the notebook. `show`: what the page shows of it. `raises`: an exception is expected and
    the next cell runs all the same. `timeout`: seconds until it is interrupted. `checkpoint`: whether to store what was
    computed up to its step, so that resuming need not run the steps again. `once`: it never runs twice in a run unasked.
    """
    options = CellOptions(cell_id, show, raises, timeout, checkpoint, once)
    return lambda function: CellFunction(function, options)


def cell_text(
    cell_id: str,
    *text: str,
    show: Show = "output",
    raises: bool = False,
    timeout: float | None = None,
    checkpoint: Policy = "auto",
    once: bool = False,
) -> CellText:
    """Return a cell that is kept as text, given line by line; the options are those of `cell`."""
    return CellText("".join(text), CellOptions(cell_id, show, raises, timeout, checkpoint, once))


def cells_of_class(plugin_class: type) -> Iterator[tuple[str, CellFunction | CellText]]:
    """Yield name and mark of each cell of a class in source order; a cell that a subclass replaces keeps its place."""
    names: dict[str, CellFunction | CellText] = {}
    for base in reversed(plugin_class.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, CellFunction | CellText):
                names[name] = value
    yield from names.items()
