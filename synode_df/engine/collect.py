"""Gathering what handlers return into columns, event by event, so that no Python object outlives its call."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synode_df.engine.clock import to_micros
from synode_df.engine.handlers import check_payload_names
from synode_df.fields.columns import AnyColumn, Positions, PythonColumn
from synode_df.model.event import Event


@dataclass(frozen=True, eq=False, slots=True)
class GivenIds:
    """Ids and names that a handler's events carry themselves."""

    event_ids: list[str] = field(default_factory=list)
    user_ids: list[str] = field(default_factory=list)
    session_ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


class Collector:
    """The events of one action's handler that lie in the window, one row each.

    Parameters
    ----------
    start, end : int
        The window in microseconds since 1970.
    path : str
        The action's place, for errors.
    """

    def __init__(self, *, start: int, end: int, path: str) -> None:
        self.ids = GivenIds()
        self._start = start
        self._end = end
        self._path = path
        self._owners: list[int] = []
        self._times: list[int] = []
        self._late: list[int] = []
        self._by_names: dict[tuple[str, ...], tuple[list[int], list[list[Any]]]] = {}

    def add(self, position: int, events: list[Event], stamp: tuple[int, datetime] | None) -> None:
        """Take the events of the user at a position; users come in ascending order.

        `stamp` is the last clock that the user's context made a datetime of, in both forms.
        """
        ids = self.ids
        for event_id, user_id, session_id, name, timestamp, payload in events:
            time = stamp[0] if stamp is not None and timestamp is stamp[1] else to_micros(timestamp)
            names = tuple(payload)
            found = self._by_names.get(names)
            if found is None:
                check_payload_names(payload, self._path)
                found = self._by_names[names] = ([], [[] for _ in names])
            if time >= self._end:
                self._late.append(position)
                continue
            if time < self._start:
                continue
            found[0].append(len(self._owners))
            for values, value in zip(found[1], payload.values(), strict=True):
                values.append(value)
            self._owners.append(position)
            self._times.append(time)
            ids.event_ids.append(event_id)
            ids.user_ids.append(user_id)
            ids.session_ids.append(session_id)
            ids.names.append(name)

    @property
    def positions(self) -> Positions:
        """The user of each event."""
        return np.array(self._owners, dtype=np.intp)

    @property
    def times(self) -> NDArray[np.int64]:
        """When each event happened."""
        return np.array(self._times, dtype=np.int64)

    @property
    def late(self) -> Positions:
        """The users who had an event at or after the window's end."""
        return np.unique(np.array(self._late, dtype=np.intp))

    def payload(self) -> list[tuple[str, Positions, AnyColumn]]:
        """For each field: the events that have it, and their values."""
        return [
            (name, np.array(rows, dtype=np.intp), PythonColumn(values))
            for names, (rows, columns) in self._by_names.items()
            for name, values in zip(names, columns, strict=True)
            if rows
        ]
