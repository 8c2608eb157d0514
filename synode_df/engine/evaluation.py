"""Evaluating a row-wise expression: on the few distinct values of a column where that is enough, else on all rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

import numpy as np
import polars as pl

from synode_df.errors import SynodeError, shown
from synode_df.fields.columns import AnyColumn, Column, PythonColumn, constant_column
from synode_df.fields.dtypes import typed_series
from synode_df.fields.expression_source import expression_text
from synode_df.fields.expressions import names_read

Lookup = Callable[[str], AnyColumn]
"""Finds the column of a name, or raises `UNKNOWN_NAME`."""

Keyed = TypeVar("Keyed", pl.Expr, pl.Series)

_SMALL: Final = 4_096
"""Distinct values that are worth computing for few rows, and keeping for other batches."""


class _ByIdentity(Generic[Keyed]):
    """A cache key for an expression or a Series, which cannot be compared with `==`."""

    __slots__ = ("keyed",)

    def __init__(self, keyed: Keyed) -> None:
        self.keyed: Keyed = keyed

    def __hash__(self) -> int:
        return id(self.keyed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and self.keyed is other.keyed


@dataclass(frozen=True, slots=True)
class _Reading:
    """What an expression reads: names, whether it is one bare name, and which struct fields are enough."""

    names: tuple[str, ...]
    bare: bool
    struct_fields: Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=8_192)
def _reading(key: _ByIdentity[pl.Expr]) -> _Reading:
    names = tuple(names_read(key.keyed))
    tree = json.loads(expression_text(key.keyed))
    used: dict[str, set[str] | None] = {}
    _collect_fields(tree, used)
    fields = {name: tuple(sorted(parts)) for name, parts in used.items() if parts}
    return _Reading(names, len(names) == 1 and tree == {"Column": names[0]}, fields)


def _collect_fields(node: Any, used: dict[str, set[str] | None]) -> None:
    """Note for each column which struct fields are read from it; None where the column itself is read."""
    if isinstance(node, list):
        for part in node:
            _collect_fields(part, used)
    elif isinstance(node, dict):
        if isinstance(node.get("Column"), str):
            used[node["Column"]] = None
            return
        function = node.get("Function")
        if isinstance(function, dict) and isinstance(function.get("function"), dict):
            source, kind = function["input"][0], function["function"].get("StructExpr")
            if isinstance(kind, dict) and "FieldByName" in kind and set(source) == {"Column"}:
                found = used.setdefault(source["Column"], set())
                if found is not None:
                    found.add(kind["FieldByName"])
                return
        for part in node.values():
            _collect_fields(part, used)


def evaluate(expression: pl.Expr, lookup: Lookup, rows: int, path: str) -> AnyColumn:
    """The value of a row-wise expression for each of `rows` rows.

    Raises
    ------
    SynodeError
        `UNKNOWN_NAME` from the look-up, `EXPRESSION_FAILED` where Polars cannot compute it.
    """
    reading = _reading(_ByIdentity(expression))
    columns = {name: lookup(name) for name in reading.names}
    if reading.bare:
        return columns[reading.names[0]]
    if any(isinstance(column, PythonColumn) for column in columns.values()):
        return _by_types(expression, columns, rows, path)
    typed = {name: column for name, column in columns.items() if isinstance(column, Column)}
    if len(typed) == 1:
        ((name, column),) = typed.items()
        if column.codes is not None and len(column.values) <= max(rows, _SMALL):
            # Row-wise: equal inputs give equal results, so each distinct value is computed once, and what many batches
            # share (the values of a generator, the rows of a dataset) once for all of them.
            compute = _of_distinct if len(column.values) <= _SMALL else _of_distinct.__wrapped__
            try:
                return Column(compute(_ByIdentity(expression), _ByIdentity(column.values), name), column.codes)
            except SynodeError:
                pass  # a value that no row holds may be the one that fails
    typed = {name: _only_fields(column, reading.struct_fields.get(name)) for name, column in typed.items()}
    result = _select(expression, {name: column.series() for name, column in typed.items()}, path)
    return Column(result) if typed and len(result) == rows else constant_column(result, rows)


@lru_cache(maxsize=256)
def _of_distinct(expression: _ByIdentity[pl.Expr], values: _ByIdentity[pl.Series], name: str) -> pl.Series:
    fields = _reading(expression).struct_fields.get(name)
    return _select(expression.keyed, {name: _only_fields(Column(values.keyed), fields).values}, "")


def _only_fields(column: Column, fields: tuple[str, ...] | None) -> Column:
    """A struct column cut down to the fields that are read, so that gathering it costs no more than needed."""
    dtype = column.values.dtype
    if not fields or not isinstance(dtype, pl.Struct) or len(fields) >= len(dtype.fields):
        return column
    have = {field.name for field in dtype.fields}
    if not have.issuperset(fields) or column.values.null_count():
        return column
    return Column(column.values.struct.unnest().select(fields).to_struct(), column.codes)


def _select(expression: pl.Expr, columns: Mapping[str, pl.Series], path: str) -> pl.Series:
    try:
        return pl.DataFrame([series.alias(name) for name, series in columns.items()]).select(expression).to_series()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        first_line = str(error).strip().split("\n", maxsplit=1)[0]
        held = ", ".join(f"{name}: {series.dtype}" for name, series in columns.items())
        raise SynodeError(
            "EXPRESSION_FAILED",
            f"Polars cannot compute the expression: {first_line}",
            path=path,
            expected=f"an expression over {held}" if held else "an expression without columns",
            received=shown(str(expression)),
            suggestion="try it on a small frame with these columns and types",
        ) from error


def _by_types(expression: pl.Expr, columns: Mapping[str, AnyColumn], rows: int, path: str) -> PythonColumn:
    """The expression for each combination of Python types apart, so that a row's value depends on that row only."""
    loose = [column.to_list() for column in columns.values() if isinstance(column, PythonColumn)]
    groups: dict[tuple[type, ...], list[int]] = {}
    for row, kinds in enumerate(zip(*(map(type, values) for values in loose), strict=True)):
        groups.setdefault(kinds, []).append(row)
    results: list[object] = [None] * rows
    for members in groups.values():
        positions = np.array(members, dtype=np.intp)
        series = {}
        for name, column in columns.items():
            part = column.take(positions)
            series[name] = part.series() if isinstance(part, Column) else typed_series(part.values, path)
        values = _select(expression, series, path).to_list()
        for row, value in zip(members, values * len(members) if len(values) == 1 else values, strict=False):
            results[row] = value
    return PythonColumn(results)
