"""What every analysis asks of an events frame: columns that are there, times that are times, rows in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from polars._typing import EngineType

from synode_df.errors import SynodeError, did_you_mean, told

Events = pl.DataFrame | pl.LazyFrame
"""Events made or loaded: a DataFrame, or a LazyFrame such as `sd.scan("events/")`."""


def scanned(events: Events, *, path: str, columns: Iterable[str]) -> pl.LazyFrame:
    """The events, with the columns that an analysis needs checked.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events.
    path : str
        The name of the analysis, for errors.
    columns : iterable of str
        Columns that must be there. Rows in which one of them is null are left out.

    Returns
    -------
    polars.LazyFrame
        The same columns; `timestamp` as Datetime("us") in its own time zone, also where it came as text (then UTC).

    Raises
    ------
    SynodeError
        `INVALID_FRAME` for what is no frame, cannot be read or has a `timestamp` that is no time, `COLUMN_NOT_FOUND`.
    """
    if not isinstance(events, pl.DataFrame | pl.LazyFrame):
        raise SynodeError(
            "INVALID_FRAME",
            "These are not events in a Polars frame",
            path=path,
            expected="a polars.DataFrame or polars.LazyFrame",
            received=type(events).__name__,
            suggestion='load them with sd.scan("events/"), or turn them into Polars with pl.from_pandas(...)',
        )
    schema = schema_of(events, path=path)
    needed = list(columns)
    for name in needed:
        if name not in schema:
            raise column_not_found(name, schema, path=path)
    lazy = events.lazy().drop_nulls(needed)
    return lazy.with_columns(_as_time(schema["timestamp"], path)) if "timestamp" in needed else lazy


def schema_of(events: Events, *, path: str) -> pl.Schema:
    """The schema of a frame, which a LazyFrame may only find when it looks at its files."""
    try:
        return events.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(error, path) from error


def collected(lazy: pl.LazyFrame, *, path: str, engine: EngineType = "auto") -> pl.DataFrame:
    """A LazyFrame's rows.

    Raises
    ------
    SynodeError
        `INVALID_FRAME` where its files cannot be read, or texts in `timestamp` are no times.
    """
    try:
        return lazy.collect(engine=engine)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(error, path) from error


def column_not_found(name: str, schema: Iterable[str], *, path: str) -> SynodeError:
    """The error for a column that is not there."""
    if name == "session_id":
        fix: str | None = 'say gap="30m" to sessions(), or per="user" elsewhere, where events have no sessions'
    else:
        fix = did_you_mean(name, schema) or "load the events with their columns, or generate some: sd.generate_df(...)"
    return SynodeError(
        "COLUMN_NOT_FOUND",
        f"The events have no column {name!r}",
        path=path,
        expected=f"a column {name!r}",
        received=f"columns {', '.join(schema)}" if list(schema) else "a frame without columns",
        suggestion=fix,
    )


def in_order(lazy: pl.LazyFrame, keys: Sequence[str], *columns: str, path: str) -> pl.DataFrame:
    """The events of each user, or session, together and in the order of time.

    Parameters
    ----------
    lazy : polars.LazyFrame
        Events, checked.
    keys : sequence of str
        What keeps rows together: `["user_id"]`, or `["user_id", "session_id"]`.
    *columns : str
        What else is needed.
    path : str
        The name of the analysis, for errors.

    Returns
    -------
    polars.DataFrame
        `row` UInt32 from 0, `unit` UInt32 (one number for each user or session, each in one piece), `timestamp`, the
        keys, the columns. Events of the same time stay in the order in which they came.
    """
    frame = collected(lazy.select(list(dict.fromkeys([*keys, "timestamp", *columns]))), path=path)
    frame = frame.with_columns(_units(keys))
    # A sort costs several times as much as finding out that none is needed, as with all that a run gives.
    if not (_together(frame, keys) and _in_time(frame)):
        frame = frame.sort(*keys, "timestamp", maintain_order=True).with_columns(_units(keys))
    return frame.with_row_index("row")


def _together(frame: pl.DataFrame, keys: Sequence[str]) -> bool:
    if all(frame[key].is_sorted() for key in keys):
        return True
    starts = frame.filter(_begins())
    return bool(starts.select(pl.struct(keys).n_unique()).item() == starts.height)


def _in_time(frame: pl.DataFrame) -> bool:
    backwards = pl.col("timestamp") < pl.col("timestamp").shift(1)
    return not frame.select((backwards & ~_begins()).any()).item()


def _units(keys: Sequence[str]) -> pl.Expr:
    changes = pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift(1)) for key in keys)
    return changes.cum_sum().cast(pl.UInt32).alias("unit")


def _begins() -> pl.Expr:
    return pl.col("unit").ne_missing(pl.col("unit").shift(1))


def label(name: str) -> pl.Expr:
    """A column of labels as text: frames from Parquet have Enums, frames from CSV have Strings."""
    return pl.col(name).cast(pl.String)


def _as_time(dtype: pl.DataType, path: str) -> pl.Expr:
    time = pl.col("timestamp")
    if isinstance(dtype, pl.Datetime):
        return time.dt.cast_time_unit("us")
    if isinstance(dtype, pl.Date):
        return time.cast(pl.Datetime("us"))
    if isinstance(dtype, pl.String):
        return time.str.to_datetime(time_unit="us", time_zone="UTC")
    raise SynodeError(
        "INVALID_FRAME",
        "The column 'timestamp' holds no times",
        path=path,
        expected="a column of Datetime, or text such as 2026-01-31T12:00:00Z",
        received=f"{dtype}",
        suggestion='turn it into times first, for example pl.from_epoch("timestamp", time_unit="ms")',
    )


def _unreadable(error: Exception, path: str) -> SynodeError:
    return SynodeError(
        "INVALID_FRAME",
        "The events cannot be read",
        path=path,
        expected="a frame that Polars can collect, its `timestamp` times or text such as 2026-01-31T12:00:00Z",
        received=told(error),
        suggestion="try events.collect() alone; for CSV, pl.scan_csv(..., try_parse_dates=True)",
    )


def not_in_events(name: object, known: Iterable[Any], *, what: str, path: str) -> SynodeError:
    """The error for an event, user or journey that the events do not have."""
    return SynodeError(
        "NOT_IN_EVENTS",
        f"No {what} in these events is called {str(name)!r}",
        path=path,
        expected=f"the name of one of their {what}s",
        received=repr(name),
        suggestion=did_you_mean(name, map(str, known)) or "look at events.head()",
    )


def known_events(lazy: pl.LazyFrame, *, path: str) -> list[str]:
    """The names that events can have: of an Enum all its categories, of texts those that occur."""
    dtype = schema_of(lazy, path=path)["event"]
    if isinstance(dtype, pl.Enum):
        return dtype.categories.to_list()
    return collected(lazy.select(label("event").unique().sort()), path=path)["event"].to_list()
