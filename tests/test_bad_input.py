"""Bad input ends in an error that says how to mend it, or works; never in a bare traceback of a library."""

from __future__ import annotations

import math
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any

import polars as pl
import pytest

import synode_df as sd


def journey(**options: Any) -> sd.Journey:
    return sd.Journey("j", [sd.Adventure("a", [sd.Action("x", **options)])])


def code_of(make: Any) -> str:
    with pytest.raises(sd.SynodeError) as caught:
        make()
    error = caught.value
    assert None not in (error.path, error.expected, error.received, error.suggestion)
    return error.code


@pytest.mark.parametrize("chance", [1.5, -0.1, math.nan, math.inf, "0.3", None, True, [0.3], 30])
def test_bounce_chances_that_are_none(chance: Any) -> None:
    assert code_of(lambda: sd.Action("x", bounce_chance=chance)) == "INVALID_BOUNCE_CHANCE"
    assert code_of(lambda: sd.Adventure("a", [sd.Action("x")], bounce_chance=chance)) == "INVALID_BOUNCE_CHANCE"
    assert code_of(lambda: sd.Journey("j", journey().adventures, bounce_chance=chance)) == "INVALID_BOUNCE_CHANCE"


@pytest.mark.parametrize(
    "weights", [{"a": -1}, {"a": 0, "b": 0}, {}, {"a": "1"}, {"a": math.nan}, {"a": math.inf}, ["a"], None]
)
def test_weights_that_are_none(weights: Any) -> None:
    assert code_of(lambda: sd.weighted(weights)) == "INVALID_WEIGHTS"


@pytest.mark.parametrize(
    ("span", "code"),
    [
        ((5, 3), "INVALID_DURATION"),
        (("5s", "3s"), "INVALID_TIME_SPAN"),
        (5, "INVALID_DURATION"),
        (2.5, "INVALID_DURATION"),
        ("5", "INVALID_DURATION"),
        ("5 parsecs", "INVALID_DURATION"),
        ("-5s", "INVALID_DURATION"),
        ("", "INVALID_DURATION"),
        (timedelta(seconds=-1), "INVALID_DURATION"),
        (("1s", "2s", "3s"), "INVALID_TIME_SPAN"),
        ("99999999999999d", "INVALID_DURATION"),
        (math.nan, "INVALID_DURATION"),
    ],
)
def test_time_spans_that_are_none(span: Any, code: str) -> None:
    assert code_of(lambda: sd.Action("x", time_span=span)) == code


@pytest.mark.parametrize("text", ["250ms", "5s", "3m", "2h", "7d", "1w", "1h30m", "1.5h", " 5s ", "1h 30m"])
def test_durations_that_are_good(text: str) -> None:
    span = sd.TimeSpan(text)
    assert span.min > timedelta(0)
    assert eval(repr(span), {"TimeSpan": sd.TimeSpan}) == span


def test_duplicate_ids_at_each_level() -> None:
    x = sd.Action("x")
    assert code_of(lambda: sd.Adventure("a", [x, x])) == "DUPLICATE_ID"
    assert code_of(lambda: sd.Journey("j", [sd.Adventure("a", [x]), sd.Adventure("a", [x])])) == "DUPLICATE_ID"
    assert code_of(lambda: sd.generate_df([journey(), journey()], users=1)) == "DUPLICATE_ID"
    plans = sd.Dataset("plans", 1, {"a": 1})
    assert code_of(lambda: sd.generate_df(journey(), users=1, datasets=[plans, plans])) == "DUPLICATE_ID"
    persona = sd.Persona("p", {})
    assert code_of(lambda: sd.generate_df(journey(), users=1, persona=[(persona, 1), (persona, 2)])) == "DUPLICATE_ID"


def test_circular_requires_names_the_circle() -> None:
    one, two, three = (
        sd.Journey(id, [sd.Adventure("a", [sd.Action("x")])], requires=needs)
        for id, needs in (("one", "three"), ("two", "one"), ("three", "two"))
    )
    with pytest.raises(sd.SynodeError) as caught:
        sd.validate_config(one, [one, two, three])
    assert caught.value.code == "CIRCULAR_REQUIRES"
    assert all(id in str(caught.value.received) for id in ("one", "two", "three"))


@pytest.mark.parametrize("users", [-1, 1.5, 10_000_001, True, "10", None, range(5, 3), range(0, 10, 2), range(-1, 3)])
def test_users_out_of_bounds(users: Any) -> None:
    assert code_of(lambda: sd.generate_df(journey(), users=users)) == "INVALID_USERS"


