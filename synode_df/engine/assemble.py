"""From blocks of events, one for each action, to one frame in order of user and time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.engine.batch import TIMESTAMP, Batch
from synode_df.engine.collect import GivenIds
from synode_df.engine.hexadecimal import hex_pairs
from synode_df.errors import SynodeError, shown
from synode_df.fields.columns import AnyColumn, Column, Positions, PythonColumn, full_column, joined_column
from synode_df.fields.dtypes import cast_exactly, common_dtype, type_conflict, typed_series
from synode_df.model.journey import Journey

KnownTypes = Mapping[tuple[str, str, str], Mapping[str, pl.DataType]]
"""For each action, by its ids: the types of its fields; `Null` where only values will tell."""


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """The events of one action: who, when, what.

    Attributes
    ----------
    action : int
        The action's number in the run.
    positions : ndarray of intp, shape (n,)
        Positions of the users in the batch, ascending; a user may stand several times.
    times : ndarray of int64, shape (n,)
        Microseconds since 1970.
    sessions : ndarray of uint64, shape (n,)
        Session bits.
    tails : ndarray of uint64, shape (n,)
        The event's part of its id.
    payload : list of (str, positions in the block, column)
        Fields; those of a handler may fill only some rows.
    given : GivenIds, optional
        For handlers' events.
    """

    action: int
    positions: Positions
    times: NDArray[np.int64]
    sessions: NDArray[np.uint64]
    tails: NDArray[np.uint64]
    payload: list[tuple[str, Positions, AnyColumn]]
    given: GivenIds | None = None


@dataclass(frozen=True)
class Labels:
    """The labels of every action of a run, each by the action's number."""

    journeys: tuple[Journey, ...]
    actions: list[tuple[str, str, str]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    handled: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, journeys: Iterable[Journey]) -> Labels:
        """Number the actions of a run in order."""
        labels = cls(tuple(journeys))
        for journey in labels.journeys:
            for adventure, action in journey.actions():
                labels.actions.append((journey.id, adventure.id, action.id))
                labels.events.append(action.event_name)
                if action.handler is not None:
                    labels.handled.add(len(labels.actions) - 1)
                for name in action.fields if action.handler is None else ():
                    labels.fields.setdefault(name, " > ".join(labels.actions[-1]))
        return labels

    def declared_events(self) -> list[str]:
        """Names of the events that `fields` emit, each once, in order."""
        names = (
            action.event_name for journey in self.journeys for _, action in journey.actions() if action.handler is None
        )
        return list(dict.fromkeys(names))


def enum_of(labels: Sequence[str]) -> pl.Series:
    """Labels as an Enum with the distinct ones as categories, in order."""
    return pl.Series(labels, dtype=pl.Enum(list(dict.fromkeys(labels))))


def nothing_known() -> KnownTypes:
    """For the run that finds out the types."""
    return {}


def assemble(
    batch: Batch, blocks: list[Block], labels: Labels, known: Callable[[], KnownTypes] = nothing_known
) -> pl.DataFrame:
    """The events of a batch, sorted by user and then time.

    Parameters
    ----------
    batch : Batch
        The users.
    blocks : list of Block
        In the order in which the actions ran.
    labels : Labels
        What the action numbers mean.
    known : callable
        Gives the fields' types, as far as they are known before the run; asked where only values would tell.

    Returns
    -------
    polars.DataFrame
        The columns of every event, `persona_id` for mixtures, then payload columns: declared fields in order, then
        those of handlers by name.
    """
    total = sum(len(block.positions) for block in blocks)
    places = _in_order(batch, blocks, total)
    users = np.empty(total, dtype=np.uint32)
    times = np.empty(total, dtype=np.int64)
    sessions = np.empty(total, dtype=np.uint64)
    tails = np.empty(total, dtype=np.uint64)
    actions = np.empty(total, dtype=np.uint16 if len(labels.actions) < 65_536 else np.uint32)
    for block, place in zip(blocks, places, strict=True):
        users[place] = block.positions
        times[place] = block.times
        sessions[place] = block.sessions
        tails[place] = block.tails
        actions[place] = block.action
    numbers = pl.Series(actions)
    columns = [
        *_ids(batch, blocks, places, users, sessions, tails),
        _event_names(blocks, places, numbers, labels),
        pl.Series("timestamp", times).cast(TIMESTAMP),
        *(
            enum_of([action[level] for action in labels.actions]).gather(numbers).alias(name)
            for level, name in enumerate(("journey_id", "adventure_id", "action_id"))
        ),
    ]
    if batch.population.persona_ids is not None:
        columns.append(batch.population.persona_ids.take(users.astype(np.intp)).series("persona_id"))
    columns += _payload(blocks, places, total, labels, known)
    return pl.DataFrame(columns)


