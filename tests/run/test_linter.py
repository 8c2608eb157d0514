"""The linter: one finding for each habit that is legal but not meant, none for a sound scenario."""

from __future__ import annotations

from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import synode_df as sd
from synode_df.cli import shop
from synode_df.monitoring.models import FindingsFrame
from tests.benchmarks import workloads
from tests.strategies import scenario


def one(*actions: sd.Action, id: str = "j", **options: object) -> sd.Journey:
    return sd.Journey(id, [sd.Adventure("a", list(actions))], **options)


def declared(**options: object) -> dict[str, object]:
    return options


CODES = {
    *("UNREACHABLE", "RARELY_COMPLETED", "MOSTLY_CUT", "UNUSED_ATTRIBUTE", "UNUSED_DATASET"),
    *("ODD_WEIGHTS", "MAYBE_UNSET"),
}
READ = {"c": pl.col("c")}
SKIPPED = sd.Journey(
    "j",
    [
        sd.Adventure("a", [sd.Action("x", remember={"seen": 1})], bounce_chance=0.5, on_bounce="skip"),
        sd.Adventure("b", [sd.Action("y", fields={"seen": pl.col("seen")})]),
    ],
)
CASES = {
    "bounce 1": (declared(journeys=one(sd.Action("x"), sd.Action("y", bounce_chance=1), sd.Action("z"))), "UNREACHABLE", "Action 'y'", "100.00% of users come to it"),
    "requires": (declared(journeys=[one(sd.Action("x"), bounce_chance=1), one(sd.Action("y"), id="k", requires="j")]), "UNREACHABLE", "Journey 'k'", "requires 'j'"),
    "order": (declared(journeys=[one(sd.Action("y"), id="k", requires="j"), one(sd.Action("x"))]), "UNREACHABLE", "Journey 'k'", "requires 'j', which comes after it"),
    "rare": (declared(journeys=one(*(sd.Action(f"x{i}", bounce_chance=0.9) for i in range(4)))), "RARELY_COMPLETED", "Journey 'j'", "0.1 x 0.1 x 0.1 x 0.1 = 0.0100%"),
    "window": (declared(journeys=one(sd.Action("x", time_span="20d"))), "MOSTLY_CUT", "Journey 'j'", "20.00 days after arrival on average, 67% of a window of 30.00 days"),
    "attribute": (declared(journeys=one(sd.Action("x")), persona=sd.Persona("p", {"c": 1})), "UNUSED_ATTRIBUTE", "Attribute 'c'", "no journey reads it"),
    "dataset": (declared(journeys=one(sd.Action("x")), datasets=[workloads.products()]), "UNUSED_DATASET", "Dataset 'products'", "nothing picks"),
    "weights": (declared(journeys=one(sd.Action("x", fields=READ)), persona=sd.Persona("p", {"c": sd.weighted({"a": 60, "b": 35})})), "ODD_WEIGHTS", "Attribute 'c'", "60 + 35 = 95, not 100: 'a' comes 63.16% of the time, not 60.00%"),
    "after a pause": (declared(journeys=[one(sd.Action("x"), suppression_period="20d"), one(sd.Action("y"), id="k")]), "MOSTLY_CUT", "Journey 'k'", "20.00 days after arrival"),
    "too long": (declared(journeys=one(sd.Action("x", time_span="40d"))), "UNREACHABLE", "Action 'x'", "end of the window"),
    "skipped always": (declared(journeys=sd.Journey("j", [sd.Adventure("a", [sd.Action("x")], bounce_chance=1, on_bounce="skip"), sd.Adventure("b", [sd.Action("y")])])), "UNREACHABLE", "Adventure 'a'", "100.00% of users come to it"),
    "rare in time": (declared(journeys=one(*(sd.Action(f"x{i}", bounce_chance=0.9) for i in range(4)), sd.Action("y", time_span="6d"))), "RARELY_COMPLETED", "Journey 'j'", "0.1 x 0.1 x 0.1 x 0.1 x 0.8 in time = 0.0080%"),
    "rare after another": (declared(journeys=[one(sd.Action("x", bounce_chance=0.98)), one(sd.Action("y", bounce_chance=0.98), id="k", requires="j")]), "RARELY_COMPLETED", "Journey 'k'", "0.02 who come to it x 0.02 = 0.0400%"),
    "rare by attribute": (declared(journeys=one(sd.Action("x", bounce_chance=pl.when(pl.col("c") == "a").then(0.9995).otherwise(1))), persona=sd.Persona("p", {"c": sd.weighted({"a": 1, "b": 1})})), "RARELY_COMPLETED", "Journey 'j'", "(1 - expression) = 0.0250%"),
    "with handlers": (declared(journeys=one(sd.Action("x", handler=lambda ctx: 1 / 0), *(sd.Action(f"x{i}", bounce_chance=0.9) for i in range(4)))), "RARELY_COMPLETED", "Journey 'j'", "= about 0.0100%"),
    "mixture": (declared(journeys=one(sd.Action("x")), persona=[(sd.Persona("p", {}), 60), (sd.Persona("q", {}), 35)]), "ODD_WEIGHTS", "persona", "60 + 35 = 95, not 100: 'p' comes 63.16%"),
    "fractions": (declared(journeys=one(sd.Action("x", fields={"c": sd.weighted({"a": 60, "b": 0.35})}))), "ODD_WEIGHTS", "Action 'x' > Field 'c'", "'b' comes 0.58% of the time, not 35%"),
    "weights of a dataset": (declared(journeys=one(sd.Action("x", remember={"row": sd.pick("d")})), datasets=[sd.Dataset("d", 3, {"c": sd.weighted({"a": 0.6, "b": 0.39})})]), "ODD_WEIGHTS", "Dataset 'd' > Field 'c'", "0.6 + 0.39 = 0.99, not 1"),
    "unset chance": (declared(journeys=[one(sd.Action("x", remember={"seen": sd.chance(0.5)}), bounce_chance=0.5), one(sd.Action("y", bounce_chance=pl.col("seen").fill_null(False)), id="k")]), "MAYBE_UNSET", "Action 'y' > Bounce chance", "'seen' is null"),
    "unset memory": (declared(journeys=[one(sd.Action("x", remember={"seen": 1}, remember_scope="action"), sd.Action("y", remember={"more": pl.col("seen") + 1}))]), "MAYBE_UNSET", "Action 'y' > Field 'more'", "'seen' is null"),
    "unset": (declared(journeys=SKIPPED), "MAYBE_UNSET", "Action 'y' > Field 'seen'", "null for users who skipped"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_finding(case) -> None:
    made, code, path, message = CASES[case]
    found = sd.check(**made).filter(code=code)
    assert any(path in row["path"] and message in row["message"] for row in found.iter_rows(named=True)), found.rows()


def test_a_sound_scenario_has_no_findings() -> None:
    persona = sd.Persona("p", {"device": sd.weighted({"mobile": 0.6, "desktop": 0.4}), "country": "US"})
    assert sd.check(workloads.shop(), persona, [workloads.products()]).rows() == []


def test_weights_that_need_not_sum_to_anything_are_fine() -> None:
    persona = sd.Persona("p", {"c": sd.weighted({"a": 1, "b": 2, "d": 7})})
    assert sd.check(one(sd.Action("x", fields=READ)), persona).rows() == []


def test_functions_may_read_and_set_anything() -> None:
    journey = one(sd.Action("x", handler=lambda ctx: []))
    assert sd.check(journey, sd.Persona("p", {"c": 1}), [workloads.products()]).rows() == []


def test_what_required_journeys_remember_is_there() -> None:
    first = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", remember={"seen": sd.uniform(0, 1)})])])
    second = one(sd.Action("y", bounce_chance=pl.col("seen"), fields={"seen": pl.col("seen")}), id="k", requires="j")
    third = one(sd.Action("z", fields={"seen": pl.col("seen")}), id="l", requires="k")
    assert sd.check([first, second, third]).rows() == []


def test_an_action_reads_what_it_remembers_itself() -> None:
    action = sd.Action("x", remember={"n": 1, "m": pl.col("n") + 1}, fields={"n": pl.col("n"), "o": pl.col("m")})
    assert sd.check(one(action)).rows() == []


def test_few_simulated_users_are_no_proof() -> None:
    rare = sd.Persona("p", {"c": sd.normal(0, 1)})
    journey = one(
        sd.Action("x", bounce_chance=pl.when(pl.col("c") > 3.5).then(0).otherwise(1)), sd.Action("y", bounce_chance=0.9)
    )
    assert "UNREACHABLE" not in sd.check(journey, rare)["code"].to_list()


def test_the_projects_own_examples_have_no_findings_but_attributes_for_the_users_table() -> None:
    found = sd.check(shop.journeys(), shop.shopper(), shop.datasets())
    assert found.filter(pl.col("code") != "UNUSED_ATTRIBUTE").rows() == []


def test_findings_show_whole_sentences() -> None:
    found = sd.check(one(*(sd.Action(f"x{i}", bounce_chance=0.9) for i in range(4))))
    message = found["message"][0]
    assert str(found) == repr(found) == f"1 finding\nRARELY_COMPLETED  Journey 'j'\n    {message}"
    assert message in found._repr_html_()
    assert str(sd.check(one(sd.Action("x")))) == "no findings"
    assert found.filter(code="RARELY_COMPLETED").height == 1


@given(r=st.randoms(use_true_random=False))
def test_random_scenarios_are_checked_without_an_error(r: Random) -> None:
    journeys, options = scenario(r)
    options.pop("seed")
    found = sd.check(journeys, **options)
    FindingsFrame.validate(found)
    assert found.columns == ["code", "path", "message"]
    assert set(found["code"]) <= CODES
    assert found.null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"journeys": 3}, "INVALID_JOURNEY"),
        ({"journeys": one(sd.Action("x", fields={"c": pl.col("nothing")}))}, "UNKNOWN_NAME"),
        ({"journeys": one(sd.Action("x")), "persona": "p"}, "INVALID_PERSONA"),
        ({"journeys": one(sd.Action("x")), "datasets": 3}, "INVALID_DATASET"),
        ({"journeys": one(sd.Action("x")), "duration": 3}, "INVALID_DURATION"),
        ({"journeys": one(sd.Action("x"), requires="k")}, "UNKNOWN_JOURNEY"),
    ],
)
def test_what_is_not_legal_is_an_error(options, code) -> None:
    with pytest.raises(sd.SynodeError) as caught:
        sd.check(**options)
    assert caught.value.code == code
