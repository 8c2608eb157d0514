"""The interface between Faker's code on one side, and who draws for it on the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from synode_df.fields.fake.texts import Draw, Node
from synode_df.randomness import Draws


class Drawing(Protocol):
    """What can be drawn at the next place: for many rows as placeholders, or for one row as plain values."""

    single: bool
    draws: Draws

    def call(self, method: str, args: Sequence[object], kwargs: Mapping[str, object]) -> Any:
        """What a method of some provider gives."""
        ...

    def draw(self, size: int, weights: NDArray[np.float64] | None = None) -> Draw:
        """One of some outcomes."""
        ...

    def element(self, elements: Any, *, weighting: bool, weights: Sequence[float] | None = None) -> Any:
        """One element of a table."""
        ...

    def number(self, low: int, count: int, step: int = 1) -> Any:
        """One of `low`, `low + step`, and so on."""
        ...

    def fraction(self, low: float, high: float) -> Any:
        """A decimal number between two bounds."""
        ...

    def parsed(self, text: str) -> Any:
        """A format with its tokens replaced."""
        ...

    def masked(self, text: str, masks: Mapping[str, Sequence[str]]) -> Any:
        """A mask with its signs replaced."""
        ...

    def changed(self, text: object, change: Callable[[str], str], name: object) -> Any:
        """A text after a change that works character by character."""
        ...

    def text(self, node: Node) -> Any:
        """A text from its tree."""
        ...

    def resolved(self, text: object) -> Node:
        """The tree of a text."""
        ...
