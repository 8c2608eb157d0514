"""The linter: one finding for each habit that is legal but not meant, none for a sound scenario."""

from __future__ import annotations

import polars as pl
import pytest

import synode_df as sd
from tests.benchmarks import workloads


def one(*actions: sd.Action, id: str = "j", **options: object) -> sd.Journey:
    return sd.Journey(id, [sd.Adventure("a", list(actions))], **options)


def declared(**options: object) -> dict[str, object]:
    return options


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
    "window": (declared(journeys=one(sd.Action("x", time_span="20d"))), "MOSTLY_CUT", "Journey 'j'", "20.00 days on average, 67% of a window of 30.00 days"),
    "attribute": (declared(journeys=one(sd.Action("x")), persona=sd.Persona("p", {"c": 1})), "UNUSED_ATTRIBUTE", "Attribute 'c'", "no journey reads it"),
    "dataset": (declared(journeys=one(sd.Action("x")), datasets=[workloads.products()]), "UNUSED_DATASET", "Dataset 'products'", "nothing picks"),
    "weights": (declared(journeys=one(sd.Action("x", fields=READ)), persona=sd.Persona("p", {"c": sd.weighted({"a": 60, "b": 35})})), "ODD_WEIGHTS", "Attribute 'c'", "60 + 35 = 95, not 100: 'a' comes 63.16% of the time, not 60.00%"),
    "unset": (declared(journeys=SKIPPED), "MAYBE_UNSET", "Action 'y' > Field 'seen'", "null for users who skipped"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_finding(case) -> None:
    scenario, code, path, message = CASES[case]
    found = sd.check(**scenario).filter(code=code)
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


def test_a_journey_that_reads_what_an_earlier_one_remembers_is_no_error() -> None:
    first = one(sd.Action("x", remember={"seen": sd.uniform(0, 1)}))
    second = one(sd.Action("y", bounce_chance=pl.col("seen")), id="k", requires="j")
    assert "UNREACHABLE" not in sd.check([first, second])["code"].to_list()
