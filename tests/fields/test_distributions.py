"""Each generator against its stated distribution.

Fixed seeds; a test fails if data of the stated distribution would look as strange as this less than once in a thousand
times (p < 0.001). A seed that happens to be that one in a thousand would be no reason to change the generator.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

import synode_df as sd

ROWS = 50_000
RARE = 0.001


def draw(generator: sd.FieldGenerator, **options: object) -> pl.Series:
    return sd.sample(generator, rows=ROWS, seed=11, **options)


def assert_frequencies(values: pl.Series, expected: dict[object, float]) -> None:
    counts = dict(values.value_counts().iter_rows())
    assert set(counts) <= set(expected)
    seen = [counts.get(value, 0) for value in expected]
    total = sum(expected.values())
    wanted = [ROWS * weight / total for weight in expected.values()]
    assert stats.chisquare(seen, wanted).pvalue > RARE


def test_weighted() -> None:
    weights = {"a": 60, "b": 30, "c": 9, "d": 1}
    assert_frequencies(draw(sd.weighted(weights)), weights)


def test_weighted_never_gives_a_value_without_weight() -> None:
    values = draw(sd.weighted({"never": 0, "a": 1, "nor": 0, "b": 1, "neither": 0}))
    assert set(values.unique()) == {"a", "b"}


def test_one_of() -> None:
    assert_frequencies(draw(sd.one_of([1, 2, 3, 4, 5])), dict.fromkeys([1, 2, 3, 4, 5], 1.0))


def test_chance() -> None:
    assert_frequencies(draw(sd.chance(0.35)), {True: 0.35, False: 0.65})


def test_chance_by_expression() -> None:
    values = draw(sd.chance(pl.when(pl.col("user_index") % 2 == 0).then(0.9).otherwise(0.2)))
    even = values.gather_every(2).sum()
    odd = values.gather_every(2, 1).sum()
    assert stats.binomtest(even, ROWS // 2, 0.9).pvalue > RARE
    assert stats.binomtest(odd, ROWS // 2, 0.2).pvalue > RARE


def test_integer() -> None:
    assert_frequencies(draw(sd.integer(-3, 6)), dict.fromkeys(range(-3, 7), 1.0))


@pytest.mark.parametrize("low,high", [(0, 2**52 - 2), (-(2**51), 0)])
def test_integer_over_a_wide_range(low: int, high: int) -> None:
    values = draw(sd.integer(low, high)).to_numpy()
    assert values.min() >= low
    assert values.max() <= high
    assert stats.kstest((values - low) / (high - low + 1), "uniform").pvalue > RARE


def test_uniform() -> None:
    values = draw(sd.uniform(-2, 5))
    assert values.min() >= -2
    assert values.max() <= 5
    assert stats.kstest(values.to_numpy(), stats.uniform(-2, 7).cdf).pvalue > RARE


def test_normal() -> None:
    assert stats.kstest(draw(sd.normal(40, 12)).to_numpy(), stats.norm(40, 12).cdf).pvalue > RARE


def test_normal_is_truncated_not_piled_up_at_the_bounds() -> None:
    values = draw(sd.normal(0, 1, min=-0.5, max=2)).to_numpy()
    assert values.min() >= -0.5
    assert values.max() <= 2
    assert stats.kstest(values, stats.truncnorm(-0.5, 2).cdf).pvalue > RARE


def test_lognormal() -> None:
    values = draw(sd.lognormal(median=40, sigma=0.6)).to_numpy()
    assert stats.kstest(values, stats.lognorm(s=0.6, scale=40).cdf).pvalue > RARE


def test_exponential() -> None:
    assert stats.kstest(draw(sd.exponential(7)).to_numpy(), stats.expon(scale=7).cdf).pvalue > RARE


@pytest.mark.parametrize("mean", [0.1, 2.5, 40, 3_000])
def test_poisson(mean: float) -> None:
    values = draw(sd.poisson(mean)).to_numpy()
    law = stats.poisson(mean)
    edges = np.unique(law.ppf(np.linspace(0.02, 0.98, 25)))
    cells = np.searchsorted(edges, values, side="left")
    upper = np.concatenate([law.cdf(edges), [1.0]])
    wanted = np.diff(np.concatenate([[0.0], upper])) * ROWS
    seen = np.bincount(cells, minlength=len(wanted))
    assert stats.chisquare(seen, wanted).pvalue > RARE


def test_sequence_counts_rows() -> None:
    assert draw(sd.sequence()).to_list() == list(range(1, ROWS + 1))
    assert draw(sd.sequence("N-{:03d}", start=7, step=3))[:3].to_list() == ["N-007", "N-010", "N-013"]
    assert draw(sd.sequence("{{x}} {} 100%"))[0] == "{x} 1 100%"


PLANS = sd.Dataset.from_frame(
    "plans", pl.DataFrame({"plan": ["free", "pro", "max"], "share": [7, 2, 1], "n": [1, 2, 3]})
)


def test_pick_is_uniform_over_rows() -> None:
    assert_frequencies(draw(sd.pick("plans", "plan"), datasets=[PLANS]), {"free": 1, "pro": 1, "max": 1})


def test_weights_whose_sum_is_beyond_floats() -> None:
    assert_frequencies(draw(sd.weighted({"a": 1e308, "b": 1e308, "c": 1e308})), {"a": 1, "b": 1, "c": 1})


def test_pick_by_a_weight_column() -> None:
    picked = draw(sd.pick("plans", "plan", weight="share"), datasets=[PLANS])
    assert_frequencies(picked, {"free": 7, "pro": 2, "max": 1})


def test_picked_columns_belong_to_one_row() -> None:
    picked = draw(sd.pick("plans", ["plan", "n"]), datasets=[PLANS]).struct.unnest().unique()
    assert sorted(picked.rows()) == [("free", 1), ("max", 3), ("pro", 2)]
    assert draw(sd.pick("plans"), datasets=[PLANS]).struct.fields == ["plan", "share", "n"]


def test_fake_is_faker_in_the_locale_of_the_user() -> None:
    from faker.providers.person.de_DE import Provider

    ours = sd.sample(sd.fake("random_element", ["a", "b", "c", "d"]), rows=4_000, seed=3)
    counts = [ours.to_list().count(value) for value in "abcd"]
    assert stats.chisquare(counts).pvalue > RARE
    persona = sd.Persona("p", {"locale": "de_DE", "name": sd.fake("last_name")})
    visit = sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])])
    users = sd.generate(visit, users=300, persona=persona, adapter=sd.InMemoryAdapter(), seed=3).users
    assert set(users["name"]) <= set(Provider.last_names)


@pytest.mark.parametrize(
    "span,law",
    [
        (sd.TimeSpan("10s", "70s"), stats.uniform(10e6, 60e6)),
        (sd.TimeSpan("10s", "70s", distribution="normal"), stats.truncnorm(-3, 3, loc=40e6, scale=10e6)),
        (sd.TimeSpan("10s", "70s", distribution="exponential"), stats.truncexpon(4, loc=10e6, scale=15e6)),
    ],
    ids=["uniform", "normal", "exponential"],
)
def test_time_spans(span: sd.TimeSpan, law: stats.rv_continuous) -> None:
    visit = sd.Journey("j", [sd.Adventure("a", [sd.Action("x"), sd.Action("y", time_span=span)])])
    events = sd.generate_df(visit, users=20_000, seed=5)
    gaps = events.group_by("user_id").agg(pl.col("timestamp").last() - pl.col("timestamp").first())
    micros = gaps.filter(pl.col("timestamp") > pl.duration())["timestamp"].dt.total_microseconds().to_numpy()
    assert micros.min() >= 10_000_000
    assert micros.max() <= 70_000_000
    assert stats.kstest(micros, law.cdf).pvalue > RARE


def test_arrivals_are_uniform_over_the_window() -> None:
    visit = sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])])
    times = sd.generate_df(visit, users=20_000, seed=5)["timestamp"].dt.timestamp("us").to_numpy()
    start = 1_767_225_600_000_000  # 2026-01-01
    assert stats.kstest(times, stats.uniform(start, 30 * 86_400e6).cdf).pvalue > RARE


@pytest.mark.parametrize(
    "generator",
    [
        sd.uniform(0, 9, decimals=2),
        sd.normal(0, 5, decimals=1),
        sd.lognormal(3, 1, decimals=0),
        sd.exponential(2, decimals=3),
    ],
)
def test_decimals_round(generator: sd.FieldGenerator) -> None:
    digits = generator.decimals  # type: ignore[attr-defined]
    values = draw(generator).to_list()
    assert all(math.isclose(value, round(value, digits), abs_tol=1e-12) for value in values)


def test_fields_of_one_user_are_independent() -> None:
    persona = sd.Persona("p", {name: sd.uniform(0, 1) for name in ("a", "b", "c")})
    visit = sd.Journey("j", [sd.Adventure("k", [sd.Action("x")])])
    users = sd.generate(visit, users=ROWS, persona=persona, adapter=sd.InMemoryAdapter(), seed=2).users
    for one, other in (("a", "b"), ("b", "c"), ("a", "c")):
        grid, _, _ = np.histogram2d(users[one].to_numpy(), users[other].to_numpy(), bins=10)
        assert stats.chisquare(grid.ravel()).pvalue > RARE


@pytest.mark.parametrize(
    "generator",
    [
        sd.weighted({"a": 1, "b": 2}),
        sd.one_of([1, 2]),
        sd.chance(0.5),
        sd.uniform(0, 1),
        sd.integer(0, 9),
        sd.normal(0, 1, min=-1),
        sd.lognormal(1, 1),
        sd.exponential(1),
        sd.poisson(4),
        sd.sequence("x{}"),
        sd.pick("plans"),
        sd.fake("first_name"),
        sd.fake("date_of_birth"),
    ],
    ids=repr,
)
def test_rows_do_not_depend_on_each_other_and_none_give_the_same_type(generator: sd.FieldGenerator) -> None:
    many = sd.sample(generator, rows=40, seed=4, datasets=[PLANS])
    few = sd.sample(generator, rows=7, seed=4, datasets=[PLANS])
    none = sd.sample(generator, rows=0, seed=4, datasets=[PLANS])
    assert few.equals(many[:7])
    assert none.dtype == few.dtype == many.dtype
    assert len(none) == 0
