"""How a run of Faker's code is conducted: what its draws are confined to, and what it has called already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synode_df.fields.fake.texts import Codes


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What a call gave for some rows, and the places at which it drew."""

    rows: NDArray[np.intp]
    value: Any
    places: frozenset[int]


@dataclass(slots=True)
class Conduct:
    """What holds for a whole run: whether to follow every way, what draws are confined to, and how much was run."""

    explore: bool = False
    given: Mapping[int, Codes] = field(default_factory=dict)
    runs: int = 0
    draws: int = 0
    ways_out: int = 0
    places: list[int] = field(default_factory=list)
    known: dict[tuple[int, str], Known] = field(default_factory=dict)
