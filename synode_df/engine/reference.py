"""The reference engine: what a journey means, in plain Python, for one user.

This file is the semantics. `columnar.py` runs the same for many users at once and must agree, event for event.

A **bounce** is a user leaving early. With the bounce chance of a journey the user leaves at the door: no events, not
completed. With that of an adventure, or of one of its actions, the user leaves the adventure; `on_bounce="stop"`
then ends the journey, `"skip"` goes on with the next adventure.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from typing import Any, Final

import numpy as np
import polars as pl

from synode_df.durations import TimeSpan
from synode_df.engine.batch import TIMESTAMP
from synode_df.engine.clock import draw_durations, to_micros
from synode_df.engine.context import SynodeContext
from synode_df.engine.evaluation import evaluate
from synode_df.engine.handlers import check_payload_names, checked_events, handler_error, settled
from synode_df.engine.places import Place, action_place, adventure_place, journey_place
from synode_df.engine.surroundings import called, unknown_name
from synode_df.engine.tally import Tally
from synode_df.fields.columns import AnyColumn, Column, PythonColumn
from synode_df.fields.probabilities import Probability, happens
from synode_df.fields.rows import Rows
from synode_df.fields.tables import Table
from synode_df.fields.values import draw_value
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.event import Event
from synode_df.model.journey import Journey
from synode_df.randomness import Draws

Located = tuple[tuple[str, str, str], Event]
"""An event, behind the ids of its journey, adventure and action."""

Step = Located | Awaitable[Any]
"""An event, or the awaitable of an async handler, whose result is sent back in."""

_DONE: Final = "done"
_LEFT: Final = "left the adventure"
_CUT: Final = "cut by the window"


class Engine:
    """Runs one journey for one user.

    Parameters
    ----------
    journey : Journey
        What to run.

    Examples
    --------
    >>> import synode_df as sd
    >>> journey = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", time_span="5s")])])
    >>> for event in sd.Engine(journey).run(sd.SynodeContext()):
    ...     print(event.name, event.timestamp.time())
    land 00:00:00
    view 00:00:05
    """

    def __init__(
        self,
        journey: Journey,
        *,
        tally: Tally | None = None,
        remembered_types: Mapping[str, pl.DataType] | None = None,
    ) -> None:
        self._journey = journey
        self._tally = Tally() if tally is None else tally
        self._types = dict(remembered_types or {})

    def run(self, context: SynodeContext) -> Iterator[Event]:
        """The user's events, in order; async handlers are waited for.

        Parameters
        ----------
        context : SynodeContext
            The user. Its state, clock and completed journeys change.

        Yields
        ------
        Event

        Raises
        ------
        SynodeError
            `HANDLER_ERROR`, `INVALID_HANDLER_RETURN`, `UNKNOWN_NAME`, `EXPRESSION_FAILED`, ...
        """
        for _, event in self.located(context):
            yield event

    def located(self, context: SynodeContext) -> Iterator[Located]:
        """The same, each event with the ids of its journey, adventure and action."""
        steps = self._walk(context)
        step = next(steps, None)
        while step is not None:
            if isinstance(step, tuple):
                yield step
                step = next(steps, None)
            else:
                try:
                    result, error = settled(step), None
                except Exception as raised:  # noqa: BLE001 - handed back to the place that awaits, which wraps it
                    result, error = None, raised
                step = _resumed(steps, result, error)

    async def arun(self, context: SynodeContext) -> AsyncIterator[Event]:
        """The same, awaiting async handlers in the caller's event loop.

        Parameters
        ----------
        context : SynodeContext
            The user.

        Yields
        ------
        Event
        """
        steps = self._walk(context)
        step = next(steps, None)
        while step is not None:
            if isinstance(step, tuple):
                yield step[1]
                step = next(steps, None)
            else:
                try:
                    result, error = await step, None
                except Exception as raised:  # noqa: BLE001 - as above
                    result, error = None, raised
                step = _resumed(steps, result, error)

    def _walk(self, context: SynodeContext) -> Generator[Step, Any, None]:
        """One user at the journey, in the order that defines it."""
        journey, place = self._journey, journey_place(self._journey.id)
        tally = self._tally.journey(journey.id)
        tally.users += 1
        if not all(context.has_completed_journey(required) for required in journey.requires):
            tally.skipped += 1
            return
        if context._end is not None and context._clock >= context._end:
            tally.late += 1
            return
        context._enter(place.key, place.path)
        context.rotate_session()
        if self._bounces(journey.bounce_chance, context, place):
            tally.bounced += 1
            return
        tally.started += 1
        outcome = yield from self._adventures(context)
        context.clear_scope("journey")
        if outcome == _DONE:
            context.mark_journey_complete(journey.id)
            tally.completed += 1
        elif outcome == _CUT:
            tally.cut += 1
        else:
            tally.stopped += 1
        self._pass_time(journey.suppression_period, context, place.at("suppression"))

    def _adventures(self, context: SynodeContext) -> Generator[Step, Any, str]:
        for adventure in self._journey.adventures:
            outcome = yield from self._adventure(adventure, context)
            context.clear_scope("adventure")
            if outcome == _CUT or (outcome == _LEFT and adventure.on_bounce == "stop"):
                return outcome
        return _DONE

    def _adventure(self, adventure: Adventure, context: SynodeContext) -> Generator[Step, Any, str]:
        place = adventure_place(self._journey.id, adventure.id)
        tally = self._tally.adventure(self._journey.id, adventure.id)
        tally.reached += 1
        if not self._in_time(adventure.time_span, context, place):
            tally.cut += 1
            return _CUT
        if self._bounces(adventure.bounce_chance, context, place):
            tally.bounced += 1
            return _LEFT
        tally.entered += 1
        for action in adventure.actions:
            outcome = yield from self._action(adventure, action, context)
            if outcome != _DONE:
                return outcome
        return _DONE

    def _action(self, adventure: Adventure, action: Action, context: SynodeContext) -> Generator[Step, Any, str]:
        ids = (self._journey.id, adventure.id, action.id)
        place, tally = action_place(*ids), self._tally.action(*ids)
        tally.reached += 1
        if not self._in_time(action.time_span, context, place):
            tally.cut += 1
            return _CUT
        if self._bounces(action.bounce_chance, context, place):
            tally.bounced += 1
            return _LEFT
        tally.entered += 1
        here = _UserHere(context, self._types, action.event_name)
        for name, value in action.remember.items():
            where = place.field("remember", name)
            column = draw_value(value, here.rows(where))
            context._write(name, column if isinstance(column, Column) else column.values[0], action.remember_scope)
        context._enter(place.key, place.path, action.event_name)
        if action.handler is None:
            for name, value in action.fields.items():
                here.fields[name] = draw_value(value, here.rows(place.field("field", name)))
            context._enter(place.key, place.path, action.event_name)
            payload = {name: column.to_list()[0] for name, column in here.fields.items()}
            events = [context.event(action.event_name, **payload)]
        else:
            try:
                result = action.handler(context)
                if inspect.isawaitable(result):
                    result = yield result
            except Exception as error:
                raise handler_error(error, context, place.path) from error
            events = checked_events(result, context, place.path)
            for event in events:
                check_payload_names(event.payload, place.path)
        late = False
        for event in events:
            if _in_window(event, context):
                self._tally.emitted(*ids, 1)
                self._tally.named(event.name)
                yield ids, event
            late = late or (context._end is not None and to_micros(event.timestamp) >= context._end)
        context.clear_scope("action")
        return _CUT if late else _DONE

    def _in_time(self, span: TimeSpan | None, context: SynodeContext, place: Place) -> bool:
        """Let a time span pass; whether the user's clock is still inside the window."""
        self._pass_time(span, context, place.at("time_span"))
        return context._end is None or context._clock < context._end

    def _pass_time(self, span: TimeSpan | None, context: SynodeContext, place: Place) -> None:
        if span is not None:
            context._clock += int(draw_durations(span, _draws(context, place))[0])

    def _bounces(self, chance: Probability, context: SynodeContext, place: Place) -> bool:
        here = _UserHere(context, self._types, None)
        draws = _draws(context, place.at("bounce"))
        return bool(happens(chance, draws, here, f"{place.path} > Bounce chance")[0])


