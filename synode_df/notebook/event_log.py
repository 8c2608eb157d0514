"""Events made ready for looking at them again and again: in order, ids as numbers, attributes beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import polars as pl

from synode_df.analysis.events_frame import Events, collected, in_order, label, scanned, schema_of
from synode_df.analysis.grouping import GROUP, check_users, user_groups
from synode_df.model.event import RESERVED_FIELDS

MOST_GROUPS: Final = 6
"""How many values of an attribute are told apart: as many as the palette has colours."""

OTHER: Final = "(other)"
_MOST_VALUES: Final = 50
_PAUSE: Final = timedelta(minutes=30)
_LABELS: Final = (pl.String, pl.Boolean, pl.Enum, pl.Categorical)
_LOOKED_AT: Final = 200_000


@dataclass(frozen=True)
class Filters:
    """What part of the events to look at. Everything that is None keeps all."""

    events: frozenset[str] | None = None
    first_day: date | None = None
    last_day: date | None = None
    journey: str | None = None
    attribute: str | None = None
    value: str | None = None


class EventLog:
    """Events and users, prepared once.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events: `user_id`, `event`, `timestamp`; `session_id` and `journey_id` if there are any. Without sessions, one
        ends where a user does nothing for half an hour.
    users : polars.DataFrame, optional
        `user_id` and attributes. Without it, the columns of the events that take few values are the attributes: of
        each user, the first value.

    Attributes
    ----------
    rows : polars.DataFrame
        The events in order: `user_id` and `session_id` as numbers from 1, `event` and `journey_id` as Enums,
        `timestamp`.
    users : polars.DataFrame
        All users: `user_id` as numbers in order, those with events first, and the attributes as texts; numbers in up
        to five ranges of about as many users, of texts the most frequent by name.
    user_ids : polars.Series
        The users' own ids, by number.
    active : int
        How many users have events: those with the first numbers.
    """

    def __init__(self, events: Events, users: pl.DataFrame | None) -> None:
        lazy = scanned(events, path="explore", columns=("user_id", "event", "timestamp"))
        schema = schema_of(lazy, path="explore")
        self.events = events
        self.has_sessions = "session_id" in schema
        optional = [name for name in ("session_id", "journey_id") if name in schema]
        ordered = in_order(lazy, ["user_id"], "event", *optional, path="explore")
        journey = _as_enum(ordered["journey_id"]) if "journey_id" in optional else None
        self.rows = ordered.select(
            pl.col("unit").alias("user_id"),
            _sessions(ordered, named=self.has_sessions).alias("session_id"),
            _as_enum(ordered["event"]),
            "timestamp",
            *([] if journey is None else [journey]),
        )
        begins = pl.col("unit").ne_missing(pl.col("unit").shift(1))
        active = ordered.filter(begins)["user_id"]
        self.active = active.len()
        known = _attributes_of_events(lazy, schema) if users is None else check_users(users, path="explore")
        known = known.with_columns(pl.col("user_id").cast(active.dtype))
        others = known.join(active.to_frame(), on="user_id", how="anti", maintain_order="left")["user_id"]
        self.user_ids = pl.concat([active, others])
        self.users = _readable(self.user_ids.to_frame().join(known, on="user_id", how="left", maintain_order="left"))
        self._kept: tuple[Filters, pl.DataFrame] = (Filters(), self.rows)

    @property
    def names(self) -> list[str]:
        """The names of events that occur."""
        return _values(self.rows["event"])

    @property
    def journeys(self) -> list[str]:
        """The journeys that occur."""
        return _values(self.rows["journey_id"]) if "journey_id" in self.rows.columns else []

    @property
    def attributes(self) -> list[str]:
        """What users can be told apart by."""
        return [name for name in self.users.columns if name != "user_id"]

    def values(self, attribute: str) -> list[str]:
        """The values of an attribute, the most frequent first."""
        counts = self.users[attribute].drop_nulls().cast(pl.String).value_counts()
        return counts.sort("count", attribute, descending=[True, False])[attribute].to_list()

    def days(self) -> tuple[date, date] | None:
        """The first and the last day with events."""
        times = self.rows["timestamp"]
        first, last = times.dt.date().min(), times.dt.date().max()
        return (first, last) if isinstance(first, date) and isinstance(last, date) else None

    def filtered(self, filters: Filters) -> pl.DataFrame:
        """The rows that pass some filters."""
        if self._kept[0] != filters:
            rows = self.rows.filter(_passing(filters))
            if filters.attribute is not None:
                theirs = rows["user_id"] - 1
                rows = rows.filter(self._members(filters).gather(theirs))
            self._kept = (filters, rows)
        return self._kept[1]

    def users_passing(self, filters: Filters) -> pl.DataFrame:
        """The users that pass some filters, with or without events."""
        return self.users if filters.attribute is None else self.users.filter(self._members(filters))

    def with_attribute(self, frame: pl.DataFrame, attribute: str) -> pl.DataFrame:
        """A frame with `user_id` numbers, and an attribute of these users beside them."""
        return frame.with_columns(self.users[attribute].gather(frame["user_id"] - 1))

    def of_user(self, user: str, filters: Filters) -> pl.LazyFrame:
        """One user's own events that pass some filters, with all their columns."""
        lazy = self.events.lazy().filter(pl.col("user_id").cast(pl.String) == user)
        return scanned(lazy, path="explore", columns=("user_id", "event", "timestamp")).filter(_passing(filters))

    def usual_order(self) -> list[str]:
        """The names of events, those first that users do first."""
        some = self.rows.head(_LOOKED_AT).with_row_index("row")
        place = pl.col("row") - pl.col("row").min().over("user_id")
        firsts = some.with_columns(place.alias("place")).group_by("user_id", "event").agg(pl.col("place").min())
        order = firsts.group_by("event").agg(pl.col("place").mean()).sort("place", label("event"))
        return order["event"].cast(pl.String).to_list()

    def _members(self, filters: Filters) -> pl.Series:
        return self.users[str(filters.attribute)].cast(pl.String).eq_missing(filters.value)


