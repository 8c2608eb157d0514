"""Events by hour of the day and day of the week."""

from __future__ import annotations

from typing import Final

import polars as pl

from synode_df.analysis.events_frame import Events, collected, scanned

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def hourly(events: Events) -> pl.DataFrame:
    """How many events happen in each hour of each day of the week.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events: `timestamp`. Hours are those of its time zone; for local ones, convert it first with
        `pl.col("timestamp").dt.convert_time_zone("Europe/Berlin")`.

    Returns
    -------
    polars.DataFrame
        Always 168 rows, Monday 0 h first: `weekday` Enum of "Mon" to "Sun", `hour` UInt8 from 0 to 23, `events` UInt32.

    Raises
    ------
    SynodeError
        `COLUMN_NOT_FOUND`, `INVALID_FRAME`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> hourly(sd.generate_df(visit, users=1_000, seed=7)).head(2)
    shape: (2, 3)
    ┌─────────┬──────┬────────┐
    │ weekday ┆ hour ┆ events │
    │ ---     ┆ ---  ┆ ---    │
    │ enum    ┆ u8   ┆ u32    │
    ╞═════════╪══════╪════════╡
    │ Mon     ┆ 0    ┆ 2      │
    │ Mon     ┆ 1    ┆ 10     │
    └─────────┴──────┴────────┘
    """
    lazy = scanned(events, path="hourly", columns=["timestamp"])
    time = pl.col("timestamp").dt
    cell = (time.weekday().cast(pl.UInt8) - 1) * 24 + time.hour().cast(pl.UInt8)
    counts = collected(lazy.select(cell.alias("cell")).group_by("cell").len("events"), path="hourly")
    week = pl.DataFrame({"cell": pl.Series(range(168), dtype=pl.UInt8)})
    return week.join(counts, on="cell", how="left", maintain_order="left").select(
        pl.lit(pl.Series(WEEKDAYS, dtype=pl.Enum(WEEKDAYS))).gather(pl.col("cell") // 24).alias("weekday"),
        (pl.col("cell") % 24).alias("hour"),
        pl.col("events").fill_null(0),
    )
