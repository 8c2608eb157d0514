"""Columns of random numbers: one draw for each row of a batch, at one place of the declaration."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from synode_df.randomness.addresses import STEP, Keys, child_place, mix_in_place, mixed
from synode_df.randomness.portable import normal_quantile

_HALF_STEP: Final = 2.0**-53


class Draws:
    """The random numbers of some rows at one place.

    The same row at the same place gets the same numbers, whatever other rows are in the batch. All arithmetic is
    made of operations that IEEE 754 rounds exactly, so that the values do not depend on the processor.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n,)
        The rows' keys.
    place : int
        The place's key.
    """

    __slots__ = ("keys", "place")

    def __init__(self, keys: Keys, place: int) -> None:
        self.keys = keys
        self.place = place

    def __len__(self) -> int:
        return len(self.keys)

    def at(self, part: str) -> Draws:
        """The draws of the same rows at a place inside this one."""
        return Draws(self.keys, child_place(self.place, part))

    def bits(self, draw: int = 0) -> Keys:
        """64 random bits a row; `draw` numbers the draws of one place."""
        return mix_in_place(self.keys ^ np.uint64(mixed(self.place + draw * STEP)))

    def uniform(self, draw: int = 0) -> NDArray[np.float64]:
        """Uniform numbers in the open interval (0, 1), 52 bits each."""
        bits = self.bits(draw)
        bits >>= np.uint64(12)
        numbers = bits.astype(np.float64)
        numbers += 0.5
        numbers *= 2 * _HALF_STEP
        return numbers

    def below(self, count: int, draw: int = 0) -> NDArray[np.int64]:
        """Uniform whole numbers from 0 to `count - 1` (`count` up to 2**52)."""
        return (self.uniform(draw) * count).astype(np.int64)

    def normal(self, draw: int = 0) -> NDArray[np.float64]:
        """Standard normal numbers, by inversion."""
        return normal_quantile(self.uniform(draw))
