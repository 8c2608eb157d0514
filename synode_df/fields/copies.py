"""Copies of values that rows share, so that what one user does to a value reaches nobody else."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import polars as pl


def own_copy(dtype: pl.DataType, *, nullable: bool) -> Callable[[Any], Any] | None:
    """What copies a Python value of a column's type, or None for types whose values cannot be changed.

    `nullable` says whether there may be None among the values.
    """
    copy: Callable[[Any], Any]
    if isinstance(dtype, pl.Struct):
        inner, copy = [field.dtype for field in dtype.fields], dict.copy
    elif isinstance(dtype, pl.List | pl.Array):
        inner, copy = [dtype.inner], list.copy
    else:
        return None
    return deepcopy if nullable or any(each.is_nested() for each in inner) else copy
