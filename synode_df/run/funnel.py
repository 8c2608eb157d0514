"""The funnel that declarations imply, computed without drawing anyone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import polars as pl

from synode_df import checks
from synode_df.durations import Duration
from synode_df.engine.scenario import Scenario
from synode_df.engine.tally import Tally
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import PersonaMixture
from synode_df.run.expectation import NotExactError, Row, computed
from synode_df.run.options import MAX_USERS, declarations, types_of
from synode_df.run.work import DEFAULT_BATCH, Job, Workshop, batches

_SCHEMA: Final = {
    "journey_id": pl.String,
    "step": pl.String,
    "adventure_id": pl.String,
    "action_id": pl.String,
    "reached": pl.Float64,
    "entered": pl.Float64,
    "exact": pl.Boolean,
}


def expected_funnel(
    journeys: Journey | Iterable[Journey],
    persona: PersonaMixture | None = None,
    *,
    datasets: Iterable[Dataset] = (),
    preloaded_datasets: Iterable[Dataset] = (),
    simulated_users: int = 100_000,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    duration: Duration | None = None,
) -> pl.DataFrame:
    """The share of users expected at each step of a journey, or of several.

    Parameters
    ----------
    journeys : Journey or sequence of Journey
        Of one journey, what it requires counts as completed, and users come to it when they arrive. Several are met one
        after the other, as in a run: what they require has to be completed first.
    persona : Persona or list of (Persona, float), optional
        Who the users are.
    datasets, preloaded_datasets : sequence of Dataset, optional
        What they pick from.
    simulated_users : int, default 100,000
        Users to simulate where the shares cannot be computed.
    start_date, end_date, duration
        The window, as for `generate`.

    Returns
    -------
    polars.DataFrame
        `journey_id`, `step` ("journey", "adventure", "action" or "completed"), `adventure_id`, `action_id`, the shares
        `reached` and `entered` of all users, and `exact`: whether they are computed, or counted in a simulation.

    Raises
    ------
    SynodeError
        Whatever is wrong with the declarations.

    Notes
    -----
    Exact where bounce chances are numbers, or read attributes with finitely many values: `weighted`, `one_of`,
    `chance`, constants, and expressions of those. Users arrive uniformly over a window of length W, so of those who
    need the time T to a step, E[1 - T/W] come in time: the mean of each time span is all that counts, as long as the
    longest way fits into the window. Everything else is counted for simulated users, for whom handlers are called.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", bounce_chance=0.4)])])
    >>> sd.expected_funnel(visit)["entered"].to_list()
    [1.0, 1.0, 1.0, 0.6, 0.6]
    """
    checks.whole(
        simulated_users,
        name="simulated_users",
        path="simulated_users",
        at_least=1,
        at_most=MAX_USERS,
        code="INVALID_OPTION",
    )
    scenario = declarations(
        _without_requires(journeys) if isinstance(journeys, Journey) else journeys,
        persona=persona,
        datasets=datasets,
        preloaded_datasets=preloaded_datasets,
        start_date=start_date,
        end_date=end_date,
        duration=duration,
        seed=0,
    ).scenario()
    types_of(scenario)  # raises for what no user could run, such as unknown names
    try:
        rows, exact = computed(scenario).shares(scenario.end - scenario.start), True
    except NotExactError:
        rows, exact = simulated(scenario, simulated_users), False
    return pl.DataFrame([(*row, exact) for row in rows], schema=_SCHEMA, orient="row")


def _without_requires(journey: Journey) -> Journey:
    return Journey(
        journey.id,
        journey.adventures,
        bounce_chance=journey.bounce_chance,
        suppression_period=journey.suppression_period,
    )


def simulated(scenario: Scenario, users: int) -> list[Row]:
    """The shares of simulated users at each step."""
    workshop, tally = Workshop(Job(scenario)), Tally()
    try:
        for first, end in batches(range(users), DEFAULT_BATCH):
            tally.add(workshop.run(first, end).tally)
    finally:
        workshop.close()
    rows: list[Row] = []
    for journey in scenario.journeys:
        whole = tally.journey(journey.id)
        came = whole.bounced + whole.started
        rows.append((journey.id, "journey", None, None, came / users, whole.started / users))
        for adventure in journey.adventures:
            step = tally.adventure(journey.id, adventure.id)
            rows.append((journey.id, "adventure", adventure.id, None, step.reached / users, step.entered / users))
            for action in adventure.actions:
                step = tally.action(journey.id, adventure.id, action.id)
                rows.append((journey.id, "action", adventure.id, action.id, step.reached / users, step.entered / users))
        rows.append((journey.id, "completed", None, None, whole.completed / users, whole.completed / users))
    return rows
