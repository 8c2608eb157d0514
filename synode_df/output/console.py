"""A readable preview on the screen."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from bisect import bisect_right
from itertools import accumulate
from typing import Any, Final, TextIO

import polars as pl

from synode_df import checks
from synode_df.engine.frames import combined
from synode_df.model.event import RESERVED_FIELDS
from synode_df.output.base import OutputAdapter

_UNKNOWN_WIDTH: Final = 120
"""Columns of what is no terminal: a notebook, a file."""

_VALUE: Final = 60
"""Longer values are cut, so that one long text does not hide the fields after it."""


class ConsoleAdapter(OutputAdapter):
    """Prints the first events, one a line, and counts the others.

    Parameters
    ----------
    rows : int, default 20
        How many events to print.
    width : int, optional
        Longest line, in columns of the screen; the terminal's width if not given, 120 where there is none. What does
        not fit is cut, which an ellipsis shows.
    file : text stream, optional
        Where to; standard output if not given.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> _ = sd.generate(visit, users=300, adapter=sd.ConsoleAdapter(rows=1), seed=1)
    2026-01-25 21:55:38.191477  2a4ae658d985d482  land  visit > look > land
    ... and 299 more events
    """

    def __init__(self, rows: int = 20, *, width: int | None = None, file: TextIO | None = None) -> None:
        self._limit = checks.whole(rows, name="rows", path="ConsoleAdapter", at_least=0, code="INVALID_OPTION")
        if width is not None:
            checks.whole(width, name="width", path="ConsoleAdapter", at_least=20, code="INVALID_OPTION")
        self._width = width
        self._file = file
        self._kept: list[pl.DataFrame] = []
        self._tables: dict[str, tuple[int, list[str]]] = {}
        self._total = 0

    def open(self) -> None:
        """Start counting at zero."""
        self._kept, self._tables, self._total = [], {}, 0

    def write(self, batch: pl.DataFrame) -> None:
        """Keep what will be printed, count the rest."""
        missing = self._limit - sum(frame.height for frame in self._kept)
        if missing > 0 or not self._kept:
            self._kept.append(batch.head(max(missing, 0)))
        self._total += batch.height

    def write_table(self, name: str, part: pl.DataFrame) -> None:
        """Count a table's rows."""
        rows, _ = self._tables.get(name, (0, []))
        self._tables[name] = rows + part.height, part.columns

    def close(self) -> None:
        """Print the preview."""
        shown = combined(self._kept, self._kept[0].clear()) if self._kept else pl.DataFrame()
        fields = [name for name in shown.columns if name not in RESERVED_FIELDS]
        lines = [_line(row, fields) for row in shown.iter_rows(named=True)]
        if self._total > shown.height:
            lines.append(f"... and {self._total - shown.height:,} more events")
        elif not self._total:
            lines.append("no events")
        for name, (rows, columns) in self._tables.items():
            lines.append(f"{name}: {rows:,} rows ({', '.join(columns)})")
        width = self._width or shutil.get_terminal_size((_UNKNOWN_WIDTH, 24)).columns
        print("\n".join(_cut(_printable(line), width) for line in lines), file=self._file or sys.stdout)
        self._kept, self._tables = [], {}


def _line(row: dict[str, Any], fields: list[str]) -> str:
    payload = "  ".join(f"{name}={_cut(str(row[name]), _VALUE)}" for name in fields if row[name] is not None)
    where = f"{row['journey_id']} > {row['adventure_id']} > {row['action_id']}"
    moment = row["timestamp"].replace(tzinfo=None)
    return f"{moment}  {row['user_id']}  {row['event']}  {where}  {payload}".rstrip()


def _printable(text: str) -> str:
    """Text on one line: line breaks and other control characters as escapes."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _cut(text: str, width: int) -> str:
    """Text that is at most so many columns wide: whole if it fits, else with an ellipsis at its end."""
    widths = list(accumulate(_columns(each) for each in text))
    if not widths or widths[-1] <= width:
        return text
    return f"{text[: bisect_right(widths, width - 1)]}…"


def _columns(character: str) -> int:
    """Columns of the screen: East Asian characters and emoji take two, accents on others none."""
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 2
    return 0 if unicodedata.combining(character) else 1
