"""Edit-stable: what is added, removed or moved changes no draw elsewhere."""

from __future__ import annotations

from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

import synode_df as sd

ATTRIBUTES = {"seg": sd.weighted({"x": 1, "y": 2}), "age": sd.integer(18, 80), "name": sd.fake("first_name")}
FIELDS = {"a": sd.uniform(0, 1), "b": sd.integer(0, 99), "c": sd.one_of(["u", "v", "w"])}


def events(
    *,
    attributes: dict[str, Any] = ATTRIBUTES,
    fields: dict[str, Any] = FIELDS,
    before: tuple[sd.Action, ...] = (),
    journeys_before: tuple[sd.Journey, ...] = (),
    journeys_after: tuple[sd.Journey, ...] = (),
) -> pl.DataFrame:
    action = sd.Action("act", fields=fields, bounce_chance=0.2)
    other = sd.Action("other", fields={"d": sd.normal(0, 1), "seg": pl.col("seg")})
    journey = sd.Journey("main", [sd.Adventure("part", [*before, action, other])], bounce_chance=0.1)
    return sd.generate_df(
        [*journeys_before, journey, *journeys_after],
        users=300,
        persona=sd.Persona("p", attributes),
        seed=3,
    )


def of_main(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    labels = [pl.col(name).cast(pl.String) for name in ("event", "journey_id", "adventure_id", "action_id")]
    kept = frame.filter(pl.col("journey_id") == "main", pl.col("action_id").is_in(["act", "other"]))
    return kept.select("event_id", "user_id", "session_id", "timestamp", *labels, *columns)


def test_edit_stable_when_a_field_is_added_removed_or_moved() -> None:
    base = events()
    for edited in (
        events(fields={"new": sd.poisson(3), **FIELDS}),
        events(fields=dict(reversed(FIELDS.items()))),
        events(fields={"b": FIELDS["b"]}),
    ):
        same = ["d", "seg", *(name for name in FIELDS if name in edited.columns)]
        assert_frame_equal(of_main(edited, same), of_main(base, same))


def test_edit_stable_when_an_attribute_is_added_removed_or_moved() -> None:
    base = events()
    for attributes in (
        {"new": sd.chance(0.5), **ATTRIBUTES},
        dict(reversed(ATTRIBUTES.items())),
        {"seg": ATTRIBUTES["seg"]},
    ):
        assert_frame_equal(of_main(events(attributes=attributes), ["a", "seg"]), of_main(base, ["a", "seg"]))


def test_edit_stable_when_an_action_is_added_before() -> None:
    added = events(before=(sd.Action("first", fields={"a": sd.uniform(5, 6)}),))
    assert_frame_equal(of_main(added, ["a", "b", "c", "d"]), of_main(events(), ["a", "b", "c", "d"]))


def test_edit_stable_when_a_journey_is_added_or_moved() -> None:
    extra = sd.Journey("extra", [sd.Adventure("part", [sd.Action("act", fields=FIELDS)])])
    base = of_main(events(), ["a", "b", "c", "d"])
    assert_frame_equal(of_main(events(journeys_before=(extra,)), ["a", "b", "c", "d"]), base)
    assert_frame_equal(of_main(events(journeys_after=(extra,)), ["a", "b", "c", "d"]), base)


def test_edit_stable_faker_does_not_depend_on_where_the_locale_stands() -> None:
    locale = {"locale": sd.one_of(["de_DE", "fr_FR"])}

    def users(attributes: dict[str, Any]) -> pl.DataFrame:
        visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
        persona = sd.Persona("p", attributes)
        return sd.generate(visit, users=50, persona=persona, seed=1, adapter=sd.InMemoryAdapter()).users

    first, last = users({**locale, **ATTRIBUTES}), users({**ATTRIBUTES, **locale})
    assert_frame_equal(first, last.select(first.columns))
