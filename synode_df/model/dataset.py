"""Datasets: what users touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from synode_df import checks
from synode_df.errors import SynodeError, shown
from synode_df.fields.declaration import Declaration, FrozenMapping
from synode_df.fields.values import FieldValue, checked_fields
from synode_df.model.source import value_source
from synode_df.model.tables import code_cell, table_html, text_cell

MAX_ROWS = 100_000_000


class DatasetRow(NamedTuple):
    """What a callable in a dataset gets as second argument: the row so far.

    Examples
    --------
    >>> import synode_df as sd
    >>> def label(ctx, row):
    ...     return f"{row.index}: {row.data['size']}"
    >>> boxes = sd.Dataset("boxes", rows=2, fields={"size": sd.integer(1, 1), "label": label})
    >>> sd.hydrate(boxes)["label"].to_list()
    ['0: 1', '1: 1']
    """

    index: int  # type: ignore[assignment]  # hides the tuple's own method, which rows do not need
    data: dict[str, Any]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Dataset(Declaration):
    """A reference table: generated from fields before any journey runs, or given as a frame.

    Parameters
    ----------
    id : str
        Its name in `pick(...)` and `ctx.dataset(...)`.
    rows : int
        Number of rows, 0 or more.
    fields : mapping of str to field value
        Its columns. Expressions may read columns above them and `row_index`; callables get `(ctx, row)`.

    Raises
    ------
    SynodeError
        `INVALID_ID`, `INVALID_DATASET`, `INVALID_FIELD`, `EXPRESSION_NOT_ROW_WISE`.

    Examples
    --------
    >>> import synode_df as sd
    >>> plans = sd.Dataset("plans", rows=2, fields={"sku": sd.sequence("P-{}"), "price": sd.uniform(1, 9, decimals=2)})
    >>> sd.hydrate(plans, seed=7).columns
    ['sku', 'price']
    """

    id: str
    rows: int
    fields: FrozenMapping[FieldValue]
    frame: pl.DataFrame | None = None

    def __init__(self, id: str, rows: int, fields: Mapping[str, FieldValue]) -> None:
        path = f"Dataset {shown(checks.identifier(id, what='Dataset'), 60)}"
        count = checks.whole(rows, name="rows", path=path, at_least=0, at_most=MAX_ROWS, code="INVALID_DATASET")
        own = checked_fields(fields, path=path, parameters=2)
        if not own:
            raise _no_columns(path, suggestion='give it fields, such as {"sku": sequence("SKU-{}")}')
        self._put(id, count, own, None)

    def _put(self, id: str, rows: int, fields: FrozenMapping[FieldValue], frame: pl.DataFrame | None) -> None:
        for name, value in (("id", id), ("rows", rows), ("fields", fields), ("frame", frame)):
            object.__setattr__(self, name, value)

    @classmethod
    def from_frame(cls, id: str, frame: pl.DataFrame | pl.LazyFrame) -> Dataset:
        """A dataset whose rows exist already.

        Parameters
        ----------
        id : str
            Its name.
        frame : polars.DataFrame or polars.LazyFrame
            Its rows; read with `pl.read_parquet`, `pl.read_csv`, ... wherever they are.

        Returns
        -------
        Dataset

        Raises
        ------
        SynodeError
            `INVALID_ID`, `INVALID_DATASET`.

        Examples
        --------
        >>> import polars as pl
        >>> import synode_df as sd
        >>> sd.Dataset.from_frame("plans", pl.DataFrame({"plan": ["free", "pro"]}))
        Dataset.from_frame('plans', <2 rows: plan>)
        """
        path = f"Dataset {shown(checks.identifier(id, what='Dataset'), 60)}"
        if not isinstance(frame, pl.DataFrame | pl.LazyFrame):
            raise SynodeError(
                "INVALID_DATASET",
                "A dataset's rows must be a Polars frame",
                path=path,
                expected="a polars.DataFrame or polars.LazyFrame",
                received=shown(frame, 60),
                suggestion="use Dataset.from_file for a file, pl.from_pandas(...) or pl.DataFrame(...) for other data",
            )
        rows = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
        if not rows.width:
            raise _no_columns(path, suggestion="give the frame columns")
        dataset = cls.__new__(cls)
        dataset._put(id, rows.height, FrozenMapping(), rows)
        return dataset

    @classmethod
    def from_file(cls, id: str, path: str | Path) -> Dataset:
        r"""A dataset read from a Parquet or CSV file.

        Parameters
        ----------
        id : str
            Its name.
        path : str or Path
            A file ending in `.parquet` or `.csv`; CSV types are inferred from all rows, dates included.

        Returns
        -------
        Dataset

        Raises
        ------
        SynodeError
            `INVALID_DATASET` where the file is missing, of another kind or unreadable.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> import synode_df as sd
        >>> file = pathlib.Path(tempfile.mkdtemp(), "plans.csv")
        >>> _ = file.write_text("plan,price\nfree,0\npro,9\n")
        >>> sd.Dataset.from_file("plans", file).rows
        2
        """
        where = f"Dataset {shown(checks.identifier(id, what='Dataset'), 60)}"
        suffix = Path(path).suffix.lower()
        try:
            if suffix == ".parquet":
                return cls.from_frame(id, pl.read_parquet(path))
            if suffix == ".csv":
                return cls.from_frame(id, pl.read_csv(path, try_parse_dates=True, infer_schema_length=None))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise SynodeError(
                "INVALID_DATASET",
                "The file cannot be read as a table",
                path=where,
                expected=f"a readable {suffix} file",
                received=f"{shown(str(path))}: {shown(str(error), 100)}",
                suggestion="check the path, or read the file yourself and use Dataset.from_frame",
            ) from error
        raise SynodeError(
            "INVALID_DATASET",
            "The kind of file is not known",
            path=where,
            expected="a file ending in .parquet or .csv",
            received=shown(str(path)),
            suggestion="read it with Polars and use Dataset.from_frame",
        )

    def __repr__(self) -> str:
        if self.frame is None:
            return super().__repr__()
        return f"Dataset.from_frame({self.id!r}, <{self.rows:,} rows: {', '.join(self.frame.columns)}>)"

    def __str__(self) -> str:
        if self.frame is not None:
            kinds = [f"{name}  {dtype}" for name, dtype in self.frame.schema.items()]
        else:
            kinds = [f"{name}  {value_source(value)}" for name, value in self.fields.items()]
        return "\n".join([f"{self.id}  {self.rows:,} rows", *(f"  {kind}" for kind in kinds)])

    def _repr_html_(self) -> str:
        title = f"Dataset {self.id}, {self.rows:,} rows"
        if self.frame is not None:
            kinds = ([text_cell(name), text_cell(str(dtype))] for name, dtype in self.frame.schema.items())
            return table_html(title, ("column", "type"), kinds)
        rows = ([text_cell(name), code_cell(value)] for name, value in self.fields.items())
        return table_html(title, ("column", "declared as"), rows)


def _no_columns(path: str, *, suggestion: str) -> SynodeError:
    return SynodeError(
        "INVALID_DATASET",
        "A dataset needs columns",
        path=path,
        expected="at least one column",
        received="none",
        suggestion=suggestion,
    )
