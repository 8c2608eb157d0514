"""The funnel that a journey's declaration implies, computed without drawing anyone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.durations import TimeSpan
from synode_df.engine.scenario import Scenario
from synode_df.fields.base import FieldGenerator
from synode_df.fields.choices import Chance, OneOf, Weighted
from synode_df.fields.expressions import names_read
from synode_df.fields.probabilities import Probability
from synode_df.fields.values import expressions_in, is_callback
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import Persona, PersonaMixture
from synode_df.output.base import OutputAdapter
from synode_df.run.generate import generate
from synode_df.run.options import declarations

_MOST_CELLS: Final = 100_000
_SIMULATED: Final = 100_000
_SCHEMA: Final = {
    "step": pl.String,
    "adventure_id": pl.String,
    "action_id": pl.String,
    "reached": pl.Float64,
    "entered": pl.Float64,
    "exact": pl.Boolean,
}

Floats = NDArray[np.float64]


class NotExactError(Exception):
    """Why a funnel cannot be computed."""


def expected_funnel(
    journey: Journey,
    persona: PersonaMixture | None = None,
    *,
    datasets: Iterable[Dataset] = (),
    **window: Any,
) -> pl.DataFrame:
    """The share of users expected at each step of a journey.

    Parameters
    ----------
    journey : Journey
        The journey; what it requires counts as completed, and users come to it when they arrive.
    persona : Persona or list of (Persona, float), optional
        Who the users are.
    datasets : sequence of Dataset, optional
        What it picks from.
    **window
        `start_date`, `end_date`, `duration`, as for `generate`.

    Returns
    -------
    polars.DataFrame
        `step` ("journey", "adventure", "action" or "completed"), `adventure_id`, `action_id`, the shares `reached`
        and `entered` of all users, and `exact`: whether they are computed, or counted in a simulation.

    Raises
    ------
    SynodeError
        Whatever is wrong with the declarations.

    Notes
    -----
    Exact where bounce chances are numbers, or read attributes with finitely many values: `weighted`, `one_of`,
    `chance`, constants, and expressions of those. Users arrive uniformly over a window of length W, so of those who
    need the time T to a step, E[1 - T/W] come in time: the mean of each time span is all that counts, as long as the
    longest way fits into the window. Everything else is counted for 100,000 simulated users.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", bounce_chance=0.4)])])
    >>> sd.expected_funnel(visit)["entered"].to_list()
    [1.0, 1.0, 1.0, 0.6, 0.6]
    """
    alone = replace_requires(journey)
    scenario = declarations(alone, persona=persona, datasets=datasets, seed=0, **window).scenario()
    try:
        rows, exact = _computed(scenario), True
    except NotExactError:
        rows, exact = _simulated(alone, persona, datasets, window), False
    return pl.DataFrame([(*row, exact) for row in rows], schema=_SCHEMA, orient="row")


def replace_requires(journey: Journey) -> Journey:
    """The journey without its requirements."""
    return Journey(
        journey.id,
        journey.adventures,
        bounce_chance=journey.bounce_chance,
        suppression_period=journey.suppression_period,
    )


@dataclass(frozen=True)
class _Crowd:
    """Users on their way, by cell: how many, and how long they took so far, summed over them."""

    mass: Floats
    moment: Floats

    def waits(self, span: TimeSpan | None) -> _Crowd:
        return self if span is None else replace(self, moment=self.moment + self.mass * mean_of(span))

    def times(self, share: Floats) -> _Crowd:
        return _Crowd(self.mass * share, self.moment * share)

    def __add__(self, other: _Crowd) -> _Crowd:
        return _Crowd(self.mass + other.mass, self.moment + other.moment)

    def in_time(self, window: int) -> float:
        return float((self.mass - self.moment / window).sum())


def mean_of(span: TimeSpan) -> float:
    """The mean of a time span in microseconds."""
    low, high = span.bounds
    if span.distribution == "exponential":  # a quarter of the range as scale, cut at the range
        return low + (high - low) * (0.25 - math.exp(-4) / (1 - math.exp(-4)))
    return (low + high) / 2


Row = tuple[str, str | None, str | None, float, float]


def _computed(scenario: Scenario) -> list[Row]:
    journey, window = scenario.journeys[0], scenario.end - scenario.start
    _refuse_what_is_not_known(journey, scenario, window)
    cells, mass = _cells(scenario, journey)
    crowd = _Crowd(mass, np.zeros_like(mass))
    none = crowd.times(np.zeros_like(mass))

    def staying(chance: Probability) -> Floats:
        if not isinstance(chance, pl.Expr):
            return np.full_like(mass, 1 - chance)
        try:
            bounced = cells.select(chance.cast(pl.Float64).alias("p"))["p"]
        except pl.exceptions.PolarsError as error:
            raise NotExactError(str(error)) from error
        if bounced.null_count() or not bounced.is_between(0, 1).all():
            raise NotExactError("not a probability")
        return 1 - np.broadcast_to(bounced.to_numpy(), mass.shape)

    reached = crowd.in_time(window)
    crowd = crowd.times(staying(journey.bounce_chance))
    rows: list[Row] = [("journey", None, None, reached, crowd.in_time(window))]
    for adventure in journey.adventures:
        reached = crowd.in_time(window)
        inside = crowd.waits(adventure.time_span)
        stay = staying(adventure.bounce_chance)
        left, inside = inside.times(1 - stay), inside.times(stay)
        rows.append(("adventure", adventure.id, None, reached, inside.in_time(window)))
        for action in adventure.actions:
            reached = inside.in_time(window)
            inside = inside.waits(action.time_span)
            stay = staying(action.bounce_chance)
            left, inside = left + inside.times(1 - stay), inside.times(stay)
            rows.append(("action", adventure.id, action.id, reached, inside.in_time(window)))
        crowd = inside + (left if adventure.on_bounce == "skip" else none)
    share = crowd.in_time(window)
    return [*rows, ("completed", None, None, share, share)]


def _refuse_what_is_not_known(journey: Journey, scenario: Scenario, window: int) -> None:
    longest = 0
    for adventure in journey.adventures:
        spans = [adventure.time_span, *(action.time_span for action in adventure.actions)]
        longest += sum(span.bounds[1] for span in spans if span is not None)
    if longest > window:
        raise NotExactError("the longest way does not fit into the window")
    for _, action in journey.actions():
        if action.handler is not None or any(map(is_callback, [*action.fields.values(), *action.remember.values()])):
            raise NotExactError("functions may do anything")
    remembered = {name for _, action in journey.actions() for name in action.remember}
    attributes = set(scenario.attribute_names())
    for name in _names_in_chances(journey):
        if name in remembered or name not in attributes:
            raise NotExactError(f"{name} is not an attribute")


def _names_in_chances(journey: Journey) -> set[str]:
    chances = [journey.bounce_chance]
    for adventure in journey.adventures:
        chances += [adventure.bounce_chance, *(action.bounce_chance for action in adventure.actions)]
    return {name for chance in chances if isinstance(chance, pl.Expr) for name in names_read(chance)}


def _cells(scenario: Scenario, journey: Journey) -> tuple[pl.DataFrame, Floats]:
    """All combinations of the attributes that bounce chances read, and how likely each is."""
    total = sum(weight for _, weight in scenario.personas) or 1.0
    wanted = _names_in_chances(journey)
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


class _Nowhere(OutputAdapter):
    """Counts are all that is wanted."""

    def write(self, batch: pl.DataFrame) -> None:
        pass


def _simulated(journey: Journey, persona: Any, datasets: Iterable[Dataset], window: dict[str, Any]) -> list[Row]:
    report = generate(
        journey,
        users=_SIMULATED,
        persona=persona,
        datasets=datasets,
        adapter=_Nowhere(),
        seed=0,
        progress=False,
        **window,
    )
    tally = report.telemetry.tally
    whole = tally.journey(journey.id)
    rows: list[Row] = [("journey", None, None, 1.0, whole.started / _SIMULATED)]
    for adventure in journey.adventures:
        step = tally.adventure(journey.id, adventure.id)
        rows.append(("adventure", adventure.id, None, step.reached / _SIMULATED, step.entered / _SIMULATED))
        for action in adventure.actions:
            step = tally.action(journey.id, adventure.id, action.id)
            rows.append(("action", adventure.id, action.id, step.reached / _SIMULATED, step.entered / _SIMULATED))
    return [*rows, ("completed", None, None, whole.completed / _SIMULATED, whole.completed / _SIMULATED)]
