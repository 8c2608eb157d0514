"""A batch of users on their way: clocks, sessions, state, and the names that their expressions can read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.engine.context import SynodeContext
from synode_df.engine.evaluation import evaluate
from synode_df.engine.hexadecimal import hex_digits, hex_pairs
from synode_df.engine.places import Place
from synode_df.engine.population import Population
from synode_df.engine.scenario import Scenario
from synode_df.engine.state import Remembered
from synode_df.engine.surroundings import called, unknown_name
from synode_df.fields.columns import AnyColumn, Column, Positions, PythonColumn, constant_column, full_column
from synode_df.fields.rows import Rows
from synode_df.fields.tables import Table
from synode_df.model.validation import dataset_not_found
from synode_df.randomness import Draws, child_place

BUILT_IN = ("user_id", "user_index", "session_id", "timestamp")
"""The names that every user has."""

TIMESTAMP = pl.Datetime("us", "UTC")

_MISSING: Final = object()


class Batch:
    """Users of a population, addressed by their position in the batch.

    Attributes
    ----------
    clock : ndarray of int64, shape (n,)
        Microseconds since 1970, UTC.
    session_bits : ndarray of uint64, shape (n,)
        The part of each user's session id behind the user's own.
    remembered : dict of str to Remembered
        The state, by name.
    completed : dict of str to ndarray of bool
        Who completed which journey.
    """

    def __init__(self, scenario: Scenario, population: Population, clock: NDArray[np.int64]) -> None:
        users = len(population.index)
        self.scenario = scenario
        self.population = population
        self.keys = population.keys
        self.index = population.index
        self.clock = clock
        self.everyone: Positions = np.arange(users, dtype=np.intp)
        self.session_bits = np.zeros(users, dtype=np.uint64)
        self.remembered: dict[str, Remembered] = {}
        self.declared: set[str] = set()
        self.completed: dict[str, NDArray[np.bool_]] = {}
        self.any_name_may_be_set = False
        self._user_digits: NDArray[np.uint32] | None = None
        self._contexts: dict[int, BatchContext] = {}
        self.attribute_lists: dict[str, list[object]] = {}

    def __len__(self) -> int:
        return len(self.index)

    def draws(self, place: Place, positions: Positions) -> Draws:
        """The random numbers of some users at a place."""
        return Draws(self.keys[positions], place.key)

    def session_ids(self, positions: Positions) -> pl.Series:
        """The current session ids of some users."""
        return hex_pairs(self.user_digits(), positions, self.session_bits[positions])

    def user_digits(self) -> NDArray[np.uint32]:
        """The digits of every user's id, as words."""
        if self._user_digits is None:
            self._user_digits = hex_digits(self.population.id_bits)
        return self._user_digits

    def state(self, name: str) -> Remembered:
        """The state of one name, made on first use."""
        return self.remembered.setdefault(name, Remembered(len(self)))

    def has_completed(self, journey: str) -> NDArray[np.bool_]:
        """Who completed a journey, as a mask that may be written to."""
        return self.completed.setdefault(journey, np.zeros(len(self), dtype=np.bool_))

    def forget(self, positions: Positions, scope: str) -> None:
        """End a scope for some users."""
        for state in self.remembered.values():
            state.forget(positions, scope)

    def attribute_values(self, name: str) -> list[object] | None:
        """Every user's attribute as Python values, or None where there is no such attribute."""
        if name not in self.attribute_lists:
            if name not in self.population.attributes:
                return None
            self.attribute_lists[name] = self.population.attributes[name].to_list()
        return self.attribute_lists[name]

    def contexts(self, positions: Positions, place: Place, event_name: str | None) -> list[BatchContext]:
        """The contexts of some users, standing at a place, with their clocks and sessions set."""
        found = []
        clocks = self.clock[positions].tolist()
        sessions = self.session_ids(positions).to_list()
        for position, clock, session in zip(positions.tolist(), clocks, sessions, strict=True):
            context = self._contexts.get(position)
            if context is None:
                context = self._contexts[position] = BatchContext.of(self, position)
            context._clock = clock
            context._session_id = session
            context._first_event_id = None
            context._place = place.key
            context._path = place.path
            context._event_name = event_name
            found.append(context)
        return found

    def event_ids(self, positions: Positions, place: Place) -> list[str]:
        """The ids of some users' first events at a place, made together."""
        bits = self.draws(place.at("event"), positions).bits()
        return hex_pairs(self.user_digits(), positions, bits).to_list()

    def take_clocks(self, positions: Positions, contexts: list[BatchContext]) -> None:
        """Let time that passed in contexts pass in the batch."""
        self.clock[positions] = [context._clock for context in contexts]

    def at(self, positions: Positions, *, event_name: str | None = None) -> UsersHere:
        """Some users, as field values see them."""
        return UsersHere(self, positions, event_name)


