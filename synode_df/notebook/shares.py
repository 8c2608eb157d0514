"""Shares that always sum to 1: moving one moves the others in proportion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_FEW: Final = 50


class Shares:
    """Shares of several things, of which one after the other is moved.

    Parameters
    ----------
    weights : sequence of float
        What they start from; not all 0.

    Attributes
    ----------
    values : list of float
        The shares; they sum to 1.

    Examples
    --------
    >>> shares = Shares([60, 30, 10])
    >>> shares.move(0, 0.2)
    >>> [round(value, 2) for value in shares.values]
    [0.2, 0.6, 0.2]
    """

    def __init__(self, weights: Sequence[float]) -> None:
        total = math.fsum(weights)
        self.values = [weight / total for weight in weights]
        self._remembered = list(self.values)

    def move(self, position: int, share: float) -> None:
        """Give one its share; the others keep their proportions, also after they have all been 0."""
        share = min(1.0, max(0.0, share))
        if len(self.values) == 1:
            return
        others = math.fsum(self.values) - self.values[position]
        if others > 1e-12:
            self._remembered = list(self.values)
        basis = [0.0 if n == position else value for n, value in enumerate(self._remembered)]
        if not math.fsum(basis) > 1e-12:
            basis = [0.0 if n == position else 1.0 for n in range(len(self.values))]
        scale = (1 - share) / math.fsum(basis)
        self.values = [share if n == position else value * scale for n, value in enumerate(basis)]

    def weights(self, total: float) -> list[float]:
        """The shares as weights that read well and sum to a total.

        Rounded to ten-thousandths of the total (millionths where there are many) by largest remainder, so that
        nothing is lost to rounding; whole where that is possible.

        Examples
        --------
        >>> Shares([1, 1, 1]).weights(1.0)
        [0.3334, 0.3333, 0.3333]
        >>> Shares([2, 3]).weights(100)
        [40, 60]
        """
        unit = 10_000 if len(self.values) <= _FEW else 1_000_000
        exact = [value * unit for value in self.values]
        parts = [math.floor(each) for each in exact]
        short = unit - sum(parts)
        for place in sorted(range(len(exact)), key=lambda n: parts[n] - exact[n])[:short]:
            parts[place] += 1
        weights: list[float] = [round(part * total / unit, 10) for part in parts]
        return [int(weight) if isinstance(total, int) and weight.is_integer() else weight for weight in weights]
