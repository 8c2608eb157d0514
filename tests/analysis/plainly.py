"""The analyses once more, in plain Python, one user after the other: what the frames are compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations, groupby
from typing import NamedTuple

import polars as pl
from hypothesis import strategies as st

START = datetime(2026, 1, 1)
NAMES = ("land", "view", "buy")


class Row(NamedTuple):
    user_id: str
    session_id: str
    event: str
    timestamp: datetime


def events_of(rows: Sequence[Row]) -> pl.DataFrame:
    schema = {"user_id": pl.String, "session_id": pl.String, "event": pl.String, "timestamp": pl.Datetime("us")}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("timestamp").dt.replace_time_zone("UTC"))


# Few values, so that users share times, sessions of one name belong to several users, and rows come in any order.
rows = st.lists(
    st.builds(
        Row,
        st.sampled_from(["ann", "bob", "eve"]),
        st.sampled_from(["1", "2"]),
        st.sampled_from(NAMES),
        st.integers(0, 12).map(lambda number: START + timedelta(hours=7 * number)),
    ),
    max_size=24,
)


def ways(rows: Sequence[Row], *, per: str = "session") -> list[list[Row]]:
    """The events of each user, or session, in the order of time."""
    key = (lambda row: (row.user_id, row.session_id)) if per == "session" else (lambda row: row.user_id)
    return [sorted(group, key=lambda row: row.timestamp) for _, group in groupby(sorted(rows, key=key), key)]


def funnel(rows: Sequence[Row], steps: Sequence[str], within: timedelta | None = None) -> list[int]:
    """How many users have each first part of the steps among their events: all choices of events are tried."""
    reached = [0] * len(steps)
    for way in ways(rows, per="user"):
        for number in range(1, len(steps) + 1):
            reached[number - 1] += any(
                [row.event for row in chosen] == list(steps[:number])
                and (within is None or chosen[-1].timestamp - chosen[0].timestamp <= within)
                for chosen in combinations(way, number)
            )
    return reached


def paths(rows: Sequence[Row], steps: int, start: str | None, per: str) -> Counter[tuple[int, str, str | None]]:
    moves: Counter[tuple[int, str, str | None]] = Counter()
    for way in ways(rows, per=per):
        names = [row.event for row in way]
        if start is not None:
            names = names[names.index(start) :] if start in names else []
        following = [*names[1:], None]
        moves.update((step, *move) for step, move in enumerate(zip(names, following, strict=False), 1) if step <= steps)
    return moves


def sessions(rows: Sequence[Row], gap: timedelta | None) -> list[tuple[str, datetime, datetime, int, str, str]]:
    found = []
    for way in ways(rows, per="session" if gap is None else "user"):
        parts = [[way[0]]]
        for before, row in zip(way, way[1:], strict=False):
            if gap is not None and row.timestamp - before.timestamp > gap:
                parts.append([])
            parts[-1].append(row)
        found += [
            (part[0].user_id, part[0].timestamp, part[-1].timestamp, len(part), part[0].event, part[-1].event)
            for part in parts
        ]
    return sorted(found)
