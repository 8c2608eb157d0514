"""Events from anywhere: every layout, Parquet, CSV, without rows; and what is wrong with those that are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

import synode_df as sd
from synode_df.cli import shop

STEPS = shop.FUNNEL[:3]
ADAPTER = sd.InMemoryAdapter()
REPORT = sd.generate(
    shop.journeys(),
    users=300,
    persona=shop.shopper(),
    datasets=shop.datasets(),
    adapter=ADAPTER,
    seed=7,
    progress=False,
)
EVENTS = ADAPTER.events
USERS = REPORT.users
USER = EVENTS["user_id"][0]

EVERY: dict[str, Callable[[pl.DataFrame | pl.LazyFrame], pl.DataFrame]] = {
    "funnel": lambda events: sd.funnel(events, STEPS, by="device", users=USERS, within="1d"),
    "paths": lambda events: sd.paths(events, steps=3, start="product_viewed", top=2),
    "sessions": sd.sessions,
    "sessions_by_gap": lambda events: sd.sessions(events, gap="30m"),
    "hourly": sd.hourly,
    "activity": lambda events: sd.activity(events, every="12h", by="is_member", users=USERS),
    "gaps": lambda events: sd.gaps(events, per="user"),
    "breakdown": lambda events: sd.breakdown(events, "locale", users=USERS),
    "user_timeline": lambda events: sd.user_timeline(events, USER).select("timestamp", "event", "gap", "since_start"),
}


def layouts(tmp_path: Path) -> dict[str, pl.DataFrame | pl.LazyFrame]:
    plain = EVENTS.select(pl.exclude("ship_to"))
    plain.write_csv(tmp_path / "events.csv")
    EVENTS.write_parquet(tmp_path / "events.parquet")
    return {
        "lazy": EVENTS.lazy(),
        "by time": sd.to_frame(EVENTS, sort="time"),
        "struct": sd.to_frame(EVENTS, layout="struct"),
        "json": sd.to_frame(EVENTS, layout="json"),
        "parquet": pl.scan_parquet(tmp_path / "events.parquet"),
        "csv": pl.scan_csv(tmp_path / "events.csv"),
        "csv with dates": pl.scan_csv(tmp_path / "events.csv", try_parse_dates=True),
        "categorical": EVENTS.with_columns(pl.col("event").cast(pl.Categorical)),
        "milliseconds": EVENTS.with_columns(pl.col("timestamp").dt.cast_time_unit("ns")),
    }


def comparable(frame: pl.DataFrame) -> pl.DataFrame:
    labels = pl.selectors.by_name("event", "next_event", "first_event", "last_event", require_all=False)
    return frame.with_columns(pl.selectors.datetime().dt.replace_time_zone(None), labels.cast(pl.String))


@pytest.mark.parametrize("name", EVERY)
def test_the_same_from_every_layout_and_file(name: str, tmp_path: Path) -> None:
    expected = comparable(EVERY[name](EVENTS))
    assert expected.height
    for layout, events in layouts(tmp_path).items():
        found = comparable(EVERY[name](events))
        if name == "gaps":  # of which only the rows of one user have an order
            found, expected = (frame.sort("user_id", "timestamp", maintain_order=True) for frame in (found, expected))
        assert found.equals(expected), layout


@pytest.mark.parametrize("name", [name for name in EVERY if name != "user_timeline"])
def test_no_events_give_frames_of_the_same_columns(name: str) -> None:
    full, empty = EVERY[name](EVENTS), EVERY[name](EVENTS.clear())
    assert empty.schema == full.schema
    text = EVENTS.clear().with_columns(pl.col("event").cast(pl.String))
    assert comparable(EVERY[name](text)).schema == comparable(full).schema


def test_a_field_of_the_payload_can_be_broken_down_by() -> None:
    found = sd.funnel(EVENTS, STEPS, by="referrer")
    assert set(found["referrer"]) == {"search", "ads", "mail"}
    assert found.equals(sd.funnel(sd.to_frame(EVENTS, layout="struct"), STEPS, by="referrer"))


def test_groups_add_up() -> None:
    whole = sd.funnel(EVENTS, STEPS)["users"].to_list()
    parts = (
        sd.funnel(EVENTS, STEPS, by="device", users=USERS).group_by("step", maintain_order=True).agg(pl.sum("users"))
    )
    assert parts["users"].to_list() == whole
    over_time = sd.activity(EVENTS, by="event")
    assert over_time["events"].sum() == EVENTS.height and over_time.schema["event"] == EVENTS.schema["event"]
    days = over_time["time"].n_unique()
    frequent = EVENTS["event"].value_counts(sort=True)["event"].to_list()
    assert over_time["event"].rle().struct.unnest().rows() == [(days, name) for name in frequent]


def test_telemetry_counts_the_same_funnel() -> None:
    # Each action of the shop's first journey happens after the one before it, so both count the same users.
    counted = REPORT.telemetry.actions.filter(pl.col("journey_id") == "purchase")["events"].to_list()
    assert sd.funnel(EVENTS, shop.FUNNEL[:5])["users"].to_list() == counted


def test_rows_without_user_time_or_name_are_left_out() -> None:
    holes = EVENTS.head(3).with_columns(
        user_id=pl.Series([None, "b", "c"], dtype=pl.String),
        timestamp=pl.Series([datetime(2026, 1, 1)] * 2 + [None]).dt.replace_time_zone("UTC"),
    )
    assert sd.sessions(holes)["user_id"].to_list() == ["b"]


def test_paths_name_what_is_rare_other() -> None:
    found = sd.paths(EVENTS, top=1)
    assert set(found["source"]) == {EVENTS["event"].mode()[0], "(other)"}
    assert found.filter(pl.col("step") == 1)["count"].sum() == sd.sessions(EVENTS).height


def test_weeks_start_on_monday_and_days_follow_the_calendar() -> None:
    zone = "Europe/Berlin"  # clocks go forward on 29 March 2026
    times = pl.datetime_range(datetime(2026, 3, 27), datetime(2026, 3, 31), "1h", time_zone=zone, eager=True)
    events = pl.DataFrame({"user_id": "a", "timestamp": times})
    assert sd.activity(events)["events"].to_list() == [24, 24, 23, 24, 1]
    assert sd.activity(events, every="1w")["time"].dt.weekday().to_list() == [1, 1]


def test_distribution_of_durations_is_in_seconds() -> None:
    found = sd.distribution(sd.sessions(EVENTS), "duration", bins=10, by="last_event")
    assert found["high"].max() == sd.sessions(EVENTS)["duration"].max().total_seconds()
    shares = found.group_by("last_event").agg(pl.sum("share"))["share"]
    assert (shares - 1).abs().max() < 1e-9


def test_persona_distribution_is_that_of_a_run_with_the_same_seed() -> None:
    found = sd.persona_distribution(shop.shopper(), users=300, datasets=shop.datasets(), seed=7)
    for name, kind in (("device", "category"), ("is_member", "category"), ("age", "number"), ("email", "category")):
        part = found.filter(pl.col("attribute") == name)
        assert set(part["kind"]) == {kind} and part["users"].sum() == 300
    device = found.filter(pl.col("attribute") == "device").select("value", "users")
    expected = USERS["device"].value_counts(sort=True)
    assert device.rows() == [(value, count) for value, count in expected.rows()]
    assert found.filter(pl.col("value") == "(other)")["attribute"].to_list() == ["email"]


def test_persona_distribution_of_nobody_mixtures_and_odd_values() -> None:
    odd = sd.Persona("odd", {"pair": lambda ctx: {"a": [1]}, "none": None, "age": sd.integer(1, 6)})
    found = sd.persona_distribution([(odd, 0.5), (sd.Persona("plain", {}), 0.5)], users=100)
    assert found["attribute"].unique(maintain_order=True).to_list() == ["persona_id", "pair", "none", "age"]
    dice = found.filter((pl.col("attribute") == "age") & pl.col("low").is_not_null())
    assert (dice["high"] - dice["low"]).to_list() == [1.0] * 6
    totals = found.group_by("attribute").agg(pl.sum("users"))
    assert totals["users"].to_list() == [100] * 4
    assert sd.persona_distribution(shop.shopper(), users=0, datasets=shop.datasets()).schema == found.schema


WRONG: dict[str, tuple[Callable[[], object], str, str]] = {
    "no frame": (lambda: sd.hourly([1, 2]), "INVALID_FRAME", "sd.scan("),
    "no column": (lambda: sd.hourly(pl.DataFrame({"timestmp": [1]})), "COLUMN_NOT_FOUND", "'timestmp'"),
    "no column at all": (lambda: sd.hourly(pl.DataFrame()), "COLUMN_NOT_FOUND", "without columns"),
    "no sessions": (lambda: sd.sessions(EVENTS.drop("session_id")), "COLUMN_NOT_FOUND", 'gap="30m"'),
    "no time": (lambda: sd.hourly(pl.DataFrame({"timestamp": [1]})), "INVALID_FRAME", "from_epoch"),
    "bad text": (lambda: sd.hourly(pl.DataFrame({"timestamp": ["soon"]})), "INVALID_FRAME", "try_parse_dates"),
    "no file": (lambda: sd.hourly(pl.scan_parquet("no/such/file.parquet")), "INVALID_FRAME", "no/such"),
    "unknown step": (lambda: sd.funnel(EVENTS, ["landed", "product_view"]), "NOT_IN_EVENTS", "'product_viewed'"),
    "unknown start": (lambda: sd.paths(EVENTS, start="order"), "NOT_IN_EVENTS", "order_"),
    "unknown user": (lambda: sd.user_timeline(EVENTS, USER[:-1]), "NOT_IN_EVENTS", USER),
    "one step as text": (lambda: sd.funnel(EVENTS, "landed"), "INVALID_OPTION", '["view", "buy"]'),
    "no steps": (lambda: sd.funnel(EVENTS, []), "INVALID_OPTION", '["view", "buy"]'),
    "steps of no kind": (lambda: sd.funnel(EVENTS, 5), "INVALID_OPTION", '["view", "buy"]'),
    "no unit": (lambda: sd.funnel(EVENTS, STEPS, within=5), "INVALID_DURATION", '"5s"'),
    "no attribute": (lambda: sd.funnel(EVENTS, STEPS, by="is_member"), "COLUMN_NOT_FOUND", "users=report.users"),
    "near attribute": (lambda: sd.breakdown(EVENTS, "locle", users=USERS), "COLUMN_NOT_FOUND", "'locale'"),
    "two rows a user": (
        lambda: sd.breakdown(EVENTS, "age", users=pl.concat([USERS, USERS])),
        "INVALID_FRAME",
        "report.users",
    ),
    "users of no kind": (lambda: sd.activity(EVENTS, by="age", users="all"), "INVALID_FRAME", "report.users"),
    "no stretch": (lambda: sd.activity(EVENTS, every="0s"), "INVALID_OPTION", '"1d"'),
    "tiny stretch": (lambda: sd.activity(EVENTS, every="1us"), "INVALID_OPTION", '"1d"'),
    "no moves": (lambda: sd.paths(EVENTS, steps=0), "INVALID_OPTION", "steps"),
    "whose": (lambda: sd.gaps(EVENTS, per="device"), "INVALID_OPTION", "'session'"),
    "no number": (lambda: sd.distribution(USERS, "email"), "INVALID_FRAME", "value_counts"),
    "no bins": (lambda: sd.distribution(USERS, "age", bins=0), "INVALID_OPTION", "bins"),
    "no such numbers": (lambda: sd.distribution(USERS, "ages"), "COLUMN_NOT_FOUND", "'age'"),
    "scale": (lambda: sd.distribution(USERS, "age", scale="lin"), "INVALID_OPTION", "'linear'"),
    "many": (lambda: sd.persona_distribution(shop.shopper(), users=-1), "INVALID_USERS", "users"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_explained(case: str) -> None:
    make, code, hint = WRONG[case]
    with pytest.raises(sd.SynodeError) as caught:
        make()
    assert caught.value.code == code
    assert hint in caught.value.format() and caught.value.suggestion
