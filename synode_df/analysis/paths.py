"""Which events follow which, step by step."""

from __future__ import annotations

from typing import Final, Literal

import polars as pl

from synode_df import checks
from synode_df.analysis.events_frame import Events, in_order, known_events, label, not_in_events, scanned

OTHER: Final = "(other)"


def paths(
    events: Events,
    *,
    steps: int = 5,
    start: str | None = None,
    top: int | None = None,
    per: Literal["session", "user"] = "session",
) -> pl.DataFrame:
    """How many sessions go from which event to which, at each step of their way.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events: `user_id`, `event`, `timestamp`, and `session_id` unless `per="user"`.
    steps : int, default 5
        How many moves to follow, from 1 to 100.
    start : str, optional
        The event to start from, the first time it happens; the first event if not given.
    top : int, optional
        Keep the most frequent events by name and call all others "(other)"; all are kept if not given.
    per : {"session", "user"}, default "session"
        Whose way is followed.

    Returns
    -------
    polars.DataFrame
        One row for each move that happens: `step` UInt32 from 1, `source` String, `target` String (null: the way ends
        here), `count` UInt32 of sessions or users. Sorted by step, then the most frequent first.

    Raises
    ------
    SynodeError
        `NOT_IN_EVENTS` for a start that no event is called, `INVALID_OPTION`, `COLUMN_NOT_FOUND`, `INVALID_FRAME`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", bounce_chance=0.5)])])
    >>> paths(sd.generate_df(visit, users=100, seed=7))
    shape: (3, 4)
    ┌──────┬────────┬────────┬───────┐
    │ step ┆ source ┆ target ┆ count │
    │ ---  ┆ ---    ┆ ---    ┆ ---   │
    │ u32  ┆ str    ┆ str    ┆ u32   │
    ╞══════╪════════╪════════╪═══════╡
    │ 1    ┆ land   ┆ view   ┆ 53    │
    │ 1    ┆ land   ┆ null   ┆ 47    │
    │ 2    ┆ view   ┆ null   ┆ 53    │
    └──────┴────────┴────────┴───────┘
    """
    checks.whole(steps, name="steps", path="paths", at_least=1, at_most=100, code="INVALID_OPTION")
    if top is not None:
        checks.whole(top, name="top", path="paths", at_least=1, code="INVALID_OPTION")
    checks.one_of(per, ("session", "user"), name="per", code="INVALID_OPTION", path="paths")
    keys = ["user_id"] if per == "user" else ["user_id", "session_id"]
    lazy = scanned(events, path="paths", columns=(*keys, "event", "timestamp"))
    ordered = in_order(lazy, keys, "event", path="paths").select("row", "unit", "event")
    if start is not None:
        ordered = _from(ordered, start, lazy)
    if top is not None:
        ordered = _most_frequent(ordered, top)
    begins = pl.col("unit").ne_missing(pl.col("unit").shift(1))
    goes_on = pl.col("unit") == pl.col("unit").shift(-1)
    first = pl.when(begins).then(pl.int_range(pl.len(), dtype=pl.Int64)).forward_fill()
    moves = ordered.select(
        (pl.int_range(pl.len(), dtype=pl.Int64) - first + 1).cast(pl.UInt32).alias("step"),
        pl.col("event").alias("source"),
        pl.when(goes_on).then(pl.col("event").shift(-1)).alias("target"),
    )
    counted = moves.filter(pl.col("step") <= steps).group_by("step", "source", "target").len("count")
    return counted.with_columns(label("source"), label("target")).sort(
        "step", "count", "source", "target", descending=[False, True, False, False], nulls_last=True
    )


def _most_frequent(ordered: pl.DataFrame, top: int) -> pl.DataFrame:
    """The rows, with all but the most frequent names replaced."""
    counts = ordered.group_by("event").len().with_columns(label("event").alias("name"))
    rare = counts.sort("len", "name", descending=[True, False]).slice(top)
    if not rare.height:
        return ordered
    kept = counts.join(rare, on="name", how="anti")["name"].unique().sort()
    names = pl.Enum([*kept.filter(kept != OTHER), OTHER])
    new = counts.select(pl.when(pl.col("name").is_in(kept.implode())).then("name").otherwise(pl.lit(OTHER)).cast(names))
    return ordered.with_columns(pl.col("event").replace_strict(counts["event"], new.to_series(), return_dtype=names))


def _from(ordered: pl.DataFrame, start: str, lazy: pl.LazyFrame) -> pl.DataFrame:
    """What happens from the first time on that something happens, for each session or user."""
    starts = ordered.filter(label("event") == start)
    known = known_events(lazy, path="paths") if not starts.height else []
    if known and start not in known:
        raise not_in_events(start, known, what="event", path="paths > start")
    starts = starts.filter(pl.col("unit").ne_missing(pl.col("unit").shift(1)))
    joined = ordered.join(starts.select("unit", pl.col("row").alias("first")), on="unit", maintain_order="left")
    return joined.filter(pl.col("row") >= pl.col("first")).select("row", "unit", "event")
