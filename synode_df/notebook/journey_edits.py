"""Journeys like others but for their bounce chances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from synode_df.fields.probabilities import Probability
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.journey import Journey

StepPath = tuple[str, ...]
"""The ids on the way to a step: of the journey, the adventure, the action."""


def bounce_chances(journey: Journey) -> Iterator[tuple[StepPath, Probability]]:
    """The bounce chance of every step, in order."""
    yield (journey.id,), journey.bounce_chance
    for adventure in journey.adventures:
        yield (journey.id, adventure.id), adventure.bounce_chance
        for action in adventure.actions:
            yield (journey.id, adventure.id, action.id), action.bounce_chance


def with_bounce_chances(journey: Journey, chances: Mapping[StepPath, Probability]) -> Journey:
    """The journey with some other bounce chances."""
    return Journey(
        journey.id,
        [_adventure(adventure, chances, (journey.id, adventure.id)) for adventure in journey.adventures],
        name=journey.name,
        requires=journey.requires,
        bounce_chance=chances.get((journey.id,), journey.bounce_chance),
        suppression_period=journey.suppression_period,
    )


def without_unknown_requirements(journeys: tuple[Journey, ...]) -> tuple[Journey, ...]:
    """The journeys, requiring only each other."""
    known = {journey.id for journey in journeys}
    return tuple(
        Journey(
            journey.id,
            journey.adventures,
            name=journey.name,
            requires=[each for each in journey.requires if each in known],
            bounce_chance=journey.bounce_chance,
            suppression_period=journey.suppression_period,
        )
        for journey in journeys
    )


def _adventure(adventure: Adventure, chances: Mapping[StepPath, Probability], path: StepPath) -> Adventure:
    return Adventure(
        adventure.id,
        [_action(action, chances.get((*path, action.id), action.bounce_chance)) for action in adventure.actions],
        name=adventure.name,
        time_span=adventure.time_span,
        bounce_chance=chances.get(path, adventure.bounce_chance),
        on_bounce="skip" if adventure.on_bounce == "skip" else "stop",
    )


def _action(action: Action, bounce_chance: Probability) -> Action:
    return Action(
        action.id,
        event=action.event,
        fields=action.fields if action.handler is None else None,
        handler=action.handler,
        remember=action.remember,
        remember_scope=action.remember_scope,
        time_span=action.time_span,
        bounce_chance=bounce_chance,
        name=action.name,
    )
