"""Breaking events down by something: a column of theirs, or an attribute of their users."""

from __future__ import annotations

import polars as pl

from synode_df.analysis.events_frame import column_not_found, in_order, schema_of
from synode_df.errors import SynodeError, did_you_mean

GROUP = "__group__"
"""The column that holds the group while it is counted: no column of a user has this name."""


def with_group(lazy: pl.LazyFrame, by: str, users: pl.DataFrame | None, *, path: str) -> pl.LazyFrame:
    """The events, each with its group: its user's attribute, or its own value in a column.

    Parameters
    ----------
    lazy : polars.LazyFrame
        Events, checked.
    by : str
        An attribute in `users`, or else a column of the events, or else a field of their struct `payload`.
    users : polars.DataFrame or None
        One row a user: `user_id` and attributes.
    path : str
        The name of the analysis, for errors.

    Returns
    -------
    polars.LazyFrame
        With a column `GROUP`.

    Raises
    ------
    SynodeError
        `COLUMN_NOT_FOUND`; `INVALID_FRAME` for `users` that are malformed.
    """
    attributes = _attributes(lazy, by, users, path=path)
    if attributes is not None:
        return lazy.join(attributes, on="user_id", how="left")
    return lazy.with_columns(_column(lazy, by, users, path=path).alias(GROUP))


def user_groups(lazy: pl.LazyFrame, by: str, users: pl.DataFrame | None, *, path: str) -> pl.LazyFrame:
    """Each user's group: the attribute, or the first value in a column of the events that is not null.

    Parameters and errors are those of `with_group`.

    Returns
    -------
    polars.LazyFrame
        `user_id` and `GROUP`, one row a user.
    """
    attributes = _attributes(lazy, by, users, path=path)
    if attributes is not None:
        return attributes
    value = _column(lazy, by, users, path=path).alias(GROUP)
    ordered = in_order(lazy.select("user_id", "timestamp", value), ["user_id"], GROUP, path=path)
    known = ordered.filter(pl.col(GROUP).is_not_null())
    firsts = known.filter(pl.col("unit").ne_missing(pl.col("unit").shift(1))).select("user_id", GROUP)
    everybody = ordered.filter(pl.col("unit").ne_missing(pl.col("unit").shift(1)))["user_id"]
    return pl.DataFrame([everybody, groups_of(everybody, firsts)]).lazy()


def groups_of(users: pl.Series, groups: pl.DataFrame) -> pl.Series:
    """The group of each of some users, from a frame of `user_id` and `GROUP`."""
    who = users.alias("user_id").to_frame()
    if users.dtype.is_integer() and users.is_sorted() and groups["user_id"].is_sorted():
        # Of numbers in order the nearest one below is found at a tenth of the cost of a join by hashes.
        near = who.join_asof(groups.with_columns(found="user_id"), on="user_id")
        return near.select(pl.when(pl.col("found") == pl.col("user_id")).then(pl.col(GROUP)).alias(GROUP))[GROUP]
    return who.join(groups, on="user_id", how="left", maintain_order="left")[GROUP]


def check_users(users: object, *, path: str) -> pl.DataFrame:
    """A frame of users if it is one, else `INVALID_FRAME`."""
    if isinstance(users, pl.DataFrame) and "user_id" in users.columns and not users["user_id"].is_duplicated().any():
        return users
    raise SynodeError(
        "INVALID_FRAME",
        "`users` must be a frame with one row for each user",
        path=path,
        expected="a polars.DataFrame with a column 'user_id' without duplicates, and attributes",
        received=f"columns {', '.join(users.columns)}" if isinstance(users, pl.DataFrame) else type(users).__name__,
        suggestion="use report.users",
    )


def _attributes(lazy: pl.LazyFrame, by: str, users: pl.DataFrame | None, *, path: str) -> pl.LazyFrame | None:
    if users is None or by not in check_users(users, path=path).columns or by == "user_id":
        return None
    key = schema_of(lazy, path=path)["user_id"]
    return users.lazy().select(pl.col("user_id").cast(key), pl.col(by).alias(GROUP))


def _column(lazy: pl.LazyFrame, by: str, users: pl.DataFrame | None, *, path: str) -> pl.Expr:
    schema = schema_of(lazy, path=path)
    if by in schema:
        return pl.col(by)
    payload = schema.get("payload")
    if isinstance(payload, pl.Struct) and by in {field.name for field in payload.fields}:
        return pl.col("payload").struct.field(by)
    names = [*schema, *(() if users is None else users.columns)]
    missing = column_not_found(by, names, path=path)
    if users is not None:
        raise missing
    raise SynodeError(
        missing.code,
        missing.message,
        path=path,
        expected="a column of the events, or an attribute of `users`",
        received=missing.received,
        suggestion=f"for an attribute of a persona say users=report.users; of the columns, {did_you_mean(by, names)}",
    )
