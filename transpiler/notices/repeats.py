"""Reports cells that act outside the app and cannot be kept: after a pause the app asks before it runs them again (PP224)."""

import ast
import re
from collections.abc import Collection, Iterator

from transpiler.dataflow.cell import CodeCell
from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic
from transpiler.notices.call_sites import Imported

_CONNECTION = re.compile(
    r"(?:sqlite3|psycopg2?|pymysql|MySQLdb|mysql\.connector|duckdb|oracledb|pyodbc|snowflake\.connector)\.connect"
    r"|sqlalchemy\.create_engine|pymongo\.MongoClient|redis\.(?:Strict)?Redis|smtplib\.SMTP(?:_SSL)?|imaplib\.IMAP4\w*"
    r"|socket\.socket|paramiko\.SSHClient|selenium\.webdriver\.\w+"
)
_KEPT = ("clock", "chance")
"""Kinds of effects of which PP210 speaks, or that are meant to be new each time."""


class Lasting:
    """Goes through the cells in order and finds the first from which on values cannot be kept."""

    def __init__(self) -> None:
        self._connections: dict[str, int] = {}
        """Names of open connections -> the number of the cell that opens them."""
        self.lost: tuple[int, str] | None = None
        """From which cell on nothing is kept, and why."""

    def look(self, cell: CodeCell, reads: Collection[str], imported: Imported) -> None:
        """Take account of a cell and the names that it `reads`. Cells must come in the order they stand in."""
        for name in self._connections.keys() & set(reads):
            self._lose(self._connections[name], f"the connection `{name}` is used by a later cell")
        if any(f.type == "password" for f in cell.code.fields) or "getpass(" in cell.source.text:
            self._lose(cell.number, "a secret is among its values")
        for statement in cell.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
                    if _CONNECTION.fullmatch(imported.full_name(function)):
                        self._connections[name] = cell.number

    def _lose(self, number: int, reason: str) -> None:
        if self.lost is None or number < self.lost[0]:
            self.lost = number, reason


def report_repeats(cells: list[CodeCell], lasting: Lasting) -> Iterator[Diagnostic]:
    """Yield the first cell that acts outside and is not kept; none where all is kept."""
    if lasting.lost is None:
        return
    from pipulate_runtime.effects.read import effects_of  # late: plain notebooks need none of it
    from pipulate_runtime.effects.tables import WORDS

    first, reason = lasting.lost
    found = effects_of([[cell.source.text] for cell in cells])
    acting = [
        (cell, [effect for effect in effects if effect.kind not in _KEPT])
        for cell, effects in zip(cells[:-1], found, strict=False)
        if cell.number >= first
    ]
    acting = [(cell, effects) for cell, effects in acting if effects]
    if acting:
        cell, (effect, *_) = acting[0]
        others = len(acting) - 1
        more = f" (and so may {others} more cell{'s' if others > 1 else ''})" if others else ""
        span = cell.source.span(cell.body[0])
        may = WORDS[effect.kind]
        yield rules.ACTS_AGAIN.at(span, code=effect.code, may=may, reason=reason, more=more)
