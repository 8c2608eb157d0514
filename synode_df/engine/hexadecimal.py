"""64-bit numbers as hexadecimal text, without a Python string for each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

_CHUNK: Final = 8_192
"""Numbers at a time: their intermediate arrays fit the processor's cache, and are made once."""


@lru_cache(maxsize=1)
def _digits() -> NDArray[np.uint32]:
    """For each pair of bytes, read as the machine reads 16 bits, its four digits: four bytes of ASCII in one word."""
    text = "".join(f"{number:04x}" for number in range(65_536))
    table = np.empty(65_536, dtype=np.uint32)
    table[np.arange(65_536).astype(">u2").view(np.uint16)] = np.frombuffer(text.encode("ascii"), dtype=np.uint32)
    return table


def hex_digits(bits: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The 16 digits of each number, as four words; shape (n, 4)."""
    words = np.empty((len(bits), 4), dtype=np.uint32)
    for first, found in _in_chunks(bits):
        words[first : first + len(found)] = found
    return words


def _in_chunks(bits: NDArray[np.uint64]) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """The digits of some numbers at a time, behind the first one's place; valid until the next are asked for."""
    pairs = bits.astype(">u8").view(np.uint16).reshape(-1, 4)
    rows = min(_CHUNK, len(bits))
    indices, found = np.empty((rows, 4), dtype=np.intp), np.empty((rows, 4), dtype=np.uint32)
    for first in range(0, len(bits), _CHUNK):
        chunk = pairs[first : first + _CHUNK]
        here = indices[: len(chunk)]
        here[...] = chunk
        # A mode other than "raise" writes straight into `out`; no 16-bit number is out of range.
        yield first, _digits().take(here, out=found[: len(chunk)], mode="clip")


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


def hex_pairs(high: NDArray[np.uint32], rows: NDArray[np.integer], low: NDArray[np.uint64]) -> pl.Series:
    """Ids of 32 digits: 16 taken from rows of given digits (shape (m, 4)), then 16 of each number."""
    # Sixteen digits are moved as one number of 16 bytes.
    halves = np.empty((len(low), 2), dtype=np.complex128)
    halves[:, 0] = high.view(np.complex128)[rows, 0]
    for first, found in _in_chunks(low):
        halves[first : first + len(found), 1] = found.view(np.complex128)[:, 0]
    return strings_from_words(halves.view(np.uint32))
