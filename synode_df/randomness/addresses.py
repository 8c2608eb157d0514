"""Addresses: 64-bit keys of rows (users, dataset rows) and of places in the declaration.

A draw's bits are `mix(row_key ^ mix(place + draw))`. `mix` is the finaliser of splitmix64 (Steele, Lea and
Flood 2014, constants by Stafford): a bijection of 64 bits in which each input bit flips each output bit with
a chance of about a half. Being bijective, it gives different rows of one place different bits, which makes
ids unique by construction.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

MASK: Final = 0xFFFF_FFFF_FFFF_FFFF
STEP: Final = 0x9E37_79B9_7F4A_7C15
_FIRST: Final = 0xBF58_476D_1CE4_E5B9
_SECOND: Final = 0x94D0_49BB_1331_11EB


def mixed(value: int) -> int:
    """The finaliser of splitmix64 on one Python int: a bijection of 0 .. 2**64 - 1."""
    value &= MASK
    value = ((value ^ (value >> 30)) * _FIRST) & MASK
    value = ((value ^ (value >> 27)) * _SECOND) & MASK
    return value ^ (value >> 31)


def bits_at(key: int, place: int, draw: int = 0) -> int:
    """64 random bits of one row at one place: what `Draws.bits` gives for a column, for a single key."""
    return mixed(key ^ mixed(place + draw * STEP))


def mix_in_place(values: Keys) -> Keys:
    """The same on an array of uint64, overwriting it."""
    scratch = values >> np.uint64(30)
    values ^= scratch
    values *= np.uint64(_FIRST)
    np.right_shift(values, np.uint64(27), out=scratch)
    values ^= scratch
    values *= np.uint64(_SECOND)
    np.right_shift(values, np.uint64(31), out=scratch)
    values ^= scratch
    return values


def hashed_key(data: bytes, *, key: int = 0) -> int:
    """A stable 64-bit hash of bytes (BLAKE2b), the same in every process and on every machine."""
    digest = hashlib.blake2b(data, digest_size=8, key=key.to_bytes(8, "little"))
    return int.from_bytes(digest.digest(), "little")


@lru_cache(maxsize=65_536)
def child_place(place: int, part: str) -> int:
    """The key of the place named `part` inside `place`."""
    return hashed_key(part.encode("utf-8", "surrogatepass"), key=place)


def place_key(*parts: str) -> int:
    """The key of a place, by the ids on the way to it (positions play no part).

    Examples
    --------
    >>> place_key("journey", "a") == child_place(place_key("journey"), "a")
    True
    """
    place = 0
    for part in parts:
        place = child_place(place, part)
    return place


def row_keys(seed: int, table: str, rows: NDArray[np.int64]) -> Keys:
    """One key for each row number of a table (`"user"`, or a dataset's place), all different.

    Parameters
    ----------
    seed : int
        The run's seed, 0 .. 2**64 - 1.
    table : str
        What the rows are rows of.
    rows : ndarray of int64, shape (n,)
        Row numbers.

    Returns
    -------
    ndarray of uint64, shape (n,)
    """
    start = np.uint64(mixed(child_place(mixed(seed), table)))
    return mix_in_place(rows.astype(np.uint64) * np.uint64(STEP) + start)
