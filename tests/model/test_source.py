"""Declarations written as Python: running the text gives equal declarations."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synode_df as sd
from synode_df.fields.expression_source import expression_source, expression_text
from synode_df.model.source import WIDTH, source_of
from tests.strategies import scenario


def made_by(text: str, name: str, needs: Any) -> Any:
    namespace = dict(needs)
    exec(text, namespace)
    return namespace[name]


def round_trip(declaration: Any) -> Any:
    source = source_of(declaration)
    return made_by(source.text, source.names[-1], source.needs)


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_running_the_text_gives_an_equal_declaration(r: Any) -> None:
    journeys, options = scenario(r)
    personas = options["persona"] if isinstance(options["persona"], list) else [(options["persona"], 1)]
    for declared in [*journeys, *(persona for persona, _ in personas), *options["datasets"]]:
        again = round_trip(declared)
        assert again == declared
        assert repr(again) == repr(declared)


ODD = ["it's", 'say "hi"', "emoji 🎉", "שלום", "a\nb", "\u202eright to left", "\\", "class", "9 lives", "sd", "{}"]


@pytest.mark.parametrize("id", ODD)
def test_odd_names_are_written(id: str) -> None:
    persona = sd.Persona(id, {id: sd.weighted({id: 1, "other": 2}), f"{id}2": id}, name=id)
    assert round_trip(persona) == persona
    journey = sd.Journey(id, [sd.Adventure(id, [sd.Action(id, event=id, fields={id: pl.col(id)})])])
    assert round_trip(journey) == journey


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -3,
        1e300,
        float("inf"),
        b"raw",
        dt.date(2026, 1, 1),
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        dt.timedelta(hours=1),
        dt.time(12),
        Decimal("1.50"),
        np.float64(2.5),
        [1, 2],
        (1,),
        {"k": ["v"]},
        sd.one_of([dt.date(2026, 1, 1), None]),
        sd.weighted({1: 0.5, 2: 0.5}),
        sd.fake("bothify", text="??-###"),
        sd.fake("random_int", 1, 6),
        sd.pick("plans", ["a", "b"], weight="a"),
        sd.sequence("SKU-{:05d}", start=7),
        sd.integer(-1, 1),
    ],
    ids=repr,
)
def test_values_are_written(value: Any) -> None:
    persona = sd.Persona("p", {"x": value})
    again = round_trip(persona)
    assert again == persona
    assert not source_of(persona).needs


def test_functions_and_frames_are_named_for_the_reader_to_define() -> None:
    def label(ctx: Any) -> str:
        return "x"

    odd = pl.col("n") + pl.lit(dt.timedelta(days=1))
    persona = sd.Persona("p", {"a": label, "b": label, "c": lambda ctx: 1, "d": sd.fake(lambda faker: 1), "e": odd})
    source = source_of(persona)
    assert list(source.needs) == ["label", "lambda_", "lambda__2", "expression"]
    assert source.needs["label"] is label
    assert "# Yours to define before: label (your function), lambda_ (your function)" in source.text
    assert made_by(source.text, source.names[-1], source.needs) == persona
    plans = sd.Dataset.from_frame("plans", pl.DataFrame({"a": [1]}))
    assert round_trip(plans) == plans
    assert "plans_rows (a frame of 1 rows)" in source_of(plans).text
    with pytest.raises(NameError, match="label"):
        made_by(source.text, source.names[-1], {})


@dataclass(frozen=True, eq=False, repr=False)
class Always(sd.FieldGenerator):
    value: int
    times: int = 1

    def draw(self, rows: Any) -> Any:
        raise NotImplementedError


def test_generators_of_users_are_written_by_their_class() -> None:
    persona = sd.Persona("p", {"a": Always(3, times=2)})
    assert "Always(3, times=2)" in source_of(persona).text
    assert round_trip(persona) == persona


def test_several_declarations_make_one_program() -> None:
    source = source_of(sd.Persona("shop", {}), sd.Dataset("shop", 1, {"a": sd.uniform(0, 1)}))
    namespace: dict[str, Any] = {}
    exec(source.text, namespace)
    assert source.names == ("shop", "shop_2")
    assert namespace["shop"] == sd.Persona("shop", {})


def test_lines_fit_and_long_ones_get_one_line_for_each_member() -> None:
    persona = sd.Persona("p", {f"attribute_{n}": sd.weighted({f"value {k}": k + 1 for k in range(n)}) for n in (1, 9)})
    text = source_of(persona).text
    assert max(map(len, text.split("\n"))) <= WIDTH
    assert '        "attribute_1": sd.weighted({"value 0": 1}),\n' in text
    assert '        "attribute_9": sd.weighted({\n            "value 0": 1,\n' in text


@pytest.mark.parametrize(
    "text",
    [
        'pl.col("a")',
        '(pl.col("a") + 1.5) * 2',
        'pl.col("a") - (pl.col("b") - 1)',
        "pl.lit(2) - pl.col('a')".replace("'", '"'),
        '~pl.col("a")',
        '(pl.col("a") + 1) ** (-2)',
        'pl.when(pl.col("d") == "m").then(0.6).when(pl.col("d") == "x").then(0.1).otherwise(0.4)',
        'pl.when(pl.col("d")).then(pl.lit("a")).otherwise(pl.col("s"))',
        'pl.col("product").struct.field("price")',
        'pl.format("é{}-{}", pl.col("seg"), pl.col("user_index"))',
        'pl.col("t").dt.hour() / 40',
        'pl.col("t").dt.weekday() >= 6',
        'pl.col("a").clip(0, 1)',
        'pl.col("a").clip(upper_bound=1)',
        '(pl.col("a") > 1) & (pl.col("b") < 2) | pl.col("c")',
        '(pl.col("a") > 1) == (pl.col("b") < 2)',
        'pl.col("a").is_in(["x", "y"])',
        'pl.col("a").is_between(1, 2)',
        'pl.col("a").str.contains("b", literal=True)',
        'pl.col("a").cast(pl.Int64).fill_null(0).round(2)',
        'pl.col("a").sqrt().abs()',
    ],
)
def test_expressions_are_written_as_people_write_them(text: str) -> None:
    expression = eval(text)
    written = expression_source(expression)
    assert written == text
    assert expression_text(eval(written)) == expression_text(expression)


def test_reprs_hold_expressions_as_python() -> None:
    generator = sd.chance(pl.col("score") / 2)
    assert repr(generator) == 'chance(pl.col("score") / 2)'
    assert eval(repr(generator), {"chance": sd.chance, "pl": pl}) == generator
