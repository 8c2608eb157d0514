"""Gathering what handlers returned into columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synode_df.durations import MICROSECOND
from synode_df.engine.clock import EPOCH
from synode_df.fields.columns import AnyColumn, Positions, PythonColumn
from synode_df.model.event import Event


@dataclass(frozen=True, eq=False, slots=True)
class GivenIds:
    """Ids and names that a handler's events carry themselves."""

    event_ids: list[str]
    user_ids: list[str]
    session_ids: list[str]
    names: list[str]


@dataclass(frozen=True, eq=False, slots=True)
class Collected:
    """Handlers' events within the window, one row each, users ascending."""

    positions: Positions
    times: NDArray[np.int64]
    ids: GivenIds
    payloads: list[Mapping[str, Any]]


def collect(
    positions: Positions, results: Sequence[Sequence[Event]], *, start: int, end: int
) -> tuple[Collected, Positions]:
    """The events of some users that lie in the window, and the users who had one after its end."""
    owners: list[int] = []
    times: list[int] = []
    kept: list[Event] = []
    late: list[int] = []
    for position, events in zip(positions.tolist(), results, strict=True) if results else ():
        for event in events:
            moment = event.timestamp
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            time = (moment - EPOCH) // MICROSECOND
            if time >= end:
                late.append(position)
            elif time >= start:
                owners.append(position)
                times.append(time)
                kept.append(event)
    ids = GivenIds(
        [event.id for event in kept],
        [event.user_id for event in kept],
        [event.session_id for event in kept],
        [event.name for event in kept],
    )
    found = Collected(
        np.array(owners, dtype=np.intp),
        np.array(times, dtype=np.int64),
        ids,
        [event.payload for event in kept],
    )
    return found, np.unique(np.array(late, dtype=np.intp))


def payload_columns(payloads: Sequence[Mapping[str, Any]]) -> list[tuple[str, Positions, AnyColumn]]:
    """Payloads as columns of Python values: for each field, the rows that have it and their values."""
    by_fields: dict[tuple[str, ...], list[int]] = {}
    for row, payload in enumerate(payloads):
        by_fields.setdefault(tuple(payload), []).append(row)
    columns: list[tuple[str, Positions, AnyColumn]] = []
    for names, rows in by_fields.items():
        positions = np.array(rows, dtype=np.intp)
        own = payloads if len(by_fields) == 1 else [payloads[row] for row in rows]
        columns += [(name, positions, PythonColumn([payload[name] for payload in own])) for name in names]
    return columns
