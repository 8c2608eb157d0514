"""Asking pandera's checks, the way its own backend does, without its fixed cost for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
import polars as pl

_ROW_WISE: Final = frozenset(
    {"equal_to", "not_equal_to", "greater_than", "greater_than_or_equal_to", "less_than", "less_than_or_equal_to"}
    | {"in_range", "isin", "notin", "str_matches", "str_contains", "str_startswith", "str_endswith", "str_length"}
)
"""pandera's own checks of single values."""

_TRIED: Final = 4


@cache
def ready_pandera() -> None:
    """Let pandera register its checks for Polars, which it does at the first validation in a process."""
    import pandera.polars as pa

    pa.DataFrameSchema({"x": pa.Column(pl.Int64, pa.Check.ge(0))}).validate(pl.DataFrame({"x": [0]}))


def asked(check: Any, lazy: pl.LazyFrame, column: str | None) -> Any:
    """A check's answer about a column, or about whole rows: a query with a Boolean a row, or one Boolean."""
    from pandera.api.polars.types import PolarsData

    function = _with_arguments(check)
    if check.element_wise:
        return lazy.select(pl.col(column or "*").map_elements(function, return_dtype=pl.Boolean))
    answer = function(PolarsData(lazy, column or "*"))
    return bool(answer) if isinstance(answer, np.bool_) else answer


def answers(check: Any, frame: pl.DataFrame, column: str | None) -> pl.DataFrame | bool:
    """A check's answer about a column, or about whole rows, computed."""
    answer = asked(check, frame.lazy(), column)
    return answer.collect() if isinstance(answer, pl.LazyFrame) else answer


def holds(check: Any, answer: pl.DataFrame) -> pl.Series:
    """An answer as one Boolean a row; where a value is missing, `ignore_na` decides."""
    return answer.select(pl.all_horizontal(pl.all()).fill_null(value=bool(check.ignore_na))).to_series()


def looks_at_others(check: Any, frame: pl.DataFrame, column: str | None, together: pl.Series) -> bool:
    """Whether an answer about a row is another one when the row is alone: tried on some that hold, some that fail."""
    for row in [*together.arg_true().head(_TRIED), *(~together).arg_true().head(_TRIED)]:
        alone = answers(check, frame[row : row + 1], column)
        if not isinstance(alone, pl.DataFrame) or alone.height != 1 or holds(check, alone)[0] != together[row]:
            return True
    return False


def is_row_wise(check: Any) -> bool:
    """Whether a check is one of pandera's own that look at one value at a time and let nulls pass."""
    name = getattr(check._check_fn, "__name__", "")
    return bool(not check.element_wise and check.ignore_na and name in _ROW_WISE and check.is_builtin_check(name))


def same_check(check: Any) -> tuple[str, str]:
    """What two of pandera's own checks have in common if they ask the same."""
    return check._check_fn.__name__, repr(check._check_kwargs)


def check_name(check: Any) -> str:
    """What a check is called in reports: `greater_than(0)`, or the name or error that its author gave it."""
    return str(check.error or check.name or "check")


def _with_arguments(check: Any) -> Callable[[Any], Any]:
    function, arguments = check._check_fn, check._check_kwargs
    own = getattr(function, "__name__", "")
    if check.is_builtin_check(own):  # as pandera itself does: schemas made early hold a function without a body
        function = check.get_builtin_check_fn(own)
    return lambda data: function(data, **arguments)
