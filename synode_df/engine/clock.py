"""Whole microseconds since 1970, UTC: the one form of time inside the engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synode_df.durations import MICROSECOND, TimeSpan
from synode_df.errors import SynodeError, shown
from synode_df.randomness import Draws
from synode_df.randomness.portable import log, normal_quantile

Micros = NDArray[np.int64]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_END: Final = datetime(2026, 1, 31, tzinfo=UTC)

_THREE_SIGMA: Final = float.fromhex("0x1.61de1f985b5dcp-10")  # normal distribution function at -3
_FOUR_SCALES: Final = 1 - float.fromhex("0x1.2c155b8213cf4p-6")  # 1 - exp(-4)


def to_micros(moment: datetime) -> int:
    """A datetime as microseconds since 1970; naive means UTC."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (aware - EPOCH) // MICROSECOND


def to_datetime(micros: int) -> datetime:
    """Microseconds since 1970 as an aware datetime in UTC."""
    return EPOCH + timedelta(0, 0, micros)


def checked_moment(value: Any, name: str) -> int:
    """A datetime of the user's in microseconds, or `INVALID_WINDOW`."""
    if isinstance(value, datetime):
        return to_micros(value)
    raise SynodeError(
        "INVALID_WINDOW",
        f"`{name}` must be a datetime",
        path=name,
        expected="a datetime; a naive one means UTC",
        received=shown(value),
        suggestion=f"write {name}=datetime(2026, 1, 1)",
    )


def draw_arrivals(start: int, end: int, draws: Draws) -> Micros:
    """When each user arrives: uniform over [start, end)."""
    return start + draws.below(end - start)


def draw_durations(span: TimeSpan, draws: Draws) -> Micros:
    """How long a time span lasts for each row, in whole microseconds.

    Notes
    -----
    By inversion of the truncated distribution functions: uniform; normal around the middle with a sixth of the
    range as standard deviation; exponential from the shortest on with a quarter of the range as scale.
    """
    low, high = span.bounds
    width = high - low
    if not width:
        return np.full(len(draws), low, dtype=np.int64)
    if span.distribution == "uniform":
        return low + draws.below(width + 1)
    u = draws.uniform()
    if span.distribution == "normal":
        share = (normal_quantile(_THREE_SIGMA + u * (1 - 2 * _THREE_SIGMA)) + 3) / 6
    else:
        share = -log(1 - u * _FOUR_SCALES) / 4
    offset: Micros = np.rint(share * width).astype(np.int64)
    return low + np.clip(offset, 0, width)
