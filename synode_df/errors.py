"""Errors that teach: what is wrong, where, what was expected, what came, and how to mend it.

```
Exception
└── SynodeError
    └── SynodeValidationError   events that fail their pandera schema

KeyboardInterrupt
└── GenerationInterrupted       a run ended by Ctrl-C, with what was finished

UserWarning
└── SynodeWarning               legal, but probably not meant
```
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import polars as pl

CODES: Final[Mapping[str, str]] = {
    "INVALID_ID": "an id is not a non-empty string",
    "DUPLICATE_ID": "two things that must differ carry the same id",
    "INVALID_NAME": "a display name is not a string",
    "INVALID_JOURNEY": "a journey is made of something other than adventures, or of none",
    "INVALID_ADVENTURE": "an adventure is made of something other than actions, or of none",
    "INVALID_ACTION": "an action has both fields and a handler, or an unknown option",
    "INVALID_PERSONA": "a persona or a mixture of personas is malformed",
    "INVALID_DATASET": "a dataset is malformed",
    "INVALID_EVENT": "an event is malformed",
    "INVALID_BOUNCE_CHANCE": "a bounce chance is not a probability",
    "INVALID_PROBABILITY": "a probability is not between 0 and 1, or null for some user",
    "INVALID_DURATION": "a duration has no unit, is negative or cannot be read",
    "INVALID_TIME_SPAN": "a time span ends before it starts, or is malformed",
    "INVALID_WEIGHTS": "weights are negative, all zero, empty or not numbers",
    "INVALID_PARAMETER": "a parameter of a field generator makes no sense",
    "INVALID_FIELD": "a field name or a field value is of a kind that cannot be a column",
    "EXPRESSION_NOT_ROW_WISE": "an expression looks at other users: aggregations, windows, shifts, samples",
    "EXPRESSION_FAILED": "Polars could not evaluate an expression",
    "UNKNOWN_NAME": "an expression names a column that nothing provides",
    "UNKNOWN_JOURNEY": "`requires` names a journey that is not in the run",
    "CIRCULAR_REQUIRES": "journeys require each other in a circle",
    "DATASET_NOT_FOUND": "a dataset is not in the run",
    "DATASET_EMPTY": "a row is picked from a dataset without rows",
    "COLUMN_NOT_FOUND": "a dataset or a frame has no such column",
    "ROW_NOT_FOUND": "a dataset has no such row",
    "FIELD_NAME_COLLISION": "a payload field has the name of a column that every event has",
    "TYPE_CONFLICT": "one name holds values of types that no column can hold without loss",
    "INVALID_USERS": "the number or range of users is out of bounds",
    "INVALID_WINDOW": "the time window is half given, empty or not made of datetimes",
    "INVALID_OPTION": "an option of a run is malformed",
    "INVALID_HANDLER": "a handler is not a function of one context",
    "INVALID_HANDLER_RETURN": "a handler returned something other than a list of events",
    "HANDLER_ERROR": "a handler raised",
    "CALLABLE_ERROR": "a callable field value raised",
    "FAKER_ERROR": "Faker has no such method or locale, or refused the arguments",
    "INVALID_PREVIEW": "a preview is asked of something that has none",
    "INVALID_SCOPE": "a scope is not one of action, adventure, journey",
    "INVALID_CONTEXT": "a context was asked for something that it does not hold",
    "WORKER_MODULE_ERROR": "a worker module cannot be imported or exports no journeys",
    "WORKER_DIED": "a worker process ended before its batch was done",
    "WORKER_MISMATCH": "a worker of a cluster lacks this version of `synode_df` or of Python",
    "NOT_PICKLABLE": "a declaration cannot travel to the worker processes",
    "INVALID_SCHEMA": "an event schema is not a pandera schema for Polars, cannot fit its event, or has a broken check",
    "INVALID_EVENTS": "events fail their schema",
    "OUTPUT_ERROR": "an adapter could not write",
    "INVALID_FRAME": "a frame to analyse cannot be read, or has columns of a type that makes no sense there",
    "NOT_IN_EVENTS": "a step, event or user is asked for that the events do not have",
    "MISSING_LIBRARY": "something needs a library, or a browser, that is not installed",
}
"""Every error code, with when it is raised."""


def shown(value: object, limit: int = 120) -> str:
    """The repr of a value, cut to fit an error line."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a broken __repr__ must not hide the error being reported
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    text = text.replace("\n", "\\n")
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def told(error: BaseException) -> str:
    """An exception's type and text on one line, whatever its own `__str__` does."""
    if isinstance(error, SynodeError):
        return f"{type(error).__name__} [{error.code}] {error.message}"
    try:
        return f"{type(error).__name__}: {error}"
    except Exception as broken:  # noqa: BLE001 - a broken __str__ must not hide the error being reported
        return f"{type(error).__name__}, whose text raises {type(broken).__name__}"


def did_you_mean(name: object, known: Iterable[str]) -> str | None:
    """A suggestion for a misspelt name: the nearest known one, or the list of all.

    Parameters
    ----------
    name : object
        What was asked for.
    known : iterable of str
        What exists.

    Returns
    -------
    str or None
        `"Did you mean 'products'?"`, `"known: a, b"`, or None where nothing is known.
    """
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {shown(near[0])}?"
    if not names:
        return None
    listed = ", ".join(shown(known_name, 40) for known_name in names[:8])
    return f"use one of {listed}" + (f" and {len(names) - 8} more" if len(names) > 8 else "")


