"""Event schemas: what is checked, what happens to events that fail, and what is no schema at all."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pandera.pandas
import pandera.polars as pa
import polars as pl
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import synode_df as sd
from synode_df.monitoring.models import FailingCases

VISIT = sd.Journey(
    "visit",
    [
        sd.Adventure(
            "look",
            [
                sd.Action("land", fields={"pages": sd.integer(0, 9), "page": sd.one_of(["home", "shop", None])}),
                sd.Action("pay", bounce_chance=0.3, fields={"price": sd.uniform(0, 100), "pages": sd.integer(5, 6)}),
            ],
        )
    ],
)
FEW_PAGES = pa.DataFrameSchema({"pages": pa.Column(pl.Int64, pa.Check.lt(8))})
CHEAP = pa.DataFrameSchema({"price": pa.Column(pl.Float64, [pa.Check.ge(1), pa.Check.le(90)])})
BOTH = {"land": FEW_PAGES, "pay": CHEAP}


def by_handler(ctx: sd.SynodeContext) -> list[sd.Event]:
    amount = ctx.random.choice([1, 2, 2.5])
    coupon = {"coupon": "X"} if ctx.random.random() < 0.01 else {}
    return [ctx.event("paid", amount=amount, **coupon)]


def run(schema=BOTH, mode="skip", *, journeys=VISIT, users=600, **options):
    adapter = sd.InMemoryAdapter()
    report = sd.generate(
        journeys, users=users, adapter=adapter, seed=5, event_schema=schema, schema_mode=mode, **options
    )
    return report, adapter.events


def test_strict_raises_with_every_failing_case_of_the_batch_in_order_of_users() -> None:
    events = sd.generate_df(VISIT, users=600, seed=5)
    with pytest.raises(sd.SynodeValidationError) as caught:
        sd.generate_df(VISIT, users=600, seed=5, event_schema=BOTH)
    cases = FailingCases.validate(caught.value.cases)
    assert cases.schema == {
        "event": pl.String,
        "column": pl.String,
        "check": pl.String,
        "value": pl.String,
        "user_index": pl.Int64,
    }
    landed = events.filter((pl.col("event") == "land") & (pl.col("pages") >= 8))
    assert cases.filter(event="land").height == landed.height
    assert cases.filter(event="pay")["check"].unique().sort().to_list() == [
        "greater_than_or_equal_to(1)",
        "less_than_or_equal_to(90)",
    ]
    assert cases["user_index"].is_sorted()
    assert caught.value.failures == cases.height
    first = cases.row(0, named=True)
    assert f"user={first['user_index']}, seed=5" in caught.value.replay
    mine = sd.replay(VISIT, user=first["user_index"], seed=5)
    assert str(mine.filter(pl.col("event") == first["event"])[first["column"]][0]) == first["value"]


def test_skip_drops_the_failing_events_and_keeps_them_with_the_check() -> None:
    plain = sd.generate_df(VISIT, users=600, seed=5)
    report, events = run()
    bad = ((pl.col("event") == "land") & (pl.col("pages") >= 8)) | (pl.col("price") < 1) | (pl.col("price") > 90)
    assert_frame_equal(events, plain.filter(~bad.fill_null(False)))
    assert_frame_equal(report.invalid.drop("user_index", "failed_check"), plain.filter(bad))
    assert set(report.invalid["failed_check"]) == {
        "pages: less_than(8)",
        "price: greater_than_or_equal_to(1)",
        "price: less_than_or_equal_to(90)",
    }
    for index, user_id in report.invalid.select("user_index", "user_id").unique().head(5).iter_rows():
        assert sd.replay(VISIT, user=index, seed=5)["user_id"][0] == user_id


@pytest.mark.parametrize("how", [{}, {"lanes": 4}, {"n_jobs": 2}, {"batch_size": 37}, {"batch_size": 601}])
@pytest.mark.parametrize("mode", ["skip", "warn"])
@pytest.mark.filterwarnings("ignore::synode_df.SynodeWarning")
def test_counters_agree_with_the_frame_to_the_row_in_every_mode(how, mode) -> None:
    report, events = run(mode=mode, **how)
    telemetry = report.telemetry
    assert telemetry.events == events.height
    for frame, keys in (
        (telemetry.journeys, ["journey_id"]),
        (telemetry.adventures, ["journey_id", "adventure_id"]),
        (telemetry.actions, ["journey_id", "adventure_id", "action_id"]),
        (telemetry.event_names, ["event"]),
    ):
        counted = (
            events.group_by(keys).agg(pl.len().cast(pl.Int64).alias("events")).cast(dict.fromkeys(keys, pl.String))
        )
        assert_frame_equal(frame.select(*keys, "events").sort(keys), counted.sort(keys))
    assert (
        telemetry.dropped == report.invalid.height == (0 if mode == "warn" else telemetry.validation["failures"].sum())
    )
    assert telemetry.validation["failures"].sum() > 100
    reference, expected = run(mode=mode)
    assert_frame_equal(events, expected)
    assert_frame_equal(report.invalid, reference.invalid)
    assert_frame_equal(telemetry.validation, reference.telemetry.validation)


def test_warn_keeps_everything_and_says_so_once() -> None:
    with pytest.warns(sd.SynodeWarning, match="values fail the event schema") as caught:
        report, events = run(mode="warn", batch_size=100)
    assert len(caught) == 1
    assert_frame_equal(events, sd.generate_df(VISIT, users=600, seed=5))
    assert report.invalid.height == 0


def test_events_without_a_schema_pass_and_a_schema_that_holds_changes_nothing() -> None:
    report, events = run({"land": pa.DataFrameSchema({"pages": pa.Column(int, pa.Check.in_range(0, 9))})}, "strict")
    assert_frame_equal(events, sd.generate_df(VISIT, users=600, seed=5))
    assert report.telemetry.validation.height == 0


def test_a_model_for_all_events_binds_each_field_where_an_event_has_it() -> None:
    class Shop(pa.DataFrameModel):
        event_id: str = pa.Field(str_length={"min_value": 8})
        price: float = pa.Field(ge=0)
        pages: int = pa.Field(le=9)

    run(Shop, "strict")
    report, _ = run(pa.DataFrameSchema({"pages": pa.Column(int, pa.Check.le(4)), "price": pa.Column(float)}))
    assert set(report.invalid["event"]) == {"land", "pay"}


def test_nulls_types_and_columns_are_checked_too() -> None:
    report, _ = run({"land": pa.DataFrameSchema({"page": pa.Column(str)})})
    assert set(report.invalid["failed_check"]) == {"page: not_nullable"}
    assert report.invalid["page"].null_count() == report.invalid.height > 0
    report, events = run({"land": pa.DataFrameSchema({"pages": pa.Column(str)})})
    assert set(report.invalid["failed_check"]) == {"pages: dtype('String')"}
    assert set(events["event"]) == {"pay"}
    run({"land": pa.DataFrameSchema({"pages": pa.Column(float), "event": pa.Column(str)})}, "strict")  # wider is fine
    report, _ = run({"pay": pa.DataFrameSchema({"price": pa.Column(float)}, strict=True)})
    assert set(report.invalid["failed_check"]) == {"pages: column_in_schema"}


def test_checks_of_whole_rows_and_uniqueness_within_a_user() -> None:
    either = pa.Check(lambda data: data.lazyframe.select(pl.col("pages") < pl.col("price")), name="pages_below_price")
    report, _ = run({"pay": pa.DataFrameSchema(checks=either)})
    assert set(report.invalid["failed_check"]) == {"pages_below_price"}
    assert (report.invalid["pages"] >= report.invalid["price"]).all()
    one = pa.DataFrameSchema({"pages": pa.Column(int)}, unique=["user_id", "pages"])
    run({"land": one}, "strict")


def test_handlers_events_are_checked_the_same_however_users_are_batched() -> None:
    journey = sd.Journey("pay", [sd.Adventure("pay", [sd.Action("pay", handler=by_handler)])])
    schema = {
        "paid": pa.DataFrameSchema(
            {
                "amount": pa.Column(float, pa.Check.lt(2.5)),
                "coupon": pa.Column(str, pa.Check.isin(["X"]), nullable=True),
            }
        )
    }
    report, events = run(schema, journeys=journey, users=300)
    assert set(report.invalid["failed_check"]) == {"amount: less_than(2.5)"}
    for size in (1, 7, 50):
        again, same = run(schema, journeys=journey, users=300, batch_size=size)
        ids = ["user_index", "failed_check", "event_id"]
        assert_frame_equal(again.invalid.select(ids), report.invalid.select(ids))
        assert same["event_id"].to_list() == events["event_id"].to_list()
    with pytest.warns(sd.SynodeWarning, match="'pait', which was not emitted. Did you mean 'paid'"):
        run({"pait": schema["paid"]}, journeys=journey, users=20)


def test_a_pattern_names_columns_also_those_that_handlers_give() -> None:
    prices = {"pri.e|amount": pa.Column(float, pa.Check.lt(2.5), regex=True)}
    report, _ = run({"pay": pa.DataFrameSchema(prices)})
    assert set(report.invalid["failed_check"]) == {"price: less_than(2.5)"}
    journey = sd.Journey("pay", [sd.Adventure("pay", [sd.Action("pay", handler=by_handler)])])
    report, _ = run({"paid": pa.DataFrameSchema(prices)}, journeys=journey, users=100)
    assert set(report.invalid["failed_check"]) == {"amount: less_than(2.5)"}
    assert (report.invalid["amount"] == 2.5).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_error_reaches_the_user_whole_from_workers(n_jobs) -> None:
    own = pa.DataFrameSchema(
        {"pages": pa.Column(int, pa.Check(lambda d: d.lazyframe.select(pl.col(d.key) < 8), name="few"))}
    )
    with pytest.raises(sd.SynodeValidationError) as caught:
        run({"land": own}, "strict", n_jobs=n_jobs, batch_size=50)
    assert caught.value.code == "INVALID_EVENTS"
    assert caught.value.cases["check"].unique().to_list() == ["few"]
    copy = pickle.loads(pickle.dumps(caught.value))
    assert_frame_equal(copy.cases, caught.value.cases)
    assert str(copy) == str(caught.value)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("adapter", ["parquet", "composite", "one file", "csv"])
def test_strict_leaves_nothing_partial_behind(tmp_path, n_jobs, adapter) -> None:
    made = {
        "parquet": lambda: sd.ParquetAdapter(tmp_path / "events"),
        "one file": lambda: sd.ParquetAdapter(tmp_path / "events.parquet"),
        "csv": lambda: sd.CSVAdapter(tmp_path / "events.csv"),
        "composite": lambda: sd.CompositeAdapter([sd.ParquetAdapter(tmp_path / "events"), sd.InMemoryAdapter()]),
    }
    late = {"land": pa.DataFrameSchema({"user_index": pa.Column(int, pa.Check.lt(900))})}
    journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("land", fields={"user_index": pl.col("user_index")})])])
    with pytest.raises(sd.SynodeValidationError) as caught:
        sd.generate(
            journey,
            users=1_000,
            adapter=made[adapter](),
            event_schema=late,
            batch_size=50,
            n_jobs=n_jobs,
        )
    assert caught.value.cases["user_index"].to_list() == list(range(900, 950))
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_strict_leaves_nothing_in_memory() -> None:
    adapter = sd.InMemoryAdapter()
    with pytest.raises(sd.SynodeValidationError):
        sd.generate(VISIT, users=600, seed=5, adapter=adapter, event_schema=BOTH, batch_size=2)
    assert adapter.events.height == 0


CHECKS = {
    "gt": lambda: pa.Check.gt(3),
    "range": lambda: pa.Check.in_range(1, 8),
    "isin": lambda: pa.Check.isin([0, 1, 2, 3, 5, 8]),
    "own": lambda: pa.Check(lambda d: d.lazyframe.select(pl.col(d.key) % 2 == 0)),
    "each": lambda: pa.Check(lambda x: x < 7, element_wise=True),
    "nulls": lambda: pa.Check(lambda d: d.lazyframe.select(pl.col(d.key) >= 0), ignore_na=False),
}


@given(
    values=st.lists(st.one_of(st.integers(0, 9), st.none()), min_size=1, max_size=6),
    names=st.lists(st.sampled_from(sorted(CHECKS)), max_size=3),
    nullable=st.booleans(),
    dtype=st.sampled_from([pl.Int64, pl.String, None]),
)
def test_verdicts_agree_with_pandera(values, names, nullable, dtype) -> None:
    if dtype == pl.String and names:
        names = []
    schema = pa.DataFrameSchema({"n": pa.Column(dtype, [CHECKS[name]() for name in names], nullable=nullable)})
    journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("e", fields={"n": sd.one_of([*values, 1])})])])
    events = sd.generate_df(journey, users=8, seed=1)
    good = []
    for row in range(events.height):
        try:
            schema.validate(events[row], lazy=True)
            good.append(row)
        except pa.errors.SchemaErrors:
            pass
    kept = sd.generate_df(journey, users=8, seed=1, event_schema={"e": schema}, schema_mode="skip")
    assert_frame_equal(kept, events[good])


class Unreadable(pa.DataFrameModel):
    pages: object()


class Pydantic(pydantic.BaseModel):
    pages: int


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        (Pydantic, "pydantic model"),
        (Pydantic(pages=1), "pydantic model"),
        (pandera.pandas.DataFrameSchema({"pages": pandera.pandas.Column(int)}), "import pandera.polars as pa"),
        ({"land": pa.Column(int)}, "put the column in a schema"),
        ({"land": {"pages": int}}, "DataFrameSchema"),
        (pl.Schema({"pages": pl.Int64}), "DataFrameSchema"),
        (["land"], "event name: schema"),
        ({"land": pa.DataFrameSchema({"pagess": pa.Column(int)})}, "Did you mean 'pages'"),
        ({"land": pa.DataFrameSchema({"price": pa.Column(float)})}, "use one of 'pages'"),
        (pa.DataFrameSchema({"pagess": pa.Column(int)}), "Did you mean 'pages'"),
        ({"land": pa.DataFrameSchema({"pages": pa.Column(int, unique=True)})}, "finished frame"),
        ({"land": pa.DataFrameSchema({"pages": pa.Column(int)}, unique=["pages"])}, "finished frame"),
        ({"land": pa.DataFrameSchema({"pages": pa.Column(int, default=1)})}, "cannot change them"),
        (
            {"land": pa.DataFrameSchema({"pages": pa.Column(int, pa.Check(lambda d: 1 / 0, name="odd"))})},
            "odd raised ZeroDivisionError",
        ),
        (
            {
                "land": pa.DataFrameSchema(
                    {"pages": pa.Column(int, pa.Check(lambda d: d.lazyframe.select(pl.col(d.key)).head(3) > 0))}
                )
            },
            "raised TypeError",
        ),
        (
            {
                "land": pa.DataFrameSchema(
                    {"pages": pa.Column(int, pa.Check(lambda d: d.lazyframe.select(pl.col(d.key) > 0).head(3)))}
                )
            },
            "each row",
        ),
        ({"land": pa.DataFrameSchema({"pages": pa.Column(int, pa.Check(lambda d: False))})}, "each row"),
        ({"land": pa.DataFrameSchema({"pages": pa.Column(int, pa.Check(lambda d: True))})}, "each row"),
        (
            {
                "land": pa.DataFrameSchema(
                    {"pages": pa.Column(int, pa.Check(lambda d: d.lazyframe.select(pl.mean(d.key) > 0)))}
                )
            },
            "each row",
        ),
        (
            {
                "land": pa.DataFrameSchema(
                    {"pages": pa.Column(int, pa.Check(lambda d: d.lazyframe.select(pl.col(d.key) + 1)))}
                )
            },
            "yes or no",
        ),
        (
            {
                "land": pa.DataFrameSchema(
                    checks=pa.Check(lambda d: d.lazyframe.select(pl.col("pages") <= pl.mean("pages")))
                )
            },
            "when it is alone",
        ),
        (
            {"land": pa.DataFrameSchema({"pages": pa.Column(int, pa.Check.unique_values_eq(range(10)))})},
            "each row",
        ),
        ({"land": pa.DataFrameSchema({"pages": pa.Column(int)}, strict="filter")}, "strict=True"),
        ({"land": pa.DataFrameSchema({"pages": pa.Column(int)}, ordered=True)}, "finished frame"),
        ({"land": pa.DataFrameSchema({"pages": pa.Column(int)}, drop_invalid_rows=True)}, "schema_mode='skip'"),
        ({"land": pa.DataFrameSchema({"pages": pa.Column()}, dtype=int)}, "each column"),
        ({"land": pa.DataFrameSchema({"pages": pa.Column(int)}, add_missing_columns=True)}, "cannot change them"),
        ({"land": pa.DataFrameSchema({"(": pa.Column(int, regex=True)})}, "no regular expression"),
        ({"land": pa.DataFrameSchema({"pages": pa.Column(int, pa.Check.gt("a"))})}, "greater_than(a) raised"),
        (sd.EventsFrame, "finished frame"),
        (int, "import pandera.polars as pa"),
        ({"land": None}, "import pandera.polars as pa"),
        ({"land": Unreadable}, "none that pandera can read"),
        ({7: FEW_PAGES}, "non-empty string"),
    ],
)
def test_what_is_no_schema_is_an_error_that_says_what_to_use(schema, says) -> None:
    with pytest.raises(sd.SynodeError) as caught:
        run(schema)
    assert caught.value.code in ("INVALID_SCHEMA", "INVALID_ID")
    assert says in str(caught.value)


def test_a_schema_for_an_event_that_no_journey_emits_is_a_warning() -> None:
    with pytest.warns(sd.SynodeWarning, match="'lant', which no journey emits. Did you mean 'land'"):
        run({"lant": FEW_PAGES})


def test_an_unknown_mode_is_an_error() -> None:
    with pytest.raises(sd.SynodeError, match="Did you mean 'skip'"):
        run(mode="skipp")


def test_pandera_is_imported_with_the_first_schema_only() -> None:
    code = (
        "import sys, synode_df as sd\n"
        "sd.generate_df(sd.Journey('j', [sd.Adventure('a', [sd.Action('e')])]), users=3)\n"
        "print('pandera' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told == "False\n"
