"""Durations with a unit: `"5s"`, `"1h30m"`, timedeltas, time spans and suppression periods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from synode_df import checks
from synode_df.errors import SynodeError, shown

MICROSECOND: Final = timedelta(microseconds=1)
_UNITS: Final = {
    "us": timedelta(microseconds=1),
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(us|µs|ms|s|m|h|d|w)\s*")
_LONGEST: Final = timedelta(days=365_000)

Duration = str | timedelta
"""A length of time: a `timedelta`, or text such as `"250ms"`, `"5s"`, `"1h30m"`, `"7d"`."""

Distribution = Literal["uniform", "normal", "exponential"]
DISTRIBUTIONS: Final = ("uniform", "normal", "exponential")


def parse_duration(value: object, *, name: str = "duration", path: str | None = None) -> timedelta:
    """A duration as a `timedelta` of whole microseconds.

    Parameters
    ----------
    value : str or timedelta
        `"250ms"`, `"5s"`, `"3m"`, `"2h"`, `"7d"`, `"1w"`, `"1h30m"`, or a timedelta.
    name, path : str, optional
        The argument's name and place, for the error.

    Returns
    -------
    timedelta
        Never negative.

    Raises
    ------
    SynodeError
        `INVALID_DURATION` for a bare number, unknown units, a negative or an absurdly long duration.

    Examples
    --------
    >>> parse_duration("1h30m")
    datetime.timedelta(seconds=5400)
    """
    result = _from_text(value) if isinstance(value, str) else value if isinstance(value, timedelta) else None
    if result is not None and timedelta(0) <= result <= _LONGEST:
        return result
    if checks.is_number(value):
        fix = f'say the unit: "{value}s", "{value}m", "{value}h" or "{value}d"'
    elif isinstance(result, timedelta):
        fix = "durations run forward: use 0 or more, and less than a thousand years"
    else:
        fix = 'use text such as "250ms", "5s", "3m", "2h", "7d", "1w", "1h30m", or a timedelta'
    raise SynodeError(
        "INVALID_DURATION",
        f"Cannot read {name.replace('_', ' ')} as a duration",
        path=path,
        expected="a number with a unit, or a timedelta",
        received=shown(value),
        suggestion=fix,
    )


def _from_text(text: str) -> timedelta | None:
    total, position = timedelta(0), 0
    stripped = text.strip()
    try:
        for part in _PART.finditer(stripped):
            if part.start() != position:
                return None
            unit = _UNITS["us" if part[2] == "µs" else part[2]]
            whole, _, fraction = part[1].partition(".")
            total += int(whole) * unit
            if fraction:
                total += int(fraction) * unit / 10 ** len(fraction)
            position = part.end()
    except OverflowError:
        return None
    return total if stripped and position == len(stripped) else None


def format_duration(value: timedelta) -> str:
    """A duration as the shortest text that `parse_duration` reads back.

    Examples
    --------
    >>> format_duration(timedelta(minutes=90))
    '1h30m'
    """
    rest = value // MICROSECOND
    text = ""
    for unit in ("w", "d", "h", "m", "s", "ms", "us"):
        count, rest = divmod(rest, _UNITS[unit] // MICROSECOND)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


@dataclass(frozen=True, init=False)
class TimeSpan:
    """How long something takes: a range and the distribution of the duration within it.

    Parameters
    ----------
    min, max : str or timedelta
        Shortest and longest duration; `max` defaults to `min` (always the same duration).
    distribution : {"uniform", "normal", "exponential"}, default "uniform"
        `"normal"` is centred between the two with a sixth of the range as standard deviation;
        `"exponential"` falls from `min` with a quarter of the range as scale. Both are truncated
        to the range.

    Raises
    ------
    SynodeError
        `INVALID_DURATION` for a duration without a unit, `INVALID_TIME_SPAN` where `max < min`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.TimeSpan("5s", "3m")
    TimeSpan('5s', '3m')
    >>> sd.TimeSpan("5s", "3m", distribution="exponential").max
    datetime.timedelta(seconds=180)
    """

    min: timedelta
    max: timedelta
    distribution: Distribution

    def __init__(self, min: Duration, max: Duration | None = None, *, distribution: Distribution = "uniform") -> None:
        low = parse_duration(min, name="min", path=type(self).__name__)
        high = low if max is None else parse_duration(max, name="max", path=type(self).__name__)
        if high < low:
            raise _impossible(min, max, path=type(self).__name__)
        checks.one_of(
            distribution, DISTRIBUTIONS, name="distribution", code="INVALID_TIME_SPAN", path=type(self).__name__
        )
        object.__setattr__(self, "min", low)
        object.__setattr__(self, "max", high)
        object.__setattr__(self, "distribution", distribution)

    @property
    def bounds(self) -> tuple[int, int]:
        """Shortest and longest duration in microseconds."""
        return self.min // MICROSECOND, self.max // MICROSECOND

    def __repr__(self) -> str:
        parts = [repr(format_duration(self.min))]
        if self.max != self.min:
            parts.append(repr(format_duration(self.max)))
        if self.distribution != "uniform":
            parts.append(f"distribution={self.distribution!r}")
        return f"{type(self).__name__}({', '.join(parts)})"


@dataclass(frozen=True, init=False, repr=False)
class SuppressionPeriod(TimeSpan):
    """How long a user stays away after a journey, before the next one may start.

    Parameters
    ----------
    min, max : str or timedelta
        Shortest and longest absence; `max` defaults to `min`. Uniform between the two.

    Raises
    ------
    SynodeError
        As for `TimeSpan`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.SuppressionPeriod("1d", "1w")
    SuppressionPeriod('1d', '1w')
    """

    def __init__(self, min: Duration, max: Duration | None = None) -> None:
        super().__init__(min, max)


def _impossible(low: object, high: object, *, path: str | None) -> SynodeError:
    return SynodeError(
        "INVALID_TIME_SPAN",
        "A time span cannot end before it starts",
        path=path,
        expected="min <= max",
        received=f"({shown(low)}, {shown(high)})",
        suggestion=f"swap them: ({shown(high)}, {shown(low)})",
    )


def as_time_span(value: object, *, name: str, path: str) -> TimeSpan | None:
    """A time span from what users may write: a `TimeSpan`, a pair, one duration, or None.

    Raises
    ------
    SynodeError
        `INVALID_DURATION` or `INVALID_TIME_SPAN`, with the given path.
    """
    if value is None or isinstance(value, TimeSpan):
        return value
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise SynodeError(
                "INVALID_TIME_SPAN",
                f"The {name.replace('_', ' ')} must be a pair or one duration",
                path=path,
                expected='a pair (min, max) such as ("5s", "3m")',
                received=shown(value),
                suggestion='write the shortest and the longest duration: ("5s", "3m")',
            )
        low = parse_duration(value[0], name=name, path=path)
        high = parse_duration(value[1], name=name, path=path)
        if high < low:
            raise _impossible(value[0], value[1], path=path)
        return TimeSpan(low, high)
    return TimeSpan(parse_duration(value, name=name, path=path))


def as_suppression_period(value: object, *, path: str) -> SuppressionPeriod | None:
    """A suppression period from what users may write, as `as_time_span`."""
    if value is None or isinstance(value, SuppressionPeriod):
        return value
    span = as_time_span(value, name="suppression_period", path=path)
    return None if span is None else SuppressionPeriod(span.min, span.max)
