"""Which type a column of Python values has, and which type holds two columns without loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

import numpy as np
import polars as pl

from synode_df.errors import SynodeError, shown

_SIMPLE: Final[Mapping[type, pl.DataType]] = {
    type(None): pl.Null(),
    bool: pl.Boolean(),
    float: pl.Float64(),
    str: pl.String(),
    bytes: pl.Binary(),
    date: pl.Date(),
    time: pl.Time(),
    timedelta: pl.Duration("us"),
}
_EXACT_IN_FLOAT: Final = 2**53
_MOST_DIGITS: Final = 38
_INTEGERS: Final = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")


def python_dtype(value: object, path: str) -> pl.DataType:
    """The column type of one Python value.

    Raises
    ------
    SynodeError
        `INVALID_FIELD` for values that no column can hold.
    """
    simple = _SIMPLE.get(type(value))
    if simple is not None:
        return simple
    if isinstance(value, np.generic):
        return python_dtype(value.item(), path)
    if isinstance(value, bool | float | str | bytes):  # subclasses, such as members of a StrEnum
        return next(_SIMPLE[kind] for kind in (bool, float, str, bytes) if isinstance(value, kind))
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return pl.Int64()
    if isinstance(value, datetime):
        return pl.Datetime("us", None if value.tzinfo is None else "UTC")
    if isinstance(value, Decimal) and value.is_finite():
        _, digits, exponent = value.as_tuple()
        scale = max(0, -int(exponent))
        if max(scale, len(digits) + max(0, int(exponent))) <= _MOST_DIGITS:
            return pl.Decimal(_MOST_DIGITS, scale)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return pl.Struct({key: python_dtype(part, path) for key, part in value.items()})
    if isinstance(value, list | tuple):
        return pl.List(_dtype_of_all(value, path))
    raise SynodeError(
        "INVALID_FIELD",
        "No column can hold this value",
        path=path,
        expected="None, bool, int (64 bits), float, str, bytes, datetime, date, time, timedelta, Decimal (38 digits), "
        "dict or list",
        received=f"{type(value).__name__} {shown(value, 80)}",
        suggestion="convert it to one of those types",
    )


def common_dtype(a: pl.DataType, b: pl.DataType) -> pl.DataType | None:
    """The type that holds both columns without loss, or None.

    Whole numbers join decimals as `Float64`: such a cast is checked value by value in `cast_exactly`.
    """
    if a == b:
        return a
    if pl.Null in (a, b):
        return b if a == pl.Null else a
    names = {type(a).__name__, type(b).__name__}
    if names <= {*_INTEGERS, "Float32", "Float64"}:
        return _common_number(a, b)
    if names <= {"String", "Enum", "Categorical"}:
        return pl.String()
    if isinstance(a, pl.Decimal) and isinstance(b, pl.Decimal):
        return pl.Decimal(38, max(a.scale, b.scale))
    if isinstance(a, pl.List) and isinstance(b, pl.List):
        inner = common_dtype(_instance(a.inner), _instance(b.inner))
        return None if inner is None else pl.List(inner)
    if isinstance(a, pl.Struct) and isinstance(b, pl.Struct):
        fields: dict[str, pl.DataType] = {field.name: _instance(field.dtype) for field in a.fields}
        for field in b.fields:
            joined = common_dtype(fields.get(field.name, pl.Null()), _instance(field.dtype))
            if joined is None:
                return None
            fields[field.name] = joined
        return pl.Struct(fields)
    return None


def _instance(dtype: object) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype  # type: ignore[return-value]  # Polars types both ways


def _common_number(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    names = (type(a).__name__, type(b).__name__)
    if names[0] not in _INTEGERS or names[1] not in _INTEGERS:
        return pl.Float64()
    bits = [int(name.lstrip("UInt")) for name in names]
    if names[0].startswith("U") == names[1].startswith("U"):
        return a if bits[0] >= bits[1] else b
    return pl.Int64()


def _dtype_of_all(values: Iterable[object], path: str) -> pl.DataType:
    """The type that holds all of some Python values."""
    dtype: pl.DataType = pl.Null()
    for value in values:
        own = python_dtype(value, path)
        joined = common_dtype(dtype, own)
        if joined is None:
            raise type_conflict(dtype, own, path)
        dtype = joined
    return dtype


def type_conflict(a: object, b: object, path: str, *, message: str | None = None) -> SynodeError:
    """The error for two types that share no column."""
    return SynodeError(
        "TYPE_CONFLICT",
        message or "Values of these types cannot share a column",
        path=path,
        expected="one type, or types that one type holds without loss (such as whole numbers and decimals)",
        received=f"{a} and {b}",
        suggestion="convert one of them, or use another field name",
    )


def typed_series(values: Sequence[object], path: str, *, dtype: pl.DataType | None = None) -> pl.Series:
    """Python values as a Series of the one type that holds them all.

    Parameters
    ----------
    values : sequence
        The values; None is null.
    path : str
        Their place, for errors.
    dtype : polars.DataType, optional
        The type that they must fit; inferred from every value (not from the first ones) if not given.

    Raises
    ------
    SynodeError
        `INVALID_FIELD`, `TYPE_CONFLICT`.
    """
    kinds = set(map(type, values))
    if dtype is None:
        plain = kinds - {type(None)}
        only = _SIMPLE.get(next(iter(plain))) if len(plain) == 1 else None
        dtype = only or _dtype_of_all(values, path)
    if any(issubclass(kind, np.generic) for kind in kinds):
        values = [value.item() if isinstance(value, np.generic) else value for value in values]
    if dtype == pl.Float64 and int in kinds:
        values = [_exact_float(value, path) for value in values]
    try:
        return pl.Series("", values, dtype=dtype, strict=True)
    except (TypeError, ValueError, OverflowError, RuntimeError, pl.exceptions.PolarsError) as error:
        raise type_conflict(dtype, _dtype_of_all(values, path), path) from error


def _exact_float(value: object, path: str) -> object:
    if type(value) is int:
        if abs(value) > _EXACT_IN_FLOAT:
            raise type_conflict("Int64", "Float64", path, message=f"{value} has no exact decimal form")
        return float(value)
    return value


def cast_exactly(series: pl.Series, dtype: pl.DataType, path: str) -> pl.Series:
    """A Series as another type, or `TYPE_CONFLICT` where a value would change."""
    if series.dtype == dtype:
        return series
    try:
        cast = _reshaped(series, dtype)
        if series.dtype.is_integer() and dtype.is_float():
            largest = pl.select(series.cast(pl.Int128).abs().max()).item() or 0
            if largest > _EXACT_IN_FLOAT:
                raise type_conflict(series.dtype, dtype, path, message=f"{largest} has no exact decimal form")
    except pl.exceptions.PolarsError as error:
        raise type_conflict(series.dtype, dtype, path) from error
    return cast


def _reshaped(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    """A cast that adds missing struct fields as nulls."""
    if isinstance(dtype, pl.Struct) and isinstance(series.dtype, pl.Struct):
        frame = series.struct.unnest()
        wanted = {field.name: _instance(field.dtype) for field in dtype.fields}
        columns = [
            _reshaped(frame[name], inner).alias(name)
            if name in frame.columns
            else pl.Series(name, [None], dtype=inner).new_from_index(0, len(series))
            for name, inner in wanted.items()
        ]
        struct = pl.DataFrame(columns).to_struct(series.name)
        return (
            struct
            if not series.null_count()
            else pl.select(pl.when(series.is_not_null()).then(struct).otherwise(None)).to_series().alias(series.name)
        )
    return series.cast(dtype, strict=True)
