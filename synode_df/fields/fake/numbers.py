"""Numbers, dates and other values that differ from row to row, as Faker's code sees them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.fields.columns import Positions
from synode_df.fields.fake import texts
from synode_df.fields.fake.forks import fork
from synode_df.fields.fake.placeholders import Maker, Text, refused
from synode_df.fields.fake.tables import series_of
from synode_df.fields.fake.texts import Choice, Computed, Draw, Literal, Node, NotColumnarError

_LONGEST_TABLE: Final = 100_000

Numbers = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The numbers of the outcomes of a draw; `key` says the same in short."""

    numbers: Numbers
    key: object
    draw: Draw


class Number(str):
    """A number that differs from row to row: a string by its mark, a number by what can be done with it.

    With a `table`, row i holds `table.numbers[table.draw.codes[i]]`; without one it was computed from several draws.
    """

    __slots__ = ("maker", "numbers", "table")

    maker: Maker
    numbers: Numbers
    table: Table | None

    def __new__(cls, maker: Maker, numbers: Numbers, table: Table | None = None) -> Number:
        made = str.__new__(cls, "\ue000")
        made.maker, made.numbers, made.table = maker, numbers, table
        return made

    def node(self, spec: str = "") -> Node:
        """The number as text, in a format."""
        table = self.table
        if table is None or len(table.numbers) > _LONGEST_TABLE:
            return Computed(_formatted(self.numbers, spec))
        values = series_of(("numbers", spec, table.key), lambda: _formatted(table.numbers, spec))
        return Choice(values, table.draw)

    def __str__(self) -> str:
        return self.maker.text(self.node())

    def __format__(self, spec: str) -> str:
        return self.maker.text(self.node(spec))

    def __rmod__(self, template: str) -> str:
        found = re.fullmatch(r"([^%]*)%(0?[0-9]*[sdxX])([^%]*)", template)
        if not found:
            refused()
        spec = found[2].removesuffix("s")
        return self.maker.text(texts.joined((Literal(found[1]), self.node(spec), Literal(found[3]))))

    def _with(self, other: Any, done: Callable[[Any, Any], Any]) -> Any:
        if isinstance(other, Number):
            return Number(self.maker, np.asarray(done(self.numbers, other.numbers)))
        if isinstance(other, bool) or not isinstance(other, int | float):
            return NotImplemented
        if self.table is None:
            return Number(self.maker, np.asarray(done(self.numbers, other)))
        table = np.asarray(done(self.table.numbers, other))
        key = (self.table.key, getattr(done, "__name__", "r"), other)
        return Number(self.maker, table[self.table.draw.codes], Table(table, key, self.table.draw))

    def __add__(self, other: Any) -> Any:
        return self._with(other, operator.add)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._with(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, lambda own, first: first - own)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, operator.mul)

    __rmul__ = __mul__

    def __mod__(self, other: Any) -> Any:
        return self._with(other, operator.mod)

    def __floordiv__(self, other: Any) -> Any:
        return self._with(other, operator.floordiv)

    def __truediv__(self, other: Any) -> Any:
        return self._with(other, operator.truediv)

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        if self.table is None:
            raise NotColumnarError("looks into a computed number")
        values = self.table.numbers[self.table.draw.possible()].tolist()
        answers = [question(value) for value in values]
        if any(each != answers[0] for each in answers):
            fork(self.table.draw, answers)
        return answers[0]

    def __index__(self) -> int:
        return operator.index(self._ask(lambda value: value))

    def __int__(self) -> int:
        return int(self._ask(int))

    def __float__(self) -> float:
        return float(self._ask(float))

    def __bool__(self) -> bool:
        return bool(self._ask(bool))

    def __hash__(self) -> int:
        return hash(self._ask(lambda value: value))

    def _compared(self, other: Any, done: Callable[[Any, Any], Any]) -> Any:
        if isinstance(other, Number):
            return self.maker.decided(np.asarray(done(self.numbers, other.numbers)))
        if self.table is None and isinstance(other, int | float):
            return self.maker.decided(np.asarray(done(self.numbers, other)))
        return self._ask(lambda value: done(value, other))

    def __eq__(self, other: object) -> Any:
        return self._compared(other, operator.eq)

    def __ne__(self, other: object) -> Any:
        return self._compared(other, operator.ne)

    def __lt__(self, other: Any) -> Any:
        return self._compared(other, operator.lt)

    def __le__(self, other: Any) -> Any:
        return self._compared(other, operator.le)

    def __gt__(self, other: Any) -> Any:
        return self._compared(other, operator.gt)

    def __ge__(self, other: Any) -> Any:
        return self._compared(other, operator.ge)

    __len__ = __getitem__ = __iter__ = __contains__ = refused


