"""The state of a batch of users in columns: what they remember, and where they stand."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from synode_df.fields.columns import AnyColumn, Column, Positions, PythonColumn
from synode_df.fields.dtypes import type_conflict

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
        self._lists: dict[int, list[object]] = {}
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
            self._lists[owner] = part.values.to_list()
        value = self._lists[owner][row if part.codes is None else part.codes.item(row)]
        # Users share the dictionary of distinct values: each gets containers of its own.
        return dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value