def owners(batch: Batch, blocks: list[Block]) -> Positions:
    """For each row of the assembled frame the position of its user in the batch."""
    users = np.empty(sum(len(block.positions) for block in blocks), dtype=np.intp)
    for block, place in zip(blocks, _in_order(batch, blocks, len(users)), strict=True):
        users[place] = block.positions
    return users


def _in_order(batch: Batch, blocks: list[Block], total: int) -> list[Positions]:
    """For each block the rows of the frame that its events take.

    A user's events come in the order of the actions, and time only moves forward, so counting is enough: no sort.
    """
    users = len(batch)
    counts = np.zeros(users, dtype=np.int64)
    for block in blocks:
        counts += np.bincount(block.positions, minlength=users)
    following = np.cumsum(counts) - counts
    places: list[Positions] = []
    for block in blocks:
        place = following[block.positions]
        if block.given is None:
            following[block.positions] += 1
        else:
            first = np.searchsorted(block.positions, block.positions, side="left")
            place = place + (np.arange(len(first)) - first)
            following += np.bincount(block.positions, minlength=users)
        places.append(place)
    if any(block.given is not None for block in blocks):
        return _by_time(blocks, places, total)
    return places


def _by_time(blocks: list[Block], places: list[Positions], total: int) -> list[Positions]:
    """The same after moving events to which a handler gave a time of its own; ties keep their order."""
    times = np.empty(total, dtype=np.int64)
    users = np.empty(total, dtype=np.intp)
    for block, place in zip(blocks, places, strict=True):
        times[place] = block.times
        users[place] = block.positions
    backwards = (np.diff(times) < 0) & (np.diff(users) == 0)
    if not backwards.any():
        return places
    order = np.lexsort((times, users))
    moved = np.empty(total, dtype=np.intp)
    moved[order] = np.arange(total)
    return [moved[place] for place in places]


def _ids(
    batch: Batch,
    blocks: list[Block],
    places: list[Positions],
    users: NDArray[np.uint32],
    sessions: NDArray[np.uint64],
    tails: NDArray[np.uint64],
) -> list[pl.Series]:
    """Event, user and session ids: made here, or given by handlers' events."""
    names = ("event_id", "user_id", "session_id")
    given = [(place, block.given) for block, place in zip(blocks, places, strict=True) if block.given is not None]
    to_make = np.ones(len(users), dtype=np.bool_)
    for place, _ in given:
        to_make[place] = False
    if given:
        users, sessions, tails = users[to_make], sessions[to_make], tails[to_make]
    made = (
        hex_pairs(batch.user_digits(), users, tails),
        batch.population.user_ids.gather(pl.Series(users)),
        _session_ids(batch, users, sessions),
    )
    if not given:
        return [column.alias(name) for name, column in zip(names, made, strict=True)]
    columns = []
    for name, own, part in zip(names, made, ("event_ids", "user_ids", "session_ids"), strict=True):
        parts: list[tuple[Positions, Column]] = [(np.flatnonzero(to_make), Column(own))]
        parts += [(place, Column(pl.Series(getattr(ids, part), dtype=pl.String))) for place, ids in given]
        columns.append(joined_column(parts, len(to_make), pl.String()).series(name))
    return columns


def _session_ids(batch: Batch, users: NDArray[np.uint32], sessions: NDArray[np.uint64]) -> pl.Series:
    """Session ids, each made once: a session's events stand next to each other."""
    if not len(users):
        return pl.Series([], dtype=pl.String)
    new = np.empty(len(users), dtype=np.bool_)
    new[0] = True
    np.logical_or(users[1:] != users[:-1], sessions[1:] != sessions[:-1], out=new[1:])
    first = np.flatnonzero(new)
    made = hex_pairs(batch.user_digits(), users[first], sessions[first])
    return made.gather(pl.Series((np.cumsum(new) - 1).astype(np.uint32)))


