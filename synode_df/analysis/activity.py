"""Events and active users over time."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from synode_df.analysis.events_frame import Events, collected, scanned
from synode_df.analysis.grouping import GROUP, with_group
from synode_df.durations import Duration, parse_duration
from synode_df.errors import SynodeError, shown

_MOST_ROWS = 1_000_000


def activity(
    events: Events, *, every: Duration = "1d", by: str | None = None, users: pl.DataFrame | None = None
) -> pl.DataFrame:
    """How many events happen, and how many users are active, in each stretch of time.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events: `user_id`, `timestamp`.
    every : str or timedelta, default "1d"
        How long a stretch is. Days start at midnight, weeks on Monday, in the time zone of `timestamp`.
    by : str, optional
        What to break down by: an attribute in `users`, or a column of the events.
    users : polars.DataFrame, optional
        `user_id` and attributes, such as `report.users`.

    Returns
    -------
    polars.DataFrame
        One row for each stretch from the first event to the last, also where nothing happens, for each group (the
        largest first): `by` if given, `time` as `timestamp` (the start of the stretch), `events` UInt32, `users`
        UInt32 (who did anything in it).

    Raises
    ------
    SynodeError
        `INVALID_DURATION`; `INVALID_OPTION` for an `every` of nothing or one that makes over a million rows,
        `COLUMN_NOT_FOUND`, `INVALID_FRAME`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", time_span="5s")])])
    >>> activity(sd.generate_df(visit, users=1_000, duration="4w", seed=7), every="1w").select("events", "users")
    shape: (5, 2)
    ┌────────┬───────┐
    │ events ┆ users │
    │ ---    ┆ ---   │
    │ u32    ┆ u32   │
    ╞════════╪═══════╡
    │ 224    ┆ 112   │
    │ 556    ┆ 278   │
    │ 516    ┆ 258   │
    │ 526    ┆ 263   │
    │ 178    ┆ 89    │
    └────────┴───────┘
    """
    length = parse_duration(every, name="every", path="activity")
    if not length:
        raise _bad_every(every, "a length of time that is more than nothing", "1d")
    lazy = scanned(events, path="activity", columns=("user_id", "timestamp"))
    groups = [] if by is None else [GROUP]
    if by is not None:
        lazy = with_group(lazy, by, users, path="activity")
    stretch = pl.col("timestamp").dt.truncate(_text(length)).alias("time")
    counted = collected(
        lazy.select(*groups, stretch, "user_id")
        .group_by(*groups, "time")
        .agg(pl.len().alias("events"), pl.col("user_id").n_unique().cast(pl.UInt32).alias("users")),
        path="activity",
        # Counting distinct users is several times as fast in memory, where a DataFrame is anyway.
        engine="in-memory" if isinstance(events, pl.DataFrame) else "auto",
    )
    every_row = _every_stretch(counted, length, groups, every)
    filled = every_row.join(
        counted, on=[*groups, "time"], how="left", nulls_equal=True, maintain_order="left"
    ).with_columns(pl.col("events", "users").fill_null(0))
    return filled if by is None else filled.rename({GROUP: by})


def _every_stretch(counted: pl.DataFrame, length: timedelta, groups: list[str], every: object) -> pl.DataFrame:
    if not counted.height:
        return counted.select(*groups, "time")
    first, last = counted.select(pl.col("time").min().alias("first"), pl.col("time").max().alias("last")).row(0)
    names = counted.select(GROUP).n_unique() if groups else 1
    if ((last - first) / length + 1) * names > _MOST_ROWS:
        raise _bad_every(every, f"at most {_MOST_ROWS:,} rows", "1d")
    span = counted.select(pl.datetime_range(pl.col("time").min(), pl.col("time").max(), _text(length)).alias("time"))
    if not groups:
        return span
    sizes = counted.group_by(GROUP).agg(pl.col("events").sum())
    order = sizes.sort(pl.col("events"), pl.col(GROUP).cast(pl.String), descending=[True, False], nulls_last=True)
    return order.select(GROUP).join(span, how="cross", maintain_order="left_right")


def _text(length: timedelta) -> str:
    """A length as Polars writes it: whole days and weeks keep to the calendar where clocks change."""
    if length % timedelta(weeks=1) == timedelta(0):
        return f"{length // timedelta(weeks=1)}w"
    if length % timedelta(days=1) == timedelta(0):
        return f"{length.days}d"
    return f"{length // timedelta(microseconds=1)}us"


def _bad_every(every: object, expected: str, fix: str) -> SynodeError:
    return SynodeError(
        "INVALID_OPTION",
        "Time cannot be cut into these stretches",
        path="activity > every",
        expected=expected,
        received=shown(every),
        suggestion=f'use a longer one, such as every="{fix}"',
    )
