"""Faker's code run for one row with plain values: what the columns are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synode_df.fields.fake import texts
from synode_df.fields.fake.interpreter import LARGEST, Interpreter
from synode_df.fields.fake.tables import cumulative, table
from synode_df.fields.fake.texts import Choice, Draw, Literal, Node, NotColumnarError
from synode_df.randomness import Draws, child_place
from synode_df.randomness.addresses import bits_at


class SingleRow(Interpreter):
    """The same for one row, with plain values in the place of placeholders: Faker's code as Faker would run it."""

    single = True

    def resolved(self, text: object) -> Node:
        if not isinstance(text, str):
            raise NotColumnarError(f"gives {type(text).__name__}")
        return Literal(text)

    def draw(self, size: int, weights: NDArray[np.float64] | None = None) -> Draw:
        self._count += 1
        place = child_place(self.draws.place, str(self._count))
        unit = self._unit(place)
        code = int(unit * size) if weights is None else int(np.searchsorted(weights, unit, side="right"))
        codes = np.array([code], dtype=np.uint32)
        return Draw(place, size, codes, codes, weights)

    def _unit(self, place: int) -> float:
        """The number that `Draws.uniform` gives."""
        return ((bits_at(int(self.draws.keys[0]), place) >> 12) + 0.5) * 2.0**-52

    def call(self, method: str, args: Sequence[object], kwargs: Mapping[str, object]) -> Any:
        self._count += 1
        draws = Draws(self.draws.keys, child_place(self.draws.place, f"{self._count} {method}"))
        return self._like(draws, self._rows, {})._entered(method, args, kwargs)

    def text(self, node: Node) -> Any:
        value = _plain(node)
        if value is None:
            raise NotColumnarError("a text that is not plain")
        return value

    def element(self, elements: Any, *, weighting: bool, weights: Sequence[float] | None = None) -> Any:
        values, sums, _ = table(elements, weighting=weighting)
        draw = self.draw(len(values), sums if weights is None else cumulative(weights))
        return values[int(draw.codes[0])]

    def number(self, low: int, count: int, step: int = 1) -> Any:
        if not 0 < count < LARGEST:
            raise NotColumnarError("draws a number of no range, or a very wide one")
        if count == 1:
            return low
        return low + step * (int(self.draw(count).codes[0]) if count <= 100_000 else self._wide(count))

    def _wide(self, count: int) -> int:
        self._count += 1
        return int(self._unit(child_place(self.draws.place, str(self._count))) * count)

    def fraction(self, low: float, high: float) -> Any:
        self._count += 1
        return low + (high - low) * self._unit(child_place(self.draws.place, str(self._count)))


def _plain(node: Node) -> str | None:
    if isinstance(node, Literal):
        return node.text
    if isinstance(node, Choice):
        value: str = node.values[int(node.draw.codes[0])]
        return value
    if isinstance(node, texts.Concat):
        parts = [_plain(part) for part in node.parts]
        return None if None in parts else "".join(map(str, parts))
    return None