class SynodeError(Exception):
    """An error of synode_df: a code, a place, what was expected, what came, and the fix.

    Parameters
    ----------
    code : str
        One of the codes listed in `docs/errors.md`, such as `"INVALID_BOUNCE_CHANCE"`.
    message : str
        One sentence.
    path : str, optional
        The place in the declaration: `"Journey 'purchase' > Adventure 'buy'"`.
    expected, received : str, optional
        What would have been right, and what came.
    suggestion : str, optional
        How to mend it.
    replay : str, optional
        The call that reproduces the one user at whom it happened.

    Examples
    --------
    >>> import synode_df as sd
    >>> try:
    ...     sd.Journey("purchase", [sd.Adventure("buy", [sd.Action("order")], bounce_chance=1.5)])
    ... except sd.SynodeError as error:
    ...     print(error.format())
    [INVALID_BOUNCE_CHANCE] Bounce chance must be between 0 and 1
      Path: Adventure 'buy'
      Expected: 0 <= bounce_chance <= 1
      Received: 1.5
      Fix: use a fraction such as 0.3, not a percentage such as 30
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        path: str | None = None,
        expected: str | None = None,
        received: str | None = None,
        suggestion: str | None = None,
        replay: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path
        self.expected = expected
        self.received = received
        self.suggestion = suggestion
        self.replay = replay

    def format(self) -> str:
        """The error as text, one line for each part that it has.

        Returns
        -------
        str
            `[CODE] message`, then `Path:`, `Expected:`, `Received:`, `Fix:` and `Replay:` lines.
        """
        lines = [f"[{self.code}] {self.message}"]
        for label, part in (
            ("Path", self.path),
            ("Expected", self.expected),
            ("Received", self.received),
            ("Fix", self.suggestion),
            ("Replay", self.replay),
        ):
            if part is not None:
                lines.append(f"  {label}: {part}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.format()

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process borders: Exception's own pickling would call __init__ without the code.
        return _rebuild, (type(self), {**self.__dict__})

    def within(self, path: str, *, replay: str | None = None) -> SynodeError:
        """The same error seen from further out: `path` is put before its own path.

        Parameters
        ----------
        path : str
            The outer place.
        replay : str, optional
            The call that reproduces it, if this error has none yet.
        """
        copy = type(self).__new__(type(self))
        Exception.__init__(copy, self.message)
        copy.__dict__.update(self.__dict__)
        copy.path = f"{path} > {self.path}" if self.path else path
        copy.replay = self.replay or replay
        copy.__cause__ = self.__cause__
        return copy


class SynodeValidationError(SynodeError):
    """Events that fail their pandera schema.

    Attributes
    ----------
    cases : polars.DataFrame
        One row for each failing value, of the batch with the first of them, at most 10,000: `event` String,
        `column` String (null for checks of whole rows), `check` String, `value` String, `user_index` Int64.
    failures : int
        How many values of that batch failed.

    Examples
    --------
    >>> import pandera.polars as pa
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", fields={"pages": sd.integer(0, 9)})])])
    >>> schema = pa.DataFrameSchema({"pages": pa.Column(int, pa.Check.gt(0))})
    >>> try:
    ...     sd.generate_df(visit, users=10, seed=3, event_schema=schema)
    ... except sd.SynodeValidationError as error:
    ...     print(error.cases.row(0))
    ('land', 'pages', 'greater_than(0)', '0', 7)
    """

    cases: pl.DataFrame
    failures: int


class GenerationInterrupted(KeyboardInterrupt):
    """A run ended by Ctrl-C, or by stopping a notebook's kernel.

    A `KeyboardInterrupt`, so that `except Exception` lets it pass.

    Parameters
    ----------
    partial : polars.DataFrame or None
        From `generate_df`: the events of the users that were finished, whole users only. None from `generate`, whose
        adapter has them.
    users : range
        These users; `users=range(users.stop, ...)` with the same seed goes on.
    seed : int
        The run's seed.

    Examples
    --------
    >>> import synode_df as sd
    >>> def impatient(ctx):
    ...     raise KeyboardInterrupt
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=impatient)])])
    >>> try:
    ...     events = sd.generate_df(visit, users=10, seed=7)
    ... except sd.GenerationInterrupted as interrupted:
    ...     print(interrupted.partial.height, interrupted.users, interrupted.seed)
    0 range(0, 0) 7
    """

    def __init__(self, partial: pl.DataFrame | None, users: range, seed: int) -> None:
        where = "the adapter has their events" if partial is None else "their events are in .partial"
        super().__init__(f"interrupted after {len(users):,} users; {where}")
        self.partial = partial
        self.users = users
        self.seed = seed

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.partial, self.users, self.seed)


class SynodeWarning(UserWarning):
    """Something legal that was probably not meant, or that the caller asked to be told of.

    Examples
    --------
    >>> import warnings
    >>> import synode_df as sd
    >>> warnings.simplefilter("error", sd.SynodeWarning)
    >>> warnings.resetwarnings()
    """


def _rebuild(cls: type[SynodeError], state: dict[str, Any]) -> SynodeError:
    error = cls.__new__(cls)
    Exception.__init__(error, state.get("message", ""))
    error.__dict__.update(state)
    return error