def _resumed(steps: Generator[Step, Any, None], result: Any, error: Exception | None) -> Step | None:
    """The next step after a handler's result, or its error, is handed back; None at the end."""
    try:
        return steps.send(result) if error is None else steps.throw(error)
    except StopIteration:
        return None


def _draws(context: SynodeContext, place: Place) -> Draws:
    return Draws(np.array([context._key], dtype=np.uint64), place.key)


def _in_window(event: Event, context: SynodeContext) -> bool:
    if context._end is None:
        return True
    return context._start <= to_micros(event.timestamp) < context._end


class _UserHere:
    """One user at one moment: what expressions, picks and callables can use. Columns have one row."""

    def __init__(self, context: SynodeContext, types: Mapping[str, pl.DataType], event_name: str | None) -> None:
        self.context = context
        self.fields: dict[str, AnyColumn] = {}
        self._types = types
        self._event_name = event_name

    def rows(self, place: Place) -> Rows:
        """The user as a row at a place."""
        index = np.array([self.context.user_index], dtype=np.int64)
        return Rows(_draws(self.context, place), index, self, place.path)

    def lookup(self, name: str, path: str) -> AnyColumn:
        """A value by name: fields first, then state, attributes and what every user has."""
        context = self.context
        if name in self.fields:
            return self.fields[name]
        if name in context._state:
            return _as_column(context._state[name][0])
        if name in context._attributes:
            return _as_column(context._attributes[name])
        if name == "user_id":
            return Column(pl.Series([context.user_id]))
        if name == "user_index":
            return Column(pl.Series([context.user_index], dtype=pl.Int64))
        if name == "session_id":
            return Column(pl.Series([context.session_id]))
        if name == "timestamp":
            return Column(pl.Series([context._clock], dtype=pl.Int64).cast(TIMESTAMP))
        if name in self._types:  # remembered on a path that this user did not take
            dtype = self._types[name]
            return PythonColumn([None]) if dtype == pl.Null else Column(pl.Series([None], dtype=dtype))
        known = [*self.fields, *context._state, *context._attributes, *self._types]
        known += ["user_id", "user_index", "session_id", "timestamp"]
        raise unknown_name(name, known, path, user=context.user_index)

    def evaluate(self, expression: pl.Expr, path: str) -> AnyColumn:
        """An expression's value for the user."""
        return evaluate(expression, lambda name: self.lookup(name, path), 1, path)

    def call(self, function: Callable[..., Any], draws: Draws, path: str) -> list[object]:
        """A callable's value for the user."""
        self.context._enter(draws.place, path, self._event_name)
        return [called(function, (self.context,), path)]

    def table(self, dataset: str, path: str) -> Table:
        """A dataset of the run."""
        del path
        return self.context._table(dataset)

    def possible_locales(self) -> tuple[str, ...] | None:
        """The locales that users of the population can have, or None if that is not known beforehand."""
        known = self.context._locales
        return (self.context.locale,) if known == () else known

    def locales(self) -> Column:
        """The user's locale."""
        return Column(pl.Series([self.context.locale]))


def _as_column(held: object) -> AnyColumn:
    return held if isinstance(held, Column) else PythonColumn([held])
