"""Validating a batch of events against the schemas of their names.

pandera's schemas say what must hold, and their own check functions decide it. What this module adds: all checks of a
batch are evaluated in one Polars query; rows that fail are found for every kind of check, where pandera's
`drop_invalid_rows` lets some pass; and the answer never depends on how users were batched.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.engine.tally import Tally
from synode_df.errors import SynodeError, SynodeValidationError, SynodeWarning, shown
from synode_df.fields.dtypes import common_dtype
from synode_df.model.event import RESERVED_FIELDS
from synode_df.monitoring.asking import asked, check_name, ready_pandera
from synode_df.monitoring.glance import not_at_a_glance
from synode_df.monitoring.schemas import ColumnRule, EventSchemas, Rule

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


@dataclass(frozen=True)
class _Failure:
    """Rows that fail one check: their numbers among the event's rows, and their values."""

    rule: Rule
    column: str | None
    check: str
    rows: NDArray[np.intp]
    values: pl.Series | None
    warning: bool = False


@dataclass
class _View:
    """The events of one name, as their schema sees them."""

    rule: Rule
    rows: NDArray[np.intp]
    frame: pl.DataFrame
    failures: list[_Failure]
    checks: list[tuple[str | None, Any]]


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
    views = [_view(events, rule) for rule in not_at_a_glance(events, rules)]
    views = [view for view in views if len(view.rows)]
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


def _view(events: pl.DataFrame, rule: Rule) -> _View:
    """The rows of one event name, in the types that their schema asks for."""
    rows = (events["event"] == rule.event).arg_true()
    everything = rule.strict or rule.frame_checks or rule.unique
    wanted = [column.name for column in rule.columns if column.name in events.columns]
    frame = events[rows] if everything else events.select(["event", *(n for n in wanted if n != "event")])[rows]
    view = _View(rule, rows.to_numpy().astype(np.intp), frame, [], [])
    if not frame.height:
        return view
    columns = []
    for column in rule.columns:
        series = _typed(view, column)
        if series is not None:
            columns.append(series)
            view.failures.extend(_nulls(view, column, series))
            view.checks += [(column.name, check) for check in column.schema.checks]
    view.frame = frame.with_columns(columns)
    view.checks += [(None, check) for check in rule.frame_checks]
    if rule.unique:
        repeated = view.frame.select(pl.struct(rule.unique).is_duplicated()).to_series()
        view.failures += _failed(view, None, f"multiple_fields_uniqueness({list(rule.unique)})", repeated, None)
    if rule.strict:
        named = {column.name for column in rule.columns}
        for name in frame.columns:
            if name not in named and name not in RESERVED_FIELDS:
                view.failures += _failed(view, name, "column_in_schema", frame[name].is_not_null(), frame[name])
    return view


def _typed(view: _View, column: ColumnRule) -> pl.Series | None:
    """A column in its schema's type, or None (and a failure, where it must be there) if it has another."""
    expected = column.schema.dtype
    wanted = None if expected is None else expected.type
    if column.name not in view.frame.columns:
        if column.optional:
            return None
        return pl.Series(column.name, [None], dtype=wanted or pl.Null).new_from_index(0, view.frame.height)
    series = view.frame[column.name]
    own = column.own if column.own is not None and column.own != pl.Null else series.dtype
    if expected is None or expected.check(series.dtype):
        return series
    wanted_dtype: Any = wanted() if isinstance(wanted, type) else wanted
    coerce = column.schema.coerce or view.rule.coerce
    if coerce or _holds(own, wanted_dtype) or series.null_count() == len(series):
        cast = series.cast(wanted_dtype, strict=False)
        lost = cast.is_null() & series.is_not_null()
        if lost.any():
            view.failures += _failed(view, column.name, f"coerce_dtype('{expected}')", lost, series)
        return cast
    everyone = pl.Series([True]).new_from_index(0, len(series))
    view.failures += _failed(view, column.name, f"dtype('{expected}')", everyone, series)
    return None


