"""How many users get how far through a sequence of events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from synode_df.analysis.events_frame import Events, collected, in_order, known_events, not_in_events, scanned, schema_of
from synode_df.analysis.grouping import GROUP, groups_of, user_groups
from synode_df.durations import Duration, parse_duration
from synode_df.errors import SynodeError, shown


def funnel(
    events: Events,
    steps: Sequence[str],
    *,
    by: str | None = None,
    users: pl.DataFrame | None = None,
    within: Duration | None = None,
) -> pl.DataFrame:
    """How many users do the first step, then the second, then the third, and so on.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events: `user_id`, `event`, `timestamp`.
    steps : sequence of str
        Names of events, in the order in which they must happen. A name may come twice: it must then happen twice.
    by : str, optional
        What to break down by: an attribute in `users`, or a column of the events (each user counts once, with the
        first value that is not null).
    users : polars.DataFrame, optional
        `user_id` and attributes, such as `report.users`.
    within : str or timedelta, optional
        The time from the first step to the last counted, at most. A user may start again: any start counts.

    Returns
    -------
    polars.DataFrame
        One row a step, for each group (groups with more users at the first step come first): `by` if given, with its
        own name and dtype, `step` UInt32 from 1, `event` String, `users` UInt32, `share_of_previous` Float64 and
        `share_of_first` Float64, of the users at the step before and at the first (null where those are none).

    Raises
    ------
    SynodeError
        `NOT_IN_EVENTS` for a step that no event is called, unless there are no events; `INVALID_OPTION` for steps that
        are no names, `INVALID_DURATION`, `COLUMN_NOT_FOUND`, `INVALID_FRAME`.

    Notes
    -----
    A user is at step k if some k events of theirs carry the names of the first k steps in this order; others may
    happen in between. Of two events at the same time, the one that comes first in the frame happened first. With
    `within`, each step keeps the latest start from which it was reached in time, which finds every user who has a
    sequence that is short enough.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> rows = [("ann", "view", 1), ("ann", "buy", 2), ("bob", "view", 1), ("eve", "buy", 1), ("eve", "view", 2)]
    >>> events = pl.DataFrame(
    ...     [(user, event, datetime(2026, 1, day)) for user, event, day in rows],
    ...     schema=["user_id", "event", "timestamp"],
    ...     orient="row",
    ... )
    >>> funnel(events, ["view", "buy"])
    shape: (2, 5)
    ┌──────┬───────┬───────┬───────────────────┬────────────────┐
    │ step ┆ event ┆ users ┆ share_of_previous ┆ share_of_first │
    │ ---  ┆ ---   ┆ ---   ┆ ---               ┆ ---            │
    │ u32  ┆ str   ┆ u32   ┆ f64               ┆ f64            │
    ╞══════╪═══════╪═══════╪═══════════════════╪════════════════╡
    │ 1    ┆ view  ┆ 3     ┆ 1.0               ┆ 1.0            │
    │ 2    ┆ buy   ┆ 1     ┆ 0.333333          ┆ 0.333333       │
    └──────┴───────┴───────┴───────────────────┴────────────────┘
    """
    names = _checked_steps(steps)
    limit = None if within is None else parse_duration(within, name="within", path="funnel")
    lazy = scanned(events, path="funnel", columns=("user_id", "event", "timestamp"))
    numbered = lazy.select("user_id", "timestamp", _numbered(names, lazy)).drop_nulls()
    wanted = in_order(numbered, ["user_id"], "step", path="funnel")
    _check_known(names, lazy, wanted)
    reached = _reached(wanted, names, limit)
    if by is None:
        return _shares(pl.DataFrame({"event": names, "users": [units.len() for units in reached]}), [])
    groups = collected(user_groups(lazy, by, users, path="funnel"), path="funnel")
    who = wanted.filter(pl.col("unit").ne_missing(pl.col("unit").shift(1)))["user_id"]
    return _by_group(reached, names, groups_of(who, groups), by)


def _checked_steps(steps: Any) -> list[str]:
    names = None if isinstance(steps, str) else _listed(steps)
    if names and all(isinstance(name, str) for name in names):
        return names
    raise SynodeError(
        "INVALID_OPTION",
        "A funnel needs steps",
        path="funnel > steps",
        expected="names of events, in the order in which they must happen",
        received=shown(steps),
        suggestion='say steps=["view", "buy"]',
    )


def _listed(values: Any) -> list[Any] | None:
    try:
        return list(values)
    except TypeError:
        return None


def _numbered(names: list[str], lazy: pl.LazyFrame) -> pl.Expr:
    """The number of each event's name among the steps, null for other events."""
    dtype = schema_of(lazy, path="funnel")["event"]
    known = set(dtype.categories) if isinstance(dtype, pl.Enum) else set(names)
    numbers = pl.lit(None, dtype=pl.UInt16)
    for number, name in enumerate(dict.fromkeys(names)):
        if name in known:  # Enums refuse to be compared with what they cannot hold
            numbers = pl.when(pl.col("event") == name).then(pl.lit(number, dtype=pl.UInt16)).otherwise(numbers)
    return numbers.alias("step")


