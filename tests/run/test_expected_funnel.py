"""The expected funnel agrees with a simulated one, and says where it is only estimated."""

from __future__ import annotations

import math
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import synode_df as sd
from synode_df.monitoring.models import ExpectedShares
from tests.strategies import scenario

PERSONA = sd.Persona(
    "p",
    {
        "device": sd.weighted({"mobile": 0.6, "desktop": 0.4}),
        "slow": pl.col("device") == "mobile",
        "member": sd.chance(pl.when(pl.col("slow")).then(0.2).otherwise(0.7)),
        "age": sd.normal(40, 5),
    },
)
BOT = sd.Persona("bot", {"device": "desktop", "slow": False, "member": sd.one_of([True, False, False]), "age": 1.0})
BOUNCE = pl.when(pl.col("device") == "mobile").then(0.5).when(pl.col("member")).then(0.1).otherwise(0.3)


def journey(**last: object) -> sd.Journey:
    span = sd.TimeSpan("1h", "5d", distribution="exponential")
    return sd.Journey(
        "j",
        [
            sd.Adventure(
                "a",
                [sd.Action("x", bounce_chance=0.2), sd.Action("y", bounce_chance=BOUNCE, time_span=span)],
                on_bounce="skip",
            ),
            sd.Adventure(
                "b", [sd.Action("z", time_span=("1h", "3d"), bounce_chance=BOUNCE)], time_span="1d", bounce_chance=0.25
            ),
            sd.Adventure("c", [sd.Action("w", time_span=sd.TimeSpan("1h", "1d", distribution="normal"), **last)]),
        ],
        bounce_chance=pl.col("member").cast(pl.Float64) * 0.1,
    )


DEVIATIONS = 4
"""How far a count may be from what is expected: further off is one count in 16,000, and the seed is fixed."""


class Nowhere(sd.OutputAdapter):
    def write(self, batch: pl.DataFrame) -> None:
        pass


def simulated(
    made: object, persona: object, users: int, **options: object
) -> dict[tuple[object, ...], tuple[int, int]]:
    """How many users reached and entered each step of a run."""
    telemetry = sd.generate(made, users=users, persona=persona, adapter=Nowhere(), seed=11, **options).telemetry
    counts: dict[tuple[object, ...], tuple[int, int]] = {}
    for row in telemetry.journeys.iter_rows(named=True):
        counts[row["journey_id"], "journey", None, None] = (row["bounced"] + row["started"], row["started"])
        counts[row["journey_id"], "completed", None, None] = (row["completed"], row["completed"])
    for row in telemetry.adventures.iter_rows(named=True):
        counts[row["journey_id"], "adventure", row["adventure_id"], None] = (row["reached"], row["entered"])
    for row in telemetry.actions.iter_rows(named=True):
        counts[row["journey_id"], "action", row["adventure_id"], row["action_id"]] = (row["reached"], row["entered"])
    return counts


def agrees(funnel: pl.DataFrame, counts: dict[tuple[object, ...], tuple[int, int]], users: int) -> None:
    assert {row[:4] for row in funnel.rows()} == set(counts)
    for row in funnel.iter_rows():
        for share, count in zip(row[4:6], counts[row[:4]], strict=True):
            deviation = math.sqrt(users * max(0.0, share * (1 - share)))
            assert abs(count - users * share) <= DEVIATIONS * deviation + 1e-6, row


AFTERWARDS = [
    sd.Journey(
        "k",
        [sd.Adventure("a", [sd.Action("x", bounce_chance=BOUNCE, time_span=("1h", "2d"))])],
        requires="j",
        bounce_chance=0.1,
        suppression_period=("1d", "3d"),
    ),
    sd.Journey(
        "l",
        [sd.Adventure("a", [sd.Action("x"), sd.Action("y", bounce_chance=0.5)], time_span="6h")],
        suppression_period="12h",
    ),
    sd.Journey("m", [sd.Adventure("a", [sd.Action("x", bounce_chance=0.2)])], requires=["l", "j"]),
    sd.Journey("n", [sd.Adventure("a", [sd.Action("x")])], requires="k"),
]


