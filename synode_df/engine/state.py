"""The state of a batch of users in columns: what they remember, and where they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from synode_df.fields.columns import AnyColumn, Column, Positions, PythonColumn
from synode_df.fields.copies import own_copy
from synode_df.fields.dtypes import type_conflict

MISSING: Final = object()
"""Stands where a user holds nothing."""

_ABSENT: Final = -1
_LOOSE: Final = -2
_SCOPES: Final = {None: 0, "action": 1, "adventure": 2, "journey": 3}
_EMPTY: Final = np.empty(0, dtype=np.intp)


class Remembered:
    """The values of one name in the users' state.

    A `remember` adds one part, a column for the users who came by; `ctx.set` adds single values. Each user points
    at the row that was written last.
    """

    def __init__(self, users: int) -> None:
        self._part = np.full(users, _ABSENT, dtype=np.int32)
        self._row = np.zeros(users, dtype=np.uint32)
        self._scope = np.zeros(users, dtype=np.uint8)
        self._parts: list[AnyColumn] = []
        self._lists: dict[int, Held] = {}
        self._loose: list[object] = []

    def remember(self, positions: Positions, column: AnyColumn, scope: str | None, path: str) -> None:
        """Write a column for some users, or `TYPE_CONFLICT` if the name was remembered with another type."""
        for part in self._parts[:1]:
            if isinstance(part, Column) and isinstance(column, Column) and part.dtype != column.dtype:
                raise type_conflict(part.dtype, column.dtype, path, message="One name is remembered with two types")
        self._part[positions] = len(self._parts)
        self._row[positions] = np.arange(len(positions), dtype=np.uint32)
        self._scope[positions] = _SCOPES[scope]
        self._parts.append(column)

    @property
    def dtype(self) -> pl.DataType:
        """The type that the name is remembered with; `Null` while only its values can tell."""
        first = self._parts[0] if self._parts else None
        return first.dtype if isinstance(first, Column) else pl.Null()

    def put(self, position: int, value: object, scope: str | None) -> None:
        """Write one value for one user."""
        self._loose.append(value)
        self._part[position] = _LOOSE
        self._row[position] = len(self._loose) - 1
        self._scope[position] = _SCOPES[scope]

    def forget(self, positions: Positions, scope: str) -> None:
        """Take back what some users hold with a scope."""
        ended = positions[self._scope[positions] == _SCOPES[scope]]
        self._part[ended] = _ABSENT

    def read(self, positions: Positions) -> tuple[list[tuple[Positions, AnyColumn]], Positions]:
        """For some users: columns with the places they fill in the answer, and the places that hold nothing."""
        owners = self._part[positions]
        if len(owners) and (owners == owners[0]).all() and owners[0] >= 0:
            column = self._parts[owners[0]].take(self._row[positions].astype(np.intp))
            return [(np.arange(len(positions)), column)], _EMPTY
        found: list[tuple[Positions, AnyColumn]] = []
        if self._parts:
            found.append((_EMPTY, self._parts[0].take(_EMPTY)))  # gives the answer its type, even if nobody holds one
        for owner in np.unique(owners).tolist():
            if owner == _ABSENT:
                continue
            places = np.flatnonzero(owners == owner)
            rows = self._row[positions[places]].astype(np.intp)
            source = PythonColumn(self._loose) if owner == _LOOSE else self._parts[owner]
            found.append((places, source.take(rows)))
        return found, np.flatnonzero(owners == _ABSENT)

    def get(self, position: int, default: Any) -> Any:
        """One user's value, or `default`."""
        owner = self._part.item(position)
        if owner == _ABSENT:
            return default
        row = self._row.item(position)
        if owner == _LOOSE:
            return self._loose[row]
        part = self._parts[owner]
        if isinstance(part, PythonColumn):
            return part.values[row]
        if owner not in self._lists:
            self._lists[owner] = held_in(Column(part.values))
        held = self._lists[owner]
        value = held.values[row if part.codes is None else part.codes.item(row)]  # type: ignore[index]  # has values
        return value if held.own is None else held.own(value)


class Held(NamedTuple):
    """What some users hold under one name, as Python values.

    Attributes
    ----------
    values : list or None
        A value for each user, or `MISSING`; None where they are of so many kinds that each is better looked up alone.
    own : callable or None
        Makes a user's own copy of a value that users share; None where none is needed.
    """

    values: list[object] | None
    own: Callable[[Any], Any] | None = None


def held_in(column: AnyColumn) -> Held:
    """A column's values; Python objects are the users' own already, and stay the same objects."""
    if isinstance(column, PythonColumn):
        return Held(column.to_list())
    return Held(column.to_list(), own_copy(column.dtype, nullable=column.values.null_count() > 0))


def gathered(state: Remembered | None, attribute: AnyColumn | None, positions: Positions) -> Held:
    """What users hold at some positions: in a state, else in an attribute."""
    found: list[tuple[Positions, AnyColumn]] = []
    absent = np.arange(len(positions), dtype=np.intp)
    if state is not None:
        found, absent = state.read(positions)
    if attribute is not None and len(absent):
        found.append((absent, attribute.take(positions[absent])))
    found = [(places, column) for places, column in found if len(places)]
    if len(found) == 1 and len(found[0][0]) == len(positions):
        return held_in(found[0][1])
    held = [held_in(column) for _, column in found]
    if len({each.own for each in held}) > 1 or (held and held[0].own is not None):
        return Held(None)
    values: list[object] = [MISSING] * len(positions)
    for (places, _), each in zip(found, held, strict=True):
        for place, value in zip(places.tolist(), each.values or (), strict=True):
            values[place] = value
    return Held(values)
