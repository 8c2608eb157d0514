"""What is to be run: checked declarations, tables, window and seed. Both executors take one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from synode_df.fields.tables import Table
from synode_df.model.journey import Journey
from synode_df.model.persona import Persona


@dataclass(frozen=True)
class Scenario:
    """A population's declarations, ready to run.

    Attributes
    ----------
    journeys : tuple of Journey
        In the order in which every user meets them.
    personas : tuple of (Persona, float)
        With weights; empty for users without attributes.
    tables : mapping of str to Table
        The datasets.
    start, end : int
        The window in microseconds since 1970, UTC; `end` is outside.
    seed : int
        0 .. 2**64 - 1.
    """

    journeys: tuple[Journey, ...]
    personas: tuple[tuple[Persona, float], ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    start: int = 0
    end: int = 0
    seed: int = 0

    @property
    def mixed(self) -> bool:
        """Whether there are several personas to choose from (a mixture of one counts)."""
        return len(self.personas) > 1

    @cached_property
    def locales(self) -> tuple[str, ...] | None:
        """The locales that users can have, or None if that is not known beforehand."""
        found: set[str] = set()
        for persona, _ in self.personas:
            own = persona.possible_locales()
            if own is None:
                return None
            found.update(own)
        return tuple(sorted(found or {"en_US"}))

    def attribute_names(self) -> list[str]:
        """The attributes of all personas, each once, in order."""
        return list(dict.fromkeys(name for persona, _ in self.personas for name in persona.attributes))