@pytest.mark.parametrize("persona", [PERSONA, [(PERSONA, 3), (BOT, 1)]], ids=["one", "mixture"])
@pytest.mark.parametrize("rest", [[], AFTERWARDS], ids=["one journey", "several"])
def test_a_million_users_agree_within_their_confidence_interval(persona, rest) -> None:
    made = [journey(), *rest]
    funnel = sd.expected_funnel(made, persona, duration="30d")
    assert funnel["exact"].all()
    agrees(funnel, simulated(made, persona, 1_000_000, duration="30d"), 1_000_000)


@given(r=st.randoms(use_true_random=False))
def test_random_scenarios_agree(r: Random) -> None:
    journeys, options = scenario(r)
    options.pop("seed")
    funnel = sd.expected_funnel(journeys, **options, simulated_users=500)
    persona, users = options.pop("persona"), 500
    counts = simulated(journeys, persona, users, **options)
    if funnel["exact"].all():
        agrees(funnel, counts, users)
    ExpectedShares.validate(funnel)
    for row in funnel.iter_rows():
        assert 0 <= row[5] <= row[4] + 1e-12 <= 1 + 1e-9
        if not row[6]:  # both are counts of 500 users
            assert abs(row[5] - counts[row[:4]][1] / users) < 6 * math.sqrt(0.5 / users)


@pytest.mark.parametrize(
    ("last", "options"),
    [
        ({"bounce_chance": pl.col("age") / 100}, {}),
        ({"handler": lambda ctx: []}, {}),
        ({"bounce_chance": pl.col("timestamp").dt.hour() / 50}, {}),
        ({}, {"duration": "2d"}),
    ],
)
def test_what_cannot_be_computed_is_estimated_and_marked(last, options) -> None:
    made = journey(**last)
    funnel = sd.expected_funnel(made, PERSONA, **options)
    assert not funnel["exact"].any()
    counts = simulated(made, PERSONA, 100_000, **options)
    for row in funnel.iter_rows():
        assert abs(counts[row[:4]][1] / 100_000 - row[5]) < 0.01


def test_what_is_required_counts_as_completed() -> None:
    second = sd.Journey("k", [sd.Adventure("a", [sd.Action("x", bounce_chance=0.5)])], requires="j")
    assert sd.expected_funnel(second)["entered"].to_list() == [1, 1, 0.5, 0.5]


def test_a_journey_after_one_that_it_requires_is_met_by_those_who_completed_it() -> None:
    first = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", bounce_chance=0.75)])])
    second = sd.Journey("k", [sd.Adventure("a", [sd.Action("x", bounce_chance=0.5)])], requires="j")
    funnel = sd.expected_funnel([first, second])
    assert funnel.filter(journey_id="k")["reached"].to_list() == [0.25, 0.25, 0.25, 0.125]
    assert sd.expected_funnel([second, first]).filter(journey_id="k")["reached"].to_list() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"journeys": 3}, "INVALID_JOURNEY"),
        ({"journeys": []}, "INVALID_JOURNEY"),
        ({"persona": "p"}, "INVALID_PERSONA"),
        ({"datasets": 3}, "INVALID_DATASET"),
        ({"duration": 3}, "INVALID_DURATION"),
        ({"simulated_users": 0}, "INVALID_OPTION"),
        ({"simulated_users": 1.5}, "INVALID_OPTION"),
        ({"journeys": journey(bounce_chance=pl.col("nothing"))}, "UNKNOWN_NAME"),
        ({"journeys": journey(bounce_chance=pl.col("age") * 100)}, "INVALID_PROBABILITY"),
        (
            {"persona": sd.Persona("p", {"device": "x", "member": sd.chance(pl.lit(1.5))})},
            "INVALID_PROBABILITY",
        ),
    ],
)
def test_bad_input_is_an_error_that_names_it(options, code) -> None:
    with pytest.raises(sd.SynodeError) as caught:
        sd.expected_funnel(**{"journeys": journey(), "persona": PERSONA, **options})
    assert caught.value.code == code
