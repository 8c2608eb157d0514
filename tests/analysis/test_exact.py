"""Each analysis gives what plain Python gives, on any events, in any order of rows."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

import synode_df as sd
from tests.analysis import plainly
from tests.analysis.plainly import NAMES, START, Row, events_of, rows

few = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)


def reads(frame: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    """Rows with times without their zone, as plain Python has them."""
    times = [name for name in columns if isinstance(frame.schema[name], pl.Datetime)]
    return frame.with_columns(pl.col(times).dt.replace_time_zone(None)).select(columns).rows()


def without_ties(some: list[Row]) -> list[Row]:
    return list({(row.user_id, row.timestamp): row for row in some}.values())


@given(rows, few, st.sampled_from([None, timedelta(0), timedelta(hours=7), timedelta(hours=20)]))
def test_funnel(some: list[Row], steps: list[str], within: timedelta | None) -> None:
    enum = events_of(some).with_columns(pl.col("event").cast(pl.Enum(NAMES)))
    found = sd.funnel(enum, steps, within=within)
    expected = plainly.funnel(some, steps, within)
    assert found["users"].to_list() == expected
    assert found["event"].to_list() == steps and found["step"].to_list() == list(range(1, len(steps) + 1))
    for number, row in enumerate(found.iter_rows(named=True)):
        before = expected[max(0, number - 1)]
        assert row["share_of_first"] == (expected[number] / expected[0] if expected[0] else None)
        assert row["share_of_previous"] == (expected[number] / before if before else None)


@given(rows, few)
def test_funnel_by_attribute(some: list[Row], steps: list[str]) -> None:
    events = events_of(some).with_columns(pl.col("event").cast(pl.Enum(NAMES)))
    users = pl.DataFrame({"user_id": ["ann", "eve"], "plan": ["a", "b"]})
    found = sd.funnel(events, steps, by="plan", users=users)
    plans = {"ann": "a", "eve": "b"}
    for (plan,), part in found.partition_by("plan", as_dict=True).items():
        theirs = [row for row in some if plans.get(row.user_id) == plan]
        assert part["users"].to_list() == plainly.funnel(theirs, steps)
    numbers = {"ann": 1, "bob": 2, "eve": 4}
    number = pl.col("user_id").replace_strict(numbers, return_dtype=pl.Int64)
    by_number = sd.funnel(
        events.with_columns(number),
        steps,
        by="plan",
        users=pl.DataFrame({"user_id": [1, 3, 4], "plan": ["a", "c", "b"]}),
    )
    assert by_number.equals(found)
    entered = {plans.get(row.user_id) for row in some if row.event == steps[0]}
    assert set(found["plan"]) == entered
    firsts = found.filter(pl.col("step") == 1)["users"]
    assert firsts.is_sorted(descending=True)


@given(rows, st.integers(1, 4), st.sampled_from([None, *NAMES]), st.sampled_from(["session", "user"]))
def test_paths(some: list[Row], steps: int, start: str | None, per: str) -> None:
    events = events_of(some).with_columns(pl.col("event").cast(pl.Enum(NAMES)))
    found = sd.paths(events, steps=steps, start=start, per=per)
    counted = Counter({(step, source, target): count for step, source, target, count in found.rows()})
    assert counted == plainly.paths(some, steps, start, per)
    assert found["step"].is_sorted()


@given(rows, st.sampled_from([None, timedelta(0), timedelta(hours=7), timedelta(hours=14)]))
def test_sessions(some: list[Row], gap: timedelta | None) -> None:
    found = sd.sessions(events_of(some), gap=gap)
    facts = reads(found, "user_id", "start", "end", "events", "first_event", "last_event")
    assert sorted(facts) == plainly.sessions(some, gap)
    assert found["start"].is_sorted()
    assert (found["end"] - found["start"]).equals(found["duration"])
    assert not found.select("user_id", "session_id").is_duplicated().any()


@given(rows, st.sampled_from(["session", "user"]))
def test_gaps(some: list[Row], per: str) -> None:
    found = sd.gaps(events_of(some), per=per)
    expected = Counter(
        (row.user_id, before.event, row.event, row.timestamp, row.timestamp - before.timestamp)
        for way in plainly.ways(some, per=per)
        for before, row in zip(way, way[1:], strict=False)
    )
    assert Counter(reads(found, "user_id", "event", "next_event", "timestamp", "gap")) == expected


@given(rows)
def test_hourly(some: list[Row]) -> None:
    found = sd.hourly(events_of(some))
    expected = Counter((f"{row.timestamp:%a}", row.timestamp.hour) for row in some)
    assert {(day, hour): events for day, hour, events in found.rows() if events} == expected
    assert found.height == 168 and found.row(0)[:2] == ("Mon", 0) and found.row(-1)[:2] == ("Sun", 23)


@given(rows)
def test_activity(some: list[Row]) -> None:
    found = sd.activity(events_of(some), every="1d")
    days = Counter(row.timestamp.date() for row in some)
    active = {day: len({row.user_id for row in some if row.timestamp.date() == day}) for day in days}
    seen = [(time.date(), events, users) for time, events, users in found.rows()]
    assert [row for row in seen if row[1]] == [(day, days[day], active[day]) for day in sorted(days)]
    if days:
        assert [day for day, _, _ in seen] == [
            min(days) + timedelta(n) for n in range((max(days) - min(days)).days + 1)
        ]


@given(rows)
def test_breakdown(some: list[Row]) -> None:
    users = pl.DataFrame({"user_id": ["ann", "eve", "zoe"], "plan": ["a", "b", "a"]})
    found = sd.breakdown(events_of(some), "plan", users=users)
    plans: dict[str, str | None] = {"ann": "a", "eve": "b", "zoe": "a"}
    everybody = {**plans, **({"bob": None} if any(row.user_id == "bob" for row in some) else {})}
    for row in found.iter_rows(named=True):
        members = [user for user, plan in everybody.items() if plan == row["plan"]]
        theirs = [each for each in some if each.user_id in members]
        assert row["users"] == len(members) and row["events"] == len(theirs)
        assert row["active"] == len({each.user_id for each in theirs})
    assert found["users"].sum() == len(everybody)
    assert abs(found["share_of_users"].sum() - 1) < 1e-9


@given(rows.filter(bool))
def test_user_timeline(some: list[Row]) -> None:
    who = some[0].user_id
    found = sd.user_timeline(events_of(some), who)
    (way,) = [way for way in plainly.ways(some, per="user") if way[0].user_id == who]
    assert reads(found, "event", "timestamp") == [(row.event, row.timestamp) for row in way]
    assert found["since_start"].to_list() == [row.timestamp - way[0].timestamp for row in way]
    assert found["gap"].to_list()[1:] == [b.timestamp - a.timestamp for a, b in zip(way, way[1:], strict=False)]


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing_where_times_differ(some: list[Row], random) -> None:
    distinct = without_ties(some)
    shuffled = random.sample(distinct, len(distinct))
    one, other = (events_of(each).with_columns(pl.col("event").cast(pl.Enum(NAMES))) for each in (distinct, shuffled))
    assert sd.funnel(one, NAMES).equals(sd.funnel(other, NAMES))
    assert sd.paths(one).equals(sd.paths(other))
    assert sd.sessions(one).equals(sd.sessions(other))
    assert sd.activity(one, by="event").equals(sd.activity(other, by="event"))


numbers = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(float("nan"))), max_size=30)


@given(numbers, st.integers(1, 12), st.sampled_from(["linear", "log"]))
def test_distribution_counts_every_number_once_in_its_bin(values: list[float | None], bins: int, scale: str) -> None:
    found = sd.distribution(pl.DataFrame({"x": values}, schema={"x": pl.Float64}), "x", bins=bins, scale=scale)
    finite = [value for value in values if value is not None and value == value]
    assert found["count"].sum() == len(finite)
    assert found.height <= bins + 1 and (found["low"] <= found["high"]).all()
    for row in found.iter_rows(named=True):
        last = row["high"] == found["high"].max()
        if row["low"] < row["high"]:
            inside = [v for v in finite if row["low"] <= v < row["high"] or (last and v == row["high"])]
            assert row["count"] == len(inside)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30), st.integers(1, 12))
def test_distribution_of_whole_numbers_has_bounds_between_them(values: list[int], bins: int) -> None:
    found = sd.distribution(pl.DataFrame({"x": values}), "x", bins=bins)
    assert found.height <= bins
    assert all(bound % 1 == 0.5 for bound in found["low"])
    assert found["count"].to_list() == [
        sum(low < value < high for value in values) for low, high in found.select("low", "high").rows()
    ]


def test_start_is_a_thursday() -> None:
    assert f"{START:%a}" == "Thu" and sd.hourly(events_of([Row("ann", "1", "land", START)])).row(72) == ("Thu", 0, 1)
