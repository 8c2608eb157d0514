"""Some users of a batch at one moment: what their expressions, picks and callables can use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.engine.batch import BUILT_IN, TIMESTAMP, Batch
from synode_df.engine.batch_context import Contexts
from synode_df.engine.evaluation import evaluate
from synode_df.engine.places import Place
from synode_df.engine.surroundings import called, unknown_name
from synode_df.fields.columns import AnyColumn, Column, Positions, PythonColumn, constant_column, full_column
from synode_df.fields.rows import Rows
from synode_df.fields.tables import Table
from synode_df.model.validation import dataset_not_found
from synode_df.randomness import Draws


class UsersHere:
    """The surroundings of what is drawn for some users of a batch."""

    def __init__(self, batch: Batch, contexts: Contexts, positions: Positions, event_name: str | None = None) -> None:
        self.batch = batch
        self.positions = positions
        self._contexts = contexts
        self._index: NDArray[np.int64] | None = None
        self.fields: dict[str, AnyColumn] = {}
        self._event_name = event_name

    def rows(self, place: Place) -> Rows:
        """These users as rows at a place."""
        if self._index is None:
            self._index = self.batch.index[self.positions]
        return Rows(self.batch.draws(place, self.positions), self._index, self, place.path)

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
        contexts = self._contexts.at(self.positions, Place(draws.place, path), event_name=self._event_name)
        values = [called(function, (context,), path) for context in contexts]
        self._contexts.take_clocks(self.positions, contexts)
        return values

    def table(self, dataset: str, path: str) -> Table:
        """A dataset of the run."""
        tables = self.batch.scenario.tables
        if dataset not in tables:
            raise dataset_not_found(dataset, list(tables), path)
        return tables[dataset]

    def possible_locales(self) -> tuple[str, ...] | None:
        """The locales that users of the population can have, or None if that is not known beforehand."""
        return self.batch.scenario.locales

    def locales(self) -> Column:
        """The locale of every user."""
        column = self.batch.population.attributes.get("locale")
        if column is None:
            return constant_column(pl.Series(["en_US"]), len(self.positions))
        here = column.take(self.positions)
        typed = here if isinstance(here, Column) else Column(pl.Series(here.to_list(), dtype=pl.String))
        return Column(typed.values.cast(pl.String).fill_null("en_US"), typed.codes)
