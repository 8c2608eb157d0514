"""What one user did."""

from __future__ import annotations

import polars as pl

from synode_df.analysis.events_frame import Events, collected, not_in_events, scanned, schema_of

_EXAMPLES = 1_000


def user_timeline(events: Events, user: object) -> pl.DataFrame:
    """The events of one user, in the order of time.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events: `user_id`, `event`, `timestamp`.
    user : str
        A `user_id`.

    Returns
    -------
    polars.DataFrame
        One row an event: `timestamp`, `event`, `gap` Duration("us") since the event before (null for the
        first), `since_start` Duration("us"), then the other columns of the events in which the user has any value.

    Raises
    ------
    SynodeError
        `NOT_IN_EVENTS` for a user without events, `COLUMN_NOT_FOUND`, `INVALID_FRAME`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", time_span="5s")])])
    >>> events = sd.generate_df(visit, users=10, seed=7)
    >>> user_timeline(events, events["user_id"][0]).select("event", "gap", "since_start", "journey_id")
    shape: (2, 4)
    ┌───────┬──────────────┬──────────────┬────────────┐
    │ event ┆ gap          ┆ since_start  ┆ journey_id │
    │ ---   ┆ ---          ┆ ---          ┆ ---        │
    │ enum  ┆ duration[μs] ┆ duration[μs] ┆ enum       │
    ╞═══════╪══════════════╪══════════════╪════════════╡
    │ land  ┆ null         ┆ 0µs          ┆ visit      │
    │ view  ┆ 5s           ┆ 5s           ┆ visit      │
    └───────┴──────────────┴──────────────┴────────────┘
    """
    lazy = scanned(events, path="user_timeline", columns=("user_id", "event", "timestamp"))
    theirs = collected(lazy.filter(pl.col("user_id").cast(pl.String) == str(user)), path="user_timeline")
    if not theirs.height:
        some = collected(lazy.select(pl.col("user_id").cast(pl.String)).head(_EXAMPLES), path="user_timeline")
        raise not_in_events(user, some["user_id"].unique(maintain_order=True), what="user", path="user_timeline")
    time = pl.col("timestamp")
    rest = [
        name
        for name in schema_of(events, path="user_timeline")
        if name not in {"user_id", "event", "timestamp", "gap", "since_start"}
        and theirs[name].null_count() < theirs.height
    ]
    return theirs.sort("timestamp", maintain_order=True).select(
        time, "event", time.diff().alias("gap"), (time - time.min()).alias("since_start"), *rest
    )
