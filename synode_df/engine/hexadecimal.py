"""64-bit numbers as hexadecimal text, without a Python string for each."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray


@lru_cache(maxsize=1)
def _digits() -> NDArray[np.uint32]:
    """For each 16-bit number its four digits, as four bytes of ASCII in one word."""
    text = "".join(f"{number:04x}" for number in range(65_536))
    return np.frombuffer(text.encode("ascii"), dtype=np.uint32)


def hex_digits(bits: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The 16 digits of each number, as four words; shape (n, 4)."""
    # Most significant part first, whatever the machine's byte order.
    parts = bits.astype(">u8").view(">u2").astype(np.uint16).reshape(-1, 4)
    return _digits().take(parts)


def strings_from_words(words: NDArray[np.uint32]) -> pl.Series:
    """Rows of ASCII words as a Series of strings of equal length, sharing the memory."""
    import nanoarrow

    rows, width = words.shape[0], words.shape[1] * 4
    if not rows:
        return pl.Series([], dtype=pl.String)
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int64)
    data = np.ascontiguousarray(words).reshape(-1).view(np.uint8)
    return pl.Series(nanoarrow.c_array_from_buffers(nanoarrow.large_string(), rows, [None, offsets, data]))


def hex_strings(bits: NDArray[np.uint64]) -> pl.Series:
    """Each number as 16 hexadecimal digits.

    Examples
    --------
    >>> hex_strings(np.array([255], dtype=np.uint64)).to_list()
    ['00000000000000ff']
    """
    return strings_from_words(hex_digits(bits))


def hex_pairs(high: NDArray[np.uint32], low: NDArray[np.uint64]) -> pl.Series:
    """Ids of 32 digits: 16 given digits (shape (n, 4)), then 16 of each number."""
    words = np.empty((len(low), 8), dtype=np.uint32)
    words[:, :4] = high
    words[:, 4:] = hex_digits(low)
    return strings_from_words(words)
