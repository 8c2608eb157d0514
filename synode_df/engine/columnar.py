"""The columnar engine: every journey of a scenario for a batch of users at once, a column at a time.

It runs the semantics of `reference.py`, step for step and in the same order; property tests hold the two equal.
Who takes part in a step is an array of positions; who leaves is taken out of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.durations import TimeSpan
from synode_df.engine.assemble import Block, KnownTypes, Labels, assemble, owners
from synode_df.engine.batch import Batch
from synode_df.engine.batch_context import Contexts
from synode_df.engine.clock import draw_arrivals, draw_durations
from synode_df.engine.collect import Collector
from synode_df.engine.handlers import HandlerRunner
from synode_df.engine.places import ARRIVAL, Place, action_place, adventure_place, journey_place
from synode_df.engine.population import draw_population
from synode_df.engine.scenario import Scenario
from synode_df.engine.tally import Tally
from synode_df.engine.users_here import UsersHere
from synode_df.fields.columns import Column, Positions
from synode_df.fields.probabilities import Probability, happens
from synode_df.fields.values import draw_value
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.journey import Journey
from synode_df.randomness import Draws


@dataclass(frozen=True)
class BatchResult:
    """What a batch gave: its events, its counters, and on demand the user index of each event."""

    events: pl.DataFrame
    tally: Tally
    owners: Callable[[], NDArray[np.int64]]


@dataclass(frozen=True)
class Types:
    """What is known of a run before its first user.

    Attributes
    ----------
    events : polars.DataFrame
        An events frame without rows.
    fields : dict of action ids to dict of field name to polars.DataType
        `Null` where only the values will tell (callables without a return annotation).
    remembered : dict of str to polars.DataType
        The same for remembered names.
    """

    events: pl.DataFrame
    fields: dict[tuple[str, str, str], dict[str, pl.DataType]]
    remembered: dict[str, pl.DataType]


class ColumnarEngine:
    """Runs a scenario for batches of users.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    runner : HandlerRunner
        Calls the handlers.
    """

    def __init__(self, scenario: Scenario, runner: HandlerRunner) -> None:
        self._scenario = scenario
        self._runner = runner
        self._labels = Labels.of(scenario.journeys)
        self._number = {ids: number for number, ids in enumerate(self._labels.actions)}

    def run(self, index: NDArray[np.int64]) -> BatchResult:
        """The events of the users with some indices.

        Parameters
        ----------
        index : ndarray of int64, shape (n,)
            User indices, ascending; none at all gives typed frames without rows.

        Returns
        -------
        BatchResult
        """
        walk = self._walked(index)
        events = assemble(walk.batch, walk.blocks, self._labels, lambda: self._field_types)
        return BatchResult(events, walk.tally, lambda: index[owners(walk.batch, walk.blocks)])

    def types(self) -> Types:
        """The types of everything that the declarations fix, from a run of nobody.

        Raises
        ------
        SynodeError
            What no user could run: unknown names, expressions that do not fit the types, picks from empty datasets.
        """
        walk = self._walked(np.empty(0, dtype=np.int64))
        fields = {
            self._labels.actions[block.action]: {
                name: column.dtype if isinstance(column, Column) else pl.Null() for name, _, column in block.payload
            }
            for block in walk.blocks
        }
        remembered = {name: state.dtype for name, state in walk.batch.remembered.items()}
        return Types(assemble(walk.batch, walk.blocks, self._labels), fields, remembered)

    @cached_property
    def _field_types(self) -> KnownTypes:
        return self.types().fields

    def _walked(self, index: NDArray[np.int64]) -> _Walk:
        scenario = self._scenario
        population = draw_population(scenario, index)
        clock = draw_arrivals(scenario.start, scenario.end, Draws(population.keys, ARRIVAL))
        walk = _Walk(Batch(scenario, population, clock), self._runner, self._number)
        for journey in scenario.journeys:
            walk.journey(journey)
        walk.tally.users = len(index)
        return walk


class _Walk:
    """One batch on its way through the journeys."""

    def __init__(self, batch: Batch, runner: HandlerRunner, number: dict[tuple[str, str, str], int]) -> None:
        self.batch = batch
        self.contexts = Contexts(batch)
        self.runner = runner
        self.number = number
        self.blocks: list[Block] = []
        self.tally = Tally()

    def journey(self, journey: Journey) -> None:
        """All users at one journey."""
        batch, place, tally = self.batch, journey_place(journey.id), self.tally.journey(journey.id)
        allowed = np.ones(len(batch), dtype=np.bool_)
        for required in journey.requires:
            allowed &= batch.has_completed(required)
        meeting = np.flatnonzero(allowed)
        here = meeting[batch.clock[meeting] < batch.scenario.end]
        batch.begin_sessions(here, batch.draws(place.at("session"), here).bits())
        bounced = self._bounces(journey.bounce_chance, here, place)
        entered = here[~bounced]

        walking = np.zeros(len(batch), dtype=np.bool_)
        walking[entered] = True
        cut = np.zeros(len(batch), dtype=np.bool_)
        for adventure in journey.adventures:
            self._adventure(journey, adventure, walking, cut)

        batch.forget(entered, "journey")
        finished = np.flatnonzero(walking)
        batch.has_completed(journey.id)[finished] = True
        self._pass_time(journey.suppression_period, entered, place.at("suppression"))

        tally.users += len(batch)
        tally.skipped += len(batch) - len(meeting)
        tally.late += len(meeting) - len(here)
        tally.bounced += int(bounced.sum())
        tally.started += len(entered)
        tally.completed += len(finished)
        tally.cut += int(cut.sum())
        tally.stopped += len(entered) - len(finished) - int(cut.sum())

    def _adventure(
        self, journey: Journey, adventure: Adventure, walking: NDArray[np.bool_], cut: NDArray[np.bool_]
    ) -> None:
        """The users still walking at one adventure; who leaves the journey is taken out of `walking`."""
        place = adventure_place(journey.id, adventure.id)
        tally = self.tally.adventure(journey.id, adventure.id)
        arriving = np.flatnonzero(walking)
        inside = self._in_time(adventure.time_span, arriving, place, walking, cut)
        bounced = self._bounces(adventure.bounce_chance, inside, place)
        tally.reached += len(arriving)
        tally.cut += len(arriving) - len(inside)
        tally.bounced += int(bounced.sum())
        inside = self._leave(adventure, inside, bounced, walking)
        tally.entered += len(inside)
        for action in adventure.actions:
            inside = self._action(journey, adventure, action, inside, walking, cut)
        self.batch.forget(arriving, "adventure")

    def _action(
        self,
        journey: Journey,
        adventure: Adventure,
        action: Action,
        arriving: Positions,
        walking: NDArray[np.bool_],
        cut: NDArray[np.bool_],
    ) -> Positions:
        """The users inside an adventure at one action; returns those who go on to the next one."""
        batch, ids = self.batch, (journey.id, adventure.id, action.id)
        place, tally = action_place(*ids), self.tally.action(*ids)
        in_time = self._in_time(action.time_span, arriving, place, walking, cut)
        bounced = self._bounces(action.bounce_chance, in_time, place)
        staying = self._leave(adventure, in_time, bounced, walking)
        tally.reached += len(arriving)
        tally.cut += len(arriving) - len(in_time)
        tally.bounced += int(bounced.sum())
        tally.entered += len(staying)

        self._remember(action, staying, place)
        draw = self._fields if action.handler is None else self._handler
        block, late = draw(action, staying, place, self.number[ids])
        batch.forget(staying, "action")
        if len(late):
            walking[late] = False
            cut[late] = True
            staying = staying[~np.isin(staying, late)]
        self.blocks.append(block)
        self.tally.emitted(*ids, len(block.positions))
        names = {action.event_name: len(block.positions)} if block.given is None else Counter(block.given.names)
        for name, events in names.items():
            self.tally.named(name, events)
        return staying

    def _in_time(
        self,
        span: TimeSpan | None,
        positions: Positions,
        place: Place,
        walking: NDArray[np.bool_],
        cut: NDArray[np.bool_],
    ) -> Positions:
        """Let a time span pass; whose clock then reaches the end of the window is cut out of the journey."""
        self._pass_time(span, positions, place.at("time_span"))
        over = self.batch.clock[positions] >= self.batch.scenario.end
        if not over.any():
            return positions
        walking[positions[over]] = False
        cut[positions[over]] = True
        return positions[~over]

    def _pass_time(self, span: TimeSpan | None, positions: Positions, place: Place) -> None:
        if span is not None:
            self.batch.clock[positions] += draw_durations(span, self.batch.draws(place, positions))

    def _bounces(self, chance: Probability, positions: Positions, place: Place) -> NDArray[np.bool_]:
        here = self._at(positions)
        return happens(chance, self.batch.draws(place.at("bounce"), positions), here, f"{place.path} > Bounce chance")

    def _at(self, positions: Positions, event_name: str | None = None) -> UsersHere:
        return UsersHere(self.batch, self.contexts, positions, event_name)

    def _leave(
        self, adventure: Adventure, positions: Positions, bounced: NDArray[np.bool_], walking: NDArray[np.bool_]
    ) -> Positions:
        """Who stays in the adventure; a bounce also ends the journey unless the adventure is then skipped."""
        if adventure.on_bounce == "stop":
            walking[positions[bounced]] = False
        return positions[~bounced]

    def _remember(self, action: Action, positions: Positions, place: Place) -> None:
        for name, value in action.remember.items():
            where = place.field("remember", name)
            column = draw_value(value, self._at(positions, action.event_name).rows(where))
            self.batch.declared.add(name)
            self.batch.state(name).remember(positions, column, action.remember_scope, where.path)

    def _fields(self, action: Action, positions: Positions, place: Place, number: int) -> tuple[Block, Positions]:
        """The events of fields, and the users for whom callables let so much time pass that theirs came too late."""
        batch = self.batch
        here = self._at(positions, action.event_name)
        for name, value in action.fields.items():
            here.fields[name] = draw_value(value, here.rows(place.field("field", name)))
        times, columns = batch.clock[positions], here.fields
        over = times >= batch.scenario.end
        late = positions[over]
        if len(late):
            in_time = np.flatnonzero(~over)
            times, positions = times[in_time], positions[in_time]
            columns = {name: column.take(in_time) for name, column in columns.items()}
        everyone = np.arange(len(positions), dtype=np.intp)
        block = Block(
            action=number,
            positions=positions,
            times=times,
            sessions=batch.session_bits[positions],
            tails=batch.draws(place.at("event"), positions).bits(),
            payload=[(name, everyone, column) for name, column in columns.items()],
        )
        return block, late

    def _handler(self, action: Action, positions: Positions, place: Place, number: int) -> tuple[Block, Positions]:
        """The handler's events, and the users of whom an event came too late for the window."""
        batch, scenario = self.batch, self.batch.scenario
        batch.any_name_may_be_set = True
        contexts = self.contexts.at(positions, place, event_name=action.event_name, with_ids=True)
        found = Collector(start=scenario.start, end=scenario.end, path=place.path)
        if action.handler is not None and contexts:
            for some, results in self.runner.run(action.handler, contexts, place.path):
                found.add(some, results)
        self.contexts.take_clocks(positions, contexts)
        owners = found.positions
        block = Block(
            action=number,
            positions=owners,
            times=found.times,
            sessions=batch.session_bits[owners],
            tails=np.zeros(len(owners), dtype=np.uint64),
            payload=found.payload(),
            given=found.ids,
        )
        return block, found.late
