"""How the numbers, or durations, of a column are spread."""

from __future__ import annotations

import math
from typing import Literal

import polars as pl

from synode_df import checks
from synode_df.analysis.events_frame import column_not_found
from synode_df.errors import SynodeError


def distribution(
    frame: pl.DataFrame,
    column: str,
    *,
    bins: int = 30,
    scale: Literal["linear", "log"] = "linear",
    by: str | None = None,
) -> pl.DataFrame:
    """A histogram of a column, as a frame.

    Parameters
    ----------
    frame : polars.DataFrame
        For example what `sessions` and `gaps` give.
    column : str
        A column of numbers, or of durations, which are taken in seconds. Nulls, NaNs and infinities are left out.
    bins : int, default 30
        How many bins between the smallest value and the largest, 1 to 10,000.
    scale : {"linear", "log"}, default "linear"
        Bins that are equally wide (of whole numbers: that hold equally many, with bounds between them), or that grow by
        equal factors (values of zero and less then come in one bin more, below the others).
    by : str, optional
        A column to break down by: the same bins for each of its values.

    Returns
    -------
    polars.DataFrame
        One row a bin, for each group (the largest first): `by` if given, `low` and `high` Float64 (a value at a bound
        belongs to the bin above it, the largest to the last bin), `count` UInt32, `share` Float64 of the group.

    Raises
    ------
    SynodeError
        `COLUMN_NOT_FOUND`; `INVALID_FRAME` for a column of neither numbers nor durations; `INVALID_OPTION`.

    Examples
    --------
    >>> import polars as pl
    >>> distribution(pl.DataFrame({"price": [1.0, 2.0, 2.5, 5.0]}), "price", bins=2)
    shape: (2, 4)
    ┌─────┬──────┬───────┬───────┐
    │ low ┆ high ┆ count ┆ share │
    │ --- ┆ ---  ┆ ---   ┆ ---   │
    │ f64 ┆ f64  ┆ u32   ┆ f64   │
    ╞═════╪══════╪═══════╪═══════╡
    │ 1.0 ┆ 3.0  ┆ 3     ┆ 0.75  │
    │ 3.0 ┆ 5.0  ┆ 1     ┆ 0.25  │
    └─────┴──────┴───────┴───────┘
    """
    checks.whole(bins, name="bins", path="distribution", at_least=1, at_most=10_000, code="INVALID_OPTION")
    checks.one_of(scale, ("linear", "log"), name="scale", code="INVALID_OPTION", path="distribution")
    for name in (column, *(() if by is None else (by,))):
        if name not in frame.columns:
            raise column_not_found(name, frame.columns, path="distribution")
    value = _number(frame.schema[column], column)
    numbers = frame.select(value.alias("value"), *([] if by is None else [pl.col(by).alias("group")]))
    numbers = numbers.filter(pl.col("value").is_finite())
    bounds = _bounds(numbers["value"], bins, scale, whole=frame.schema[column].is_integer())
    table = pl.DataFrame({"low": bounds[:-1], "high": bounds[1:]}, schema={"low": pl.Float64, "high": pl.Float64})
    table = table.with_row_index("bin")
    found = pl.Series(bounds[1:-1], dtype=pl.Float64).search_sorted(numbers["value"], side="right")
    numbers = numbers.with_columns(found.cast(pl.UInt32).alias("bin"))
    groups = [] if by is None else ["group"]
    counted = numbers.group_by(*groups, "bin").len("count")
    if by is not None:
        sizes = numbers.group_by("group").len("size")
        order = sizes.sort(pl.col("size"), pl.col("group").cast(pl.String), descending=[True, False], nulls_last=True)
        table = order.select("group").join(table, how="cross", maintain_order="left_right")
    joined = table.join(counted, on=[*groups, "bin"], how="left", nulls_equal=True, maintain_order="left")
    count = pl.col("count").fill_null(0)
    share = count / (count.sum() if by is None else count.sum().over("group"))
    return joined.select(*(pl.col("group").alias(by) for _ in groups if by), "low", "high", count, share.alias("share"))


def _number(dtype: pl.DataType, column: str) -> pl.Expr:
    if isinstance(dtype, pl.Duration):
        return pl.col(column).dt.total_microseconds() / 1e6
    if dtype.is_numeric():
        return pl.col(column).cast(pl.Float64)
    raise SynodeError(
        "INVALID_FRAME",
        f"The column {column!r} holds no numbers",
        path="distribution",
        expected="a column of numbers or durations",
        received=str(dtype),
        suggestion=f'count its values instead: frame["{column}"].value_counts(sort=True)',
    )


def _bounds(values: pl.Series, bins: int, scale: str, *, whole: bool) -> list[float]:
    """The bounds of the bins: as many as bins, and one more; none without values."""
    if not values.len():
        return []
    low, high = float(values.min()), float(values.max())  # type: ignore[arg-type]  # floats, and at least one
    if scale == "linear" and whole:
        width = math.ceil((high - low + 1) / bins)
        return [low - 0.5 + width * number for number in range(math.ceil((high - low + 1) / width) + 1)]
    if scale == "linear":
        return _between(low, high, bins)
    positive = values.filter(values > 0)
    if not positive.len():
        return [low, math.nextafter(high, math.inf)]
    least = float(positive.min())  # type: ignore[arg-type]  # as above
    powers = [math.exp(power) for power in _between(math.log(least), math.log(high), bins)]
    # What goes through a logarithm and back may come out a little smaller or larger.
    powers[0], powers[-1] = min(least, powers[0]), max(high, powers[-1])
    return powers if low > 0 else [low, *powers]


def _between(low: float, high: float, bins: int) -> list[float]:
    if low == high:
        low, high = low - 0.5, high + 0.5
    width = high / bins - low / bins  # the difference of two large numbers may be infinite
    return [*(low + width * number for number in range(bins)), high]
