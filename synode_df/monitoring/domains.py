"""Which values a declared field can have: what schemas are inferred from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import polars as pl

from synode_df.fields.base import FieldGenerator
from synode_df.fields.choices import Chance, OneOf, Weighted
from synode_df.fields.numbers import Exponential, Integer, LogNormal, Normal, Poisson, Uniform
from synode_df.fields.picks import Pick
from synode_df.fields.sequences import Sequence
from synode_df.fields.tables import Table
from synode_df.fields.values import FieldValue, is_callback

_MOST_VALUES = 50

Number = int | float


@dataclass(frozen=True)
class Domain:
    """The values of a column, as far as they are known.

    Attributes
    ----------
    low, high : number or None
        Bounds, both inside.
    values : frozenset or None
        All values there are, other than null.
    prefix : str
        What every text begins with.
    nullable : bool
        Whether null can come.
    parts : mapping of str to Domain, or None
        The same for the fields of structs.
    """

    low: Number | None = None
    high: Number | None = None
    values: frozenset[object] | None = None
    prefix: str = ""
    nullable: bool = True
    parts: Mapping[str, Domain] | None = None

    def __or__(self, other: Domain) -> Domain:
        """Values of either."""
        if self.values is not None and not self.values:
            return replace(other, nullable=True)  # only null
        if other.values is not None and not other.values:
            return replace(self, nullable=True)
        known = self.values is not None and other.values is not None
        return Domain(
            low=None if self.low is None or other.low is None else min(self.low, other.low),
            high=None if self.high is None or other.high is None else max(self.high, other.high),
            values=(self.values or frozenset()) | (other.values or frozenset()) if known else None,
            prefix=self.prefix if self.prefix == other.prefix else "",
            nullable=self.nullable or other.nullable,
            parts=self.parts if self.parts == other.parts else None,
        )


ANYTHING = Domain()
NEVER_NULL = Domain(nullable=False)


def union(domains: list[Domain]) -> Domain:
    """Values of any of some domains."""
    return reduce(lambda a, b: a | b, domains) if domains else ANYTHING


def domain_of(value: FieldValue, tables: Mapping[str, Table], resolve: Callable[[str], Domain]) -> Domain:
    """The values that a field value can give.

    Parameters
    ----------
    value : field value
        What is declared.
    tables : mapping of str to Table
        The run's datasets.
    resolve : callable
        Gives the domain of a name that an expression can read.
    """
    if isinstance(value, pl.Expr):
        return _of_expression(value, resolve)
    if is_callback(value):
        return ANYTHING
    match value:
        case Weighted():
            return _of_values([each for each, weight in value.weights if weight > 0])
        case OneOf():
            return _of_values(list(value.values))
        case Chance():
            return NEVER_NULL
        case Uniform():
            return _bounds(value.low, value.high, value.decimals)
        case Integer():
            return Domain(value.low, value.high, nullable=False)
        case Normal():
            return _bounds(value.min, value.max, value.decimals)
        case LogNormal() | Exponential() | Poisson():
            return Domain(low=0, nullable=False)
        case Sequence() if value.template is None:
            up = value.step > 0
            return Domain(value.start if up else None, None if up else value.start, nullable=False)
        case Sequence():
            return Domain(prefix=value._parsed[0], nullable=False)
        case Pick():
            return _of_pick(value, tables)
    if isinstance(value, FieldGenerator):  # Faker's, and kinds of the user's own
        return ANYTHING
    return _of_values([value]) if value is None or isinstance(value, bool | int | float | str) else NEVER_NULL


def _bounds(low: Number | None, high: Number | None, decimals: int | None) -> Domain:
    """Bounds, rounded as the values are: rounding keeps their order."""

    def rounded(bound: Number | None) -> Number | None:
        return bound if bound is None or decimals is None else float(np.round(np.float64(bound), decimals))

    return Domain(rounded(low), rounded(high), nullable=False)


def _of_values(values: list[object]) -> Domain:
    there = [each for each in values if each is not None]
    plain = all(type(each) in (bool, int, float, str) for each in there)
    distinct = frozenset(there) if plain else None
    numbers = [each for each in there if isinstance(each, int | float) and not isinstance(each, bool)]
    bounded = bool(numbers) and len(numbers) == len(there)
    return Domain(
        low=min(numbers) if bounded else None,
        high=max(numbers) if bounded else None,
        values=distinct if distinct is not None and len(distinct) <= _MOST_VALUES else None,
        nullable=len(there) < len(values),
    )


def _of_pick(pick: Pick, tables: Mapping[str, Table]) -> Domain:
    frame = tables[pick.dataset].frame
    if isinstance(pick.columns, str):
        return _of_series(frame[pick.columns])
    names = pick.columns or frame.columns
    return Domain(nullable=False, parts={name: _of_series(frame[name]) for name in names})


def _of_series(series: pl.Series) -> Domain:
    nullable = bool(series.null_count())
    if series.dtype == pl.String and series.n_unique() <= _MOST_VALUES:
        return Domain(values=frozenset(series.drop_nulls().to_list()), nullable=nullable)
    if series.dtype.is_numeric() and not series.dtype.is_decimal() and len(series.drop_nulls()):
        if series.dtype.is_float() and series.is_nan().any():
            return Domain()
        return Domain(series.min(), series.max(), nullable=nullable)  # type: ignore[arg-type]  # numbers
    return Domain(nullable=nullable or series.dtype.is_float())


def _of_expression(expression: pl.Expr, resolve: Callable[[str], Domain]) -> Domain:
    """A name alone, or one field of a struct, has the values that it has; of anything else nothing is known."""
    names = expression.meta.root_names()
    if len(names) != 1:
        return ANYTHING
    source = resolve(names[0])
    if expression.meta.eq(pl.col(names[0])):
        return source
    for part, domain in (source.parts or {}).items():
        if expression.meta.eq(pl.col(names[0]).struct.field(part)):
            return replace(domain, nullable=domain.nullable or source.nullable)
    return ANYTHING