def _holds(own: pl.DataType, wanted: Any) -> bool:
    try:
        return bool(common_dtype(own, wanted) == wanted)
    except (AttributeError, TypeError):  # incomplete types, such as List without an inner type
        return False


def _nulls(view: _View, column: ColumnRule, series: pl.Series) -> Iterator[_Failure]:
    """Rows that are null, or not a number, where neither is allowed."""
    if column.nullable:
        return
    missing = series.is_null()
    if series.dtype.is_float():
        missing |= series.is_nan().fill_null(value=False)
    if missing.any():
        yield from _failed(view, column.name, "not_nullable", missing, series)


def _all_pass(views: list[_View]) -> bool:
    """Whether every check of every event holds: one query. False also where some check cannot be asked that way."""
    queries = []
    try:
        for view in views:
            lazy = view.frame.lazy()
            for column, check in view.checks:
                answer = asked(check, lazy, column)
                if isinstance(answer, bool):
                    if not answer:
                        return False
                    continue
                one = pl.all_horizontal(pl.all())
                holds = (one.fill_null(value=bool(check.ignore_na))).all().alias("holds")
                queries.append(answer.select(holds, pl.len().alias("rows"), pl.lit(view.frame.height).alias("wanted")))
        results = pl.collect_all(queries)
    except Exception:  # noqa: BLE001 - a user's check may raise anything; the closer look tells which and why
        return False
    return all(holds and rows == wanted for result in results for holds, rows, wanted in result.rows())


def _failures(view: _View) -> Iterator[_Failure]:
    """The closer look: every check by itself, and the rows that fail it."""
    lazy, height = view.frame.lazy(), view.frame.height
    for column, check in view.checks:
        name = check_name(check)
        path = f"event_schema > Event {shown(view.rule.event)}"
        path += f" > Column {shown(column)}" if column else ""
        try:
            answer = asked(check, lazy, column)
            frame = answer.collect() if isinstance(answer, pl.LazyFrame) else answer
        except Exception as error:
            raise SynodeError(
                "INVALID_SCHEMA",
                f"The check {name} raised {type(error).__name__}: {shown(str(error), 200)}",
                path=path,
                expected="a check that answers for every value",
                received=type(error).__name__,
                suggestion="try it on the finished frame; it gets a PolarsData with `lazyframe` and `key`",
            ) from error
        if frame is True or (isinstance(frame, pl.DataFrame) and frame.shape == (1, 1) and frame.item() is True):
            continue
        if not isinstance(frame, pl.DataFrame) or frame.height != height:
            received = f"{frame.height} rows" if isinstance(frame, pl.DataFrame) else shown(frame, 60)
            raise SynodeError(
                "INVALID_SCHEMA",
                f"The check {name} does not answer for each row",
                path=path,
                expected=f"a LazyFrame with one Boolean for each of the {height} rows",
                received=received,
                suggestion="write lambda data: data.lazyframe.select(pl.col(data.key) > 0), without aggregations",
            )
        holds = frame.select(pl.all_horizontal(pl.all())).to_series().fill_null(value=bool(check.ignore_na))
        values = None if column is None else view.frame[column]
        yield from _failed(view, column, name, ~holds, values, warning=bool(check.raise_warning))


def _failed(
    view: _View, column: str | None, check: str, mask: pl.Series, values: pl.Series | None, *, warning: bool = False
) -> list[_Failure]:
    rows = mask.arg_true()
    if not len(rows):
        return []
    own = None if values is None else values.gather(rows)
    return [_Failure(view.rule, column, check, rows.to_numpy().astype(np.intp), own, warning)]


def _error(
    found: list[tuple[_View, _Failure]], owners: NDArray[np.int64], schemas: EventSchemas
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
    events: pl.DataFrame, found: list[tuple[_View, _Failure]], tally: Tally, owners: NDArray[np.int64]
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
