"""Copies of values that rows share, so that what one user does to a value reaches nobody else."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import polars as pl


def own_copy(dtype: pl.DataType) -> Callable[[Any], Any] | None:
    """What copies a Python value of a column's type, or None for types whose values cannot be changed."""
    if isinstance(dtype, pl.Struct):
        inner = [field.dtype for field in dtype.fields]
    elif isinstance(dtype, pl.List | pl.Array):
        inner = [dtype.inner]
    else:
        return None
    return deepcopy if any(each.is_nested() for each in inner) else _shallow


def _shallow(value: Any) -> Any:
    return None if value is None else value.copy()
