"""The expected funnel agrees with a simulated one, and says where it is only estimated."""

from __future__ import annotations

import math

import polars as pl
import pytest

import synode_df as sd

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


def simulated(made: sd.Journey, persona: object, users: int, **options: object) -> list[tuple[int, int]]:
    class Nowhere(sd.OutputAdapter):
        def write(self, batch: pl.DataFrame) -> None:
            pass

    telemetry = sd.generate(made, users=users, persona=persona, adapter=Nowhere(), seed=11, **options).telemetry
    counts = [(users, telemetry.journeys["started"][0])]
    for adventure in made.adventures:
        counts += telemetry.adventures.filter(adventure_id=adventure.id).select("reached", "entered").rows()
        counts += telemetry.actions.filter(adventure_id=adventure.id).select("reached", "entered").rows()
    completed = telemetry.journeys["completed"][0]
    return [*counts, (completed, completed)]


@pytest.mark.parametrize("persona", [PERSONA, [(PERSONA, 3), (BOT, 1)]], ids=["one", "mixture"])
def test_a_million_users_agree_within_their_confidence_interval(persona) -> None:
    users = 1_000_000
    funnel = sd.expected_funnel(journey(), persona, duration="30d")
    assert funnel["exact"].all()
    for row, counts in zip(
        funnel.iter_rows(named=True), simulated(journey(), persona, users, duration="30d"), strict=True
    ):
        for share, count in zip((row["reached"], row["entered"]), counts, strict=True):
            deviation = math.sqrt(users * share * (1 - share))
            assert abs(count - users * share) <= 4 * deviation + 1e-6, row


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
    for share, (_, count) in zip(funnel["entered"], simulated(made, PERSONA, 100_000, **options), strict=True):
        assert abs(count / 100_000 - share) < 0.01


def test_what_is_required_counts_as_completed() -> None:
    second = sd.Journey("k", [sd.Adventure("a", [sd.Action("x", bounce_chance=0.5)])], requires="j")
    assert sd.expected_funnel(second)["entered"].to_list() == [1, 1, 0.5, 0.5]
