"""Hydrating datasets, and the handle through which handlers read them."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
import polars as pl

from synode_df.engine.places import dataset_place
from synode_df.engine.surroundings import NamedColumns
from synode_df.errors import SynodeError, did_you_mean, shown
from synode_df.fields.columns import AnyColumn, Column
from synode_df.fields.dtypes import typed_series
from synode_df.fields.rows import Rows
from synode_df.fields.tables import Table
from synode_df.fields.values import draw_value
from synode_df.model.dataset import Dataset, DatasetRow
from synode_df.randomness import Draws, row_keys

Row = TypeVar("Row")


RowContext = Callable[..., Any]
"""Makes the context that a callable of a dataset gets, from key, index, place, path and tables."""


def hydrate_all(datasets: Iterable[Dataset], seed: int, *, context: RowContext) -> dict[str, Table]:
    """Tables of all datasets, in order: each may pick from those before it."""
    tables: dict[str, Table] = {}
    for dataset in datasets:
        tables[dataset.id] = hydrate_table(dataset, seed, tables, context=context)
    return tables


def hydrate_table(dataset: Dataset, seed: int, tables: Mapping[str, Table], *, context: RowContext) -> Table:
    """A dataset's rows: its frame if it has one, else drawn column by column."""
    if dataset.frame is not None:
        return Table(dataset.id, dataset.frame)
    index = np.arange(dataset.rows, dtype=np.int64)
    keys = row_keys(seed, f"dataset {dataset.id}", index)
    columns: dict[str, AnyColumn] = {"row_index": Column(pl.Series(index))}

    def arguments(draws: Draws, path: str) -> Iterable[tuple[Any, ...]]:
        lists = {name: column.to_list() for name, column in columns.items() if name != "row_index"}
        for row, key in enumerate(keys.tolist()):
            own = context(key=key, index=row, place=draws.place, path=path, tables=tables)
            yield own, DatasetRow(row, {name: values[row] for name, values in lists.items()})

    surroundings = NamedColumns(columns, rows=dataset.rows, tables=tables, arguments=arguments)
    for name, value in dataset.fields.items():
        place = dataset_place(dataset.id, name)
        drawn = draw_value(value, Rows(Draws(keys, place.key), index, surroundings, place.path))
        # A dataset is one batch by nature, so that its Python values can be typed at once.
        columns[name] = drawn if isinstance(drawn, Column) else Column(typed_series(drawn.values, place.path))
    made = {name: column for name, column in columns.items() if name in dataset.fields}
    return Table(
        dataset.id,
        pl.DataFrame([column.series(name) for name, column in made.items() if isinstance(column, Column)]),
    )


class DatasetHandle(Generic[Row]):
    """A dataset as handlers see it: `ctx.dataset("products")`.

    Attributes
    ----------
    id : str
        The dataset's id.

    Examples
    --------
    >>> import polars as pl
    >>> import synode_df as sd
    >>> ctx = sd.SynodeContext()
    >>> ctx.register_dataset(sd.Dataset.from_frame("plans", pl.DataFrame({"id": ["free", "pro"], "price": [0, 9]})))
    >>> plans = ctx.dataset("plans")
    >>> plans.size, plans.row("pro")
    (2, {'id': 'pro', 'price': 9})
    >>> plans.random_row() in plans.rows()
    True
    """

    def __init__(
        self,
        table: Table,
        below: Callable[[int], int],
        make: Callable[[dict[str, Any]], Row],
    ) -> None:
        self.id = table.id
        self._table = table
        self._below = below
        self._make = make

    @property
    def frame(self) -> pl.DataFrame:
        """All rows as a DataFrame."""
        return self._table.frame

    @property
    def size(self) -> int:
        """Number of rows."""
        return self._table.frame.height

    def rows(self) -> list[Row]:
        """All rows, each a dict of its own (or of the type given to `typed_dataset`)."""
        return [self._make(self._table.row(position)) for position in range(self.size)]

    def random_row(self) -> Row:
        """A random row, all equally likely, drawn at the place of the call.

        Raises
        ------
        SynodeError
            `DATASET_EMPTY`.
        """
        self._table.require_rows()
        return self._make(self._table.row(self._below(self.size)))

    def row(self, value: Any, *, column: str | None = None) -> Row:
        """The first row that has a value in a column.

        Parameters
        ----------
        value
            What to look for.
        column : str, optional
            Where; the column `id` if there is one, else the first column.

        Raises
        ------
        SynodeError
            `ROW_NOT_FOUND`, `COLUMN_NOT_FOUND`.
        """
        frame = self._table.frame
        key = column or ("id" if "id" in frame.columns else frame.columns[0])
        self._table.require(key)
        position = self._table.position(key, value)
        if position is None:
            raise SynodeError(
                "ROW_NOT_FOUND",
                f"Dataset {shown(self.id)} has no row with {key} {shown(value)}",
                path=f"Dataset {shown(self.id)}",
                expected=f"a value of column {shown(key)}",
                received=shown(value),
                suggestion=did_you_mean(value, [str(each) for each in frame[key].head(1_000).to_list()]),
            )
        return self._make(self._table.row(position))


def row_maker(table: Table, kind: type[Row]) -> Callable[[dict[str, Any]], Row]:
    """What turns a row's dict into the type that the caller names: a dataclass, TypedDict or pandera model.

    Raises
    ------
    SynodeError
        `COLUMN_NOT_FOUND` for a field that the dataset lacks, `INVALID_CONTEXT` for another kind of type.
    """
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind) if field.init]
        required = [
            field.name
            for field in dataclasses.fields(kind)
            if field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]
        for name in required:
            table.require(name)
        have = [name for name in names if name in table.frame.columns]
        return lambda row: kind(**{name: row[name] for name in have})
    if typing.is_typeddict(kind):
        for name in getattr(kind, "__required_keys__", ()):
            table.require(name)
        return lambda row: typing.cast("Row", row)
    validate = getattr(kind, "validate", None)
    if hasattr(kind, "to_schema") and validate is not None:
        try:
            validate(table.frame)
        except Exception as error:
            raise SynodeError(
                "INVALID_DATASET",
                f"Dataset {shown(table.id)} does not fit {kind.__name__}",
                path=f"Dataset {shown(table.id)}",
                expected=f"rows that {kind.__name__} accepts",
                received=shown(str(error), 300),
                suggestion="mend the dataset or the model",
            ) from error
        return lambda row: typing.cast("Row", row)
    raise SynodeError(
        "INVALID_CONTEXT",
        "Rows can be typed by a dataclass, a TypedDict or a pandera model",
        path=f"Dataset {shown(table.id)}",
        expected="a dataclass, a TypedDict or a pandera DataFrameModel",
        received=shown(kind),
        suggestion="use ctx.dataset(id), which gives rows as dicts",
    )
