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
from synode_df.engine.population import Population, draw_population
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
    people = draw_population(scenario, np.array(list(users), dtype=np.int64))
    arrivals = draw_arrivals(scenario.start, scenario.end, Draws(people.keys, ARRIVAL))
    chosen = None if people.persona_ids is None else people.persona_ids.to_list()
    for row, arrival in enumerate(arrivals.tolist()):
        context = _user_context(scenario, people, row, arrival)
        own: list[Located] = []
        for journey in scenario.journeys:
            engine = Engine(journey, tally=tally, remembered_types=types.remembered)
            own += engine.located(context)
        located += sorted(own, key=lambda each: to_micros(each[1].timestamp))
        if chosen is not None:
            persona_ids += [str(chosen[row])] * len(own)
        tally.users += 1
    mixed = persona_ids if scenario.mixed else None
    return events_frame(located, Labels.of(scenario.journeys), types, persona_ids=mixed)


def _user_context(scenario: Scenario, people: Population, row: int, arrival: int) -> SynodeContext:
    """A user of the population at the moment of arrival."""
    here = np.array([row], dtype=np.intp)
    attributes = {name: column.take(here) for name, column in people.attributes.items()}
    context = SynodeContext.__new__(SynodeContext)
    context._begin(
        key=int(people.keys[row]),
        index=int(people.index[row]),
        seed=scenario.seed,
        clock=arrival,
        start=scenario.start,
        end=scenario.end,
        tables=dict(scenario.tables),
        locales=scenario.locales,
        attributes={
            name: column if isinstance(column, Column) else column.values[0] for name, column in attributes.items()
        },
    )
    return context
