"""The time between one event and the next."""

from __future__ import annotations

from typing import Literal

import polars as pl

from synode_df import checks
from synode_df.analysis.events_frame import Events, in_order, scanned


def gaps(events: Events, *, per: Literal["session", "user"] = "session") -> pl.DataFrame:
    """How long each event comes after the one before it.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events: `user_id`, `event`, `timestamp`, and `session_id` unless `per="user"`.
    per : {"session", "user"}, default "session"
        Whether to look at neighbours within a session only, or also across a user's sessions.

    Returns
    -------
    polars.DataFrame
        One row for each pair of neighbours: `user_id`, `event` and `next_event` as `event`, `timestamp` of the second,
        `gap` Duration("us"). The rows of a user, or session, stand together, in the order of time.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`, `COLUMN_NOT_FOUND`, `INVALID_FRAME`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", time_span="5s")])])
    >>> gaps(sd.generate_df(visit, users=1, seed=7)).select("event", "next_event", "gap")
    shape: (1, 3)
    ┌───────┬────────────┬──────────────┐
    │ event ┆ next_event ┆ gap          │
    │ ---   ┆ ---        ┆ ---          │
    │ enum  ┆ enum       ┆ duration[μs] │
    ╞═══════╪════════════╪══════════════╡
    │ land  ┆ view       ┆ 5s           │
    └───────┴────────────┴──────────────┘
    """
    checks.one_of(per, ("session", "user"), name="per", code="INVALID_OPTION", path="gaps")
    keys = ["user_id"] if per == "user" else ["user_id", "session_id"]
    lazy = scanned(events, path="gaps", columns=(*keys, "event", "timestamp"))
    ordered = in_order(lazy, keys, "event", path="gaps")
    pairs = ordered.select(
        "user_id",
        pl.col("event").shift(1),
        pl.col("event").alias("next_event"),
        "timestamp",
        pl.col("timestamp").diff().alias("gap"),
        (pl.col("unit") == pl.col("unit").shift(1)).alias("neighbours"),
    )
    return pairs.filter("neighbours").drop("neighbours")
