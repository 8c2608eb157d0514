"""What one user does, in order: journeys small enough to reason about by hand, through both engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import synode_df as sd

START = datetime(2026, 1, 1, tzinfo=UTC)

Run = Callable[..., pl.DataFrame]


def _columnar(journeys: Any, users: int = 1, **options: Any) -> pl.DataFrame:
    return sd.generate_df(journeys, users=users, **{"seed": 0, **options})


@pytest.fixture(params=["reference", "columnar"])
def run(request: pytest.FixtureRequest) -> Run:
    return sd.dry_run if request.param == "reference" else _columnar


def action(id: str, **options: Any) -> sd.Action:
    return sd.Action(id, **options)


def journey(id: str, *adventures: sd.Adventure, **options: Any) -> sd.Journey:
    return sd.Journey(id, adventures, **options)


def seen(events: pl.DataFrame) -> list[str]:
    return events["event"].cast(pl.String).to_list()


def gaps(events: pl.DataFrame) -> list[timedelta]:
    return events["timestamp"].diff().drop_nulls().to_list()


def test_actions_run_in_order_each_after_its_time_span(run: Run) -> None:
    visit = journey("j", sd.Adventure("a", [action("x"), action("y", time_span="5s"), action("z", time_span="3m")]))
    events = run(visit)
    assert seen(events) == ["x", "y", "z"]
    assert gaps(events) == [timedelta(seconds=5), timedelta(minutes=3)]


def test_adventure_time_span_is_the_gap_before_it(run: Run) -> None:
    visit = journey("j", sd.Adventure("a", [action("x")]), sd.Adventure("b", [action("y")], time_span="2h"))
    assert gaps(run(visit)) == [timedelta(hours=2)]


def test_event_name_defaults_to_the_action_id(run: Run) -> None:
    events = run(journey("j", sd.Adventure("a", [action("x"), action("y", event="named")])))
    assert seen(events) == ["x", "named"]
    assert events["action_id"].to_list() == ["x", "y"]


def test_journey_without_its_requirement_is_skipped(run: Run) -> None:
    first = journey("first", sd.Adventure("a", [action("x", bounce_chance=1)]))
    second = journey("second", sd.Adventure("a", [action("y")]), requires=["first"])
    assert seen(run([first, second])) == []


def test_completed_journey_unlocks_the_one_that_requires_it(run: Run) -> None:
    first = journey("first", sd.Adventure("a", [action("x")]))
    second = journey("second", sd.Adventure("a", [action("y")]), requires=["first"])
    assert seen(run([first, second])) == ["x", "y"]


def test_requirement_listed_after_the_journey_is_not_met_yet(run: Run) -> None:
    second = journey("second", sd.Adventure("a", [action("y")]), requires=["first"])
    first = journey("first", sd.Adventure("a", [action("x")]))
    assert seen(run([second, first])) == ["x"]


def test_each_journey_has_a_session_of_its_own(run: Run) -> None:
    two = [journey(id, sd.Adventure("a", [action("x"), action("y")])) for id in ("first", "second")]
    sessions = run(two)["session_id"].to_list()
    assert sessions[0] == sessions[1] != sessions[2] == sessions[3]


def test_journey_bounce_leaves_no_events_and_does_not_complete(run: Run) -> None:
    first = journey("first", sd.Adventure("a", [action("x")]), bounce_chance=1)
    second = journey("second", sd.Adventure("a", [action("y")]), requires=["first"])
    assert seen(run([first, second])) == []


def test_journey_bounce_costs_no_suppression(run: Run) -> None:
    bounced = journey("first", sd.Adventure("a", [action("x")]), bounce_chance=1, suppression_period="1d")
    second = journey("second", sd.Adventure("a", [action("y")]))
    alone = run(second)["timestamp"][0]
    assert run([bounced, second])["timestamp"][0] == alone


def test_suppression_passes_after_a_completed_journey(run: Run) -> None:
    first = journey("first", sd.Adventure("a", [action("x")]), suppression_period="1h")
    second = journey("second", sd.Adventure("a", [action("y")]))
    assert gaps(run([first, second])) == [timedelta(hours=1)]


def test_suppression_passes_after_an_entered_journey_that_was_not_completed(run: Run) -> None:
    left = sd.Adventure("a", [action("x"), action("never", bounce_chance=1)])
    first = journey("first", left, suppression_period="1h")
    second = journey("second", sd.Adventure("a", [action("y")]))
    events = run([first, second])
    assert seen(events) == ["x", "y"]
    assert gaps(events) == [timedelta(hours=1)]


def test_adventure_bounce_with_stop_ends_the_journey(run: Run) -> None:
    visit = journey(
        "j",
        sd.Adventure("a", [action("x")]),
        sd.Adventure("b", [action("y")], bounce_chance=1),
        sd.Adventure("c", [action("z")]),
    )
    after = journey("after", sd.Adventure("a", [action("w")]), requires="j")
    assert seen(run([visit, after])) == ["x"]


def test_adventure_bounce_with_skip_continues_with_next_adventure_and_completes(run: Run) -> None:
    visit = journey(
        "j",
        sd.Adventure("b", [action("y")], bounce_chance=1, on_bounce="skip"),
        sd.Adventure("c", [action("z")]),
    )
    after = journey("after", sd.Adventure("a", [action("w")]), requires="j")
    assert seen(run([visit, after])) == ["z", "w"]


def test_action_bounce_with_stop_ends_the_journey(run: Run) -> None:
    inside = [action("x"), action("y", bounce_chance=1), action("z")]
    visit = journey("j", sd.Adventure("a", inside), sd.Adventure("b", [action("w")]))
    assert seen(run(visit)) == ["x"]


def test_action_bounce_with_skip_continues_with_next_adventure(run: Run) -> None:
    inside = [action("x"), action("y", bounce_chance=1), action("z")]
    visit = journey("j", sd.Adventure("a", inside, on_bounce="skip"), sd.Adventure("b", [action("w")]))
    after = journey("after", sd.Adventure("a", [action("v")]), requires="j")
    assert seen(run([visit, after])) == ["x", "w", "v"]


def test_time_of_a_bounced_action_has_passed(run: Run) -> None:
    inside = [action("x"), action("y", time_span="1h", bounce_chance=1)]
    visit = journey("j", sd.Adventure("a", inside, on_bounce="skip"), sd.Adventure("b", [action("w")]))
    assert gaps(run(visit)) == [timedelta(hours=1)]


def test_remembered_value_reaches_fields_of_the_same_and_later_actions(run: Run) -> None:
    visit = journey(
        "j",
        sd.Adventure("a", [action("x", remember={"n": 5}, fields={"m": pl.col("n") + 1})]),
        sd.Adventure("b", [action("y", fields={"m": pl.col("n") + 2})]),
    )
    assert run(visit)["m"].to_list() == [6, 7]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("action", [1, None, None, None]),
        ("adventure", [1, 1, None, None]),
        ("journey", [1, 1, 1, None]),
        (None, [1, 1, 1, 1]),
    ],
)
def test_remembered_value_lives_as_long_as_its_scope(run: Run, scope: str | None, expected: list[int | None]) -> None:
    read = {"n": pl.col("kept")}
    first = journey(
        "first",
        sd.Adventure(
            "a", [action("x", remember={"kept": 1}, remember_scope=scope, fields=read), action("y", fields=read)]
        ),
        sd.Adventure("b", [action("z", fields=read)]),
    )
    second = journey("second", sd.Adventure("a", [action("w", fields=read)]))
    assert run([first, second])["n"].to_list() == expected


def test_adventure_scope_is_cleared_when_the_adventure_was_left_by_a_bounce(run: Run) -> None:
    left = [action("x", remember={"kept": 1}, remember_scope="adventure"), action("y", bounce_chance=1)]
    visit = journey(
        "j",
        sd.Adventure("a", left, on_bounce="skip"),
        sd.Adventure("b", [action("z", fields={"n": pl.col("kept")})]),
    )
    assert run(visit)["n"].to_list() == [None, None]


def test_journey_scope_is_cleared_when_the_journey_was_left_by_a_bounce(run: Run) -> None:
    left = [action("x", remember={"kept": 1}, remember_scope="journey"), action("y", bounce_chance=1)]
    second = journey("second", sd.Adventure("a", [action("z", fields={"n": pl.col("kept")})]))
    assert run([journey("first", sd.Adventure("a", left)), second])["n"].to_list() == [None, None]


def test_attribute_shows_again_when_what_hid_it_is_forgotten(run: Run) -> None:
    persona = sd.Persona("p", {"tier": "free"})
    read = {"n": pl.col("tier")}
    hidden = action("x", remember={"tier": "gold"}, remember_scope="action", fields=read)
    visit = journey("j", sd.Adventure("a", [hidden, action("y", fields=read)]))
    assert run(visit, persona=persona)["n"].to_list() == ["gold", "free"]


def test_names_are_found_nearest_first(run: Run) -> None:
    persona = sd.Persona("p", {"v": 1})
    visit = journey(
        "j",
        sd.Adventure(
            "a",
            [
                action("attribute", fields={"n": pl.col("v")}),
                action("state", remember={"v": 2}, fields={"n": pl.col("v")}),
                action("field", fields={"v": 3, "n": pl.col("v")}),
            ],
        ),
    )
    assert run(visit, persona=persona)["n"].to_list() == [1, 2, 3]


def test_every_user_has_id_index_session_and_timestamp(run: Run) -> None:
    fields = {"u": pl.col("user_id"), "i": pl.col("user_index"), "s": pl.col("session_id"), "t": pl.col("timestamp")}
    events = run(journey("j", sd.Adventure("a", [action("x", time_span="7s", fields=fields)])), users=3)
    assert events["u"].to_list() == events["user_id"].to_list()
    assert events["i"].to_list() == [0, 1, 2]
    assert events["s"].to_list() == events["session_id"].to_list()
    assert events["t"].to_list() == events["timestamp"].to_list()


def test_window_cuts_the_log_and_what_it_cuts_is_not_completed(run: Run) -> None:
    long = journey("j", sd.Adventure("a", [action("x"), action("late", time_span="2d")]))
    after = journey("after", sd.Adventure("a", [action("w")]), requires="j")
    events = run([long, after], start_date=START, duration="1d")
    assert seen(events) == ["x"]


def test_no_journey_starts_after_the_window(run: Run) -> None:
    first = journey("first", sd.Adventure("a", [action("x")]), suppression_period="9d")
    second = journey("second", sd.Adventure("a", [action("y")]))
    assert seen(run([first, second], start_date=START, duration="1d")) == ["x"]


def test_event_exactly_at_the_end_is_outside(run: Run) -> None:
    one = timedelta(microseconds=1)
    visit = journey("j", sd.Adventure("a", [action("x"), action("y", time_span=one)]))
    events = run(visit, start_date=START, duration=one)  # arrival can only be at START
    assert seen(events) == ["x"]
    events = run(visit, start_date=START, duration=2 * one, users=40)
    assert set(events["timestamp"].to_list()) == {START, START + one}
    assert events.filter(pl.col("event") == "y")["timestamp"].unique().to_list() == [START + one]


def test_adventure_gap_past_the_end_cuts_the_journey_even_if_the_adventure_would_be_skipped(run: Run) -> None:
    skipped = sd.Adventure("b", [action("y")], time_span="9d", bounce_chance=1, on_bounce="skip")
    visit = journey("j", sd.Adventure("a", [action("x")]), skipped)
    after = journey("after", sd.Adventure("a", [action("w")]), requires="j")
    assert seen(run([visit, after], start_date=START, duration="1d")) == ["x"]


def test_event_is_outside_when_callables_let_time_pass_beyond_the_end(run: Run) -> None:
    def slow(ctx: sd.SynodeContext) -> int:
        ctx.advance_time("1h" if ctx.user_index % 2 else "1d")
        return ctx.user_index

    first = journey("j", sd.Adventure("a", [action("x", fields={"n": slow, "m": 1}), action("y")]))
    second = journey("k", sd.Adventure("a", [action("z")]), requires="j")
    end = START + timedelta(hours=2)
    window = {"start_date": START, "end_date": end}
    events = run([first, second], users=40, **window)
    assert events["timestamp"].max() < end
    assert 0 < events.filter(pl.col("event") == "x").height < 40
    assert set(events["n"].drop_nulls()) <= set(range(1, 40, 2))
    assert events.filter(pl.col("event") == "z").height == events.filter(pl.col("event") == "x").height
    assert events.filter(pl.col("n").is_not_null())["m"].to_list() == [1] * events["n"].drop_nulls().len()


def test_arrivals_lie_in_the_default_window(run: Run) -> None:
    times = run(journey("j", sd.Adventure("a", [action("x")])), users=200)["timestamp"]
    assert times.min() >= START
    assert times.max() < datetime(2026, 1, 31, tzinfo=UTC)


def test_handler_sees_the_state_and_its_events_come_in_order(run: Run) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        first = ctx.event("one", n=ctx.get("n"))
        ctx.advance_time("10s")
        return [first, ctx.event(n=ctx.get("tier"))]

    visit = journey("j", sd.Adventure("a", [action("x", remember={"n": 4}, handler=handler), action("y")]))
    events = run(visit, persona=sd.Persona("p", {"tier": 9}))
    assert seen(events) == ["one", "x", "y"]
    assert events["n"].to_list() == [4, 9, None]
    assert gaps(events) == [timedelta(seconds=10), timedelta(0)]


def test_async_handler(run: Run) -> None:
    async def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        return [ctx.event("waited")]

    assert seen(run(journey("j", sd.Adventure("a", [action("x", handler=handler)])))) == ["waited"]


def test_handler_sets_what_later_expressions_read(run: Run) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        ctx.set("score", ctx.user_index * 1.5)
        return []

    visit = journey(
        "j", sd.Adventure("a", [action("x", handler=handler), action("y", fields={"s": pl.col("score") + 1})])
    )
    assert run(visit, users=3)["s"].to_list() == [1.0, 2.5, 4.0]


def test_name_that_a_handler_set_for_some_users_only_is_an_error_for_the_others(run: Run) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index != 2:
            ctx.set("score", 1)
        return []

    visit = journey("j", sd.Adventure("a", [action("x", handler=handler), action("y", fields={"s": pl.col("score")})]))
    with pytest.raises(sd.SynodeError, match="for user 2") as caught:
        run(visit, users=3)
    assert caught.value.code == "UNKNOWN_NAME"


def test_handler_completes_a_journey_by_hand(run: Run) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        assert not ctx.has_completed_journey("never")
        ctx.mark_journey_complete("never")
        return []

    never = journey("never", sd.Adventure("a", [action("n", bounce_chance=1)]))
    opens = journey("opens", sd.Adventure("a", [action("o", handler=handler)]))
    needs = journey("needs", sd.Adventure("a", [action("y")]), requires="never")
    assert seen(run([never, opens, needs])) == ["y"]


def test_handler_begins_a_new_session(run: Run) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        before = ctx.event("before")
        ctx.rotate_session()
        return [before, ctx.event("after")]

    sessions = run(journey("j", sd.Adventure("a", [action("x", handler=handler), action("y")])))["session_id"].to_list()
    assert sessions[0] != sessions[1] == sessions[2]


def test_event_with_a_time_of_its_own_is_sorted_and_kept_in_the_window(run: Run) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        now = ctx.now()
        made = [ctx.event(name) for name in ("early", "inside", "late")]
        times = (START - timedelta(days=1), now - timedelta(microseconds=5), START + timedelta(days=400))
        return [event._replace(timestamp=time) for event, time in zip(made, times, strict=True)]

    visit = journey("j", sd.Adventure("a", [action("x"), action("y", time_span="1us", handler=handler), action("z")]))
    after = journey("after", sd.Adventure("a", [action("w")]), requires="j")
    events = run([visit, after], start_date=START - timedelta(hours=1), duration="9d")
    assert seen(events) == ["inside", "x"]  # the late one cut the journey


def test_handler_scope_ends_with_its_action(run: Run) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        ctx.set("short", 1, scope="action")
        ctx.set("long", 2, "journey")
        return [ctx.event("set")]

    def reader(ctx: sd.SynodeContext) -> list[sd.Event]:
        return [ctx.event("read", short=ctx.get("short", 0), long=ctx.get("long", 0))]

    two = [action("x", handler=handler), action("y", handler=reader)]
    events = run(journey("j", sd.Adventure("a", two)))
    assert events.select("short", "long").row(1) == (0, 2)


def test_action_scope_ends_also_for_a_user_whose_event_came_too_late(run: Run) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        ctx.set("mark", 1, scope="action")
        return [ctx.event()._replace(timestamp=START + timedelta(days=400))]

    first = journey("j", sd.Adventure("a", [action("x", handler=handler)]))
    second = journey("k", sd.Adventure("a", [action("y", remember={"mark": 2}, fields={})], bounce_chance=1.0))
    third = journey("l", sd.Adventure("a", [action("z", fields={"mark": pl.col("mark")})]))
    assert run([first, second, third], users=3)["mark"].to_list() == [None] * 3


def test_type_of_a_field_is_that_of_what_it_reads_also_where_handlers_set_it(run: Run) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        ctx.set("n", None)
        return []

    one = sd.Adventure("a", [action("x", remember={"n": sd.integer(1, 9)}), action("y", handler=handler)])
    two = sd.Adventure("b", [action("z", fields={"n": pl.col("n"), "m": pl.col("n") * 2})])
    events = run(journey("j", one, two), users=3)
    assert events.schema["n"] == events.schema["m"] == pl.Int64
    assert events["n"].null_count() == events.height


def test_mixture_of_personas_fills_what_each_has(run: Run) -> None:
    fields = {"n": pl.col("n"), "only": pl.col("only_a")}
    visit = journey("j", sd.Adventure("a", [action("x", fields=fields)]))
    a, b = sd.Persona("a", {"n": 1, "only_a": "yes"}), sd.Persona("b", {"n": 2})
    events = run(visit, users=400, persona=[(a, 0.75), (b, 0.25)])
    assert events.filter(pl.col("persona_id") == "a").select("n", "only").unique().rows() == [(1, "yes")]
    assert events.filter(pl.col("persona_id") == "b").select("n", "only").unique().rows() == [(2, None)]
    share = (events["persona_id"] == "a").mean()
    assert 0.67 < share < 0.83  # four standard deviations


def test_bounce_chance_can_read_attributes(run: Run) -> None:
    chance = pl.when(pl.col("device") == "mobile").then(1).otherwise(0)
    visit = journey("j", sd.Adventure("a", [action("x", fields={"d": pl.col("device")})], bounce_chance=chance))
    persona = sd.Persona("p", {"device": sd.one_of(["mobile", "desktop"])})
    assert set(run(visit, users=60, persona=persona)["d"].to_list()) == {"desktop"}


def test_share_of_users_who_bounce_is_the_bounce_chance() -> None:
    visit = journey("j", sd.Adventure("a", [action("x", bounce_chance=0.3)]))
    stayed = _columnar(visit, users=100_000).height
    assert abs(stayed - 70_000) < 4 * (100_000 * 0.3 * 0.7) ** 0.5


def test_tally_adds_up() -> None:
    first = journey(
        "first", sd.Adventure("a", [action("x", bounce_chance=0.5, time_span=("1h", "20d"))]), bounce_chance=0.2
    )
    second = journey("second", sd.Adventure("a", [action("y")]), requires="first")
    report = sd.generate([first, second], users=5_000, adapter=sd.InMemoryAdapter(), seed=1)
    for row in report.telemetry.journeys.iter_rows(named=True):
        assert row["users"] == 5_000 == row["skipped"] + row["late"] + row["bounced"] + row["started"]
        assert row["started"] == row["completed"] + row["stopped"] + row["cut"]
        assert row["completed"] > 0
    counts = ("reached", "cut", "bounced", "entered")
    steps = pl.concat([report.telemetry.adventures.select(counts), report.telemetry.actions.select(counts)])
    assert (steps["reached"] == steps["cut"] + steps["bounced"] + steps["entered"]).all()
    assert report.telemetry.events == report.telemetry.actions["events"].sum()


def test_telemetry_names_the_executor_of_each_action() -> None:
    def initial(ctx: sd.SynodeContext) -> str:
        return ctx.user_id[0]

    actions = [
        action("fields", fields={"a": sd.integer(1, 2), "b": pl.col("a") + 1, "c": sd.fake("name")}),
        action("function", fields={"d": initial}),
        action("faker", fields={"e": sd.fake("paragraph")}),
        action("handler", handler=lambda ctx: []),
    ]
    visit = journey("j", sd.Adventure("a", actions))
    told = sd.generate(visit, users=3, adapter=sd.InMemoryAdapter()).telemetry.actions
    assert told["executor"].to_list() == ["columnar", "callback", "callback", "handler"]
    assert told["reason"].to_list()[:3] == [
        None,
        "calls a function for each user: d",
        "calls Faker for each user: e",
    ]
