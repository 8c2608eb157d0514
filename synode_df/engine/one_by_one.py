"""A population through the reference engine, one user after another."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from synode_df.engine.assemble import Labels
from synode_df.engine.clock import draw_arrivals, to_micros
from synode_df.engine.columnar import Types
from synode_df.engine.context import SynodeContext
from synode_df.engine.frames import events_frame
from synode_df.engine.places import ARRIVAL
from synode_df.engine.population import draw_population
from synode_df.engine.reference import Engine, Located
from synode_df.engine.scenario import Scenario
from synode_df.engine.tally import Tally
from synode_df.fields.columns import Column
from synode_df.randomness import Draws


def run_one_by_one(scenario: Scenario, users: Iterable[int], types: Types, tally: Tally) -> pl.DataFrame:
    """The events of some users.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    users : iterable of int
        User indices, ascending.
    types : Types
        What is known of types before the run.
    tally : Tally
        Counts what happens.

    Returns
    -------
    polars.DataFrame
        What the columnar engine gives for the same users.
    """
    located: list[Located] = []
    persona_ids: list[str] = []
    for user in users:
        context, persona_id = user_context(scenario, user)
        own: list[Located] = []
        for journey in scenario.journeys:
            engine = Engine(journey, tally=tally, remembered_types=types.remembered)
            own += engine.located(context)
        located += sorted(own, key=lambda each: to_micros(each[1].timestamp))
        persona_ids += [persona_id] * len(own)
        tally.users += 1
    mixed = persona_ids if scenario.mixed else None
    return events_frame(located, Labels.of(scenario.journeys), types, persona_ids=mixed)


def user_context(scenario: Scenario, user: int) -> tuple[SynodeContext, str]:
    """A user of the population at the moment of arrival, and the id of the user's persona."""
    population = draw_population(scenario, np.array([user], dtype=np.int64))
    arrival = draw_arrivals(scenario.start, scenario.end, Draws(population.keys, ARRIVAL))
    context = SynodeContext.__new__(SynodeContext)
    context._begin(
        key=int(population.keys[0]),
        index=user,
        seed=scenario.seed,
        clock=int(arrival[0]),
        start=scenario.start,
        end=scenario.end,
        tables=dict(scenario.tables),
        attributes={
            name: column if isinstance(column, Column) else column.values[0]
            for name, column in population.attributes.items()
        },
    )
    ids = population.persona_ids
    return context, "" if ids is None else str(ids.to_list()[0])
