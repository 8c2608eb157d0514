"""Runs whose output is not easy to land, and destinations that fail, for everything under `tests/output`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import synode_df as sd

RICH: dict[str, Any] = {
    "text": sd.one_of(['comma, "quote"', "two\nlines", "naïve 😀", "'", "\\", " "]),
    "whole": sd.integer(-5, 5),
    "large": pl.lit(2**64 - 1, dtype=pl.UInt64) - pl.col("user_index").cast(pl.UInt64),
    "small": pl.col("user_index").cast(pl.UInt8),
    "part": sd.uniform(0, 1),
    "yes": sd.chance(0.5),
    "plan": sd.weighted({"free": 3, "pro": 1}),
    "day": date(2026, 2, 3),
    "at": time(1, 2, 3, 4),
    "took": timedelta(minutes=90, microseconds=5),
    "moment": pl.col("timestamp").dt.replace_time_zone(None),
    "abroad": pl.col("timestamp").dt.convert_time_zone("Europe/Berlin"),
    "exact": Decimal("12.50"),
    "raw": b"\x00\xff",
    "tags": ["a", "b"],
    "pages": pl.concat_list(pl.col("user_index"), pl.lit(7)),
    "place": {"city": "Köln", "at": {"lat": 50.9, "since": datetime(2026, 1, 1)}},
    "visits": [{"n": 1, "took": timedelta(seconds=1)}],
    "nothing": None,
}
"""Fields of every type that a column can have."""


def rich() -> sd.Journey:
    """Two actions, of which the second has fields of every type."""
    actions = [sd.Action("land"), sd.Action("view", time_span=("5s", "3m"), bounce_chance=0.2, fields=RICH)]
    return sd.Journey("visit", [sd.Adventure("look", actions)])


def uneven_handler(ctx: sd.SynodeContext) -> list[sd.Event]:
    """Fields, event names and wider types that only some users bring."""
    index = ctx.user_index
    events = [ctx.event(amount=index if index < 100 else index + 0.5)]
    if index >= 128:
        events.append(ctx.event("bonus", gift=f"gift {index}"))
    if index % 64 == 3:
        events.append(ctx.event("rare", when=ctx.now(), more={"a": index}))
    return events


def uneven() -> sd.Journey:
    return sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=uneven_handler)])])


def failing(error: BaseException, *, at_user: int = 25) -> sd.Journey:
    """A journey whose handler raises for one user."""

    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index == at_user:
            raise error
        return [ctx.event(value=ctx.user_index)]

    return sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=handler)])])


def numbered(**fields: Any) -> sd.Journey:
    """One event a user, with the user's number."""
    fields = {"value": pl.col("user_index"), **fields}
    return sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", fields=fields)])])


def kept(journey: sd.Journey, **options: Any) -> pl.DataFrame:
    """The events of a run, in memory: what every destination is compared with."""
    memory = sd.InMemoryAdapter()
    sd.generate(journey, adapter=memory, **options)
    return memory.events


def users_table(users: int = 5) -> pl.DataFrame:
    """A table as it lands beside the events."""
    return pl.DataFrame(
        {
            "user_id": [f"u{number}" for number in range(users)],
            "plan": pl.Series(["free"] * users, dtype=pl.Enum(["free", "pro"])),
            "since": pl.Series([datetime(2026, 1, 1, tzinfo=UTC)] * users, dtype=pl.Datetime("us", "UTC")),
            "score": pl.Series([number / 2 for number in range(users)]),
        }
    )


def assert_same_values(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """Every row and value, in order, whatever the exact types: text for Enums, Int64 for UInt8 and the like."""
    assert found.columns == expected.columns
    assert found.height == expected.height
    for name in expected.columns:
        dtype = expected[name].dtype
        common = pl.String if isinstance(dtype, pl.Enum | pl.Categorical) else dtype
        assert_frame_equal(
            pl.select(found[name].cast(common, strict=True)), pl.select(expected[name].cast(common)), check_exact=True
        )


@contextmanager
def filesystem(folder: Path, size: str) -> Iterator[Path]:
    """A small file system of its own, which a run can fill."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a file system here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def read_only(folder: Path) -> None:
    """Make a file system of `filesystem` read-only."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
