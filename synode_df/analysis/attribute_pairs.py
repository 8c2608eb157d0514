"""How two attributes of users come together."""

from __future__ import annotations

from typing import Final

import polars as pl

from synode_df import checks
from synode_df.analysis.events_frame import column_not_found

_OTHER: Final = "(other)"
_NONE: Final = "(none)"


def attribute_pairs(people: pl.DataFrame, x: str, y: str, *, top: int = 20) -> pl.DataFrame:
    """How many users have each pair of values of two attributes.

    Parameters
    ----------
    people : polars.DataFrame
        One row a user, such as `report.users`.
    x, y : str
        Columns; the values are taken as texts.
    top : int, default 20
        How many values of each to keep, the most frequent; the rest is "(other)".

    Returns
    -------
    polars.DataFrame
        One row for each pair, also those that nobody has: `x`, `y` String, `users` UInt32, `share` Float64 of all
        users; the most frequent values first.

    Raises
    ------
    SynodeError
        `COLUMN_NOT_FOUND`, `INVALID_OPTION`.

    Examples
    --------
    >>> import polars as pl
    >>> people = pl.DataFrame({"device": ["mobile", "mobile", "desktop"], "member": [True, False, True]})
    >>> attribute_pairs(people, "device", "member")["users"].to_list()
    [1, 1, 1, 0]
    """
    checks.whole(top, name="top", path="attribute_pairs", at_least=1, code="INVALID_OPTION")
    for name in (x, y):
        if name not in people.columns:
            raise column_not_found(name, people.columns, path="attribute_pairs")
    pairs = pl.DataFrame({"x": _kept(people[x], top), "y": _kept(people[y], top)})
    cells = pairs.group_by("x", "y").len("users")
    every = _by_frequency(pairs["x"], "x").join(
        _by_frequency(pairs["y"], "y"), how="cross", maintain_order="left_right"
    )
    counted = every.join(cells, on=["x", "y"], how="left", maintain_order="left")
    users = pl.col("users").fill_null(0).cast(pl.UInt32)
    return counted.select("x", "y", users, (users / max(1, people.height)).alias("share"))


def _kept(column: pl.Series, top: int) -> pl.Series:
    """The values as texts, rare ones as one."""
    if column.dtype.is_nested():
        texts = pl.Series([_NONE if value is None else str(value) for value in column.to_list()], dtype=pl.String)
    else:
        texts = column.cast(pl.String).fill_null(_NONE)
    frequent = _by_frequency(texts, "value")["value"]
    if len(frequent) <= top + 1:
        return texts
    kept = texts.is_in(frequent.head(top).implode())
    return texts.zip_with(kept, pl.Series([_OTHER], dtype=pl.String))


def _by_frequency(texts: pl.Series, name: str) -> pl.DataFrame:
    """The distinct values, the most frequent first."""
    counted = texts.alias(name).to_frame().group_by(name).len("n")
    return counted.sort(pl.col(name) == _OTHER, "n", name, descending=[False, True, False]).select(name)
