"""Where users come to, computed from declarations: shares of everyone, followed through the journeys at once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.durations import SuppressionPeriod, TimeSpan
from synode_df.engine.scenario import Scenario
from synode_df.fields.base import FieldGenerator
from synode_df.fields.choices import Chance, OneOf, Weighted
from synode_df.fields.expressions import names_read
from synode_df.fields.probabilities import Probability
from synode_df.fields.values import expressions_in, is_callback
from synode_df.model.journey import Journey
from synode_df.model.persona import Persona

_MOST_CELLS: Final = 100_000
_MOST_GROUPS: Final = 256

Floats = NDArray[np.float64]


class NotExactError(Exception):
    """Why a funnel cannot be computed."""


@dataclass(frozen=True)
class Crowd:
    """Users on their way, by cell: how many, and how long they took so far, summed over them."""

    mass: Floats
    moment: Floats

    def waits(self, span: TimeSpan | None) -> Crowd:
        """The crowd after a time span."""
        return self if span is None else replace(self, moment=self.moment + self.mass * mean_of(span))

    def times(self, share: Floats) -> Crowd:
        """A share of each cell."""
        return Crowd(self.mass * share, self.moment * share)

    def __add__(self, other: Crowd) -> Crowd:
        return Crowd(self.mass + other.mass, self.moment + other.moment)

    def in_time(self, window: int) -> float:
        """The share of all users who are here before the window ends."""
        return float((self.mass - self.moment / window).sum())


Step = tuple[str, str, str | None, str | None]
"""Journey, kind of step, adventure, action."""

Row = tuple[str, str, str | None, str | None, float, float]


@dataclass
class Walk:
    """Where users come to if no window ends, and how long they take.

    Attributes
    ----------
    steps : dict of Step to (Crowd, Crowd)
        Who reaches and who enters each step.
    longest : int
        The most time that anyone takes to the last step, in microseconds.
    """

    steps: dict[Step, tuple[Crowd, Crowd]]
    longest: int = 0

    def note(self, step: Step, reached: Crowd, entered: Crowd) -> None:
        """Count a crowd at a step."""
        before = self.steps.get(step)
        self.steps[step] = (reached, entered) if before is None else (before[0] + reached, before[1] + entered)

    def shares(self, window: int) -> list[Row]:
        """The shares of all users at each step."""
        if self.longest > window:
            raise NotExactError("the longest way does not fit into the window")
        return [
            (*step, reached.in_time(window), entered.in_time(window)) for step, (reached, entered) in self.steps.items()
        ]


def mean_of(span: TimeSpan) -> float:
    """The mean of a time span in microseconds."""
    low, high = span.bounds
    if span.distribution == "exponential":  # a quarter of the range as scale, cut at the range
        return low + (high - low) * (0.25 - math.exp(-4) / (1 - math.exp(-4)))
    return (low + high) / 2


def computed(scenario: Scenario, *, functions_do_nothing: bool = False) -> Walk:
    """Follow everyone through the journeys at once.

    Parameters
    ----------
    scenario : Scenario
        What is declared.
    functions_do_nothing : bool, default False
        Whether to take it that functions of the user let no time pass and change no state.

    Raises
    ------
    NotExactError
        Where that needs more than the declarations say.
    """
    _refuse_what_is_not_known(scenario, functions_do_nothing=functions_do_nothing)
    cells, mass = _cells(scenario)
    everyone = Crowd(mass, np.zeros_like(mass))
    walk = _Walker(cells, everyone.times(np.zeros_like(mass)), Walk({}))
    groups = {frozenset[str](): everyone}
    for number, journey in enumerate(scenario.journeys):
        wanted = {id for later in scenario.journeys[number + 1 :] for id in later.requires}
        groups = walk.journey(journey, groups, wanted)
        if len(groups) > _MOST_GROUPS:
            raise NotExactError("too many combinations of completed journeys")
    return walk.found


@dataclass(frozen=True)
class _Walker:
    """Takes crowds through journeys, cell by cell."""

    cells: pl.DataFrame
    nobody: Crowd
    found: Walk

    def journey(
        self, journey: Journey, groups: dict[frozenset[str], Crowd], wanted: set[str]
    ) -> dict[frozenset[str], Crowd]:
        """Everyone after a journey, by what they have completed of what is still wanted."""
        after: dict[frozenset[str], Crowd] = {}
        for step in _steps(journey):
            self.found.note(step, self.nobody, self.nobody)
        for completed, crowd in groups.items():
            if not completed.issuperset(journey.requires):
                outcomes = [(completed, crowd)]
            else:
                at_the_door, left, finished = self._through(journey, crowd)
                outcomes = [
                    (completed, at_the_door),
                    (completed, left.waits(journey.suppression_period)),
                    (completed | {journey.id}, finished.waits(journey.suppression_period)),
                ]
            for done, those in outcomes:
                key = frozenset(done & wanted)
                after[key] = after.get(key, self.nobody) + those
        spans: list[TimeSpan | SuppressionPeriod | None] = [journey.suppression_period]
        for adventure in journey.adventures:
            spans += [adventure.time_span, *(action.time_span for action in adventure.actions)]
        if any(crowd.mass.any() for crowd in after.values()):
            self.found.longest += sum(span.bounds[1] for span in spans if span is not None)
        return after

    def _through(self, journey: Journey, crowd: Crowd) -> tuple[Crowd, Crowd, Crowd]:
        """Who turns back at the door, who leaves on the way, and who comes through."""
        stay = self._staying(journey.bounce_chance)
        at_the_door, inside_journey = crowd.times(1 - stay), crowd.times(stay)
        self.found.note((journey.id, "journey", None, None), crowd, inside_journey)
        gone = self.nobody
        for adventure in journey.adventures:
            reached = inside_journey
            inside = reached.waits(adventure.time_span)
            stay = self._staying(adventure.bounce_chance)
            left, inside = inside.times(1 - stay), inside.times(stay)
            self.found.note((journey.id, "adventure", adventure.id, None), reached, inside)
            for action in adventure.actions:
                reached = inside
                inside = inside.waits(action.time_span)
                stay = self._staying(action.bounce_chance)
                left, inside = left + inside.times(1 - stay), inside.times(stay)
                self.found.note((journey.id, "action", adventure.id, action.id), reached, inside)
            skips = adventure.on_bounce == "skip"
            inside_journey = inside + left if skips else inside
            gone = gone if skips else gone + left
        self.found.note((journey.id, "completed", None, None), inside_journey, inside_journey)
        return at_the_door, gone, inside_journey

    def _staying(self, chance: Probability) -> Floats:
        mass = self.nobody.mass
        if not isinstance(chance, pl.Expr):
            return np.full_like(mass, 1 - chance)
        try:
            bounced = self.cells.select(chance.cast(pl.Float64).alias("p"))["p"]
        except pl.exceptions.PolarsError as error:
            raise NotExactError(str(error)) from error
        if bounced.null_count() or not bounced.is_between(0, 1).all():
            raise NotExactError("not a probability")
        return 1 - np.broadcast_to(bounced.to_numpy(), mass.shape)


def _steps(journey: Journey) -> Iterator[Step]:
    yield journey.id, "journey", None, None
    for adventure in journey.adventures:
        yield journey.id, "adventure", adventure.id, None
        for action in adventure.actions:
            yield journey.id, "action", adventure.id, action.id
    yield journey.id, "completed", None, None


def has_functions(scenario: Scenario) -> bool:
    """Whether Python of the user runs, which may read and set anything and let time pass."""
    values = [value for persona, _ in scenario.personas for value in persona.attributes.values()]
    for journey in scenario.journeys:
        for _, action in journey.actions():
            values += [action.handler, *action.fields.values(), *action.remember.values()]
    return any(value is not None and is_callback(value) for value in values)


def _refuse_what_is_not_known(scenario: Scenario, *, functions_do_nothing: bool) -> None:
    attributes = set(scenario.attribute_names())
    remembered: set[str] = set()
    for journey in scenario.journeys:
        for _, action in journey.actions():
            remembered.update(action.remember)
            called = [action.handler, *action.fields.values(), *action.remember.values()]
            if not functions_do_nothing and any(value is not None and is_callback(value) for value in called):
                raise NotExactError("functions may do anything")
    for name in _names_in_chances(scenario):
        if name in remembered or name not in attributes:
            raise NotExactError(f"{name} is not an attribute")


def _names_in_chances(scenario: Scenario) -> set[str]:
    chances: list[Probability] = []
    for journey in scenario.journeys:
        chances.append(journey.bounce_chance)
        for adventure in journey.adventures:
            chances += [adventure.bounce_chance, *(action.bounce_chance for action in adventure.actions)]
    return {name for chance in chances if isinstance(chance, pl.Expr) for name in names_read(chance)}


def _cells(scenario: Scenario) -> tuple[pl.DataFrame, Floats]:
    """All combinations of the attributes that bounce chances read, and how likely each is."""
    total = sum(weight for _, weight in scenario.personas) or 1.0
    wanted = _names_in_chances(scenario)
    frames = [
        _cells_of(persona, wanted).with_columns(pl.col("_mass") * weight / total)
        for persona, weight in scenario.personas
        if weight > 0
    ] or [pl.DataFrame({"_mass": [1.0]})]
    cells = pl.concat(frames, how="diagonal_relaxed")
    return cells, cells["_mass"].to_numpy()


def _cells_of(persona: Persona, wanted: set[str]) -> pl.DataFrame:
    needed = set(wanted)
    for name, value in reversed(list(persona.drawing_order())):
        if name in needed:
            needed |= {read for expression in expressions_in(value) for read in names_read(expression)}
    cells = pl.DataFrame({"_mass": [1.0]})
    for name, value in persona.drawing_order():
        if name not in needed:
            continue
        try:
            cells = _drawn(cells, name, value)
        except pl.exceptions.PolarsError as error:
            raise NotExactError(str(error)) from error
        if cells.height > _MOST_CELLS:
            raise NotExactError("too many combinations")
    return cells.select("_mass", *(name for name in wanted if name in cells.columns))


def _drawn(cells: pl.DataFrame, name: str, value: Any) -> pl.DataFrame:
    """The cells, each split by the values of one more attribute."""
    if isinstance(value, Weighted):
        shares = np.diff(value._cumulative, prepend=0.0)
        table = pl.DataFrame([value._values.alias(name), pl.Series("_share", shares)])
    elif isinstance(value, OneOf):
        share = 1 / len(value.values)
        table = pl.DataFrame([value._series.alias(name)]).with_columns(pl.lit(share).alias("_share"))
    elif isinstance(value, Chance):
        chance = value.probability if isinstance(value.probability, pl.Expr) else pl.lit(value.probability)
        if not cells.select(chance.cast(pl.Float64).is_between(0, 1).fill_null(value=False).all()).item():
            raise NotExactError(f"{name} has no probability")
        yes = cells.with_columns(pl.col("_mass") * chance.cast(pl.Float64), pl.lit(True).alias(name))
        no = cells.with_columns(pl.col("_mass") * (1 - chance.cast(pl.Float64)), pl.lit(False).alias(name))
        return pl.concat([yes, no])
    elif isinstance(value, pl.Expr):
        return cells.with_columns(value.alias(name))
    elif is_callback(value) or isinstance(value, FieldGenerator):
        raise NotExactError(f"{name} has no finite distribution")
    else:
        return cells.with_columns(pl.lit(value).alias(name))
    return cells.join(table, how="cross").with_columns(pl.col("_mass") * pl.col("_share")).drop("_share")
