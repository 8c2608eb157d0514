"""Faker's tables as Series, each made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.fields.fake.texts import NotColumnarError

_series: dict[int, tuple[object, pl.Series]] = {}
_tables: dict[tuple[int, bool], tuple[object, tuple[list[Any], NDArray[np.float64] | None, str]]] = {}


def series_of(key: object, values: Callable[[], Iterable[str]]) -> pl.Series:
    """The Series of a table that a key describes in full, made once."""
    known = _series.get(hash(key))
    if known is None or known[0] != key:
        if len(_series) > 8_192:
            _series.clear()
        known = _series[hash(key)] = (key, pl.Series(list(values()), dtype=pl.String))
    return known[1]


def text_series(texts: Sequence[str]) -> pl.Series:
    """The Series of a table of texts: the same object for equal tables, so that what is derived from it is kept."""
    return series_of(("texts", *texts), lambda: texts)


def table(elements: Any, *, weighting: bool) -> tuple[list[Any], NDArray[np.float64] | None, str]:
    """The values of a table, their cumulative weights where Faker would use them, and what kind of values they are.

    Only for tables that nobody changes (tuples and mappings of a provider's class) the answer is kept.
    """
    known = _tables.get((id(elements), weighting))
    if known is not None and known[0] is elements:
        return known[1]
    if isinstance(elements, Mapping) and type(elements) is dict:
        raise NotColumnarError("a dict without order: Faker refuses it")
    # The order of a set differs from process to process.
    values = sorted(elements, key=str) if isinstance(elements, set | frozenset) else list(elements)
    if not values:
        raise NotColumnarError("an empty table")
    sums = None
    if isinstance(elements, Mapping) and weighting:
        sums = cumulative(list(elements.values()))
    kinds = set(map(type, values))
    kind = "other"
    if kinds == {str}:
        kind = "text"
    elif kinds == {int} and all(-(2**62) < value < 2**62 for value in values):
        kind = "number"
    elif kinds <= {tuple, list} and len(set(map(len, values))) == 1:
        kind = "record"
    made = values, sums, kind
    if isinstance(elements, tuple | Mapping) and kinds == {str} and not any("\ue000" in value for value in values):
        if len(_tables) > 8_192:
            _tables.clear()
        _tables[id(elements), weighting] = (elements, made)
    return made


def cumulative(weights: Sequence[float]) -> NDArray[np.float64]:
    """Cumulative weights ending at 1."""
    sums = np.cumsum(np.array(weights, dtype=np.float64))
    if not sums[-1] > 0:
        raise NotColumnarError("weights that sum to nothing")
    return np.asarray(sums / sums[-1])