@pytest.mark.parametrize(
    "window",
    [
        {"start_date": datetime(2026, 1, 1)},
        {"end_date": datetime(2026, 1, 1)},
        {"start_date": datetime(2026, 1, 2), "end_date": datetime(2026, 1, 1)},
        {"start_date": datetime(2026, 1, 1), "end_date": datetime(2026, 1, 1)},
        {"start_date": "2026-01-01", "end_date": "2026-02-01"},
        {"start_date": datetime(2026, 1, 1), "end_date": datetime(2026, 1, 2), "duration": "1d"},
        {"duration": "0s"},
    ],
)
def test_windows_that_are_none(window: Any) -> None:
    assert code_of(lambda: sd.generate_df(journey(), users=1, **window)) == "INVALID_WINDOW"


def test_naive_datetimes_mean_utc_and_aware_ones_are_converted() -> None:
    naive = sd.generate_df(journey(), users=5, seed=1, start_date=datetime(2026, 3, 1), duration="1d")
    tokyo = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    aware = sd.generate_df(journey(), users=5, seed=1, start_date=tokyo, duration="1d")
    before_end = sd.generate_df(journey(), users=5, seed=1, end_date=datetime(2026, 3, 2, tzinfo=UTC), duration="1d")
    assert naive.equals(aware)
    assert naive.equals(before_end)


@pytest.mark.parametrize("result", [None, {"a": 1}, "event", 3, ["event"], [None], (1,)])
def test_handlers_that_return_something_else(result: Any) -> None:
    bad = journey(handler=lambda ctx: result)
    assert code_of(lambda: sd.generate_df(bad, users=2)) == "INVALID_HANDLER_RETURN"
    assert code_of(lambda: sd.dry_run(bad)) == "INVALID_HANDLER_RETURN"


def test_handler_that_is_a_generator_is_told_to_return_a_list() -> None:
    def handler(ctx: sd.SynodeContext) -> Any:
        yield ctx.event("e")

    with pytest.raises(sd.SynodeError, match="collect the events in a list") as caught:
        sd.generate_df(journey(handler=handler), users=1)
    assert caught.value.code == "INVALID_HANDLER_RETURN"


def test_handler_that_raises_names_the_place_and_keeps_the_cause() -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        raise ZeroDivisionError("no")

    for run in (sd.generate_df, sd.dry_run):
        with pytest.raises(sd.SynodeError) as caught:
            run(journey(handler=handler), users=1, seed=5)
        error = caught.value
        assert error.code == "HANDLER_ERROR"
        assert error.path == "Journey 'j' > Adventure 'a' > Action 'x'"
        assert isinstance(error.__cause__, ZeroDivisionError)
        assert "user=0, seed=5" in str(error.replay)


@pytest.mark.parametrize("name", ["event_id", "timestamp", "persona_id"])
def test_payload_keys_that_collide_with_event_columns(name: str) -> None:
    assert code_of(lambda: sd.Action("x", fields={name: 1})) == "FIELD_NAME_COLLISION"
    bad = journey(handler=lambda ctx: [ctx.event("e", **{name: 1})])
    for run in (sd.generate_df, sd.dry_run):
        with pytest.raises(sd.SynodeError) as caught:
            run(bad, users=1)
        assert "FIELD_NAME_COLLISION" in (caught.value.code, getattr(caught.value.__cause__, "code", ""))


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_payload_values_of_mixed_types(batch_size: int) -> None:
    def run(values: list[Any]) -> pl.DataFrame:
        mixed = journey(handler=lambda ctx: [ctx.event("e", v=values[ctx.user_index % len(values)])])
        return sd.generate_df(mixed, users=9, seed=1, batch_size=batch_size)

    assert run([1, 2.5, None])["v"].to_list() == [1.0, 2.5, None] * 3
    assert run([{"a": 1}, {"b": 2.5}])["v"].dtype == pl.Struct({"a": pl.Int64, "b": pl.Float64})
    assert code_of(lambda: run([1, "text"])) == "TYPE_CONFLICT"
    assert code_of(lambda: run([True, 1])) == "TYPE_CONFLICT"
    assert code_of(lambda: run([2**53 + 1, 0.5])) == "TYPE_CONFLICT"
    assert code_of(lambda: run([object()])) == "INVALID_FIELD"
    assert code_of(lambda: run([2**70])) == "INVALID_FIELD"


