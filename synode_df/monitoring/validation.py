"""Validating a batch of events against the schemas of their names.

pandera's schemas say what must hold, and their own check functions decide it. What this module adds: all checks of a
batch are evaluated in one Polars query; rows that fail are found for every kind of check, where pandera's
`drop_invalid_rows` lets some pass; and the answer never depends on how users were batched.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.engine.tally import Tally
from synode_df.errors import SynodeError, SynodeValidationError, SynodeWarning, shown, told
from synode_df.monitoring.asking import (
    answers,
    asked,
    check_name,
    holds,
    is_row_wise,
    looks_at_others,
    ready_pandera,
)
from synode_df.monitoring.glance import not_at_a_glance
from synode_df.monitoring.schemas import EventSchemas
from synode_df.monitoring.views import Failure, View, failed, view_of

CASES: Final = pl.Schema(
    {"event": pl.String, "column": pl.String, "check": pl.String, "value": pl.String, "user_index": pl.Int64}
)
_MOST_CASES: Final = 10_000
FAILED_CHECK: Final = "failed_check"


@dataclass(frozen=True)
class Verdict:
    """What validation made of a batch.

    Attributes
    ----------
    events : polars.DataFrame
        The events that go on.
    invalid : polars.DataFrame or None
        Those that were dropped, with the columns `user_index` and `failed_check`.
    """

    events: pl.DataFrame
    invalid: pl.DataFrame | None = None


def validate(
    events: pl.DataFrame, schemas: EventSchemas, tally: Tally, owners: Callable[[], NDArray[np.int64]]
) -> Verdict:
    """Check a batch of events.

    Parameters
    ----------
    events : polars.DataFrame
        The batch's events.
    schemas : EventSchemas
        What they must fulfil.
    tally : Tally
        The batch's counters: failures are counted, dropped events taken out.
    owners : callable
        Gives the user index of each event.

    Raises
    ------
    SynodeValidationError
        `INVALID_EVENTS` in strict mode.
    SynodeError
        `INVALID_SCHEMA` for checks that raise, or that do not answer for each row.
    """
    ready_pandera()
    names = events.schema["event"].categories.to_list()  # type: ignore[attr-defined]  # an Enum
    rules = [rule for name in names if (rule := schemas.rule(name)) is not None]
    views = [view_of(events, rule) for rule in not_at_a_glance(events, rules)]
    views = [view for view in views if len(view.rows)]
    for view in views:
        _try_own_checks(view, schemas.tried)
    if not _all_pass(views):
        for view in views:
            view.failures.extend(_failures(view))
    found = [(view, failure) for view in views for failure in view.failures]
    if not found:
        return Verdict(events)
    for view, failure in found:
        tally.failed(view.rule.event, failure.column or "", failure.check, len(failure.rows))
    grave = [(view, failure) for view, failure in found if not failure.warning]
    if schemas.mode == "warn" or not grave:
        return Verdict(events)
    if schemas.mode == "strict":
        raise _error(grave, owners(), schemas)
    return _without(events, grave, tally, owners())


def invalid_frame(empty: pl.DataFrame) -> pl.DataFrame:
    """The frame of dropped events without rows, from the events frame without rows."""
    index = pl.Series("user_index", [], dtype=pl.Int64)
    return empty.clear().insert_column(0, index).insert_column(1, pl.Series(FAILED_CHECK, [], dtype=pl.String))


def tell_of(schemas: EventSchemas, tally: Tally) -> None:
    """The one warning at the end of a run, where there is something to warn of."""
    if schemas.open:
        schemas.warn_of_unknown(tally.names)
    if schemas.mode == "warn" and tally.failures:
        (event, column, check), most = max(tally.failures.items(), key=lambda each: each[1])
        place = f"{event}.{column}" if column else event
        warnings.warn(
            f"{sum(tally.failures.values()):,} values fail the event schema, most often {check} of {place} ({most:,}); "
            "see report.telemetry.validation",
            SynodeWarning,
            stacklevel=4,
        )


def _all_pass(views: list[View]) -> bool:
    """Whether every check of every event holds: one query. False also where some check cannot be asked that way."""
    queries = []
    try:
        for view in views:
            lazy = view.frame.lazy()
            for column, check in view.checks:
                answer = asked(check, lazy, column)
                if isinstance(answer, bool):
                    return False
                one = pl.all_horizontal(pl.all())
                every = (one.fill_null(value=bool(check.ignore_na))).all().alias("holds")
                queries.append(answer.select(every, pl.len().alias("rows"), pl.lit(view.frame.height).alias("wanted")))
        results = pl.collect_all(queries)
    except Exception:  # noqa: BLE001 - a user's check may raise anything; the closer look tells which and why
        return False
    return all(every and rows == wanted for result in results for every, rows, wanted in result.rows())


def _failures(view: View) -> Iterator[Failure]:
    """The closer look: every check by itself, and the rows that fail it."""
    for column, check in view.checks:
        failing = ~holds(check, _answer(view, column, check))
        values = None if column is None else view.frame[column]
        yield from failed(view, column, check_name(check), failing, values, warning=bool(check.raise_warning))


def _answer(view: View, column: str | None, check: Any) -> pl.DataFrame:
    """A check's answer for each row, or `INVALID_SCHEMA`."""
    name, height = check_name(check), view.frame.height
    with _told_of(view, column, name):
        answer = answers(check, view.frame, column)
    if not isinstance(answer, pl.DataFrame) or answer.height != height:
        raise _unfit(
            view,
            column,
            f"The check {name} does not answer for each row",
            expected=f"a LazyFrame with one Boolean for each of the {height} rows",
            received=f"{answer.height} rows" if isinstance(answer, pl.DataFrame) else shown(answer, 60),
            suggestion="write lambda data: data.lazyframe.select(pl.col(data.key) > 0), without aggregations",
        )
    if (odd := next((kind for kind in answer.dtypes if kind not in (pl.Boolean, pl.Null)), None)) is not None:
        raise _unfit(
            view,
            column,
            f"The check {name} does not answer yes or no",
            expected="Booleans",
            received=f"a column of {odd}",
            suggestion="compare: data.lazyframe.select(pl.col(data.key) > 0)",
        )
    return answer


