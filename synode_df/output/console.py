"""A readable preview on the screen."""

from __future__ import annotations

import sys
from typing import TextIO

import polars as pl

from synode_df import checks
from synode_df.engine.frames import combined
from synode_df.output.base import OutputAdapter


class ConsoleAdapter(OutputAdapter):
    """Prints the first events and counts the others.

    Parameters
    ----------
    rows : int, default 20
        How many events to print.
    file : text stream, optional
        Where to; standard output if not given.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> _ = sd.generate(visit, users=300, adapter=sd.ConsoleAdapter(rows=1), seed=1)
    2026-01-25 21:55:38.191477  2a4ae658d985d482  land  visit > look > land
    ... and 299 more events
    """

    def __init__(self, rows: int = 20, *, file: TextIO | None = None) -> None:
        self._limit = checks.whole(rows, name="rows", path="ConsoleAdapter", at_least=0, code="INVALID_OPTION")
        self._file = file
        self._kept: list[pl.DataFrame] = []
        self._total = 0

    def open(self) -> None:
        """Start counting at zero."""
        self._kept, self._total = [], 0

    def write(self, batch: pl.DataFrame) -> None:
        """Keep what will be printed, count the rest."""
        missing = self._limit - sum(frame.height for frame in self._kept)
        if missing > 0 or not self._kept:
            self._kept.append(batch.head(max(missing, 0)))
        self._total += batch.height

    def close(self) -> None:
        """Print the preview."""
        shown = combined(self._kept, self._kept[0].clear()) if self._kept else pl.DataFrame()
        own = [name for name in shown.columns[8:] if name != "persona_id"]
        lines = []
        for row in shown.iter_rows(named=True):
            payload = "  ".join(f"{name}={row[name]}" for name in own if row[name] is not None)
            where = f"{row['journey_id']} > {row['adventure_id']} > {row['action_id']}"
            moment = row["timestamp"].replace(tzinfo=None)
            lines.append(f"{moment}  {row['user_id']}  {row['event']}  {where}  {payload}".rstrip())
        if self._total > shown.height:
            lines.append(f"... and {self._total - shown.height:,} more events")
        elif not self._total:
            lines.append("no events")
        print("\n".join(lines), file=self._file or sys.stdout)
        self._kept = []