def _event_names(blocks: list[Block], places: list[Positions], numbers: pl.Series, labels: Labels) -> pl.Series:
    """Event names as an Enum: declared names in order, then those that handlers gave, sorted."""
    declared = labels.declared_events()
    given = [(place, block.given) for block, place in zip(blocks, places, strict=True) if block.given is not None]
    if not given:
        names = pl.Series(labels.events, dtype=pl.Enum(declared))
        return names.gather(numbers).alias("event")
    found = sorted({name for _, ids in given for name in ids.names} - set(declared))
    categories = [*declared, *found]
    code_of = {name: code for code, name in enumerate(categories)}
    codes = np.array([code_of.get(name, 0) for name in labels.events], dtype=np.uint32)[numbers.to_numpy()]
    for place, ids in given:
        codes[place] = [code_of[name] for name in ids.names]
    return enum_of(categories).gather(pl.Series(codes)).alias("event")


def _payload(
    blocks: list[Block], places: list[Positions], total: int, labels: Labels, known: Callable[[], KnownTypes]
) -> list[pl.Series]:
    """One column for each payload field."""
    parts: dict[str, list[tuple[Positions, AnyColumn, int]]] = {name: [] for name in labels.fields}
    loose: dict[str, list[tuple[Positions, AnyColumn, int]]] = {}
    for block, place in zip(blocks, places, strict=True):
        for name, rows, column in block.payload:
            where = parts if name in parts else loose
            where.setdefault(name, []).append((place[rows] if block.given else place, column, block.action))
    named = [*parts.items(), *sorted(loose.items())]
    return [_field(name, pieces, total, labels, known) for name, pieces in named]


def _field(
    name: str,
    pieces: list[tuple[Positions, AnyColumn, int]],
    total: int,
    labels: Labels,
    known: Callable[[], KnownTypes],
) -> pl.Series:
    """One payload column from the pieces of several actions."""
    path = f"Field {shown(name, 60)}"
    typed: list[tuple[Positions, Column]] = []
    dtypes: list[tuple[pl.DataType, str]] = []
    for place, piece, action in pieces:
        ids, column = labels.actions[action], piece
        if isinstance(column, PythonColumn):
            expected = pl.Null() if action in labels.handled else known().get(ids, {}).get(name, pl.Null())
            dtypes.append((expected, " > ".join(ids)))
            column = Column(typed_as_known(column.values, expected, path))
        dtypes.append((column.dtype, " > ".join(ids)))
        typed.append((place, column))
    dtype = joint_dtype(name, dtypes)
    same = [(place, _cast(column, dtype, path)) for place, column in typed]
    whole = full_column(same, total)
    if isinstance(whole, PythonColumn):
        return typed_series(whole.values, path, dtype=dtype).alias(name)
    return whole.series(name)


def _cast(column: Column, dtype: pl.DataType, path: str) -> Column:
    return column if column.dtype == dtype else Column(cast_exactly(column.values, dtype, path), column.codes)


def typed_as_known(values: Sequence[object], known: pl.DataType, path: str) -> pl.Series:
    """Python values in the type that is known of their field, if they fit it; else in their own."""
    if known != pl.Null:
        try:
            return typed_series(values, path, dtype=known)
        except SynodeError:
            pass  # a handler set something else under a remembered name
    return typed_series(values, path)


def joint_dtype(name: str, dtypes: Iterable[tuple[pl.DataType, str]]) -> pl.DataType:
    """The type of a payload field that several actions fill, or `TYPE_CONFLICT` naming two of them."""
    dtype: pl.DataType = pl.Null()
    source = ""
    for own, action in dtypes:
        joined = common_dtype(dtype, own)
        if joined is None:
            raise type_conflict(
                dtype,
                own,
                f"Field {shown(name, 60)}",
                message=f"Two actions give the field {shown(name, 40)} different types: {source} and {action}",
            )
        source = action if dtype == pl.Null else source
        dtype = joined
    return dtype
