"""What a field generator sees of the rows that it draws values for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.fields.columns import AnyColumn, Column
from synode_df.fields.tables import Table
from synode_df.randomness import Draws


class Surroundings(Protocol):
    """Where rows stand: the names, datasets and contexts that their values may use. Engines provide it."""

    def evaluate(self, expression: pl.Expr, path: str) -> AnyColumn:
        """An expression's value for every row."""
        ...

    def call(self, function: Callable[..., Any], draws: Draws, path: str) -> list[object]:
        """A callable's value for every row."""
        ...

    def table(self, dataset: str, path: str) -> Table:
        """A dataset of the run."""
        ...

    def locales(self) -> Column:
        """The locale of every row's user, as strings."""
        ...

    def possible_locales(self) -> tuple[str, ...] | None:
        """The locales that users of the population can have, or None if that is not known beforehand."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows (users, or rows of a dataset) at one place of the declaration.

    Attributes
    ----------
    draws : Draws
        Their random numbers at this place.
    index : ndarray of int64, shape (n,)
        The user's index in the population, or the row's in its dataset.
    surroundings : Surroundings
        Names, datasets and contexts.
    path : str
        The place in words, for errors.
    """

    draws: Draws
    index: NDArray[np.int64]
    surroundings: Surroundings
    path: str

    def __len__(self) -> int:
        return len(self.index)
