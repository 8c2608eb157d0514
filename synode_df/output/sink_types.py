"""Column types that a destination takes, and what becomes of the others.

Every destination refuses or distorts some types: CSV has no structs, Delta Lake panics on categories, a PostgreSQL
driver writes the largest `UInt64` as -1. So that no adapter meets such a type, each names what it takes, and this
step turns the rest into the nearest type that holds the values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

_SIGNED: Final[Mapping[type[pl.DataType], pl.DataType]] = {
    pl.UInt8: pl.Int16(),
    pl.UInt16: pl.Int32(),
    pl.UInt32: pl.Int64(),
    pl.UInt64: pl.Decimal(20, 0),
    pl.Int128: pl.Decimal(38, 0),
    pl.UInt128: pl.Decimal(38, 0),
}


@dataclass(frozen=True, kw_only=True)
class SinkTypes:
    """What a destination takes as it is.

    Attributes
    ----------
    labels : bool
        Enum and Categorical; else text.
    structs : bool
        Structs; else JSON text.
    lists : {"any", "flat", "none"}
        Lists; only those of plain values; or none: else JSON text.
    arrays : bool
        Arrays of one length; else lists.
    unsigned : bool
        Unsigned integers; else the next signed type, for UInt64 a decimal of 20 digits.
    wide : bool
        Integers of 128 bits; else a decimal of 38 digits.
    decimals : bool
        Decimals; else text.
    binary : bool
        Bytes; else Base64 text.
    durations : bool
        Durations; else ISO 8601 text.
    times : bool
        Times of day; else text.
    moments : {"any", "utc"}
        Datetimes of any zone and unit; or only UTC or none, in microseconds.
    naive : bool
        Datetimes without a zone; else ISO 8601 text.
    nulls : bool
        Columns of nothing but null, which have no type yet; else text.
    """

    labels: bool = False
    structs: bool = False
    lists: Literal["any", "flat", "none"] = "none"
    arrays: bool = False
    unsigned: bool = False
    wide: bool = False
    decimals: bool = True
    binary: bool = True
    durations: bool = False
    times: bool = False
    moments: Literal["any", "utc"] = "utc"
    naive: bool = True
    nulls: bool = False

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with the types that the destination takes, columns and rows in the same order."""
        changed = [self.taken(name, dtype) for name, dtype in frame.schema.items() if not self._takes(dtype)]
        return frame.with_columns(changed) if changed else frame

    def taken(self, name: str, dtype: pl.DataType) -> pl.Expr:
        """A column of a type, as the destination takes it."""
        return self._taken(pl.col(name), dtype).alias(name)

    def schema(self, schema: pl.Schema) -> pl.Schema:
        """The schema of the frames that `of` gives."""
        return self.of(pl.DataFrame(schema=schema)).schema

    def _takes(self, dtype: pl.DataType) -> bool:
        match dtype:
            case pl.Struct():
                return self.structs and all(self._takes(_instance(field.dtype)) for field in dtype.fields)
            case pl.List():
                return self._takes_lists_of(_instance(dtype.inner)) and self._takes(_instance(dtype.inner))
            case pl.Array():
                inner = _instance(dtype.inner)
                return self.arrays and self._takes_lists_of(inner) and self._takes(inner)
            case pl.Enum() | pl.Categorical():
                return self.labels
            case pl.Int128() | pl.UInt128():
                return self.wide
            case pl.UInt8() | pl.UInt16() | pl.UInt32() | pl.UInt64():
                return self.unsigned
            case pl.Decimal():
                return self.decimals
            case pl.Binary():
                return self.binary
            case pl.Duration():
                return self.durations
            case pl.Time():
                return self.times
            case pl.Datetime(time_zone=None) if not self.naive:
                return False
            case pl.Datetime():
                return self.moments == "any" or (dtype.time_unit == "us" and dtype.time_zone in {None, "UTC"})
            case pl.Null():
                return self.nulls
        return True

    def _takes_lists_of(self, inner: pl.DataType) -> bool:
        return self.lists == "any" or (self.lists == "flat" and not inner.is_nested())

    def _taken(self, values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        if self._takes(dtype):
            return values
        match dtype:
            case pl.Struct():
                if not self.structs:
                    return json_text(values, dtype)
                fields = [
                    self._taken(values.struct.field(field.name), _instance(field.dtype)).alias(field.name)
                    for field in dtype.fields
                ]
                return pl.when(values.is_not_null()).then(pl.struct(fields))
            case pl.Array():
                return self._taken(values.arr.to_list(), pl.List(dtype.inner))
            case pl.List():
                inner = _instance(dtype.inner)
                if not self._takes_lists_of(inner):
                    return json_text(values, dtype)
                return values.list.eval(self._taken(pl.element(), inner))
            case pl.Binary():
                return values.bin.encode("base64")
            case pl.Duration() | pl.Time():
                return values.dt.to_string("iso")
            case pl.Datetime(time_zone=None) if not self.naive:
                return values.dt.to_string("iso:strict")
            case pl.Datetime():
                moments = values.cast(pl.Datetime("us", dtype.time_zone))
                return moments if dtype.time_zone is None else moments.dt.convert_time_zone("UTC")
        signed = _SIGNED.get(type(dtype))
        if signed is not None:
            return self._taken(values.cast(signed), signed)
        return values.cast(pl.String)


JSON: Final = SinkTypes(
    labels=True,
    structs=True,
    lists="any",
    arrays=True,
    unsigned=True,
    wide=True,
    binary=False,
    durations=True,
    times=True,
    moments="any",
    naive=False,
    nulls=True,
)
"""What Polars writes well as JSON: decimals as text, times and durations as ISO 8601, NaN and infinities as null."""


def json_text(values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Values as JSON text; null stays null."""
    held = pl.struct(JSON._taken(values, dtype).alias("v"))
    # Only structs can be encoded; the struct around the value goes again.
    text = held.struct.json_encode().str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(values.is_not_null()).then(text)


def _instance(dtype: object) -> pl.DataType:
    """Polars gives types within types as classes or as instances."""
    return dtype() if isinstance(dtype, type) else dtype  # type: ignore[return-value]  # as said
