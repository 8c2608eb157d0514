"""A user's context whose state is the batch's columns, and how all users' contexts are made to stand at a place."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any

import numpy as np

from synode_df.engine.batch import Batch
from synode_df.engine.context import SynodeContext
from synode_df.engine.identity import Standing
from synode_df.engine.places import Place
from synode_df.engine.state import MISSING, Held, gathered
from synode_df.fields.columns import Positions
from synode_df.randomness import child_place


class SharedStanding(Standing):
    """The place where some users of a batch stand: what they read there is gathered once for all of them.

    Attributes
    ----------
    held : dict of str to Held
        What was gathered, by name.
    """

    __slots__ = ("_batch", "_positions", "clocks", "has_ids", "held")

    def __init__(self, batch: Batch, positions: Positions, place: Place, event_name: str | None) -> None:
        super().__init__(place.key, place.path, event_name)
        self._batch = batch
        self._positions = positions
        self.held: dict[str, Held] = {}
        self.clocks: list[int] = batch.clock[positions].tolist()
        self.has_ids = False

    def gather(self, key: str) -> Held:
        """What each user holds under a name."""
        batch = self._batch
        with batch.lock:
            state, attribute = batch.remembered.get(key), batch.population.attributes.get(key)
            held = self.held[key] = gathered(state, attribute, self._positions)
        return held


class BatchContext(SynodeContext):
    """A user's context whose state is the batch's columns.

    Until the user writes something, what it reads was gathered for all users who stand at the same place.
    """

    _batch: Batch
    _position: int
    _row: int
    _standing: SharedStanding
    _written: SharedStanding | None = None
    """Where the user last changed the state."""

    def get(self, key: str, default: Any = None) -> Any:
        """A value that was set or remembered, else the persona's attribute, else `default`."""
        standing = self._standing
        if self._written is not standing:
            values, own = standing.held.get(key) or standing.gather(key)
            if values is not None:
                value = values[self._row]
                if value is MISSING:
                    return default
                return value if own is None else own(value)
        return self._read(key, default)

    def _read(self, key: str, default: Any) -> Any:
        """What this user alone holds now."""
        state = self._batch.remembered.get(key)
        value = MISSING if state is None else state.get(self._position, MISSING)
        return self._attribute(key, default) if value is MISSING else value

    def _attribute(self, key: str, default: Any) -> Any:
        held = self._batch.attribute(key)
        if held is None or held.values is None:
            return default
        value = held.values[self._position]
        return value if held.own is None else held.own(value)

    def _write(self, key: str, value: Any, scope: str | None) -> None:
        self._written = self._standing
        with self._batch.lock:
            self._batch.state(key).put(self._position, value, scope)

    def _forget(self, scope: str) -> None:
        self._written = self._standing
        with self._batch.lock:
            self._batch.forget(np.array([self._position], dtype=np.intp), scope)

    def _id(self, kind: str) -> str:
        if kind == "event" and self._standing.has_ids:  # the first one was made beforehand
            counts = self._counts = self._counts or {}
            counts.setdefault(child_place(self._standing.key, kind), 1)
        return super()._id(kind)

    def _user_part(self) -> str:
        return self.user_id

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self._batch.scenario.seed

    def rotate_session(self) -> None:
        """Begin a new session, with a new session id."""
        bits = self._bits("session")
        self._session_id = f"{self.user_id}{bits:016x}"
        self._batch.change_session(self._position, bits, self._session_id)

    def has_completed_journey(self, journey: str) -> bool:
        """Whether the user ran a journey to its end."""
        done = self._batch.completed.get(journey)
        return False if done is None else bool(done[self._position])

    def mark_journey_complete(self, journey: str) -> None:
        """Count a journey as completed, which unlocks those that require it."""
        self._batch.has_completed(journey)[self._position] = True


class Contexts:
    """The contexts of a batch's users, each made when first needed and kept.

    The batch does not know of them: nothing refers to itself in a circle, and all is freed with the batch.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._made: list[BatchContext] = []

    def at(
        self, positions: Positions, place: Place, *, event_name: str | None, with_ids: bool = False
    ) -> list[BatchContext]:
        """The contexts of some users, standing at a place, with their clocks set.

        `with_ids` makes the ids of their first events together.
        """
        batch = self._batch
        made, texts = self._made or self._make(), batch.session_texts()
        standing = SharedStanding(batch, positions, place, event_name)
        ids: Iterable[str | None] = repeat(None)
        if with_ids:
            ids, standing.has_ids = batch.event_ids(positions, place), True
        found = []
        for row, (position, clock, event_id) in enumerate(zip(positions.tolist(), standing.clocks, ids, strict=False)):
            context = made[position]
            context._standing = standing
            context._row = row
            context._clock = clock
            context._session_id = texts[position]
            context._event_id = event_id
            found.append(context)
        return found

    def take_clocks(self, positions: Positions, contexts: list[BatchContext]) -> None:
        """Let time that passed in contexts pass in the batch."""
        clocks = [context._clock for context in contexts]
        if contexts and clocks != contexts[0]._standing.clocks:
            self._batch.clock[positions] = clocks

    def _make(self) -> list[BatchContext]:
        """All users' contexts at once."""
        batch, tables = self._batch, self._batch.scenario.tables
        user_ids = batch.population.user_ids.to_list()
        people = zip(batch.keys.tolist(), batch.index.tolist(), user_ids, strict=True)
        for position, (key, index, user_id) in enumerate(people):
            context = BatchContext.__new__(BatchContext)
            context._batch = batch
            context._position = position
            context._key = key
            context._user_index = index
            context._user_id = user_id
            context._tables = tables  # type: ignore[assignment]  # register_dataset copies before it writes
            self._made.append(context)
        return self._made
