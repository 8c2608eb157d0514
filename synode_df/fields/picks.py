"""Picking rows of a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synode_df import checks
from synode_df.errors import SynodeError, shown
from synode_df.fields.base import FieldGenerator
from synode_df.fields.columns import Column
from synode_df.fields.rows import Rows


@dataclass(frozen=True, eq=False, repr=False)
class Pick(FieldGenerator):
    """A random row of a dataset, or some of its columns."""

    dataset: str
    columns: str | tuple[str, ...] | None = None
    weight: str | None = None
    _factory: ClassVar[str] = "pick"

    def __post_init__(self) -> None:
        checks.identifier(self.dataset, what="Dataset", path="pick")
        listed = [self.columns] if isinstance(self.columns, str) else self.columns
        named = isinstance(listed, list | tuple) and all(isinstance(name, str) and name for name in listed)
        if listed is not None and not (named and listed and len(set(listed)) == len(listed)):
            raise SynodeError(
                "INVALID_PARAMETER",
                "`columns` must name at least one column, each once",
                path="pick",
                expected='one column such as "sku", a list of them, or nothing for the whole row',
                received=shown(self.columns),
                suggestion=f'write pick({self.dataset!r}, "sku")',
            )
        if self.weight is not None:
            checks.identifier(self.weight, what="weight", path="pick")

    def draw(self, rows: Rows) -> Column:
        table = rows.surroundings.table(self.dataset, rows.path)
        values = table.values(self.columns)
        table.require_rows()
        if self.weight is None:
            codes = rows.draws.below(table.frame.height).astype(np.uint32)
        else:
            cumulative = table.cumulative(self.weight)
            codes = np.searchsorted(cumulative, rows.draws.uniform(), side="right").astype(np.uint32)
        return Column(values, codes)

    def datasets(self) -> Iterator[str]:
        yield self.dataset


def pick(dataset: str, columns: str | list[str] | tuple[str, ...] | None = None, *, weight: str | None = None) -> Pick:
    """A random row of a dataset.

    Parameters
    ----------
    dataset : str
        The dataset's id.
    columns : str or list of str, optional
        One column (its plain value) or several (a struct of them); the whole row as a struct if not given.
    weight : str, optional
        A numeric column of the dataset: rows are picked in proportion to it. All equally likely if not given.

    Returns
    -------
    FieldGenerator
        A column of the picked column's type, or of structs.

    Raises
    ------
    SynodeError
        `INVALID_PARAMETER` now; `DATASET_NOT_FOUND`, `DATASET_EMPTY`, `COLUMN_NOT_FOUND`, `INVALID_WEIGHTS` before
        the run starts.

    Examples
    --------
    >>> import polars as pl
    >>> import synode_df as sd
    >>> plans = sd.Dataset.from_frame("plans", pl.DataFrame({"plan": ["free", "pro"], "share": [9, 1]}))
    >>> sd.sample(sd.pick("plans", "plan", weight="share"), rows=4, seed=1, datasets=[plans]).to_list()
    ['free', 'free', 'free', 'free']
    """
    return Pick(dataset, tuple(columns) if isinstance(columns, list) else columns, weight)
