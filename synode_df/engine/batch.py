"""A batch of users on their way, in columns: clocks, sessions, state, completed journeys."""

from __future__ import annotations

from threading import Lock

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.engine.hexadecimal import hex_digits, hex_pairs
from synode_df.engine.places import Place
from synode_df.engine.population import Population
from synode_df.engine.scenario import Scenario
from synode_df.engine.state import Held, Remembered, held_in
from synode_df.fields.columns import Positions
from synode_df.randomness import Draws

BUILT_IN = ("user_id", "user_index", "session_id", "timestamp")
"""The names that every user has."""

TIMESTAMP = pl.Datetime("us", "UTC")


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
    lock : Lock
        Held while a handler writes to the state, or reads more of it than its own user's.
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
        self._last_keys = (self.everyone, self.keys)
        self._user_digits: NDArray[np.uint32] | None = None
        self._session_texts: list[str] | None = None
        self._attributes: dict[str, Held] = {}
        self.lock = Lock()

    def __len__(self) -> int:
        return len(self.index)

    def draws(self, place: Place, positions: Positions) -> Draws:
        """The random numbers of some users at a place."""
        if self._last_keys[0] is not positions:  # the same users often draw several things in a row
            self._last_keys = (positions, self.keys[positions])
        return Draws(self._last_keys[1], place.key)

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
        for state in list(self.remembered.values()):  # a copy: handlers in other lanes may add names
            state.forget(positions, scope)

    def attribute(self, name: str) -> Held | None:
        """Every user's attribute as Python values, or None where there is no such attribute."""
        if name not in self._attributes:
            column = self.population.attributes.get(name)
            if column is None:
                return None
            self._attributes[name] = held_in(column)
        return self._attributes[name]

    def begin_sessions(self, positions: Positions, bits: NDArray[np.uint64]) -> None:
        """Give some users new sessions."""
        self.session_bits[positions] = bits
        self._session_texts = None

    def session_texts(self) -> list[str]:
        """Every user's current session id as Python text."""
        if self._session_texts is None:
            self._session_texts = self.session_ids(self.everyone).to_list()
        return self._session_texts

    def change_session(self, position: int, bits: int, text: str) -> None:
        """Give one user a new session, of which the text is known."""
        self.session_bits[position] = bits
        self.session_texts()[position] = text

    def event_ids(self, positions: Positions, place: Place) -> list[str]:
        """The ids of some users' first events at a place, made together."""
        bits = self.draws(place.at("event"), positions).bits()
        return hex_pairs(self.user_digits(), positions, bits).to_list()
