"""Journeys: the top-level flows that users walk through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from synode_df import checks
from synode_df.durations import Duration, SuppressionPeriod, as_suppression_period, format_duration
from synode_df.errors import SynodeError, shown
from synode_df.fields.declaration import Declaration
from synode_df.fields.probabilities import Probability
from synode_df.model.action import Action, checked_bounce, describe
from synode_df.model.adventure import Adventure, members_of
from synode_df.model.tables import STEP_HEADS, named, span_words, step_row, table_html


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Journey(Declaration):
    """A flow that a user walks through once: a sequence of adventures.

    Parameters
    ----------
    id : str
        Unique within a run; the address of the journey's random draws.
    adventures : sequence of Adventure
        At least one, in order.
    name : str, optional
        A name for people.
    requires : str or sequence of str, optional
        Ids of journeys that the user must have completed before.
    bounce_chance : float or polars.Expr, default 0
        Probability of leaving at the door, without any event.
    suppression_period : SuppressionPeriod, pair of durations or duration, optional
        How long the user stays away after the journey, completed or not.

    Raises
    ------
    SynodeError
        `INVALID_ID`, `INVALID_JOURNEY`, `DUPLICATE_ID`, `CIRCULAR_REQUIRES`, `INVALID_BOUNCE_CHANCE`,
        `INVALID_TIME_SPAN`, `INVALID_DURATION`.

    Examples
    --------
    >>> import synode_df as sd
    >>> browse = sd.Adventure("browse", [sd.Action("land"), sd.Action("view", time_span=("5s", "3m"))])
    >>> print(sd.Journey("visit", [browse], bounce_chance=0.05))
    visit  bounces 0.05
      browse
        • land
        • view  after ('5s', '3m')
    """

    id: str
    adventures: tuple[Adventure, ...]
    name: str | None = None
    requires: tuple[str, ...] = ()
    bounce_chance: Probability = 0.0
    suppression_period: SuppressionPeriod | None = None

    def __init__(
        self,
        id: str,
        adventures: Iterable[Adventure],
        *,
        name: str | None = None,
        requires: str | Iterable[str] = (),
        bounce_chance: Probability = 0.0,
        suppression_period: SuppressionPeriod | Duration | tuple[Duration, Duration] | None = None,
    ) -> None:
        path = f"Journey {shown(checks.identifier(id, what='Journey'), 60)}"
        members = members_of(adventures, Adventure, code="INVALID_JOURNEY", path=path)
        checks.unique((adventure.id for adventure in members), what="adventures", path=path)
        required = (requires,) if isinstance(requires, str) else requires
        if not isinstance(required, Iterable):
            raise SynodeError(
                "INVALID_JOURNEY",
                "`requires` must list ids of journeys",
                path=path,
                expected='a list such as ["registration"]',
                received=shown(required),
                suggestion="give the ids, not the journeys themselves",
            )
        ids = tuple(required)
        for each in ids:
            checks.identifier(each, what="Journey", path=f"{path} > Requires")
        if id in ids:
            raise SynodeError(
                "CIRCULAR_REQUIRES",
                "A journey cannot require itself",
                path=path,
                expected="ids of other journeys",
                received=shown(id),
                suggestion=f"take {shown(id, 40)} out of `requires`",
            )
        put = object.__setattr__
        put(self, "id", id)
        put(self, "adventures", members)
        put(self, "name", checks.optional_text(name, what="name", path=path))
        put(self, "requires", ids)
        put(self, "bounce_chance", checked_bounce(bounce_chance, path))
        put(self, "suppression_period", as_suppression_period(suppression_period, path=path))

    def actions(self) -> Iterator[tuple[Adventure, Action]]:
        """Every action with its adventure, in order."""
        for adventure in self.adventures:
            for action in adventure.actions:
                yield adventure, action

    def __str__(self) -> str:
        words = describe(time_span=None, bounce_chance=self.bounce_chance)
        if self.requires:
            words.append(f"requires {', '.join(self.requires)}")
        if self.suppression_period is not None:
            low, high = self.suppression_period.min, self.suppression_period.max
            words.append(f"then away {format_duration(low)} to {format_duration(high)}")
        inside = "\n".join(str(adventure) for adventure in self.adventures)
        return "\n".join(["  ".join([self.id, *words]), *(f"  {line}" for line in inside.split("\n"))])

    def _repr_html_(self) -> str:
        notes = [f"requires {', '.join(self.requires)}"] if self.requires else []
        if self.suppression_period is not None:
            notes.append(f"then away {span_words(self.suppression_period)}")
        own = step_row(
            named(self.id, self.name),
            depth=0,
            time_span=None,
            bounce_chance=self.bounce_chance,
            what="; ".join(notes),
        )
        rows = (row for adventure in self.adventures for row in adventure.step_rows(1))
        return table_html(f"Journey {self.id}", STEP_HEADS, [own, *rows])
