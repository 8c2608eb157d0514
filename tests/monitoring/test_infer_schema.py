"""Schemas inferred from declarations, and the models of the frames."""

from __future__ import annotations

from random import Random

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.typing.polars import DataFrame
from polars.testing import assert_frame_equal

import synode_df as sd
from tests.benchmarks import workloads
from tests.strategies import scenario

SHOP = {"persona": workloads.persona(), "datasets": [workloads.products()]}


def test_types_ranges_values_and_nullability_come_from_the_declarations() -> None:
    schema = sd.infer_schema(workloads.shop(), **SHOP)["land"]
    columns = schema.columns
    assert columns["device"].checks == [pa.Check.isin(["desktop", "mobile", "tablet"])]
    assert str(columns["price"].dtype) == "Float64"
    prices = sd.hydrate(workloads.products())["price"]
    assert columns["price"].checks == [pa.Check.in_range(prices.min(), prices.max())]
    assert not any(column.nullable for column in columns.values())


def test_an_inferred_schema_tells_a_changed_declaration() -> None:
    def journey(most: int) -> sd.Journey:
        return sd.Journey("j", [sd.Adventure("a", [sd.Action("e", fields={"n": sd.integer(1, most)})])])

    schema = sd.infer_schema(journey(6))
    sd.generate_df(journey(6), users=100, event_schema=schema)
    with pytest.raises(sd.SynodeValidationError):
        sd.generate_df(journey(7), users=100, event_schema=schema)


def test_what_may_be_missing_is_nullable() -> None:
    maybe = sd.Adventure(
        "maybe", [sd.Action("look", remember={"seen": sd.integer(1, 2)})], bounce_chance=0.5, on_bounce="skip"
    )
    after = sd.Adventure("after", [sd.Action("read", fields={"seen": pl.col("seen"), "n": sd.one_of([1, None])})])
    columns = sd.infer_schema(sd.Journey("j", [maybe, after]))["read"].columns
    assert columns["seen"].nullable
    assert columns["n"].nullable
    assert columns["seen"].checks == [pa.Check.in_range(1, 2)]


@given(r=st.randoms(use_true_random=False))
def test_generated_data_passes_its_inferred_schema(r: Random) -> None:
    journeys, options = scenario(r)
    declared = {name: options[name] for name in ("persona", "datasets", "preloaded_datasets") if name in options}
    plain = sd.generate_df(journeys, **options, users=40)
    handlers = {
        (journey.id, adventure.id, action.id)
        for journey in journeys
        for adventure in journey.adventures
        for action in adventure.actions
        if action.handler is not None
    }
    theirs = {
        row["event"]
        for row in plain.select("event", "journey_id", "adventure_id", "action_id").unique().iter_rows(named=True)
        if (row["journey_id"], row["adventure_id"], row["action_id"]) in handlers
    }
    schema = {name: each for name, each in sd.infer_schema(journeys, **declared).items() if name not in theirs}
    checked = sd.generate_df(journeys, **options, users=40, event_schema=schema)
    assert_frame_equal(checked, plain)


@pytest.mark.parametrize("mixed", [False, True])
def test_frames_fit_their_models(mixed: bool) -> None:
    who = [(sd.Persona("p", {"x": 1}), 1), (sd.Persona("q", {"x": 2}), 1)] if mixed else SHOP["persona"]
    journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("e", fields={"n": 1})])])
    adapter = sd.InMemoryAdapter()
    report = sd.generate(journey, users=50, persona=who, adapter=adapter)
    sd.EventsFrame.validate(adapter.events)
    sd.UsersFrame.validate(report.users)
    for broken in (
        adapter.events.drop("user_id"),
        adapter.events.with_columns(pl.col("timestamp").dt.replace_time_zone(None)),
        adapter.events.with_columns(event=pl.lit(3)),
        adapter.events.with_columns(session_id=pl.lit(None, dtype=pl.String)),
        pl.concat([adapter.events, adapter.events]),
    ):
        with pytest.raises(pa.errors.SchemaError):
            sd.EventsFrame.validate(broken)


def test_functions_take_frames_by_annotation() -> None:
    @pa.check_types
    def names(events: DataFrame[sd.EventsFrame]) -> list[str]:
        return events["event"].unique(maintain_order=True).to_list()

    events = sd.generate_df(sd.Journey("j", [sd.Adventure("a", [sd.Action("e")])]), users=3)
    assert names(events) == ["e"]
    with pytest.raises(pa.errors.SchemaError, match="timestamp"):
        names(events.drop("timestamp"))


def test_frames_survive_files_and_still_fit(tmp_path) -> None:
    who = [(sd.Persona("p", {"x": 1}), 1), (sd.Persona("q", {"x": 2}), 1)]
    journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("e", fields={"n": 1})])])
    sd.generate(journey, users=50, persona=who, adapter=sd.ParquetAdapter(tmp_path / "events"))
    assert sd.EventsFrame.validate(sd.scan(tmp_path / "events").collect()).height == 50
