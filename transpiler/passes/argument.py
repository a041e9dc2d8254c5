"""One argument of a function that `interact` calls."""

import ast
from dataclasses import dataclass, replace

from transpiler.ir import ANSWER, JSON
from transpiler.passes.words import in_words


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of the function: plain code, or a field."""

    name: str
    code: str
    """What it is given, with ANSWER for a field."""
    attributes: dict[str, JSON] | None = None
    node: ast.expr | None = None
    """Where the cell says what it is given; None when the function's default says it."""
    labels: bool = False
    default: ast.expr | None = None
    """The default of the function's parameter."""
    half: tuple["Argument", int] | None = None
    """Of one end of a range: the whole, and which end it is."""

    @property
    def ends(self) -> tuple[str, "Argument", "Argument", str] | None:
        """The two fields of a range with the code before and behind them; None for all else."""
        before, comma, behind = self.code.partition(f"{ANSWER}, {ANSWER}")
        if not comma or self.attributes is None:
            return None
        given = self.attributes.get("default")
        defaults = given if isinstance(given, list) and len(given) == 2 else [None, None]
        label = self.attributes.get("label", in_words(self.name))
        first, second = (
            replace(
                self,
                name=f"{self.name}_{end}",
                code=ANSWER,
                attributes={**self.attributes, "label": f"{label}, {end}", "default": default},
                half=(self, number),
            )
            for number, (end, default) in enumerate(zip(("from", "to"), defaults, strict=True))
        )
        return before, first, second, behind
