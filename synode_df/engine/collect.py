"""Gathering what handlers return into columns, some users at a time, so that few Python objects are alive at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synode_df.engine.batch_context import BatchContext
from synode_df.engine.clock import to_micros
from synode_df.engine.handlers import check_payload_names, checked_events, well_formed
from synode_df.errors import SynodeError
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

    def add(self, contexts: Sequence[BatchContext], results: Sequence[Any]) -> None:
        """Take what the handler returned for some users; users come in ascending order.

        Raises
        ------
        SynodeError
            `INVALID_HANDLER_RETURN`, `INVALID_EVENT`, `INVALID_FIELD`, `FIELD_NAME_COLLISION`, for the first user it
            happens to.
        """
        if not set(map(type, results)) <= {list}:
            self._find_fault(contexts, results)
        ids = self.ids
        events: list[Event] = list(chain.from_iterable(results))
        if not events:
            return
        columns = list(zip(*events, strict=True)) if set(map(type, events)) == {Event} else []
        if not columns or not well_formed(columns):
            self._find_fault(contexts, results)
        timestamps, payloads = columns[4:]
        kinds = _kinds(payloads)
        try:
            for kind in kinds:
                if kind not in self._by_names:
                    check_payload_names(kind, self._path)
        except SynodeError:
            self._find_fault(contexts, results)
            raise
        owners = contexts if len(events) == len(results) and all(results) else _repeated(contexts, results)
        times = [
            owner._stamp_micros if timestamp is owner._stamp else to_micros(timestamp)
            for timestamp, owner in zip(timestamps, owners, strict=True)
        ]
        positions = [owner._position for owner in owners]
        if max(times) >= self._end or min(times) < self._start:
            self._late += [position for position, time in zip(positions, times, strict=True) if time >= self._end]
            inside = [self._start <= time < self._end for time in times]
            columns = [tuple(compress(column, inside)) for column in columns]
            positions, times = list(compress(positions, inside)), list(compress(times, inside))
            kinds = _kinds(columns[5])
        self._add_payloads(columns[5], kinds)
        self._owners += positions
        self._times += times
        ids.event_ids.extend(columns[0])
        ids.user_ids.extend(columns[1])
        ids.session_ids.extend(columns[2])
        ids.names.extend(columns[3])

    def _add_payloads(self, payloads: Sequence[dict[str, Any]], kinds: Mapping[tuple[str, ...], Sequence[int]]) -> None:
        """Take payloads, of each kind those at some places."""
        before = len(self._owners)
        for kind, places in kinds.items():
            rows, lists = self._by_names.setdefault(kind, ([], [[] for _ in kind]))
            rows += [before + place for place in places] if len(kinds) > 1 else range(before, before + len(payloads))
            own = payloads if len(kinds) == 1 else [payloads[place] for place in places]
            for name, values in zip(kind, lists, strict=True):
                values.extend(map(itemgetter(name), own))

    def _find_fault(self, contexts: Iterable[BatchContext], results: Iterable[Any]) -> None:
        """Raise what is wrong with the first user with whom something is."""
        for context, result in zip(contexts, results, strict=True):
            for event in checked_events(result, context, self._path):
                check_payload_names(event.payload, self._path)

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


def _repeated(contexts: Sequence[BatchContext], results: Sequence[list[Event]]) -> list[BatchContext]:
    """Each user's context once for each of the user's events."""
    return [context for context, events in zip(contexts, results, strict=True) for _ in events]


def _kinds(payloads: Sequence[dict[str, Any]]) -> Mapping[tuple[str, ...], Sequence[int]]:
    """The kinds of payloads, which their names make, and where each stands."""
    if not payloads:
        return {}
    first = payloads[0].keys()
    if all(map(first.__eq__, map(dict.keys, payloads))):
        return {tuple(first): range(len(payloads))}
    kinds: dict[tuple[str, ...], list[int]] = {}
    for place, payload in enumerate(payloads):
        kinds.setdefault(tuple(payload), []).append(place)
    return kinds