def _formatted(numbers: Numbers, spec: str) -> pl.Series:
    if not spec and numbers.dtype.kind == "i":
        return pl.Series(numbers).cast(pl.String)
    return pl.Series([format(number, spec) for number in numbers.tolist()], dtype=pl.String)


class Values:
    """Values of another type than text, one a row: what a whole method gives."""

    def __init__(self, series: pl.Series) -> None:
        self.series = series

    def take(self, positions: Positions, maker: Maker) -> Values:
        """The values of some of the rows."""
        del maker
        return Values(self.series.gather(pl.Series(positions.astype(np.uint32))))

    def __getattr__(self, name: str) -> NoReturn:
        raise NotColumnarError(f"looks into a drawn value: {name}")

    __str__ = __format__ = __eq__ = __bool__ = __len__ = __iter__ = refused
    __hash__ = None  # type: ignore[assignment]  # it can be neither compared nor kept in a set


_DAY: Final = 86_400_000_000


class Moments:
    """A date and time that differs from row to row, in microseconds since 1970."""

    def __init__(self, maker: Maker, micros: NDArray[np.int64]) -> None:
        self._maker = maker
        self._micros = micros

    def take(self, positions: Positions, maker: Maker) -> Moments:
        """The moments of some of the rows."""
        return Moments(maker, self._micros[positions])

    def values(self) -> Values:
        """The moments, for a whole method's result."""
        return Values(self._series())

    def _series(self) -> pl.Series:
        return pl.Series(self._micros).cast(pl.Datetime("us"))

    def date(self) -> Days:
        return Days(self._maker, np.floor_divide(self._micros, _DAY))

    def strftime(self, form: str) -> Text:
        found = [moment.strftime(form) for moment in self._series().to_list()]
        return self._maker.text(Computed(pl.Series(found, dtype=pl.String)))

    def __str__(self) -> str:
        return self._maker.text(Computed(pl.Series(list(map(str, self._series().to_list())), dtype=pl.String)))

    def __format__(self, spec: str) -> str:
        return str(self) if not spec else self.strftime(spec)

    def __getattr__(self, name: str) -> NoReturn:
        raise NotColumnarError(f"looks into a drawn moment: {name}")


class Days:
    """A date that differs from row to row, in days since 1970."""

    def __init__(self, maker: Maker, days: NDArray[np.int64]) -> None:
        self._maker = maker
        self._days = days

    def take(self, positions: Positions, maker: Maker) -> Days:
        """The dates of some of the rows."""
        return Days(maker, self._days[positions])

    def values(self) -> Values:
        """The dates, for a whole method's result."""
        return Values(pl.Series(self._days.astype(np.int32)).cast(pl.Date))

    def _same(self, other: object) -> NDArray[np.bool_]:
        if not isinstance(other, date):
            refused()
        return np.asarray(self._days == (date(other.year, other.month, other.day) - date(1970, 1, 1)).days)

    def __eq__(self, other: object) -> bool:
        return self._maker.decided(self._same(other))

    def __ne__(self, other: object) -> bool:
        return not self._maker.decided(self._same(other))

    def __add__(self, span: timedelta) -> Days:
        return Days(self._maker, self._days + span.days)

    def strftime(self, form: str) -> Text:
        return Moments(self._maker, self._days * _DAY).strftime(form)

    def __getattr__(self, name: str) -> NoReturn:
        raise NotColumnarError(f"looks into a drawn date: {name}")

    __hash__ = None  # type: ignore[assignment]  # it cannot be kept in a set
