"""Texts in the making: for each row a text that is put together from literals and choices.

Kept as a tree, so that what Faker's code does to a text (lower case, transliteration) is done to the few distinct
values of its tables and not to every row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.fields.columns import Column, Positions, full_column


class NotColumnarError(Exception):
    """Faker's code does something that cannot be done to a whole column."""


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """The same text for every row."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One of some texts for each row: `values[codes[row]]`."""

    values: pl.Series
    codes: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Concat:
    """Texts one behind the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """Different texts for different rows; a part's name is the same whichever other parts there are."""

    parts: tuple[tuple[str, Positions, Node], ...]


Node = Literal | Choice | Concat | Branch

_mapped: dict[tuple[int, object], tuple[pl.Series, pl.Series]] = {}


def to_column(node: Node, rows: int) -> Column:
    """The text of every row."""
    if isinstance(node, Literal):
        return Column(pl.Series([node.text]), np.zeros(rows, dtype=np.uint32))
    if isinstance(node, Choice):
        return Column(node.values, node.codes)
    if isinstance(node, Branch):
        whole = full_column([(positions, to_column(part, len(positions))) for _, positions, part in node.parts], rows)
        if not isinstance(whole, Column) or whole.values.dtype != pl.String:
            return Column(pl.Series([None] * rows, dtype=pl.String))
        return whole
    columns = [to_column(part, rows).series(f"{number}") for number, part in enumerate(node.parts)]
    together = pl.concat_str([pl.col(column.name) for column in columns])
    return Column(pl.DataFrame(columns).select(together.alias("")).to_series())


def mapped(node: Node, change: Callable[[str], str], key: object) -> Node:
    """A text after a change that works character by character, so that it can be done to the parts."""
    if isinstance(node, Literal):
        return Literal(change(node.text))
    if isinstance(node, Choice):
        return Choice(_mapped_values(node.values, change, key), node.codes)
    if isinstance(node, Concat):
        return Concat(tuple(mapped(part, change, key) for part in node.parts))
    return Branch(tuple((name, positions, mapped(part, change, key)) for name, positions, part in node.parts))


def _mapped_values(values: pl.Series, change: Callable[[str], str], key: object) -> pl.Series:
    """Changed values, computed once for each table and kind of change."""
    known = _mapped.get((id(values), key))
    if known is None or known[0] is not values:
        if len(_mapped) > 4_096:
            _mapped.clear()
        changed = pl.Series([change(value) for value in values.to_list()], dtype=pl.String)
        known = _mapped[id(values), key] = (values, changed)
    return known[1]


def at(node: Node, positions: Positions) -> Node:
    """The text of some of the rows."""
    if isinstance(node, Literal):
        return node
    if isinstance(node, Choice):
        return Choice(node.values, node.codes[positions])
    if isinstance(node, Concat):
        return Concat(tuple(at(part, positions) for part in node.parts))
    parts = []
    for name, own, part in node.parts:
        chosen = np.flatnonzero(np.isin(positions, own))
        parts.append((name, chosen, at(part, np.searchsorted(own, positions[chosen]))))
    return Branch(tuple(parts))


def first_word(node: Node, rows: int) -> Node:
    """The text of every row up to its first blank."""
    word, ended = _first_word(node, rows)
    del ended
    return word


def _first_word(node: Node, rows: int) -> tuple[Node, NDArray[np.bool_]]:
    """The text up to its first blank, and which rows have one."""
    if isinstance(node, Literal):
        return Literal(_up_to_blank(node.text)), np.full(rows, " " in node.text)
    if isinstance(node, Choice):
        has_blank = node.values.str.contains(" ", literal=True).to_numpy()
        return Choice(_mapped_values(node.values, _up_to_blank, "first word"), node.codes), has_blank[node.codes]
    if isinstance(node, Branch):
        ended = np.zeros(rows, dtype=np.bool_)
        parts = []
        for name, positions, part in node.parts:
            word, ends = _first_word(part, len(positions))
            parts.append((name, positions, word))
            ended[positions] = ends
        return Branch(tuple(parts)), ended
    first, ended = _first_word(node.parts[0], rows)
    if len(node.parts) == 1:
        return first, ended
    going, done = np.flatnonzero(~ended), np.flatnonzero(ended)
    rest, ends = _first_word(at(Concat(node.parts[1:]), going), len(going))
    ended[going] = ends
    longer = Concat((at(first, going), rest))
    return Branch((("ended", done, at(first, done)), ("going", going, longer))), ended


def _up_to_blank(value: str) -> str:
    return value.split(" ", maxsplit=1)[0]
