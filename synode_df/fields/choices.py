"""Choices among given values: weighted, one of several, yes or no."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df import checks
from synode_df.errors import SynodeError, shown
from synode_df.fields.base import FieldGenerator
from synode_df.fields.columns import Column
from synode_df.fields.declaration import code
from synode_df.fields.dtypes import typed_series
from synode_df.fields.expressions import check_row_wise
from synode_df.fields.probabilities import happens
from synode_df.fields.rows import Rows

Floats = NDArray[np.float64]


_LARGE: Final = 1e290


def checked_weights(listed: list[object], path: str) -> Floats:
    """Cumulative weights ending at 1, or `INVALID_WEIGHTS`."""
    good = [w for w in listed if checks.is_number(w) and 0 <= float(w) < float("inf")]  # type: ignore[arg-type]
    numbers = np.array([float(w) for w in good], dtype=np.float64)  # type: ignore[arg-type]  # is_number says so
    if not listed or len(good) < len(listed) or not numbers.any():
        raise SynodeError(
            "INVALID_WEIGHTS",
            "Weights must be numbers of 0 or more, not all 0",
            path=path,
            expected="at least one value with a weight above 0, none below",
            received=shown(listed) if listed else "no values at all",
            suggestion='write {"a": 60, "b": 40}: weights need not sum to 1 or 100',
        )
    if numbers.max() > _LARGE:
        numbers = numbers / numbers.max()  # their sum would be infinite
    sums = np.cumsum(numbers)
    return np.asarray(sums / sums[-1])


@dataclass(frozen=True, eq=False, repr=False)
class Weighted(FieldGenerator):
    """Values drawn in proportion to their weights."""

    weights: tuple[tuple[object, float], ...]
    _factory: ClassVar[str] = "weighted"

    def __post_init__(self) -> None:
        self._cumulative, self._values  # noqa: B018 - making the tables is the check

    @cached_property
    def _cumulative(self) -> Floats:
        return checked_weights([weight for _, weight in self.weights], "weighted")

    @cached_property
    def _values(self) -> pl.Series:
        return typed_series([value for value, _ in self.weights], "weighted")

    def draw(self, rows: Rows) -> Column:
        codes = np.searchsorted(self._cumulative, rows.draws.uniform(), side="right")
        return Column(self._values, codes.astype(np.uint32))

    def __repr__(self) -> str:
        return "weighted({" + ", ".join(f"{code(value)}: {weight!r}" for value, weight in self.weights) + "})"


def weighted(weights: Mapping[Any, float]) -> Weighted:
    """One of several values, in proportion to their weights.

    Parameters
    ----------
    weights : mapping of value to number
        Weights of 0 or more; they need not sum to 1. Values are all of one type; None gives null.

    Returns
    -------
    FieldGenerator
        A column of the values' type.

    Raises
    ------
    SynodeError
        `INVALID_WEIGHTS` for weights that are negative, all zero, missing or not numbers; `TYPE_CONFLICT` for values
        of types that no column holds together.

    Examples
    --------
    >>> import synode_df as sd
    >>> device = sd.weighted({"mobile": 0.6, "desktop": 0.3, "tablet": 0.1})
    >>> sd.sample(device, rows=5, seed=1).to_list()
    ['desktop', 'desktop', 'mobile', 'mobile', 'mobile']
    """
    if not isinstance(weights, Mapping):
        raise SynodeError(
            "INVALID_WEIGHTS",
            "Weights must be a mapping from value to weight",
            path="weighted",
            expected='a mapping such as {"a": 60, "b": 40}',
            received=shown(weights),
            suggestion="for values that are equally likely use one_of([...])",
        )
    return Weighted(tuple(weights.items()))


@dataclass(frozen=True, eq=False, repr=False)
class OneOf(FieldGenerator):
    """Values drawn with equal chances."""

    values: tuple[object, ...]
    _factory: ClassVar[str] = "one_of"

    def __post_init__(self) -> None:
        if not self.values:
            raise SynodeError(
                "INVALID_PARAMETER",
                "There is nothing to choose from",
                path="one_of",
                expected="at least one value",
                received="no values",
                suggestion='list the values: one_of(["ads", "search"])',
            )
        self._series  # noqa: B018 - making the column is the check

    @cached_property
    def _series(self) -> pl.Series:
        return typed_series(list(self.values), "one_of")

    def draw(self, rows: Rows) -> Column:
        return Column(self._series, rows.draws.below(len(self.values)).astype(np.uint32))

    def __repr__(self) -> str:
        return f"one_of({code(list(self.values))})"


def one_of(values: Iterable[Any]) -> OneOf:
    """One of several values, each equally likely.

    Parameters
    ----------
    values : iterable
        Values of one type; None gives null. A value listed twice is twice as likely.

    Returns
    -------
    FieldGenerator
        A column of the values' type.

    Raises
    ------
    SynodeError
        `INVALID_PARAMETER` without values; `TYPE_CONFLICT` for values of types that no column holds together.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.one_of(["ads", "search", "mail"]), rows=4, seed=1).to_list()
    ['mail', 'mail', 'search', 'search']
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise SynodeError(
            "INVALID_PARAMETER",
            "one_of takes a list of values",
            path="one_of",
            expected="an iterable of values",
            received=shown(values),
            suggestion='write one_of(["ads", "search"]), or weighted({...}) for unequal chances',
        )
    return OneOf(tuple(values))


@dataclass(frozen=True, eq=False, repr=False)
class Chance(FieldGenerator):
    """True with a given probability."""

    probability: float | pl.Expr
    _factory: ClassVar[str] = "chance"

    def __post_init__(self) -> None:
        if isinstance(self.probability, pl.Expr):
            check_row_wise(self.probability, "chance")
        else:
            checks.probability(self.probability, name="probability", path="chance")

    def draw(self, rows: Rows) -> Column:
        yes = happens(self.probability, rows.draws, rows.surroundings, rows.path)
        return Column(pl.Series([False, True]), yes.astype(np.uint32))

    def expressions(self) -> Iterator[pl.Expr]:
        if isinstance(self.probability, pl.Expr):
            yield self.probability


def chance(probability: float | pl.Expr) -> Chance:
    """True with a probability, else False.

    Parameters
    ----------
    probability : float or polars.Expr
        A number in [0, 1], or an expression that gives one for each user.

    Returns
    -------
    FieldGenerator
        A Boolean column.

    Raises
    ------
    SynodeError
        `INVALID_PROBABILITY`, `EXPRESSION_NOT_ROW_WISE`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.chance(0.35), rows=1_000, seed=1).mean()
    0.342
    """
    return Chance(probability)
