"""Counters of what happened, by journey, adventure and action."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TypeVar


@dataclass
class JourneyTally:
    """What became of the users at one journey.

    `users = skipped + late + bounced + started` and `started = completed + stopped + cut`.
    """

    users: int = 0
    skipped: int = 0
    late: int = 0
    bounced: int = 0
    started: int = 0
    stopped: int = 0
    cut: int = 0
    completed: int = 0
    events: int = 0


@dataclass
class StepTally:
    """What became of the users at one adventure or action: `reached = cut + bounced + entered`."""

    reached: int = 0
    cut: int = 0
    bounced: int = 0
    entered: int = 0
    events: int = 0


Counter = TypeVar("Counter", JourneyTally, StepTally)
Key = tuple[str, ...]


@dataclass
class Tally:
    """Counters of a run, a batch or a user; addable.

    Attributes
    ----------
    users, events : int
        Users, and events that went out.
    journeys, adventures, actions : dict
        Counters by id path.
    names : dict of str to int
        Events by their name.
    dropped : int
        Events that failed their schema and were dropped; all other counts are without them.
    failures : dict of (event, column, check) to int
        Values that failed a check.
    """

    users: int = 0
    events: int = 0
    journeys: dict[str, JourneyTally] = field(default_factory=dict)
    adventures: dict[tuple[str, str], StepTally] = field(default_factory=dict)
    actions: dict[tuple[str, str, str], StepTally] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    failures: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def journey(self, journey: str) -> JourneyTally:
        """The counter of a journey."""
        return self.journeys.setdefault(journey, JourneyTally())

    def adventure(self, journey: str, adventure: str) -> StepTally:
        """The counter of an adventure."""
        return self.adventures.setdefault((journey, adventure), StepTally())

    def action(self, journey: str, adventure: str, action: str) -> StepTally:
        """The counter of an action."""
        return self.actions.setdefault((journey, adventure, action), StepTally())

    def emitted(self, journey: str, adventure: str, action: str, events: int) -> None:
        """Count events everywhere that they count."""
        self.events += events
        self.journey(journey).events += events
        self.adventure(journey, adventure).events += events
        self.action(journey, adventure, action).events += events

    def named(self, name: str, events: int = 1) -> None:
        """Count events by their name."""
        if events:
            self.names[name] = self.names.get(name, 0) + events

    def failed(self, event: str, column: str, check: str, rows: int) -> None:
        """Count values that fail a check of their schema; `column` is empty for checks of whole rows."""
        key = (event, column, check)
        self.failures[key] = self.failures.get(key, 0) + rows

    def add(self, other: Tally) -> None:
        """Count what another tally counted."""
        self.users += other.users
        self.events += other.events
        self.dropped += other.dropped
        for name, events in other.names.items():
            self.named(name, events)
        for (event, column, check), rows in other.failures.items():
            self.failed(event, column, check, rows)
        for journey, journey_counts in other.journeys.items():
            _add(self.journey(journey), journey_counts)
        for adventure, adventure_counts in other.adventures.items():
            _add(self.adventure(*adventure), adventure_counts)
        for action, action_counts in other.actions.items():
            _add(self.action(*action), action_counts)


def _add(into: Counter, other: Counter) -> None:
    for each in fields(other):
        setattr(into, each.name, getattr(into, each.name) + getattr(other, each.name))
