"""One row a session: when, how long, how many events."""

from __future__ import annotations

import polars as pl

from synode_df.analysis.events_frame import Events, in_order, scanned
from synode_df.durations import Duration, parse_duration


def sessions(events: Events, *, gap: Duration | None = None) -> pl.DataFrame:
    """The sessions in some events.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events: `user_id`, `event`, `timestamp`, and `session_id` unless `gap` is given.
    gap : str or timedelta, optional
        A session ends where a user does nothing for longer than this. If not given, sessions are those of the column
        `session_id`.

    Returns
    -------
    polars.DataFrame
        `session_id` (with `gap`: String, the user's id and a number from 1), `user_id`, `start` and `end` as
        `timestamp`, `duration` Duration("us"), `events` UInt32, `first_event` and `last_event` as `event`; sorted by
        start, then user and session.

    Raises
    ------
    SynodeError
        `COLUMN_NOT_FOUND`, `INVALID_FRAME`, `INVALID_DURATION`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", time_span="5s")])])
    >>> sessions(sd.generate_df(visit, users=2, seed=7)).select("duration", "events", "first_event", "last_event")
    shape: (2, 4)
    ┌──────────────┬────────┬─────────────┬────────────┐
    │ duration     ┆ events ┆ first_event ┆ last_event │
    │ ---          ┆ ---    ┆ ---         ┆ ---        │
    │ duration[μs] ┆ u32    ┆ enum        ┆ enum       │
    ╞══════════════╪════════╪═════════════╪════════════╡
    │ 5s           ┆ 2      ┆ land        ┆ view       │
    │ 5s           ┆ 2      ┆ land        ┆ view       │
    └──────────────┴────────┴─────────────┴────────────┘
    """
    return sessions_by_user(events, gap=gap).sort("start", "user_id", "session_id")


def sessions_by_user(events: Events, *, gap: Duration | None = None) -> pl.DataFrame:
    """The same, those of a user together: as they come, without a sort."""
    keys = ["user_id", "session_id"] if gap is None else ["user_id"]
    pause = None if gap is None else parse_duration(gap, name="gap", path="sessions")
    lazy = scanned(events, path="sessions", columns=(*keys, "event", "timestamp"))
    ordered = in_order(lazy, keys, "event", path="sessions")
    begins = pl.col("unit").ne_missing(pl.col("unit").shift(1))
    if pause is not None:
        begins |= pl.col("timestamp").diff() > pause
    marked = ordered.with_columns(begins.fill_null(value=True).alias("begins"))
    firsts = marked.filter(pl.col("begins"))
    lasts = marked.filter(pl.col("begins").shift(-1, fill_value=True))
    if pause is not None:
        number = pl.int_range(1, pl.len() + 1).over("unit")
        firsts = firsts.with_columns(pl.format("{}-{}", pl.col("user_id"), number).alias("session_id"))
    return firsts.select(
        "session_id",
        "user_id",
        pl.col("timestamp").alias("start"),
        lasts["timestamp"].alias("end"),
        (lasts["timestamp"] - firsts["timestamp"]).alias("duration"),
        (lasts["row"] - firsts["row"] + 1).alias("events"),
        pl.col("event").alias("first_event"),
        lasts["event"].alias("last_event"),
    )
