"""Types that a destination does not take become the nearest that hold the values."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import synode_df as sd
from synode_df.output.sink_types import JSON, SinkTypes
from tests.output.runs import kept, rich

LEAST = SinkTypes(decimals=False, binary=False, naive=False)
NESTED = SinkTypes(structs=True, lists="any")
FLAT = SinkTypes(lists="flat")


@pytest.mark.parametrize("types", [LEAST, NESTED, FLAT, JSON], ids=["least", "nested", "flat", "json"])
def test_what_comes_out_is_what_is_taken(types: SinkTypes) -> None:
    frame = kept(rich(), users=50, seed=3)
    taken = types.of(frame)
    assert taken.columns == frame.columns
    assert taken.height == frame.height
    assert_frame_equal(types.of(taken), taken)
    assert types.schema(frame.schema) == taken.schema
    assert [column.null_count() for column in taken] == [column.null_count() for column in frame]


def one(value: object, dtype: pl.DataType, types: SinkTypes) -> tuple[object, pl.DataType]:
    taken = types.of(pl.DataFrame({"a": pl.Series([value, None], dtype=dtype)}))["a"]
    assert taken[1] is None
    return taken.to_list()[0], taken.dtype


@pytest.mark.parametrize(
    ("value", "dtype", "types", "expected", "becomes"),
    [
        (2**64 - 1, pl.UInt64(), NESTED, Decimal(2**64 - 1), pl.Decimal(20, 0)),
        (2**64 - 1, pl.UInt64(), LEAST, str(2**64 - 1), pl.String()),
        (2**32 - 1, pl.UInt32(), LEAST, 2**32 - 1, pl.Int64()),
        (255, pl.UInt8(), LEAST, 255, pl.Int16()),
        (2**100, pl.Int128(), NESTED, Decimal(2**100), pl.Decimal(38, 0)),
        ("a", pl.Enum(["a"]), NESTED, "a", pl.String()),
        (timedelta(minutes=90), pl.Duration("us"), NESTED, "PT1H30M", pl.String()),
        (
            {"e": "a", "d": [timedelta(1)]},
            pl.Struct({"e": pl.Enum(["a"]), "d": pl.List(pl.Duration("us"))}),
            NESTED,
            {"e": "a", "d": ["P1D"]},
            pl.Struct({"e": pl.String, "d": pl.List(pl.String)}),
        ),
        ([1, 2], pl.Array(pl.Int64, 2), NESTED, [1, 2], pl.List(pl.Int64)),
        ([[1], []], pl.List(pl.List(pl.Int64)), FLAT, "[[1],[]]", pl.String()),
        ([1, None], pl.List(pl.Int64), FLAT, [1, None], pl.List(pl.Int64)),
        ({"a": b"\xff", "b": None}, pl.Struct({"a": pl.Binary, "b": pl.Int64}), LEAST, '{"a":"/w==","b":null}', pl.String()),
        (None, pl.Null(), LEAST, None, pl.String()),
        (
            datetime(2026, 1, 1, tzinfo=UTC),
            pl.Datetime("us", "Asia/Tokyo"),
            NESTED,
            datetime(2026, 1, 1, tzinfo=UTC),
            pl.Datetime("us", "UTC"),
        ),
        (datetime(2026, 1, 1), pl.Datetime("ns"), NESTED, datetime(2026, 1, 1), pl.Datetime("us")),
        (datetime(2026, 1, 1), pl.Datetime("us"), LEAST, "2026-01-01T00:00:00.000000", pl.String()),
    ],
    ids=str,
)  # fmt: skip
def test_values_stay(
    value: object, dtype: pl.DataType, types: SinkTypes, expected: object, becomes: pl.DataType
) -> None:
    assert one(value, dtype, types) == (expected, becomes)


def test_the_json_layout_takes_every_type() -> None:
    frame = kept(rich(), users=20, seed=3)
    payloads = [json.loads(text) for text in sd.to_frame(frame, layout="json")["payload"]]
    assert payloads[0] == {}
    view = next(payload for payload in payloads if payload)
    assert (view["raw"], view["tags"], view["took"]) == ("AP8=", ["a", "b"], "PT5400.000005S")
    assert view["moment"].endswith(view["abroad"][13:26])