@pytest.mark.parametrize(
    "odd",
    ["it's", 'a "quote"', "two\nlines", "🚀", "مرحبا", "x" * 10_000, "a > b", "{}", "%s", "\\", "null", " "],
)
def test_ids_and_text_of_any_kind_work(odd: str) -> None:
    made = sd.Journey(
        odd, [sd.Adventure(odd, [sd.Action(odd, fields={odd: odd, "p": sd.pick(odd)}, remember={odd + "r": odd})])]
    )
    persona = sd.Persona(odd, {odd: odd})
    rows = sd.Dataset(odd, 2, {odd: odd})
    options: dict[str, Any] = {
        "users": 2,
        "seed": 1,
        "persona": [(persona, 1), (sd.Persona("b", {}), 1)],
        "datasets": [rows],
    }
    events = sd.generate_df(made, **options)
    assert events[odd].to_list() == [odd, odd]
    assert events["event"].to_list() == [odd, odd]
    assert sd.dry_run(made, **options).equals(events)
    sd.to_frame(events, layout="json").write_csv()


@pytest.mark.parametrize(
    "value",
    [object(), {1: "a"}, [1, "a"], pl.Series([1]), pl.DataFrame({"a": [1]}), int, 2**70, {"a": object()}, {1, 2}],
)
def test_field_values_that_no_column_holds(value: Any) -> None:
    assert code_of(lambda: sd.Action("x", fields={"a": value})) in ("INVALID_FIELD", "TYPE_CONFLICT")
    assert code_of(lambda: sd.Persona("p", {"a": value})) in ("INVALID_FIELD", "TYPE_CONFLICT")


@pytest.mark.parametrize(
    "value", [None, Decimal("1.25"), datetime(2026, 1, 1, tzinfo=UTC), timedelta(1), b"x", {"a": [1, 2]}, [], math.nan]
)
def test_constants_of_any_column_type_work(value: Any) -> None:
    made = journey(fields={"a": value})
    events = sd.generate_df(made, users=2, seed=0)
    assert events.equals(sd.dry_run(made, users=2))
    assert events["a"].dtype == pl.Series([value]).dtype or value is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: sd.one_of([]),
        lambda: sd.one_of("abc"),
        lambda: sd.uniform(2, 1),
        lambda: sd.uniform("1", 2),
        lambda: sd.uniform(0, math.inf),
        lambda: sd.integer(1.5, 2),
        lambda: sd.integer(3, 1),
        lambda: sd.normal(0, -1),
        lambda: sd.normal(0, 1, min=50),
        lambda: sd.lognormal(0, 1),
        lambda: sd.exponential(-1),
        lambda: sd.poisson(0),
        lambda: sd.poisson(2_000_000),
        lambda: sd.sequence("no place"),
        lambda: sd.sequence("{} {}"),
        lambda: sd.sequence("{name}"),
        lambda: sd.sequence("{:zz}"),
        lambda: sd.sequence(step=0),
        lambda: sd.pick("d", []),
        lambda: sd.pick("d", 3),
        lambda: sd.pick("d", ["a", "a"]),
        lambda: sd.uniform(0, 1, decimals=-1),
        lambda: sd.uniform(0, 1, decimals=1.5),
        lambda: sd.normal(0, math.nan),
        lambda: sd.normal(1e308, 1e308),
        lambda: sd.lognormal(1, 10_000),
        lambda: sd.lognormal(math.nan, 1),
        lambda: sd.exponential(1e308),
        lambda: sd.exponential(math.inf),
        lambda: sd.poisson(math.nan),
        lambda: sd.poisson("3"),
        lambda: sd.integer(0, 2**60),
        lambda: sd.integer(True, 3),
        lambda: sd.sequence("{:>1000000000}"),
        lambda: sd.sequence(3),
        lambda: sd.one_of(None),
    ],
)
def test_parameters_of_generators_that_make_no_sense(make: Any) -> None:
    assert code_of(make) == "INVALID_PARAMETER"


def test_functions_of_the_wrong_shape() -> None:
    async def later(ctx: sd.SynodeContext) -> int:
        return 1

    assert code_of(lambda: sd.Action("x", fields={"a": lambda: 1})) == "INVALID_FIELD"
    assert code_of(lambda: sd.Action("x", handler=lambda a, b: [])) == "INVALID_HANDLER"
    assert code_of(lambda: sd.Action("x", handler="f")) == "INVALID_HANDLER"
    assert code_of(lambda: sd.Dataset("d", 1, {"a": lambda ctx: 1})) == "INVALID_FIELD"
    assert code_of(lambda: sd.generate_df(journey(fields={"a": later}), users=1)) == "INVALID_FIELD"


