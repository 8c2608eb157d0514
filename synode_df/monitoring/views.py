"""The events of one name in a batch, in the types that their schema asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.fields.dtypes import common_dtype
from synode_df.model.event import RESERVED_FIELDS
from synode_df.monitoring.schemas import ColumnRule, Rule


@dataclass(frozen=True)
class Failure:
    """Rows that fail one check: their numbers among the event's rows, and their values."""

    rule: Rule
    column: str | None
    check: str
    rows: NDArray[np.intp]
    values: pl.Series | None
    warning: bool = False


@dataclass
class View:
    """The events of one name, as their schema sees them."""

    rule: Rule
    rows: NDArray[np.intp]
    frame: pl.DataFrame
    failures: list[Failure]
    checks: list[tuple[str | None, Any]]


def view_of(events: pl.DataFrame, rule: Rule) -> View:
    """The rows of one event name, in the types that their schema asks for."""
    rows = (events["event"] == rule.event).arg_true()
    everything = rule.strict or rule.frame_checks or rule.unique
    columns_of_rule = [*rule.columns, *_by_pattern(rule, events.columns)]
    wanted = [column.name for column in columns_of_rule if column.name in events.columns]
    frame = events[rows] if everything else events.select(["event", *(n for n in wanted if n != "event")])[rows]
    view = View(rule, rows.to_numpy().astype(np.intp), frame, [], [])
    if not frame.height:
        return view
    columns = []
    for column in columns_of_rule:
        series = _typed(view, column)
        if series is not None:
            columns.append(series)
            view.failures.extend(_nulls(view, column, series))
            view.checks += [(column.name, check) for check in column.schema.checks]
    view.frame = frame.with_columns(columns)
    view.checks += [(None, check) for check in rule.frame_checks]
    if rule.unique:
        repeated = view.frame.select(pl.struct(rule.unique).is_duplicated()).to_series()
        view.failures += failed(view, None, f"multiple_fields_uniqueness({list(rule.unique)})", repeated, None)
    if rule.strict:
        named = {column.name for column in columns_of_rule}
        for name in frame.columns:
            if name not in named and name not in RESERVED_FIELDS:
                view.failures += failed(view, name, "column_in_schema", frame[name].is_not_null(), frame[name])
    return view


def _by_pattern(rule: Rule, names: list[str]) -> Iterator[ColumnRule]:
    """The columns of a batch that patterns mean, where handlers may have given the event any field."""
    known = {column.name for column in rule.columns} | RESERVED_FIELDS
    for name in names:
        for column in rule.patterns:
            if name not in known and re.search(column.name, name):
                known.add(name)
                yield ColumnRule(name, column, None, nullable=True, optional=True)


def _typed(view: View, column: ColumnRule) -> pl.Series | None:
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
            view.failures += failed(view, column.name, f"coerce_dtype('{expected}')", lost, series)
        return cast
    everyone = pl.Series([True]).new_from_index(0, len(series))
    view.failures += failed(view, column.name, f"dtype('{expected}')", everyone, series)
    return None


def _holds(own: pl.DataType, wanted: Any) -> bool:
    try:
        return bool(common_dtype(own, wanted) == wanted)
    except (AttributeError, TypeError):  # incomplete types, such as List without an inner type
        return False


def _nulls(view: View, column: ColumnRule, series: pl.Series) -> Iterator[Failure]:
    """Rows that are null, or not a number, where neither is allowed."""
    if column.nullable:
        return
    missing = series.is_null()
    if series.dtype.is_float():
        missing |= series.is_nan().fill_null(value=False)
    if missing.any():
        yield from failed(view, column.name, "not_nullable", missing, series)


def failed(
    view: View, column: str | None, check: str, mask: pl.Series, values: pl.Series | None, *, warning: bool = False
) -> list[Failure]:
    """The rows where a mask holds, as a failure; none where it nowhere does."""
    rows = mask.arg_true()
    if not len(rows):
        return []
    own = None if values is None else values.gather(rows)
    return [Failure(view.rule, column, check, rows.to_numpy().astype(np.intp), own, warning)]
