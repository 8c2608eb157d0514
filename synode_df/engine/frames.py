"""Events frames: from single events of the reference engine, and from the frames of several batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

import numpy as np
import polars as pl

from synode_df.engine.assemble import Labels, enum_of, joint_dtype, typed_as_known
from synode_df.engine.batch import TIMESTAMP
from synode_df.engine.clock import to_micros
from synode_df.engine.columnar import Types
from synode_df.engine.reference import Located
from synode_df.errors import shown
from synode_df.fields.dtypes import cast_exactly
from synode_df.model.event import EVENT_COLUMNS


def combined(frames: Sequence[pl.DataFrame], empty: pl.DataFrame) -> pl.DataFrame:
    """The events of several batches as one frame.

    Parameters
    ----------
    frames : sequence of polars.DataFrame
        Events of batches, in order.
    empty : polars.DataFrame
        The events frame without rows, which has the declared columns and types.

    Returns
    -------
    polars.DataFrame
        One chunk a batch.

    Raises
    ------
    SynodeError
        `TYPE_CONFLICT` where handlers gave one field different types in different batches.
    """
    if not frames:
        return empty
    schemas = [frame.schema for frame in frames]
    if any(schema != schemas[0] for schema in schemas[1:]):
        target = joint_schema([empty.schema, *schemas])
        return pl.concat([conformed(frame, target) for frame in frames], rechunk=False)
    return pl.concat(frames, rechunk=False)


def joint_schema(schemas: Sequence[pl.Schema]) -> pl.Schema:
    """The schema that holds several events frames: the declared columns and events, then others by name.

    What is declared comes first in every batch, and others by name; so what all begin with, and then the rest by name,
    is the same order whatever the batches were.
    """
    declared = _common_start([list(schema) for schema in schemas])
    others = sorted({name for schema in schemas for name in schema} - set(declared))
    target: dict[str, pl.DataType] = {}
    for name in [*declared, *others]:
        dtypes = [schema[name] for schema in schemas if name in schema]
        if name == "event":
            events = [dtype.categories.to_list() for dtype in dtypes]  # type: ignore[attr-defined]  # Enums
            known = _common_start(events)
            target[name] = pl.Enum([*known, *sorted({each for found in events for each in found} - set(known))])
        else:
            target[name] = joint_dtype(name, [(dtype, "an earlier batch") for dtype in dtypes])
    return pl.Schema(target)


def _common_start(lists: Sequence[list[str]]) -> list[str]:
    """What all lists begin with."""
    return [each[0] for each in takewhile(lambda each: len(set(each)) == 1, zip(*lists, strict=False))]


def conformed(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """A frame with the columns and types of a schema; missing columns are null."""
    columns = []
    for name, dtype in schema.items():
        if name in frame.columns:
            columns.append(cast_exactly(frame[name], dtype, f"Field {shown(name, 60)}"))
        else:
            columns.append(pl.Series(name, [None], dtype=dtype).new_from_index(0, frame.height))
    return pl.DataFrame(columns)


def events_frame(
    events: Iterable[Located], labels: Labels, types: Types, *, persona_ids: Sequence[str] | None = None
) -> pl.DataFrame:
    """Single events as an events frame, sorted within each user by time.

    Parameters
    ----------
    events : iterable of (ids, Event)
        In order of users, and for each user in the order of the actions.
    labels : Labels
        The run's labels.
    types : Types
        What is known of types before the run.
    persona_ids : sequence of str, optional
        For mixtures: the persona of each event's user.

    Returns
    -------
    polars.DataFrame
    """
    located = list(events)
    plain = [event for _, event in located]
    times = np.array([to_micros(event.timestamp) for event in plain], dtype=np.int64)
    declared = labels.declared_events()
    names = [*declared, *sorted({event.name for event in plain} - set(declared))]
    columns = [
        pl.Series("event_id", [event.id for event in plain], dtype=pl.String),
        pl.Series("user_id", [event.user_id for event in plain], dtype=pl.String),
        pl.Series("session_id", [event.session_id for event in plain], dtype=pl.String),
        pl.Series("event", [event.name for event in plain], dtype=pl.Enum(names)),
        pl.Series("timestamp", times).cast(TIMESTAMP),
    ]
    for level, name in enumerate(EVENT_COLUMNS[5:]):
        categories = enum_of([ids[level] for ids in labels.actions]).dtype
        columns.append(pl.Series(name, [ids[level] for ids, _ in located], dtype=categories))
    if persona_ids is not None:
        columns.append(pl.Series("persona_id", persona_ids, dtype=types.events.schema["persona_id"]))
    columns += _payload(located, labels, types)
    return pl.DataFrame(columns)


def _payload(located: list[Located], labels: Labels, types: Types) -> list[pl.Series]:
    values: dict[str, dict[tuple[str, str, str], list[tuple[int, Any]]]] = {name: {} for name in labels.fields}
    for row, (ids, event) in enumerate(located):
        for name, value in event.payload.items():
            values.setdefault(name, {}).setdefault(ids, []).append((row, value))
    ordered = [*labels.fields, *sorted(set(values) - set(labels.fields))]
    columns = []
    for name in ordered:
        path = f"Field {shown(name, 60)}"
        pieces = []
        for ids, found in values[name].items():
            own = typed_as_known([value for _, value in found], types.fields.get(ids, {}).get(name, pl.Null()), path)
            pieces.append((ids, [row for row, _ in found], own))
        dtypes = [(known[name], " > ".join(ids)) for ids, known in types.fields.items() if name in known]
        dtypes += [(own.dtype, " > ".join(ids)) for ids, _, own in pieces]
        dtype = joint_dtype(name, dtypes)
        column: list[Any] = [None] * len(located)
        for _, rows, own in pieces:
            for row, value in zip(rows, cast_exactly(own, dtype, path).to_list(), strict=True):
                column[row] = value
        columns.append(pl.Series(name, column, dtype=dtype))
    return columns
