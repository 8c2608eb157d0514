"""A batch's rows as single events, for destinations that take them one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from synode_df.model.event import EVENT_COLUMNS, RESERVED_FIELDS, Event


def event_dicts(batch: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Each row as a dict: the columns that every event has, then the payload fields that this one fills."""
    fixed = {name for name in batch.columns if name in RESERVED_FIELDS}
    for row in batch.iter_rows(named=True):
        yield {name: value for name, value in row.items() if value is not None or name in fixed}


def event_objects(batch: pl.DataFrame) -> Iterator[Event]:
    """Each row as an `Event`, whose payload has the fields that this one fills."""
    own = [number for number, name in enumerate(batch.columns) if name not in RESERVED_FIELDS]
    names = [batch.columns[number] for number in own]
    id, user_id, session_id, event, timestamp = (batch.columns.index(name) for name in EVENT_COLUMNS[:5])
    for row in batch.iter_rows():
        payload = {name: row[number] for name, number in zip(names, own, strict=True) if row[number] is not None}
        yield Event(row[id], row[user_id], row[session_id], row[event], row[timestamp], payload)