def _check_known(names: list[str], lazy: pl.LazyFrame, wanted: pl.DataFrame) -> None:
    unseen = set(range(len(set(names)))) - set(wanted["step"].unique())
    if not unseen:
        return
    known = known_events(lazy, path="funnel")
    for number, name in enumerate(dict.fromkeys(names)):
        if known and number in unseen and name not in known:
            raise not_in_events(name, known, what="event", path="funnel > steps")


def _reached(wanted: pl.DataFrame, names: list[str], limit: Any) -> list[pl.Series]:
    """The users at each step, in ascending order of their number."""
    steps = {
        name: wanted.filter(pl.col("step") == number).select("row", "unit", "timestamp")
        for number, name in enumerate(dict.fromkeys(names))
    }
    # How far users have come: the rows that end a sequence of the first k steps, and when its latest start was. Later
    # ends have later starts, so the nearest one before a row is the best that the row can follow.
    ends = steps[names[0]].with_columns(start="timestamp")
    reached = [_distinct(ends["unit"])]
    for name in names[1:]:
        previous = ends.select("row", "start", pl.col("unit").alias("who"))
        found = steps[name].join_asof(previous, on="row", allow_exact_matches=False)
        follows = pl.col("unit") == pl.col("who")
        if limit is not None:
            follows &= pl.col("timestamp") - pl.col("start") <= limit
        ends = found.filter(follows).select("row", "unit", "timestamp", "start")
        reached.append(_distinct(ends["unit"]))
    return reached


def _distinct(units: pl.Series) -> pl.Series:
    return units.filter(units.ne_missing(units.shift(1)))


def _by_group(reached: list[pl.Series], names: list[str], group_of: pl.Series, by: str) -> pl.DataFrame:
    """The users at each step by group, where the group of unit number n stands at place n - 1."""
    counts = [group_of.gather(units - 1).value_counts(name="users") for units in reached]
    order = pl.col(GROUP).cast(pl.String)
    groups = counts[0].sort(pl.col("users"), order, descending=[True, False], nulls_last=True).select(GROUP)
    frames = [
        groups.join(count, on=GROUP, how="left", nulls_equal=True, maintain_order="left").select(
            GROUP, pl.lit(name).alias("event"), pl.col("users").fill_null(0)
        )
        for name, count in zip(names, counts, strict=True)
    ]
    rows = pl.concat(frame.with_row_index("place") for frame in frames).sort("place", maintain_order=True)
    return _shares(rows.select(pl.col(GROUP).alias(by), "event", "users"), [by])


def _shares(counts: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    users, over = pl.col("users"), [pl.col(name) for name in by] or [pl.lit(1)]
    first, previous = users.first().over(over), users.shift(1).over(over)
    return counts.select(
        *by,
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over(over).alias("step"),
        pl.col("event").cast(pl.String),
        users.cast(pl.UInt32),
        _share(users, pl.coalesce(previous, users)).alias("share_of_previous"),
        _share(users, first).alias("share_of_first"),
    )


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole)
