"""Expressions that look at one user at a time are accepted, others refused; and how accepted ones are evaluated."""

from __future__ import annotations

import warnings

import numpy as np
import polars as pl
import pytest

import synode_df as sd
from synode_df.engine.evaluation import evaluate
from synode_df.fields.columns import Column, PythonColumn

a, b = pl.col("a"), pl.col("b")

ACCEPTED = [
    a + b,
    -a,
    a > 1,
    a.is_in([1, 2]),
    a.fill_null(0),
    a.clip(0, 1),
    a.round(2),
    a.cast(pl.String),
    a.alias("c"),
    a.replace({1: 2}),
    a.is_between(0, b),
    a.list.sum(),
    a.list.eval(pl.element().sum()),
    a.list.len(),
    a.struct.field("x"),
    a.str.to_uppercase(),
    a.dt.hour(),
    a.dt.strftime("%Y"),
    pl.lit(1),
    pl.struct("a", "b"),
    pl.concat_str("a", pl.lit("x")),
    pl.format("{}-{}", a, b),
    pl.coalesce("a", "b"),
    pl.sum_horizontal("a", "b"),
    pl.concat_list("a", "b"),
    pl.when(a > 1).then(1).when(b > 2).then(2).otherwise(3),
]
REFUSED = [
    a.sum(),
    a.mean() + b,
    a.max() - a,
    b.clip(0, a.max()),
    a.first(),
    a.sum().over("b"),
    a.rank(),
    a.shift(1),
    a.diff(),
    a.cum_sum(),
    a.rolling_mean(2),
    a.sort(),
    a.sort_by("b"),
    a.reverse(),
    a.filter(b),
    a.head(1),
    a.gather([0]),
    a.unique(),
    a.explode(),
    a.drop_nulls(),
    a.append(b),
    a.sample(fraction=1.0),
    a.shuffle(),
    a.fill_null(strategy="forward"),
    a.interpolate(),
    a.is_duplicated(),
    a.implode(),
    a + pl.lit(pl.Series([1, 2])),
    a.map_elements(lambda x: x, return_dtype=pl.Int64),
    a.map_batches(lambda x: x),
    pl.len(),
    pl.int_range(pl.len()),
    pl.element(),
    pl.all(),
    pl.col("^a.*$"),
    pl.col("a", "b"),
    pl.col(pl.Int64),
    pl.nth(0),
    pl.when(a.mean() > 1).then(1).otherwise(2),
    pl.struct(a, b.sum()),
    pl.format("{}", a.max()),
    a.list.eval(pl.element()).shift(1),
]


@pytest.mark.parametrize("expression", ACCEPTED, ids=str)
def test_row_wise_expression_is_accepted(expression: pl.Expr) -> None:
    assert sd.Action("x", fields={"f": expression}, bounce_chance=expression).fields


@pytest.mark.parametrize("expression", REFUSED, ids=str)
def test_expression_over_several_rows_is_refused_everywhere(expression: pl.Expr) -> None:
    for declare in (
        lambda: sd.Action("x", fields={"f": expression}),
        lambda: sd.Action("x", remember={"f": expression}),
        lambda: sd.Action("x", bounce_chance=expression),
        lambda: sd.Persona("p", {"f": expression}),
        lambda: sd.Dataset("d", 1, {"f": expression}),
        lambda: sd.chance(expression),
    ):
        with pytest.raises(sd.SynodeError) as caught:
            declare()
        assert caught.value.code == "EXPRESSION_NOT_ROW_WISE"


VALUES = pl.Series([3, 1, None, 7])
CODES = np.array([0, 0, 1, 3, 2, 1, 0], dtype=np.uint32)


@pytest.mark.parametrize(
    "expression", [a + 1, a.is_null(), a.cast(pl.String), pl.struct(a, (a * 2).alias("c")), pl.lit(4), a, a * a]
)
def test_distinct_values_and_rows_give_the_same(expression: pl.Expr) -> None:
    coded = evaluate(expression, lambda name: Column(VALUES, CODES), 7, "here")
    plain = evaluate(expression, lambda name: Column(VALUES.gather(pl.Series(CODES))), 7, "here")
    assert isinstance(coded, Column)
    assert isinstance(plain, Column)
    assert coded.series().equals(plain.series())


def test_a_distinct_value_that_no_row_holds_cannot_fail() -> None:
    column = Column(pl.Series(["1", "2", "x"]), np.array([0, 1, 1], dtype=np.uint32))
    result = evaluate(pl.col("a").cast(pl.Int64), lambda name: column, 3, "here")
    assert result.to_list() == [1, 2, 2]


def test_python_values_are_seen_with_their_own_types() -> None:
    column = PythonColumn([3, 2.5, None, "x"])
    result = evaluate(pl.format("{}!", a), lambda name: column, 4, "here")
    assert result.to_list() == ["3!", "2.5!", None, "x!"]


def test_only_the_struct_fields_that_are_read_are_gathered() -> None:
    wide = pl.DataFrame({f"c{number}": [number, number + 1] for number in range(40)}).to_struct("wide")
    column = Column(wide, np.array([1, 0, 1], dtype=np.uint32))
    other = Column(pl.Series([10, 20, 30]))
    read = {"a": column, "b": other}
    result = evaluate(a.struct.field("c3") + a.struct.field("c5") + b, lambda name: read[name], 3, "here")
    assert result.to_list() == [20, 28, 40]


def test_error_of_polars_is_told_with_place_and_types() -> None:
    with warnings.catch_warnings(), pytest.raises(sd.SynodeError) as caught:
        evaluate(a.str.len_chars(), lambda name: Column(VALUES), 4, "Action 'x'")
    assert caught.value.code == "EXPRESSION_FAILED"
    assert caught.value.path == "Action 'x'"
    assert "a: Int64" in str(caught.value.expected)
