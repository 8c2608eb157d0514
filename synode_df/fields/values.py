"""Field values: a constant, a generator, an expression or a callable, checked once and drawn for any rows."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final

import numpy as np
import polars as pl

from synode_df.checks import is_unicode
from synode_df.errors import SynodeError, shown
from synode_df.fields.base import FieldGenerator
from synode_df.fields.columns import AnyColumn, Column, PythonColumn, constant_column
from synode_df.fields.declaration import FrozenMapping
from synode_df.fields.dtypes import typed_series
from synode_df.fields.expressions import check_row_wise
from synode_df.fields.rows import Rows

FieldValue = Any
"""A constant, a `FieldGenerator`, a `polars.Expr`, or a callable of the user's context."""

_ANNOTATED: Final[Mapping[object, pl.DataType]] = {
    bool: pl.Boolean(),
    int: pl.Int64(),
    float: pl.Float64(),
    str: pl.String(),
    bytes: pl.Binary(),
    date: pl.Date(),
    time: pl.Time(),
    datetime: pl.Datetime("us", "UTC"),
    timedelta: pl.Duration("us"),
}


def checked_fields(fields: object, *, path: str, parameters: int = 1) -> FrozenMapping[FieldValue]:
    """A mapping of field names to field values, each checked.

    Parameters
    ----------
    fields : mapping of str to field value
        What the user wrote.
    path : str
        The place in words.
    parameters : int, default 1
        How many arguments a callable value gets: 1 (the context), or 2 in datasets (context and row).

    Raises
    ------
    SynodeError
        `INVALID_FIELD`, `EXPRESSION_NOT_ROW_WISE`, `TYPE_CONFLICT`.
    """
    if not isinstance(fields, Mapping):
        raise SynodeError(
            "INVALID_FIELD",
            "Fields must be a mapping from name to value",
            path=path,
            expected='a dict such as {"price": uniform(1, 10)}',
            received=shown(fields),
            suggestion="put the fields in braces, each with its name",
        )
    for name, value in fields.items():
        if not isinstance(name, str) or not name or not is_unicode(name):
            raise SynodeError(
                "INVALID_FIELD",
                "A field needs a name",
                path=path,
                expected="a non-empty string of whole characters",
                received=shown(name),
                suggestion='write {"price": ...}',
            )
        check_value(value, path=f"{path} > Field {shown(name, 60)}", parameters=parameters)
    return FrozenMapping(fields)


def check_value(value: FieldValue, *, path: str, parameters: int = 1) -> None:
    """Raise unless `value` can be a field value."""
    if isinstance(value, FieldGenerator):
        return
    if isinstance(value, pl.Expr):
        check_row_wise(value, path)
    elif isinstance(value, pl.Series | pl.DataFrame | pl.LazyFrame | np.ndarray) or inspect.isclass(value):
        raise SynodeError(
            "INVALID_FIELD",
            "A field value describes one value for each user, not a whole column",
            path=path,
            expected="a constant, a generator, a Polars expression or a function of the context",
            received=shown(value, 80),
            suggestion="use one_of([...]) to choose from values, or pick(...) to choose from a dataset",
        )
    elif callable(value):
        check_callable(value, path=path, parameters=parameters)
    else:
        typed_series([value], path)


def check_callable(function: Callable[..., Any], *, path: str, parameters: int, code: str = "INVALID_FIELD") -> None:
    """Raise unless a function can be called with that many arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # some builtins have no signature; the call itself will tell
    try:
        signature.bind(*range(parameters))
    except TypeError as error:
        wanted = "(ctx)" if parameters == 1 else "(ctx, row)"
        raise SynodeError(
            code,
            f"A function here is called with {parameters} argument{'s' if parameters > 1 else ''}",
            path=path,
            expected=f"a function {wanted}",
            received=f"{getattr(function, '__qualname__', shown(function))}{signature}",
            suggestion=f"change its parameters to {wanted}",
        ) from error


@lru_cache(maxsize=4_096)
def annotated_dtype(function: Callable[..., Any]) -> pl.DataType | None:
    """The column type that a function's return annotation promises, if it does."""
    try:
        hint = typing.get_type_hints(function).get("return")
    except Exception:  # noqa: BLE001 - annotations are the user's: names in them may not resolve
        return None
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = options[0] if len(options) == 1 else None
    return _ANNOTATED.get(hint)


def draw_value(value: FieldValue, rows: Rows) -> AnyColumn:
    """A field value's column for some rows.

    Raises
    ------
    SynodeError
        What the generator, the expression or the callable raises, with the place of the field.
    """
    if isinstance(value, FieldGenerator):
        return value.draw(rows)
    if isinstance(value, pl.Expr):
        return rows.surroundings.evaluate(value, rows.path)
    if callable(value):
        return python_column(rows.surroundings.call(value, rows.draws, rows.path), annotated_dtype(value), rows.path)
    return constant_column(typed_series([value], rows.path), len(rows))


def python_column(values: list[object], dtype: pl.DataType | None, path: str) -> AnyColumn:
    """Python values as a typed column where the type is known beforehand, else as they are."""
    if dtype is None:
        return PythonColumn(values)
    return Column(typed_series(values, path, dtype=dtype))


def expressions_in(value: FieldValue) -> Iterator[pl.Expr]:
    """The expressions that a field value evaluates."""
    if isinstance(value, pl.Expr):
        yield value
    elif isinstance(value, FieldGenerator):
        yield from value.expressions()


def datasets_in(value: FieldValue) -> Iterator[str]:
    """Ids of the datasets that a field value picks from."""
    if isinstance(value, FieldGenerator):
        yield from value.datasets()


def is_callback(value: FieldValue) -> bool:
    """Whether a field value runs Python for each user."""
    return callable(value) and not isinstance(value, FieldGenerator | pl.Expr)
