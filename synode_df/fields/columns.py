"""Columns in the making: one value a row, held plain, by dictionary, or as Python objects not yet typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One typed value a row.

    With `codes`, row i holds `values[codes[i]]`: drawing, gathering and expressions then work on the few distinct
    values instead of on every row.
    """

    values: pl.Series
    codes: NDArray[np.uint32] | None = None

    def __len__(self) -> int:
        return len(self.values) if self.codes is None else len(self.codes)

    @property
    def dtype(self) -> pl.DataType:
        """The values' type."""
        return self.values.dtype

    def take(self, positions: Positions) -> Column:
        """The rows at some positions, in that order."""
        if self.codes is None:
            return Column(self.values.gather(pl.Series(positions.astype(np.uint32, copy=False))))
        return Column(self.values, self.codes[positions])

    def series(self, name: str = "") -> pl.Series:
        """All rows as a Series."""
        rows = self.values if self.codes is None else self.values.gather(pl.Series(self.codes))
        return rows.alias(name)

    def to_list(self) -> list[object]:
        """All rows as Python values."""
        if self.codes is None or len(self.codes) < len(self.values):
            return self.series().to_list()
        distinct = self.values.to_list()
        return [distinct[code] for code in self.codes.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class PythonColumn:
    """One Python value a row, whose types may differ: what callables and handlers give."""

    values: Sequence[object]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, positions: Positions) -> PythonColumn:
        """The rows at some positions, in that order."""
        return PythonColumn([self.values[position] for position in positions.tolist()])

    def to_list(self) -> list[object]:
        """All rows as Python values."""
        return list(self.values)


AnyColumn = Column | PythonColumn


def constant_column(value: pl.Series, rows: int) -> Column:
    """The single value of a Series of length 1, on every row."""
    return Column(value, np.zeros(rows, dtype=np.uint32))


def full_column(parts: Iterable[tuple[Positions, AnyColumn]], rows: int) -> AnyColumn:
    """One column from parts that each fill some of its rows; the rest is null."""
    listed = list(parts)
    if all(isinstance(part, Column) for _, part in listed):
        typed = [(positions, part) for positions, part in listed if isinstance(part, Column)]
        dtypes = {part.dtype for _, part in typed}
        if len(dtypes) <= 1:
            return joined_column(typed, rows, dtypes.pop() if dtypes else pl.Null())
    values: list[object] = [None] * rows
    for positions, part in listed:
        for position, value in zip(positions.tolist(), part.to_list(), strict=True):
            values[position] = value
    return PythonColumn(values)


def joined_column(parts: list[tuple[Positions, Column]], rows: int, dtype: pl.DataType) -> Column:
    """Gather over the parts' values laid end to end, with one null behind them if some rows are filled by no part."""
    if len(parts) == 1 and len(parts[0][1]) == rows:
        positions, part = parts[0]
        if np.array_equal(positions, np.arange(rows)):
            return part
    # Values that all parts have codes into are laid down once.
    shared = len({id(part.values) for _, part in parts}) == 1 and all(part.codes is not None for _, part in parts)
    pieces = [part.values.alias("") for _, part in parts] if not shared else [parts[0][1].values]
    if sum(len(part) for _, part in parts) == rows and parts:
        codes = np.empty(rows, dtype=np.uint32)
    else:
        codes = np.full(rows, sum(len(piece) for piece in pieces), dtype=np.uint32)
        pieces.append(pl.Series("", [None], dtype=dtype))
    offset = 0
    for positions, part in parts:
        own = np.arange(len(part), dtype=np.uint32) if part.codes is None else part.codes
        codes[positions] = own + np.uint32(offset) if offset else own
        offset += 0 if shared else len(part.values)
    # In one chunk: gathering over several looks for the right one at every row.
    return Column(pieces[0] if len(pieces) == 1 else pl.concat(pieces, rechunk=True), codes)
