"""Texts in the making: for each row a text that is put together from literals and choices.

Kept as a tree, so that what Faker's code does to a text (lower case, transliteration) is done to the few distinct
values of its tables and not to every row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.fields.columns import Column, Positions, full_column

Codes = NDArray[np.uint32]


class NotColumnarError(Exception):
    """Faker's code does something that cannot be done to a whole column."""


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """The same text for every row."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One of `size` outcomes for each row, drawn at a place.

    `allowed` are the outcomes that are possible here (None: all of them), `weights` the cumulative chances of all
    outcomes (None: even).
    """

    place: int
    size: int
    codes: Codes
    allowed: Codes | None = None
    weights: NDArray[np.float64] | None = None

    def possible(self) -> Codes:
        """The outcomes that are possible here."""
        return np.arange(self.size, dtype=np.uint32) if self.allowed is None else self.allowed

    def chance(self, codes: Codes) -> float:
        """The chance of one of some outcomes, among those that are possible here."""
        if self.weights is None:
            return len(codes) / (self.size if self.allowed is None else len(self.allowed))
        single = np.diff(self.weights, prepend=0.0)
        total = 1.0 if self.allowed is None else float(single[self.allowed].sum())
        return float(single[codes].sum()) / total if total else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One of some texts for each row: `values[draw.codes[row]]`."""

    values: pl.Series
    draw: Draw


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """Texts computed for each row from what was drawn, such as check digits."""

    values: pl.Series


@dataclass(frozen=True, slots=True, eq=False)
class Concat:
    """Texts one behind the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The rows for which the draw at a branch's place gave one of some codes, and their text."""

    codes: Codes
    positions: Positions
    chance: float
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """Different texts for different rows, by the draw at a place."""

    place: int
    parts: tuple[Part, ...]


Node = Literal | Choice | Computed | Concat | Branch

_mapped: dict[tuple[int, object], tuple[pl.Series, pl.Series]] = {}


def to_column(node: Node, rows: int) -> Column:
    """The text of every row."""
    if isinstance(node, Literal):
        return Column(pl.Series([node.text], dtype=pl.String), np.zeros(rows, dtype=np.uint32))
    if isinstance(node, Choice):
        return Column(node.values, node.draw.codes)
    if isinstance(node, Computed):
        return Column(node.values)
    if isinstance(node, Branch):
        parts = [(part.positions, to_column(part.node, len(part.positions))) for part in node.parts]
        whole = full_column(parts, rows)
        if not isinstance(whole, Column) or whole.values.dtype != pl.String:
            return Column(pl.Series([None] * rows, dtype=pl.String))
        return whole
    columns = [
        pl.lit(part.text) if isinstance(part, Literal) else to_column(part, rows).series(f"{number}")
        for number, part in enumerate(node.parts)
    ]
    series = [column for column in columns if isinstance(column, pl.Series)]
    if not series:
        return to_column(Literal("".join(part.text for part in node.parts if isinstance(part, Literal))), rows)
    together = pl.concat_str([pl.col(each.name) if isinstance(each, pl.Series) else each for each in columns])
    return Column(pl.DataFrame(series).select(together.alias("")).to_series())


def joined(parts: tuple[Node, ...]) -> Node:
    """Texts one behind the other, as one text."""
    flat: list[Node] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Concat) else (part,):
            if isinstance(piece, Literal) and flat and isinstance(flat[-1], Literal):
                flat[-1] = Literal(flat[-1].text + piece.text)
            elif not (isinstance(piece, Literal) and not piece.text):
                flat.append(piece)
    if not flat:
        return Literal("")
    return flat[0] if len(flat) == 1 else Concat(tuple(flat))


def mapped(node: Node, change: Callable[[str], str], key: object, *, whole: bool = False) -> Node:
    """A text after a change.

    Unless it is for whole texts only, the change works character by character, so that it can be done to the parts.
    """
    if isinstance(node, Literal):
        return Literal(change(node.text))
    if isinstance(node, Choice):
        return Choice(mapped_values(node.values, change, key), node.draw)
    if isinstance(node, Computed):
        return Computed(pl.Series([change(value) for value in node.values.to_list()], dtype=pl.String))
    if isinstance(node, Concat):
        if whole:
            raise NotColumnarError("changes a text that is put together")
        return joined(tuple(mapped(part, change, key) for part in node.parts))
    return Branch(
        node.place,
        tuple(
            Part(part.codes, part.positions, part.chance, mapped(part.node, change, key, whole=whole))
            for part in node.parts
        ),
    )


def mapped_values(values: pl.Series, change: Callable[[str], str], key: object) -> pl.Series:
    """Changed values, computed once for each table and kind of change."""
    known = _mapped.get((id(values), key))
    if known is None or known[0] is not values:
        if len(_mapped) > 4_096:
            _mapped.clear()
        changed = pl.Series([change(value) for value in values.to_list()], dtype=pl.String)
        known = _mapped[id(values), key] = (values, changed)
    return known[1]


def at(node: Node, positions: Positions) -> Node:
    """The text of some of the rows, given in rising order."""
    if isinstance(node, Literal):
        return node
    if isinstance(node, Choice):
        return Choice(node.values, replace(node.draw, codes=node.draw.codes[positions]))
    if isinstance(node, Computed):
        return Computed(node.values.gather(pl.Series(positions.astype(np.uint32))))
    if isinstance(node, Concat):
        return Concat(tuple(at(part, positions) for part in node.parts))
    parts = []
    for part in node.parts:
        chosen = np.flatnonzero(np.isin(positions, part.positions))
        inside = np.searchsorted(part.positions, positions[chosen])
        parts.append(Part(part.codes, chosen, part.chance, at(part.node, inside)))
    return Branch(node.place, tuple(parts))


def possible(node: Choice) -> list[str]:
    """The texts that a choice can give."""
    allowed = node.draw.allowed
    listed: list[str] = (node.values if allowed is None else node.values.gather(pl.Series(allowed))).to_list()
    return listed
