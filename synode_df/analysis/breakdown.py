"""Users and what they do, for each value of an attribute."""

from __future__ import annotations

import polars as pl

from synode_df.analysis.events_frame import Events, collected, scanned
from synode_df.analysis.grouping import GROUP, user_groups


def breakdown(events: Events, by: str, *, users: pl.DataFrame | None = None) -> pl.DataFrame:
    """How many users there are with each value of an attribute, and how much they do.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events: `user_id`, `timestamp`.
    by : str
        An attribute in `users`, or a column of the events (each user counts once, with the first value that is not
        null).
    users : polars.DataFrame, optional
        `user_id` and attributes, such as `report.users`. Users without events count too.

    Returns
    -------
    polars.DataFrame
        One row a value, the one with most users first: `by` with its own name and dtype, `users` UInt32, `active`
        UInt32 (users with events), `events` UInt32, `share_of_users` Float64, `events_per_user` Float64.

    Raises
    ------
    SynodeError
        `COLUMN_NOT_FOUND`, `INVALID_FRAME`.

    Examples
    --------
    >>> import synode_df as sd
    >>> people = sd.Persona("people", {"device": sd.weighted({"mobile": 0.7, "desktop": 0.3})})
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view")])], bounce_chance=0.5)
    >>> memory = sd.InMemoryAdapter()
    >>> report = sd.generate(visit, users=100, persona=people, seed=7, adapter=memory)
    >>> breakdown(memory.events, "device", users=report.users)
    shape: (2, 6)
    ┌─────────┬───────┬────────┬────────┬────────────────┬─────────────────┐
    │ device  ┆ users ┆ active ┆ events ┆ share_of_users ┆ events_per_user │
    │ ---     ┆ ---   ┆ ---    ┆ ---    ┆ ---            ┆ ---             │
    │ str     ┆ u32   ┆ u32    ┆ u32    ┆ f64            ┆ f64             │
    ╞═════════╪═══════╪════════╪════════╪════════════════╪═════════════════╡
    │ mobile  ┆ 72    ┆ 39     ┆ 78     ┆ 0.72           ┆ 1.083333        │
    │ desktop ┆ 28    ┆ 15     ┆ 30     ┆ 0.28           ┆ 1.071429        │
    └─────────┴───────┴────────┴────────┴────────────────┴─────────────────┘
    """
    lazy = scanned(events, path="breakdown", columns=("user_id", "timestamp"))
    groups = user_groups(lazy, by, users, path="breakdown")
    done = lazy.group_by("user_id").len("events")
    table = groups.join(done, on="user_id", how="full", coalesce=True)
    counted = collected(
        table.group_by(GROUP).agg(
            pl.len().cast(pl.UInt32).alias("users"),
            pl.col("events").count().cast(pl.UInt32).alias("active"),
            pl.col("events").sum().cast(pl.UInt32),
        ),
        path="breakdown",
    )
    return (
        counted.sort(pl.col("users"), pl.col(GROUP).cast(pl.String), descending=[True, False], nulls_last=True)
        .with_columns(
            (pl.col("users") / pl.col("users").sum()).alias("share_of_users"),
            (pl.col("events") / pl.col("users")).alias("events_per_user"),
        )
        .rename({GROUP: by})
    )
