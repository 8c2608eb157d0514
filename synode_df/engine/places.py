"""The addresses of everything that is drawn: one module, so that both executors mean the same place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from synode_df.errors import shown
from synode_df.randomness import child_place, place_key

USER_ID: Final = place_key("user", "id")
ARRIVAL: Final = place_key("user", "arrival")
PERSONA: Final = place_key("user", "persona")
OUTSIDE: Final = place_key("user", "outside of any journey")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the declaration: its key, and its words for errors."""

    key: int
    path: str

    def at(self, part: str) -> Place:
        """A place inside this one, called the same in errors."""
        return Place(child_place(self.key, part), self.path)

    def field(self, kind: str, name: str) -> Place:
        """The place of a field (`kind` "field") or a remembered value (`kind` "remember")."""
        key = child_place(child_place(self.key, kind), name)
        return Place(key, f"{self.path} > {kind.capitalize()} {shown(name, 60)}")


@lru_cache(maxsize=65_536)
def journey_place(journey: str) -> Place:
    """The place of a journey."""
    return Place(place_key("journey", journey), f"Journey {shown(journey, 60)}")


@lru_cache(maxsize=65_536)
def adventure_place(journey: str, adventure: str) -> Place:
    """The place of an adventure."""
    outer = journey_place(journey)
    key = child_place(child_place(outer.key, "adventure"), adventure)
    return Place(key, f"{outer.path} > Adventure {shown(adventure, 60)}")


@lru_cache(maxsize=65_536)
def action_place(journey: str, adventure: str, action: str) -> Place:
    """The place of an action."""
    outer = adventure_place(journey, adventure)
    key = child_place(child_place(outer.key, "action"), action)
    return Place(key, f"{outer.path} > Action {shown(action, 60)}")


@lru_cache(maxsize=65_536)
def attribute_place(persona: str, attribute: str) -> Place:
    """The place of a persona's attribute."""
    return Place(
        place_key("persona", persona, attribute),
        f"Persona {shown(persona, 60)} > Field {shown(attribute, 60)}",
    )


@lru_cache(maxsize=65_536)
def dataset_place(dataset: str, field: str) -> Place:
    """The place of a dataset's field."""
    return Place(
        place_key("dataset", dataset, field),
        f"Dataset {shown(dataset, 60)} > Field {shown(field, 60)}",
    )
