"""Whether something happens: a probability, as a number or an expression, decided for each row."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.errors import SynodeError, shown
from synode_df.fields.columns import Column
from synode_df.fields.rows import Surroundings
from synode_df.randomness import Draws

Probability = float | pl.Expr
"""A number in [0, 1], or a Polars expression that gives one for each user."""


def happens(probability: Probability, draws: Draws, surroundings: Surroundings, path: str) -> NDArray[np.bool_]:
    """For each row whether it happens.

    Raises
    ------
    SynodeError
        `INVALID_PROBABILITY` where an expression gives something other than a number in [0, 1].
    """
    if not isinstance(probability, pl.Expr):
        if probability <= 0:
            return np.zeros(len(draws), dtype=np.bool_)
        return np.asarray(draws.uniform() < probability)
    column = surroundings.evaluate(probability, path)
    values = column.values if isinstance(column, Column) else pl.Series(column.to_list())
    if not (values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null)):
        raise _not_a_probability(probability, f"values of type {values.dtype}", path)
    numbers = values.cast(pl.Float64)
    wrong = values.filter(~numbers.is_between(0, 1).fill_null(value=False))
    codes = column.codes if isinstance(column, Column) else None
    if len(wrong) and (codes is None or _reached(numbers, codes)):
        raise _not_a_probability(probability, shown(wrong[0]), path)
    limits = numbers.fill_null(0.0).to_numpy()
    return np.asarray(draws.uniform() < (limits if codes is None else limits[codes]))


def _reached(numbers: pl.Series, codes: NDArray[np.uint32]) -> bool:
    """Whether some row holds one of the values that are no probabilities."""
    bad = ~numbers.is_between(0, 1).fill_null(value=False).to_numpy()
    return bool(bad[codes].any())


def _not_a_probability(expression: pl.Expr, received: str, path: str) -> SynodeError:
    return SynodeError(
        "INVALID_PROBABILITY",
        "A probability must be between 0 and 1 for every user",
        path=path,
        expected="a number in [0, 1]",
        received=f"{received} from {shown(str(expression), 80)}",
        suggestion="cover every case, for example with .fill_null(0) or .clip(0, 1)",
    )
