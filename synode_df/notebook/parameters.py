"""Sliders for the parameters of distributions: which there are, how far they reach, what they make."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from synode_df.fields.base import FieldGenerator
from synode_df.fields.numbers import Exponential, Integer, LogNormal, Normal, Poisson, Uniform

_LARGEST: Final = 1e15
"""Sliders are drawn in double precision; beyond this, whole numbers and steps of sliders get lost."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a distribution.

    Attributes
    ----------
    name : str
        What it is called in the declaration.
    value : float
        What it is.
    low, high : float
        How far its slider reaches.
    step : float
        The slider's step.
    """

    name: str
    value: float
    low: float
    high: float
    step: float


@dataclass(frozen=True)
class Parameters:
    """The parameters of a distribution that can be moved, and how to make it from them.

    Attributes
    ----------
    each : tuple of Parameter
        Single ones.
    span : (Parameter, Parameter) or None
        The two ends of a range, which must stay in order.
    whole : bool
        Whether they are whole numbers.
    make : callable
        The generator with other values: takes a dict by name.
    """

    each: tuple[Parameter, ...]
    span: tuple[Parameter, Parameter] | None
    whole: bool
    make: Callable[[dict[str, Any]], FieldGenerator]


def parameters_of(value: object) -> Parameters | None:
    """What can be moved in a field value; None for what has no such parameters or too large ones."""
    found = _found(value)
    if found is None:
        return None
    everything = [*found.each, *(found.span or ())]
    fine = all(math.isfinite(part.value) and abs(part.value) <= _LARGEST for part in everything)
    return found if fine else None


def _found(value: object) -> Parameters | None:
    match value:
        case Uniform(low, high, decimals):
            return Parameters((), _range(low, high), False, lambda new: Uniform(new["low"], new["high"], decimals))
        case Integer(low, high):
            whole = _range(low, high, whole=True)
            return Parameters((), whole, True, lambda new: Integer(int(new["low"]), int(new["high"])))
        case Normal(mean, sd, min, max, decimals):
            scale = sd or abs(mean) or 1.0
            shown = [_around("mean", mean, scale), _from_zero("sd", sd, zero=True)]
            shown += [_around(name, end, scale) for name, end in (("min", min), ("max", max)) if end is not None]
            ends = {"min": min, "max": max}
            return Parameters(
                tuple(shown),
                None,
                False,
                lambda new: Normal(decimals=decimals, **{**ends, **new}),
            )
        case LogNormal(median, sigma, decimals):
            both = (_from_zero("median", median), _from_zero("sigma", sigma, zero=True, reach=2.0))
            return Parameters(both, None, False, lambda new: LogNormal(new["median"], new["sigma"], decimals))
        case Exponential(mean, decimals):
            return Parameters((_from_zero("mean", mean),), None, False, lambda new: Exponential(new["mean"], decimals))
        case Poisson(mean):
            return Parameters((_from_zero("mean", mean),), None, False, lambda new: Poisson(new["mean"]))
    return None


def step_for(span: float, *, whole: bool = False) -> float:
    """A step of 1, 10, 100, 0.1, ... of which about 100 to 1,000 fit into a span."""
    step = 10.0 ** (math.floor(math.log10(span)) - 2) if span > 0 else 1.0
    return max(1.0, step) if whole else step


def tidy(value: float, step: float) -> float:
    """A slider's value without the noise of its arithmetic."""
    digits = max(0, -math.floor(math.log10(step))) + 1
    return round(value, digits)


def _from_zero(name: str, value: float, *, zero: bool = False, reach: float = 0.0) -> Parameter:
    """A parameter of 0 or more, or above 0."""
    high = max(4 * value, reach) or 1.0
    step = step_for(high)
    return Parameter(name, value, 0.0 if zero else min(step, value), high, step)


def _around(name: str, value: float, scale: float) -> Parameter:
    """A parameter that may be any number."""
    step = step_for(8 * scale)
    low = math.floor((value - 4 * scale) / step) * step
    return Parameter(name, value, low, value + 4 * scale, step)


def _range(low: float, high: float, *, whole: bool = False) -> tuple[Parameter, Parameter]:
    room = high - low or abs(low) or 1.0
    step = step_for(3 * room, whole=whole)
    least = math.floor((low - room) / step) * step
    if low >= 0:
        least = max(0.0, least)
    most = high + room
    return Parameter("low", low, least, most, step), Parameter("high", high, least, most, step)