def test_empty_population_and_silent_journeys_give_a_typed_frame() -> None:
    fields = {"a": 1, "b": sd.fake("name"), "c": sd.pick("d"), "d": pl.col("a") / 2}
    rows = [sd.Dataset("d", 2, {"v": sd.integer(1, 2)})]
    full = sd.generate_df(journey(fields=fields), users=5, datasets=rows, seed=0)
    for events in (
        sd.generate_df(journey(fields=fields), users=0, datasets=rows),
        sd.generate_df(journey(fields=fields, bounce_chance=1), users=5, datasets=rows),
        sd.dry_run(journey(fields=fields), users=0, datasets=rows),
    ):
        assert events.is_empty()
        assert events.schema == full.schema


def test_declarations_are_frozen_equal_hashable_and_picklable() -> None:
    import pickle

    def make() -> sd.Journey:
        fields = {"a": sd.weighted({"x": 1}), "b": pl.col("a") + "!", "c": [1, 2]}
        return journey(fields=fields, bounce_chance=pl.lit(0.5), time_span=("1s", "2s"))

    assert make() == make()
    assert hash(make()) == hash(make())
    assert pickle.loads(pickle.dumps(make())) == make()
    assert make() != journey()
    assert sd.one_of([1]) != sd.one_of([True])
    with pytest.raises(AttributeError):
        make().id = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        make().adventures[0].actions[0].fields["a"] = 1
    names = {name: getattr(sd, name) for name in sd.__all__}
    for declared in (
        sd.weighted({"a": 1, None: 2.5}),
        sd.normal(1, 2, min=0),
        sd.fake("bothify", text="??"),
        sd.pick("d", ["a"], weight="w"),
        sd.Persona("p", {"a": sd.chance(0.5)}),
        sd.Journey(
            "j", [sd.Adventure("a", [sd.Action("x", time_span="5s")], on_bounce="skip")], suppression_period="1d"
        ),
    ):
        assert eval(repr(declared), dict(names)) == declared


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


@pytest.mark.parametrize(
    "generator",
    [
        sd.weighted({Size.SMALL: 1, Size.LARGE: 2.5}),
        sd.one_of([Size.SMALL, Size.LARGE]),
        sd.one_of([math.nan, 1.0]),
        sd.one_of([Decimal("1.50")]),
        sd.chance(0.25),
        sd.uniform(0, 1, decimals=2),
        sd.integer(-3, 3),
        sd.normal(0, 1, min=-1, max=2, decimals=1),
        sd.lognormal(1, 0.5),
        sd.exponential(2),
        sd.poisson(3.5),
        sd.sequence("N-{:03d}", start=5, step=-2),
        sd.pick("d", ["a"], weight="w"),
        sd.fake("bothify", "??", letters="ab", unique=True),
        sd.fake("random_element", ("a", "b")),
    ],
    ids=repr,
)
def test_generators_are_printed_as_code_and_equal_after_pickling(generator: sd.FieldGenerator) -> None:
    names = {name: getattr(sd, name) for name in sd.__all__}
    back = eval(repr(generator), {**names, "Size": Size, "Decimal": Decimal, "nan": math.nan})
    assert back == generator == pickle.loads(pickle.dumps(generator))
    assert hash(back) == hash(generator)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


def test_numbers_too_large_half_characters_and_errors_without_text() -> None:
    def raising(ctx: sd.SynodeContext) -> list[sd.Event]:
        raise Unspeakable

    assert code_of(lambda: sd.Action("x", bounce_chance=10**400)) == "INVALID_BOUNCE_CHANCE"
    assert code_of(lambda: sd.weighted({"a": 10**400})) == "INVALID_WEIGHTS"
    assert code_of(lambda: sd.uniform(0, 10**400)) == "INVALID_PARAMETER"
    assert code_of(lambda: sd.Action("\ud800")) == "INVALID_ID"
    assert code_of(lambda: sd.Action("x", fields={"\ud800": 1})) == "INVALID_FIELD"
    assert code_of(lambda: sd.generate_df(journey(handler=raising), users=1)) == "HANDLER_ERROR"
    assert code_of(lambda: sd.generate_df(journey(fields={"a": raising}), users=1)) == "CALLABLE_ERROR"