def _passing(filters: Filters) -> list[pl.Expr]:
    """What rows must fulfil."""
    conditions = [pl.lit(value=True)]
    day = pl.col("timestamp").dt.date()
    if filters.events is not None:
        conditions.append(pl.col("event").is_in(sorted(filters.events)))
    if filters.first_day is not None:
        conditions.append(day >= filters.first_day)
    if filters.last_day is not None:
        conditions.append(day <= filters.last_day)
    if filters.journey is not None:
        conditions.append(pl.col("journey_id") == filters.journey)
    return conditions


def _as_enum(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Enum):
        return column
    texts = column.cast(pl.String)
    return texts.cast(pl.Enum(texts.unique().drop_nulls().sort()))


def _values(column: pl.Series) -> list[str]:
    return column.unique().drop_nulls().sort().cast(pl.String).to_list()


def _sessions(ordered: pl.DataFrame, *, named: bool) -> pl.Series:
    """A number for each session, in the order of their first events."""
    new_user = pl.col("unit").ne_missing(pl.col("unit").shift(1))
    if not named:
        return ordered.select((new_user | (pl.col("timestamp").diff() > _PAUSE)).cum_sum().cast(pl.UInt32)).to_series()
    begins = new_user | pl.col("session_id").ne_missing(pl.col("session_id").shift(1))
    number = ordered.select("unit", "session_id", begins.cum_sum().cast(pl.UInt32).alias("number"), begins.alias("new"))
    starts = number.filter("new").select("unit", "session_id", "number")
    firsts = starts.unique(["unit", "session_id"], keep="first", maintain_order=True)
    if firsts.height == starts.height:
        return number["number"]
    # Sessions of one user that overlap: each stretch takes the number of the first.
    same = starts.join(firsts, on=["unit", "session_id"], nulls_equal=True, maintain_order="left")["number_right"]
    return same.gather(number["number"] - 1)


def _attributes_of_events(lazy: pl.LazyFrame, schema: pl.Schema) -> pl.DataFrame:
    """Each user's first value in the columns of the events that take few values."""
    texts = [
        name
        for name, dtype in schema.items()
        if isinstance(dtype, _LABELS) and (name == "persona_id" or name not in {*RESERVED_FIELDS, "payload"})
    ]
    counts = collected(lazy.select(pl.col(texts).n_unique()), path="explore") if texts else pl.DataFrame()
    users = collected(lazy.select(pl.col("user_id").unique(maintain_order=True)), path="explore")
    for name in (name for name in texts if 1 < counts[name].item() <= _MOST_VALUES):
        groups = collected(user_groups(lazy, name, None, path="explore"), path="explore")
        users = users.join(groups.rename({GROUP: name}), on="user_id", how="left", maintain_order="left")
    return users


def _readable(users: pl.DataFrame) -> pl.DataFrame:
    """Users by number, with the attributes that can tell them apart, as texts with few values."""
    columns = [pl.Series("user_id", range(1, users.height + 1), dtype=pl.UInt32)]
    for column in users.drop("user_id").iter_columns():
        if column.name in {"user_index", "user_id"}:
            continue
        if column.dtype.is_numeric() and column.n_unique() > MOST_GROUPS:
            columns.append(_ranges(column))
        elif (column.dtype.is_numeric() or isinstance(column.dtype, _LABELS)) and column.n_unique() <= _MOST_VALUES:
            columns.append(_most_frequent(column))
    return pl.DataFrame(columns)


def _most_frequent(column: pl.Series) -> pl.Series:
    texts = column.cast(pl.String)
    counts = texts.drop_nulls().value_counts().sort("count", column.name, descending=[True, False])[column.name]
    if counts.len() <= MOST_GROUPS:
        return texts.cast(pl.Enum(counts))
    kept = counts.head(MOST_GROUPS - 1).to_list()
    named = pl.when(pl.col(column.name).is_in(kept)).then(column.name)
    folded = named.when(pl.col(column.name).is_not_null()).then(pl.lit(OTHER))
    return texts.to_frame().select(folded.cast(pl.Enum([*kept, OTHER])).alias(column.name)).to_series()


def _ranges(column: pl.Series) -> pl.Series:
    """Numbers as up to five ranges of about as many users."""
    finite = column.cast(pl.Float64).set(~column.cast(pl.Float64).is_finite(), None)
    bounds: Sequence[float] = sorted({float(finite.quantile(share) or 0) for share in (0.2, 0.4, 0.6, 0.8)})
    bounds = [bound for bound in bounds if bound < float(finite.max() or 0)]  # type: ignore[arg-type]  # floats
    if not bounds:
        return _most_frequent(finite.is_not_null().alias(column.name))
    texts = [f"{bound:,.4g}" for bound in bounds]
    between = [f"over {low} to {high}" for low, high in pairwise(texts)]
    labels = list(dict.fromkeys([f"to {texts[0]}", *between, f"over {texts[-1]}"]))
    if len(labels) != len(bounds) + 1:  # bounds that differ after the fourth digit only
        labels = [f"range {number}" for number in range(1, len(bounds) + 2)]
    places = pl.Series(bounds).search_sorted(finite.fill_null(0), side="left").cast(pl.UInt32)
    named = pl.Series(column.name, labels, dtype=pl.Enum(labels)).gather(places)
    return named.set(finite.is_null(), None)
