"""How many users get how far through a sequence of events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from synode_df.analysis.events_frame import Events, collected, in_order, known_events, label, not_in_events, scanned
from synode_df.analysis.grouping import GROUP, user_groups
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
    wanted = in_order(
        lazy.filter(label("event").is_in(names)).with_columns(label("event")), ["user_id"], "event", path="funnel"
    )
    _check_known(names, wanted, lazy)
    reached = _reached(wanted, names, limit)
    if by is None:
        return _shares(pl.DataFrame({"event": names, "users": [units.len() for units in reached]}), [])
    groups = collected(user_groups(lazy, by, users, path="funnel"), path="funnel")
    who = wanted.filter(pl.col("unit").is_first_distinct()).select("unit", "user_id")
    who = who.join(groups, on="user_id", how="left", maintain_order="left").select("unit", GROUP)
    return _by_group(reached, names, who, by)


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


def _check_known(names: list[str], wanted: pl.DataFrame, lazy: pl.LazyFrame) -> None:
    unseen = set(names) - set(wanted["event"].unique())
    if not unseen:
        return
    known = known_events(lazy, path="funnel")
    for name in names:
        if known and name in unseen and name not in known:
            raise not_in_events(name, known, what="event", path="funnel > steps")


def _reached(wanted: pl.DataFrame, names: list[str], limit: Any) -> list[pl.Series]:
    """The users at each step, in ascending order of their number."""
    steps = {name: wanted.filter(pl.col("event") == name).select("row", "unit", "timestamp") for name in set(names)}
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


def _by_group(reached: list[pl.Series], names: list[str], who: pl.DataFrame, by: str) -> pl.DataFrame:
    groups = who.filter(pl.col("unit").is_in(reached[0].implode())).group_by(GROUP).len("users")
    order = pl.col(GROUP).cast(pl.String)
    groups = groups.sort(pl.col("users"), order, descending=[True, False], nulls_last=True).select(GROUP)
    frames = [
        groups.join(
            who.filter(pl.col("unit").is_in(units.implode())).group_by(GROUP).len("users"),
            on=GROUP,
            how="left",
            nulls_equal=True,
            maintain_order="left",
        ).select(GROUP, pl.lit(name).alias("event"), pl.col("users").fill_null(0))
        for name, units in zip(names, reached, strict=True)
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
