"""Random numbers: uniform, whole, normal, lognormal, exponential, Poisson."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import ClassVar, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df import checks
from synode_df.errors import SynodeError
from synode_df.fields.base import FieldGenerator
from synode_df.fields.columns import Column
from synode_df.fields.rows import Rows
from synode_df.randomness import Draws
from synode_df.randomness.portable import exp, log

Floats = NDArray[np.float64]

_LEAST_MASS: Final = 0.05
_MOST_TRIES: Final = 1_000
_FURTHEST: Final = 8.3
"""No standard normal number that is drawn from 52 bits is further from 0."""
_LONGEST: Final = 37.0
"""No exponential number of mean 1 that is drawn from 52 bits is larger."""


def _rounded(values: Floats, decimals: int | None) -> Column:
    return Column(pl.Series(values if decimals is None else np.round(values, decimals)))


def _check_decimals(decimals: object, path: str) -> None:
    if decimals is not None:
        checks.whole(decimals, name="decimals", path=path, at_least=0, at_most=15)


def _check_order(low: float, high: float, path: str) -> None:
    if high < low:
        raise SynodeError(
            "INVALID_PARAMETER",
            "The highest value is below the lowest",
            path=path,
            expected="low <= high",
            received=f"low={low!r}, high={high!r}",
            suggestion=f"swap them: {path}({high!r}, {low!r})",
        )


@dataclass(frozen=True, eq=False, repr=False)
class Uniform(FieldGenerator):
    """Decimal numbers spread evenly over a range."""

    low: float
    high: float
    decimals: int | None = None
    _factory: ClassVar[str] = "uniform"

    def __post_init__(self) -> None:
        checks.finite(self.low, name="low", path="uniform")
        checks.finite(self.high, name="high", path="uniform")
        checks.finite(float(self.high) - float(self.low), name="high - low", path="uniform")
        _check_order(self.low, self.high, "uniform")
        _check_decimals(self.decimals, "uniform")

    def draw(self, rows: Rows) -> Column:
        return _rounded(self.low + (self.high - self.low) * rows.draws.uniform(), self.decimals)


def uniform(low: float, high: float, *, decimals: int | None = None) -> Uniform:
    """A decimal number, evenly spread between two bounds.

    Parameters
    ----------
    low, high : float
        The range.
    decimals : int, optional
        Digits after the point to round to; all of them if not given.

    Returns
    -------
    FieldGenerator
        A `Float64` column.

    Raises
    ------
    SynodeError
        `INVALID_PARAMETER`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.uniform(10, 20, decimals=1), rows=3, seed=1).to_list()
    [17.4, 16.9, 13.7]
    """
    return Uniform(low, high, decimals)


@dataclass(frozen=True, eq=False, repr=False)
class Integer(FieldGenerator):
    """Whole numbers spread evenly over a range, both ends included."""

    low: int
    high: int
    _factory: ClassVar[str] = "integer"

    def __post_init__(self) -> None:
        checks.whole(self.low, name="low", path="integer", at_least=-(2**62), at_most=2**62)
        checks.whole(self.high, name="high", path="integer", at_least=-(2**62), at_most=2**62)
        _check_order(self.low, self.high, "integer")
        checks.whole(self.high - self.low, name="high - low", path="integer", at_most=2**52 - 1)

    def draw(self, rows: Rows) -> Column:
        return Column(pl.Series(self.low + rows.draws.below(self.high - self.low + 1)))


def integer(low: int, high: int) -> Integer:
    """A whole number, evenly spread between two bounds, both included.

    Parameters
    ----------
    low, high : int
        The range, at most 2**52 wide.

    Returns
    -------
    FieldGenerator
        An `Int64` column.

    Raises
    ------
    SynodeError
        `INVALID_PARAMETER`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.integer(1, 6), rows=5, seed=1).to_list()
    [5, 5, 3, 3, 1]
    """
    return Integer(low, high)


@dataclass(frozen=True, eq=False, repr=False)
class Normal(FieldGenerator):
    """Normally distributed numbers, optionally truncated."""

    mean: float
    sd: float
    min: float | None = None
    max: float | None = None
    decimals: int | None = None
    _factory: ClassVar[str] = "normal"

    def __post_init__(self) -> None:
        checks.finite(self.mean, name="mean", path="normal")
        checks.finite(self.sd, name="sd", path="normal", at_least=0)
        checks.finite(abs(float(self.mean)) + _FURTHEST * float(self.sd), name="mean + 8 sd", path="normal")
        for name, bound in (("min", self.min), ("max", self.max)):
            if bound is not None:
                checks.finite(bound, name=name, path="normal")
        _check_decimals(self.decimals, "normal")
        inside = self._mass_inside()
        if inside < _LEAST_MASS:
            raise SynodeError(
                "INVALID_PARAMETER",
                "The bounds cut away nearly the whole distribution",
                path="normal",
                expected=f"at least {_LEAST_MASS:.0%} of the distribution between min and max",
                received=f"{inside:.3%} between min={self.min!r} and max={self.max!r}",
                suggestion="move the mean into the bounds, or use uniform(min, max)",
            )

    def _mass_inside(self) -> float:
        low = -math.inf if self.min is None else self.min
        high = math.inf if self.max is None else self.max
        if not self.sd:
            return float(low <= self.mean <= high)
        shape = NormalDist(self.mean, self.sd)
        return (1.0 if high == math.inf else shape.cdf(high)) - (0.0 if low == -math.inf else shape.cdf(low))

    def draw(self, rows: Rows) -> Column:
        values = self.mean + self.sd * rows.draws.normal()
        if self.min is not None or self.max is not None:
            self._redraw_outside(values, rows.draws)
        return _rounded(values, self.decimals)

    def _redraw_outside(self, values: Floats, draws: Draws) -> None:
        """Draw again, at the next address, for rows outside the bounds."""
        low = -math.inf if self.min is None else self.min
        high = math.inf if self.max is None else self.max
        for attempt in range(1, _MOST_TRIES):
            outside = np.flatnonzero((values < low) | (values > high))
            if not len(outside):
                return
            again = Draws(draws.keys[outside], draws.place).normal(attempt)
            values[outside] = self.mean + self.sd * again
        np.clip(values, low, high, out=values)  # at most one row in 10**22 comes here


def normal(
    mean: float,
    sd: float,
    *,
    min: float | None = None,
    max: float | None = None,
    decimals: int | None = None,
) -> Normal:
    """A normally distributed number.

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation (0 or more), before truncation.
    min, max : float, optional
        Bounds; values outside are drawn again, so that the distribution is truncated, not piled up at the bounds.
    decimals : int, optional
        Digits after the point to round to; all of them if not given.

    Returns
    -------
    FieldGenerator
        A `Float64` column.

    Raises
    ------
    SynodeError
        `INVALID_PARAMETER`, also where less than 5 % of the distribution lies within the bounds.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.normal(40, 12, min=18, decimals=0), rows=3, seed=1).to_list()
    [48.0, 46.0, 36.0]
    """
    return Normal(mean, sd, min, max, decimals)


@dataclass(frozen=True, eq=False, repr=False)
class LogNormal(FieldGenerator):
    """Positive numbers whose logarithm is normally distributed."""

    median: float
    sigma: float
    decimals: int | None = None
    _factory: ClassVar[str] = "lognormal"

    def __post_init__(self) -> None:
        checks.finite(self.median, name="median", path="lognormal", above=0)
        checks.finite(self.sigma, name="sigma", path="lognormal", at_least=0)
        if math.log(self.median) + _FURTHEST * self.sigma > math.log(sys.float_info.max):
            checks.finite(math.inf, name="median * exp(8 sigma)", path="lognormal")
        _check_decimals(self.decimals, "lognormal")

    def draw(self, rows: Rows) -> Column:
        return _rounded(self.median * exp(self.sigma * rows.draws.normal()), self.decimals)


def lognormal(median: float, sigma: float, *, decimals: int | None = None) -> LogNormal:
    """A positive number with a long tail to the right: prices, amounts, durations.

    Parameters
    ----------
    median : float
        Half of the values lie below it; above 0.
    sigma : float
        Standard deviation of the natural logarithm, 0 or more; about the relative spread while it is small.
    decimals : int, optional
        Digits after the point to round to; all of them if not given.

    Returns
    -------
    FieldGenerator
        A `Float64` column.

    Raises
    ------
    SynodeError
        `INVALID_PARAMETER`.

    Notes
    -----
    `median * exp(sigma * z)` with z standard normal; the mean is `median * exp(sigma**2 / 2)`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.lognormal(median=40, sigma=0.6, decimals=2), rows=3, seed=1).to_list()
    [58.41, 53.84, 32.54]
    """
    return LogNormal(median, sigma, decimals)


@dataclass(frozen=True, eq=False, repr=False)
class Exponential(FieldGenerator):
    """Exponentially distributed numbers."""

    mean: float
    decimals: int | None = None
    _factory: ClassVar[str] = "exponential"

    def __post_init__(self) -> None:
        checks.finite(self.mean, name="mean", path="exponential", above=0)
        checks.finite(float(self.mean) * _LONGEST, name="37 mean", path="exponential")
        _check_decimals(self.decimals, "exponential")

    def draw(self, rows: Rows) -> Column:
        return _rounded(-self.mean * log(rows.draws.uniform()), self.decimals)


def exponential(mean: float, *, decimals: int | None = None) -> Exponential:
    """A positive number, exponentially distributed: waiting times, amounts.

    Parameters
    ----------
    mean : float
        Above 0.
    decimals : int, optional
        Digits after the point to round to; all of them if not given.

    Returns
    -------
    FieldGenerator
        A `Float64` column.

    Raises
    ------
    SynodeError
        `INVALID_PARAMETER`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.exponential(10, decimals=1), rows=3, seed=1).to_list()
    [3.1, 3.7, 10.1]
    """
    return Exponential(mean, decimals)


@dataclass(frozen=True, eq=False, repr=False)
class Poisson(FieldGenerator):
    """Counts of independent happenings."""

    mean: float
    _factory: ClassVar[str] = "poisson"

    def __post_init__(self) -> None:
        checks.finite(self.mean, name="mean", path="poisson", above=0)
        if self.mean > 1_000_000:
            raise SynodeError(
                "INVALID_PARAMETER",
                "`mean` is too large for counts",
                path="poisson",
                expected="mean <= 1,000,000",
                received=repr(self.mean),
                suggestion="use normal(mean, mean ** 0.5, decimals=0), which is the same at this size",
            )

    @cached_property
    def _table(self) -> tuple[int, Floats]:
        """First count, and cumulative probabilities from there on, within 12 standard deviations of the mean.

        Relative weights by the recurrence p(k) = p(k - 1) * mean / k, outwards from the mode, so that nothing
        under- or overflows.
        """
        mode = int(self.mean)
        reach = int(12 * math.sqrt(self.mean)) + 40
        first = max(0, mode - reach)
        above = np.cumprod(self.mean / np.arange(mode + 1, mode + reach + 1, dtype=np.float64))
        below = np.cumprod(np.arange(mode, first, -1, dtype=np.float64) / self.mean)[::-1]
        sums = np.cumsum(np.concatenate([below, [1.0], above]))
        return first, sums / sums[-1]

    def draw(self, rows: Rows) -> Column:
        first, cumulative = self._table
        counts = np.searchsorted(cumulative, rows.draws.uniform(), side="right")
        return Column(pl.Series((counts + first).astype(np.int64)))


def poisson(mean: float) -> Poisson:
    """A count: how often something happens that happens `mean` times on average.

    Parameters
    ----------
    mean : float
        Above 0, at most 1,000,000.

    Returns
    -------
    FieldGenerator
        An `Int64` column.

    Raises
    ------
    SynodeError
        `INVALID_PARAMETER`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.poisson(2.5), rows=5, seed=1).to_list()
    [3, 3, 2, 2, 0]
    """
    return Poisson(mean)