def _try_own_checks(view: View, tried: set[tuple[str, int]]) -> None:
    """Refuse a check of the user's own whose answer about an event depends on the events beside it: tried once."""
    for number, (column, check) in enumerate(view.checks):
        key = (view.rule.event, number)
        if key in tried or is_row_wise(check):
            continue
        together = holds(check, _answer(view, column, check))
        if view.frame.height < 2:
            continue
        tried.add(key)
        if check.element_wise:
            continue
        name = check_name(check)
        with _told_of(view, column, name):
            dependent = looks_at_others(check, view.frame, column, together)
        if dependent:
            raise _unfit(
                view,
                column,
                f"The check {name} says something else of an event when it is alone",
                expected="answers in which no other event has a part: events come in batches of any size",
                received="a check with an aggregation, a window or the like",
                suggestion="check it on the finished frame: schema.validate(events)",
            )


@contextmanager
def _told_of(view: View, column: str | None, name: str) -> Iterator[None]:
    """Whatever a check of the user's raises, as an error that says which."""
    try:
        yield
    except (Exception, pl.exceptions.PanicException) as error:
        raise _unfit(
            view,
            column,
            f"The check {name} raised {' '.join(told(error).split())[:240]}",
            expected="a check that answers for every value",
            received=type(error).__name__,
            suggestion="try it on the finished frame; it gets a PolarsData with `lazyframe` and `key`",
        ) from error


def _unfit(
    view: View, column: str | None, message: str, *, expected: str, received: str, suggestion: str
) -> SynodeError:
    path = f"event_schema > Event {shown(view.rule.event)}" + (f" > Column {shown(column)}" if column else "")
    return SynodeError(
        "INVALID_SCHEMA", message, path=path, expected=expected, received=received, suggestion=suggestion
    )


def _error(
    found: list[tuple[View, Failure]], owners: NDArray[np.int64], schemas: EventSchemas
) -> SynodeValidationError:
    """The error of strict mode, with the failing cases in order of users."""
    parts = []
    for view, failure in found:
        rows = view.rows[failure.rows]
        values = [None] * len(rows) if failure.values is None else _texts(failure.values)
        parts.append(
            pl.DataFrame(
                {
                    "event": [view.rule.event] * len(rows),
                    "column": [failure.column] * len(rows),
                    "check": [failure.check] * len(rows),
                    "value": values,
                    "user_index": owners[rows],
                    "row": rows,
                },
                schema={**CASES, "row": pl.Int64},
            )
        )
    cases = pl.concat(parts).sort("row", maintain_order=True).drop("row")
    event, column, check, value, user = cases.row(0)
    events = len({row for view, failure in found for row in view.rows[failure.rows].tolist()})
    error = SynodeValidationError(
        "INVALID_EVENTS",
        f"{events:,} event{'s' if events > 1 else ''} of a batch fail{'' if events > 1 else 's'} the schema",
        path=f"Event {shown(event)}" + (f" > Column {shown(column)}" if column else ""),
        expected=check,
        received="a row that fails it" if value is None and column is None else str(value),
        suggestion="see .cases of this error; schema_mode='skip' drops such events, schema_mode='warn' keeps them",
        replay=f"synode_df.replay(journeys, user={user}, seed={schemas.seed}, ...)  "
        "# with the run's persona, datasets and window",
    )
    error.failures = cases.height
    error.cases = cases.head(_MOST_CASES)
    return error


def _texts(values: pl.Series) -> list[str | None]:
    """Values as text, of any type."""
    return [None if value is None else str(value) for value in values.to_list()]


def _without(
    events: pl.DataFrame, found: list[tuple[View, Failure]], tally: Tally, owners: NDArray[np.int64]
) -> Verdict:
    """The events that pass, and apart from them those that fail; the counters follow."""
    reasons: dict[int, list[str]] = {}
    for view, failure in found:
        reason = f"{failure.column}: {failure.check}" if failure.column else failure.check
        for row in view.rows[failure.rows].tolist():
            reasons.setdefault(row, []).append(reason)
    rows = sorted(reasons)
    keep = np.ones(events.height, dtype=np.bool_)
    keep[rows] = False
    why = pl.Series(FAILED_CHECK, ["; ".join(reasons[row]) for row in rows], dtype=pl.String)
    invalid = events[rows].insert_column(0, pl.Series("user_index", owners[rows])).insert_column(1, why)
    for journey, adventure, action, name, lost in (
        invalid.group_by("journey_id", "adventure_id", "action_id", "event", maintain_order=True).len().iter_rows()
    ):
        tally.emitted(journey, adventure, action, -lost)
        tally.named(name, -lost)
        tally.dropped += lost
    return Verdict(events.filter(pl.Series(keep)), invalid)
