"""A dataset's rows, ready to be picked from."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.errors import SynodeError, did_you_mean, shown
from synode_df.fields.copies import own_copy


class Table:
    """A hydrated dataset: an immutable frame, with what picking from it needs, computed once."""

    def __init__(self, id: str, frame: pl.DataFrame) -> None:
        self.id = id
        self.frame = frame
        self._cumulative: dict[str, NDArray[np.float64]] = {}
        self._values: dict[str | tuple[str, ...] | None, pl.Series] = {}
        self._rows: list[dict[str, object]] | None = None
        self._own_row = own_copy(pl.Struct(frame.schema), nullable=False) or dict
        self._positions: dict[str, dict[object, int]] = {}

    def values(self, columns: str | tuple[str, ...] | None) -> pl.Series:
        """One column, or some (None: all) columns as a struct, a value for each row of the dataset."""
        if columns not in self._values:
            wanted = [columns] if isinstance(columns, str) else columns
            for column in wanted or ():
                self.require(column)
            if isinstance(columns, str):
                self._values[columns] = self.frame[columns]
            else:
                part = self.frame if columns is None else self.frame.select(columns)
                self._values[columns] = part.to_struct(self.id)
        return self._values[columns]

    def cumulative(self, column: str) -> NDArray[np.float64]:
        """Cumulative weights, ending at 1, from a numeric column."""
        if column not in self._cumulative:
            self.require(column)
            weights = self.frame[column]
            numbers = (
                weights.cast(pl.Float64).to_numpy() if weights.dtype.is_numeric() and not weights.null_count() else None
            )
            if (
                numbers is None
                or not np.isfinite(numbers).all()
                or numbers.min(initial=0) < 0
                or not numbers.max(initial=0) > 0
            ):
                raise SynodeError(
                    "INVALID_WEIGHTS",
                    "A column of weights must hold numbers of 0 or more, not all 0 and none missing",
                    path=f"Dataset {shown(self.id)} > Column {shown(column)}",
                    expected="a numeric column without nulls",
                    received=f"{weights.dtype}, {weights.null_count()} nulls, minimum {weights.min()!r}",
                    suggestion="clean the column first, or pick without `weight`",
                )
            sums = np.cumsum(numbers / numbers.max())  # so that no sum of large weights overflows
            self._cumulative[column] = sums / sums[-1]
        return self._cumulative[column]

    def require(self, column: str) -> None:
        """Raise `COLUMN_NOT_FOUND` unless the dataset has the column."""
        if column not in self.frame.columns:
            raise SynodeError(
                "COLUMN_NOT_FOUND",
                f"Dataset {shown(self.id)} has no column {shown(column)}",
                path=f"Dataset {shown(self.id)}",
                expected="one of the dataset's columns",
                received=shown(column),
                suggestion=did_you_mean(column, self.frame.columns),
            )

    def require_rows(self) -> None:
        """Raise `DATASET_EMPTY` unless the dataset has rows."""
        if not self.frame.height:
            raise SynodeError(
                "DATASET_EMPTY",
                f"Cannot pick from dataset {shown(self.id)}: it has no rows",
                path=f"Dataset {shown(self.id)}",
                expected="at least one row",
                received="0 rows",
                suggestion="give the dataset rows, or take the pick out",
            )

    def row(self, position: int) -> dict[str, object]:
        """A row as a dict of the caller's own."""
        if self._rows is None:
            self._rows = self.frame.to_dicts()
        return self._own_row(self._rows[position])

    def position(self, column: str, value: object) -> int | None:
        """The number of the first row that has a value in a column."""
        if column not in self._positions:
            found: dict[object, int] = {}
            for row, each in enumerate(self.frame[column].to_list()):
                found.setdefault(each, row)
            self._positions[column] = found
        try:
            return self._positions[column].get(value)
        except TypeError:
            return None
