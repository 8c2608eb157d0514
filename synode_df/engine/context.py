"""One user's state, clock, events and datasets, as handlers see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import numpy as np

from synode_df import checks
from synode_df.durations import MICROSECOND, Duration, parse_duration
from synode_df.engine.clock import DEFAULT_START, EPOCH, checked_moment, to_datetime
from synode_df.engine.datasets import DatasetHandle, Row, hydrate_table, row_maker
from synode_df.engine.identity import Identity, IdGenerator
from synode_df.errors import SynodeError, shown
from synode_df.fields.columns import Column
from synode_df.fields.fake import check_locale
from synode_df.fields.tables import Table
from synode_df.model.action import SCOPES, checked_scope
from synode_df.model.dataset import Dataset
from synode_df.model.event import RESERVED_FIELDS, RESERVED_NAMES, Event, refuse_names
from synode_df.model.validation import dataset_not_found
from synode_df.randomness import row_keys

_NOTHING: Final = object()

_new_event: Final = tuple.__new__
"""What `Event(...)` does, without checking the number of arguments once more."""


class SynodeContext(Identity):
    """One user, as handlers and callable fields see them.

    Parameters
    ----------
    start_time : datetime, optional
        Where the user's clock starts; naive means UTC. 2026-01-01 if not given, so that runs repeat on any day.
    id_generator : callable, optional
        Makes ids from a kind ("user", "session", "event" or a prefix); addressed ids if not given.
    locale : str, default "en_US"
        Faker's locale, unless the persona has an attribute `locale`.
    seed : int, default 0
        The run's seed.
    user_index : int, default 0
        The user's number in the population.
    end_time : datetime, optional
        Where the window ends: no event is emitted from there on.
    attributes : mapping, optional
        The persona's attributes.
    datasets : iterable of Dataset, optional
        Datasets to register.

    Raises
    ------
    SynodeError
        `INVALID_WINDOW`, `INVALID_USERS`, `FAKER_ERROR`.

    Examples
    --------
    >>> import synode_df as sd
    >>> ctx = sd.SynodeContext(seed=7)
    >>> ctx.set("cart", ["SKU-1"])
    >>> ctx.get("cart"), ctx.get("missing", 0)
    (['SKU-1'], 0)
    >>> ctx.advance_time("1h30m")
    >>> ctx.now().isoformat()
    '2026-01-01T01:30:00+00:00'
    """

    _clock: int
    _locale: str = "en_US"
    _session_id: str | None = None
    _event_id: str | None = None
    """The id of the next event where it was made beforehand."""
    _stamp: datetime = EPOCH
    _stamp_micros: int = 0
    """The last clock that a datetime was made of, in both forms."""

    def __init__(
        self,
        start_time: datetime | None = None,
        id_generator: IdGenerator | None = None,
        locale: str = "en_US",
        *,
        seed: int = 0,
        user_index: int = 0,
        end_time: datetime | None = None,
        attributes: Mapping[str, Any] | None = None,
        datasets: Iterable[Dataset] = (),
    ) -> None:
        checks.whole(seed, name="seed", at_least=0, at_most=2**64 - 1, code="INVALID_OPTION", path="SynodeContext")
        checks.whole(user_index, name="user_index", at_least=0, code="INVALID_USERS", path="SynodeContext")
        key = int(row_keys(seed, "user", np.array([user_index], dtype=np.int64))[0])
        self._begin(
            key=key,
            index=user_index,
            seed=seed,
            clock=checked_moment(DEFAULT_START if start_time is None else start_time, "start_time"),
            end=None if end_time is None else checked_moment(end_time, "end_time"),
            tables={},
            locale=check_locale(locale, "SynodeContext"),
            attributes=dict(attributes or {}),
            id_generator=id_generator,
        )
        for dataset in datasets:
            self.register_dataset(dataset)

    def _begin(
        self,
        *,
        key: int,
        index: int,
        seed: int,
        clock: int,
        end: int | None,
        tables: dict[str, Table],
        start: int | None = None,
        locale: str = "en_US",
        locales: tuple[str, ...] | None = (),
        attributes: dict[str, Any] | None = None,
        id_generator: IdGenerator | None = None,
    ) -> None:
        self._key = key
        self._user_index = index
        self._seed = seed
        self._clock = clock
        self._start = clock if start is None else start
        self._end = end
        self._tables = tables
        self._locale = locale
        self._locales = locales
        self._attributes: dict[str, Any] = {} if attributes is None else attributes
        self._id_generator = id_generator
        self._state: dict[str, tuple[Any, str | None]] = {}
        self._completed: set[str] = set()

    @property
    def session_id(self) -> str:
        """The id of the current session; a new one for each journey."""
        if self._session_id is None:
            self.rotate_session()
        return str(self._session_id)

    @property
    def locale(self) -> str:
        """The locale of the user's persona, else of this context."""
        own = self._attribute("locale", None)
        return self._locale if own is None else str(own)

    def get(self, key: str, default: Any = None) -> Any:
        """A value that was set or remembered, else the persona's attribute, else `default`."""
        value = self._state.get(key, _NOTHING)
        if value is _NOTHING:
            return self._attribute(key, default)
        held = value[0]  # type: ignore[index]  # it is a pair here
        return held.to_list()[0] if isinstance(held, Column) else held

    def _attribute(self, key: str, default: Any) -> Any:
        value = self._attributes.get(key, default)
        return value.to_list()[0] if isinstance(value, Column) else value

    def set(self, key: str, value: Any, scope: str | None = None) -> None:
        """Keep a value in the user's state.

        Parameters
        ----------
        key : str
            Its name, which later expressions can read.
        value
            Anything; None, numbers, text, times, lists and dicts if expressions are to read it.
        scope : {None, "action", "adventure", "journey"}
            When it is forgotten; None keeps it for all of the user's journeys.

        Raises
        ------
        SynodeError
            `INVALID_SCOPE`, `INVALID_FIELD`, `FIELD_NAME_COLLISION`.
        """
        if not isinstance(key, str) or not key:
            raise SynodeError(
                "INVALID_FIELD",
                "A value in the state needs a name",
                path=self._standing.path,
                expected="a non-empty string",
                received=shown(key),
                suggestion='write ctx.set("cart", value)',
            )
        refuse_names((key,), RESERVED_NAMES, self._standing.path)
        if scope is not None:
            checked_scope(scope, self._standing.path)
        self._write(key, value, scope)

    def _write(self, key: str, value: Any, scope: str | None) -> None:
        self._state[key] = (value, scope)

    def clear_scope(self, scope: str) -> None:
        """Forget what was set or remembered with a scope.

        Raises
        ------
        SynodeError
            `INVALID_SCOPE`.
        """
        checks.one_of(scope, SCOPES, name="scope", code="INVALID_SCOPE", path=self._standing.path)
        self._forget(scope)

    def _forget(self, scope: str) -> None:
        ended = [key for key, (_, own) in self._state.items() if own == scope]
        for key in ended:
            del self._state[key]

    def now(self) -> datetime:
        """The user's clock: an aware datetime in UTC. Changing what it returns changes nothing inside."""
        return to_datetime(self._clock)

    def advance_time(self, duration: Duration) -> None:
        """Let time pass for the user.

        Parameters
        ----------
        duration : str or timedelta
            `"5s"`, `"1h30m"`, or a timedelta.

        Raises
        ------
        SynodeError
            `INVALID_DURATION`.
        """
        self._clock += parse_duration(duration, path=self._standing.path) // MICROSECOND

    def event(self, name: str | None = None, /, **payload: Any) -> Event:
        """An event of this user, now.

        Parameters
        ----------
        name : str, optional
            The event's name; the action's event name if not given.
        **payload
            The event's own fields.

        Raises
        ------
        SynodeError
            `INVALID_EVENT`, `FIELD_NAME_COLLISION`.
        """
        own = name or self._standing.event_name
        if own.__class__ is not str:
            raise SynodeError(
                "INVALID_EVENT",
                "An event needs a name",
                path=self._standing.path,
                expected="a non-empty string",
                received=shown(name),
                suggestion='write ctx.event("order_completed", total=9.99)',
            )
        if not RESERVED_FIELDS.isdisjoint(payload):
            refuse_names(payload, RESERVED_FIELDS, self._standing.path)
        if self._stamp_micros != self._clock:  # made once while the clock stands still
            self._stamp, self._stamp_micros = EPOCH + timedelta(0, 0, self._clock), self._clock
        made, self._event_id = self._event_id or self._id("event"), None
        user_id, session_id = self._user_id or self.user_id, self._session_id or self.session_id
        return _new_event(Event, (made, user_id, session_id, own, self._stamp, payload))

    def has_completed_journey(self, journey: str) -> bool:
        """Whether the user ran a journey to its end."""
        return journey in self._completed

    def mark_journey_complete(self, journey: str) -> None:
        """Count a journey as completed, which unlocks those that require it."""
        self._completed.add(journey)

    def rotate_session(self) -> None:
        """Begin a new session, with a new session id."""
        self._session_id = self._id("session")

    def register_dataset(self, dataset: Dataset) -> None:
        """Add a dataset, hydrating it if it has no rows yet.

        Raises
        ------
        SynodeError
            `INVALID_DATASET`, `DUPLICATE_ID`, and what its fields raise.
        """
        if not isinstance(dataset, Dataset):
            raise SynodeError(
                "INVALID_DATASET",
                "Only a Dataset can be registered",
                path=self._standing.path,
                expected="a Dataset",
                received=shown(dataset, 60),
                suggestion='wrap a frame: Dataset.from_frame("plans", frame)',
            )
        checks.unique([*self._tables, dataset.id], what="datasets", path=self._standing.path)
        # A copy: contexts of one run share their tables.
        self._tables = dict(self._tables)
        make = partial(context_of_row, self.seed)
        self._tables[dataset.id] = hydrate_table(dataset, self.seed, self._tables, context=make)

    def dataset(self, id: str) -> DatasetHandle[dict[str, Any]]:
        """A dataset of the run.

        Returns
        -------
        DatasetHandle
            With `rows()`, `row(value)`, `random_row()`, `size` and `frame`; rows are dicts.

        Raises
        ------
        SynodeError
            `DATASET_NOT_FOUND`, with the nearest known id.
        """
        return DatasetHandle(self._table(id), self._below, _as_is)

    def typed_dataset(self, id: str, kind: type[Row]) -> DatasetHandle[Row]:
        """The same with rows of a type that you name: a dataclass, a TypedDict or a pandera model.

        Raises
        ------
        SynodeError
            `DATASET_NOT_FOUND`, `COLUMN_NOT_FOUND`, `INVALID_DATASET`, `INVALID_CONTEXT`.
        """
        table = self._table(id)
        return DatasetHandle(table, self._below, row_maker(table, kind))

    def _table(self, id: str) -> Table:
        if id not in self._tables:
            raise dataset_not_found(id, list(self._tables), self._standing.path)
        return self._tables[id]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} user {self._user_index} of seed {self.seed} at {self.now():%Y-%m-%d %H:%M:%S}>"


def _as_is(row: dict[str, Any]) -> dict[str, Any]:
    return row


def context_of_row(
    seed: int, *, key: int, index: int, place: int, path: str, tables: dict[str, Table]
) -> SynodeContext:
    """The context that a dataset's callable gets: random numbers and Faker of that row."""
    context = SynodeContext.__new__(SynodeContext)
    clock = checked_moment(DEFAULT_START, "start_time")
    context._begin(key=key, index=index, seed=seed, clock=clock, end=None, tables=tables)
    context._enter(place, path)
    return context