class UsersHere:
    """Some users of a batch at one moment: what their expressions, picks and callables can use."""

    def __init__(self, batch: Batch, positions: Positions, event_name: str | None) -> None:
        self.batch = batch
        self.positions = positions
        self.fields: dict[str, AnyColumn] = {}
        self._event_name = event_name

    def rows(self, place: Place) -> Rows:
        """These users as rows at a place."""
        batch = self.batch
        return Rows(batch.draws(place, self.positions), batch.index[self.positions], self, place.path)

    def lookup(self, name: str, path: str) -> AnyColumn:
        """A column by name: fields first, then state, attributes and what every user has."""
        batch, positions = self.batch, self.positions
        if name in self.fields:
            return self.fields[name]
        if name in BUILT_IN:
            return self._built_in(name)
        attribute = batch.population.attributes.get(name)
        state = batch.remembered.get(name)
        if state is None:
            if attribute is not None:
                return attribute.take(positions)
            if len(positions) or not batch.any_name_may_be_set:
                user = int(batch.index[positions[0]]) if len(positions) and batch.any_name_may_be_set else None
                raise unknown_name(name, self.known(), path, user=user)
            return PythonColumn([])
        found, absent = state.read(positions)
        if len(absent):
            if attribute is not None:
                found.append((absent, attribute.take(positions[absent])))
            elif name not in batch.declared:
                user = int(batch.index[positions[absent[0]]])
                raise unknown_name(name, self.known(), path, user=user)
        if len(found) == 1 and len(found[0][0]) == len(positions):
            return found[0][1]
        return full_column(found, len(positions))

    def _built_in(self, name: str) -> Column:
        batch, positions = self.batch, self.positions
        if name == "user_id":
            return Column(batch.population.user_ids).take(positions)
        if name == "user_index":
            return Column(pl.Series(batch.index[positions]))
        if name == "session_id":
            return Column(batch.session_ids(positions))
        return Column(pl.Series(batch.clock[positions]).cast(TIMESTAMP))

    def known(self) -> Iterable[str]:
        """The names that can be looked up."""
        batch = self.batch
        return dict.fromkeys([*self.fields, *batch.remembered, *batch.population.attributes, *BUILT_IN])

    def evaluate(self, expression: pl.Expr, path: str) -> AnyColumn:
        """An expression's value for every user."""
        return evaluate(expression, lambda name: self.lookup(name, path), len(self.positions), path)

    def call(self, function: Callable[..., Any], draws: Draws, path: str) -> list[object]:
        """A callable's value for every user."""
        self.batch.any_name_may_be_set = True
        contexts = self.batch.contexts(self.positions, Place(draws.place, path), self._event_name)
        values = [called(function, (context,), path) for context in contexts]
        self.batch.take_clocks(self.positions, contexts)
        return values

    def table(self, dataset: str, path: str) -> Table:
        """A dataset of the run."""
        tables = self.batch.scenario.tables
        if dataset not in tables:
            raise dataset_not_found(dataset, list(tables), path)
        return tables[dataset]

    def locales(self) -> Column:
        """The locale of every user."""
        column = self.batch.population.attributes.get("locale")
        if column is None:
            return constant_column(pl.Series(["en_US"]), len(self.positions))
        here = column.take(self.positions)
        typed = here if isinstance(here, Column) else Column(pl.Series(here.to_list(), dtype=pl.String))
        return Column(typed.values.cast(pl.String).fill_null("en_US"), typed.codes)


class BatchContext(SynodeContext):
    """A user's context whose state is the batch's columns."""

    _batch: Batch
    _position: int
    _first_event_id: str | None

    @classmethod
    def of(cls, batch: Batch, position: int) -> BatchContext:
        """The context of the user at a position."""
        context = cls.__new__(cls)
        scenario = batch.scenario
        context._begin(
            key=batch.keys.item(position),
            index=batch.index.item(position),
            seed=scenario.seed,
            clock=0,
            end=scenario.end,
            tables=scenario.tables,  # type: ignore[arg-type]  # register_dataset copies before it writes
        )
        context._batch = batch
        context._position = position
        context._first_event_id = None
        context._user_id = context._user_part()
        return context

    def get(self, key: str, default: Any = None) -> Any:
        """A value that was set or remembered, else the persona's attribute, else `default`."""
        batch = self._batch
        state = batch.remembered.get(key)
        if state is not None:
            value = state.get(self._position, _MISSING)
            if value is not _MISSING:
                return value
        values = batch.attribute_lists.get(key) or batch.attribute_values(key)
        return default if values is None else values[self._position]

    def _attribute(self, key: str, default: Any) -> Any:
        values = self._batch.attribute_values(key)
        return default if values is None else values[self._position]

    def _write(self, key: str, value: Any, scope: str | None) -> None:
        self._batch.state(key).put(self._position, value, scope)

    def _forget(self, scope: str) -> None:
        self._batch.forget(np.array([self._position], dtype=np.intp), scope)

    def _id(self, kind: str) -> str:
        if kind == "event" and self._first_event_id is not None:
            made, self._first_event_id = self._first_event_id, None
            self._counts[child_place(self._place, kind)] = 1
            return made
        return super()._id(kind)

    @property
    def session_id(self) -> str:
        """The id of the current session."""
        if self._session_id is None:
            self._session_id = f"{self._user_id}{self._batch.session_bits.item(self._position):016x}"
        return self._session_id

    def rotate_session(self) -> None:
        """Begin a new session, with a new session id."""
        self._batch.session_bits[self._position] = self._bits("session")
        self._session_id = None

    def has_completed_journey(self, journey: str) -> bool:
        """Whether the user ran a journey to its end."""
        done = self._batch.completed.get(journey)
        return False if done is None else bool(done[self._position])

    def mark_journey_complete(self, journey: str) -> None:
        """Count a journey as completed, which unlocks those that require it."""
        self._batch.has_completed(journey)[self._position] = True
