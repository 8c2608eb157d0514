"""Who the users are: keys, ids, personas and attributes of any set of user indices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.engine.context import SynodeContext
from synode_df.engine.hexadecimal import hex_strings
from synode_df.engine.places import PERSONA, USER_ID, Place, attribute_place
from synode_df.engine.scenario import Scenario
from synode_df.engine.surroundings import NamedColumns
from synode_df.fields.choices import checked_weights
from synode_df.fields.columns import AnyColumn, Column, Positions, PythonColumn, full_column
from synode_df.fields.dtypes import common_dtype, type_conflict, typed_series
from synode_df.fields.fake import is_distinct
from synode_df.fields.rows import Rows
from synode_df.fields.values import draw_value
from synode_df.model.persona import Persona
from synode_df.randomness import Draws, row_keys


@dataclass(frozen=True, eq=False)
class Population:
    """Some users: who they are, before anything happens to them."""

    index: NDArray[np.int64]
    keys: NDArray[np.uint64]
    attributes: dict[str, AnyColumn]
    persona_ids: Column | None

    @cached_property
    def id_bits(self) -> NDArray[np.uint64]:
        """The 64 bits of each user's id."""
        return Draws(self.keys, USER_ID).bits()

    @cached_property
    def user_ids(self) -> pl.Series:
        """Each user's id: 16 hexadecimal digits."""
        return hex_strings(self.id_bits)

    def frame(self) -> pl.DataFrame:
        """One row a user: `user_index`, `user_id`, `persona_id` where personas are mixed, attributes."""
        columns = [pl.Series("user_index", self.index), self.user_ids.alias("user_id")]
        if self.persona_ids is not None:
            columns.append(self.persona_ids.series("persona_id"))
        for name, column in self.attributes.items():
            columns.append(
                column.series(name)
                if isinstance(column, Column)
                else typed_series(column.values, f"Attribute {name!r}").alias(name)
            )
        return pl.DataFrame(columns)


def draw_population(scenario: Scenario, index: NDArray[np.int64]) -> Population:
    """The users with some indices.

    Raises
    ------
    SynodeError
        What drawing the attributes raises; `TYPE_CONFLICT` where two personas disagree on an attribute's type.
    """
    keys = row_keys(scenario.seed, "user", index)
    if not scenario.personas:
        return Population(index, keys, {}, None)
    if not scenario.mixed:
        drawn = _draw_attributes(scenario.personas[0][0], scenario, index, keys)
        return Population(index, keys, drawn, None)
    cumulative = checked_weights([weight for _, weight in scenario.personas], "persona")
    chosen = np.searchsorted(cumulative, Draws(keys, PERSONA).uniform(), side="right").astype(np.uint32)
    parts: dict[str, list[tuple[Positions, AnyColumn]]] = {name: [] for name in scenario.attribute_names()}
    for number, (persona, _) in enumerate(scenario.personas):
        members = np.flatnonzero(chosen == number)
        for name, column in _draw_attributes(persona, scenario, index[members], keys[members]).items():
            parts[name].append((members, column))
    attributes = {name: full_column(_same_type(name, pieces), len(index)) for name, pieces in parts.items()}
    ids = [persona.id for persona, _ in scenario.personas]
    return Population(index, keys, attributes, Column(pl.Series(ids, dtype=pl.Enum(ids)), chosen))


def _same_type(name: str, pieces: list[tuple[Positions, AnyColumn]]) -> list[tuple[Positions, AnyColumn]]:
    """Pieces of one attribute from several personas, in the type that holds them all."""
    dtype: pl.DataType = pl.Null()
    for _, piece in pieces:
        if isinstance(piece, PythonColumn):
            return pieces
        joined = common_dtype(dtype, piece.dtype)
        if joined is None:
            raise type_conflict(
                dtype,
                piece.dtype,
                f"Attribute {name!r}",
                message=f"Two personas give attribute {name!r} different types",
            )
        dtype = joined
    return [
        (positions, Column(piece.values.cast(dtype), piece.codes) if isinstance(piece, Column) else piece)
        for positions, piece in pieces
    ]


def _draw_attributes(
    persona: Persona, scenario: Scenario, index: NDArray[np.int64], keys: NDArray[np.uint64]
) -> dict[str, AnyColumn]:
    columns: dict[str, AnyColumn] = {
        "user_index": Column(pl.Series(index)),
        "user_id": Column(hex_strings(Draws(keys, USER_ID).bits())),
    }

    def arguments(draws: Draws, path: str) -> Iterable[tuple[Any, ...]]:
        lists = {name: column.to_list() for name, column in columns.items() if name in persona.attributes}
        for row, (user, key) in enumerate(zip(index.tolist(), keys.tolist(), strict=True)):
            context = SynodeContext.__new__(SynodeContext)
            context._begin(
                key=key,
                index=user,
                seed=scenario.seed,
                clock=scenario.start,
                end=scenario.end,
                tables=dict(scenario.tables),
                attributes={name: values[row] for name, values in lists.items()},
            )
            context._enter(draws.place, path)
            yield (context,)

    surroundings = NamedColumns(
        columns, rows=len(index), tables=scenario.tables, arguments=arguments, locales=scenario.locales
    )
    for name, value in persona.drawing_order():
        # Distinct values are distinct across all personas of the population.
        place = attribute_place(persona.id, name)
        if is_distinct(value):
            place = Place(attribute_place("", name).key, place.path)
        columns[name] = draw_value(value, Rows(Draws(keys, place.key), index, surroundings, place.path))
    return {name: columns[name] for name in persona.attributes}
