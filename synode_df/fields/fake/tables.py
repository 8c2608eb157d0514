"""Faker's tables as Series, each made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from synode_df.fields.fake.texts import NotColumnarError

_tables: dict[int, tuple[object, pl.Series, Any]] = {}


def series_of(owner: object, key: object, values: Sequence[str]) -> pl.Series:
    """A table's values as a Series, made once."""
    known = _tables.get(hash(key))
    if known is None or known[2] != key or (owner is not None and known[0] is not owner):
        if len(_tables) > 8_192:
            _tables.clear()
        known = _tables[hash(key)] = (owner, pl.Series(values, dtype=pl.String), key)
    return known[1]


def table(elements: Any, *, weighting: bool) -> tuple[pl.Series | Sequence[Sequence[str]], Any]:
    """The values of a table, and their cumulative weights where Faker would use them."""
    names = list(elements)
    if not names:
        raise NotColumnarError("an empty table")
    if all(type(name) is str for name in names):
        # Short-lived lists may get the address of earlier ones: the key has the values' own hash.
        values: pl.Series | Sequence[Sequence[str]] = series_of(None, ("table", *names), names)
    elif all(isinstance(name, tuple | list) and all(type(part) is str for part in name) for name in names):
        values = elements if isinstance(elements, tuple | list) else tuple(names)
    else:
        raise NotColumnarError("a table of other things than texts")
    if not isinstance(elements, Mapping) or not weighting:
        return values, None
    sums = np.cumsum(np.array(list(elements.values()), dtype=np.float64))
    return values, sums / sums[-1]
