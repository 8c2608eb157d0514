"""Adventures: stretches of a journey."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from synode_df import checks
from synode_df.durations import Duration, TimeSpan, as_time_span
from synode_df.errors import SynodeError, shown
from synode_df.fields.declaration import Declaration
from synode_df.fields.probabilities import Probability
from synode_df.model.action import Action, checked_bounce, describe
from synode_df.model.tables import STEP_HEADS, named, step_row, table_html

T = TypeVar("T")

ON_BOUNCE: Final = ("stop", "skip")


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Adventure(Declaration):
    """A stretch of a journey: a sequence of actions that a user may leave early.

    Parameters
    ----------
    id : str
        Unique within its journey.
    actions : sequence of Action
        At least one, in order.
    name : str, optional
        A name for people.
    time_span : TimeSpan, pair of durations or duration, optional
        The gap before the adventure.
    bounce_chance : float or polars.Expr, default 0
        Probability of not entering the adventure.
    on_bounce : {"stop", "skip"}, default "stop"
        Whether a bounce, here or in one of the actions, ends the journey, or goes on with the next adventure.

    Raises
    ------
    SynodeError
        `INVALID_ID`, `INVALID_ADVENTURE`, `DUPLICATE_ID`, `INVALID_BOUNCE_CHANCE`, `INVALID_TIME_SPAN`,
        `INVALID_DURATION`.

    Examples
    --------
    >>> import synode_df as sd
    >>> print(sd.Adventure("buy", [sd.Action("cart"), sd.Action("order", time_span="1m")], bounce_chance=0.4))
    buy  bounces 0.4
      • cart
      • order  after ('1m')
    """

    id: str
    actions: tuple[Action, ...]
    name: str | None = None
    time_span: TimeSpan | None = None
    bounce_chance: Probability = 0.0
    on_bounce: str = "stop"

    def __init__(
        self,
        id: str,
        actions: Iterable[Action],
        *,
        name: str | None = None,
        time_span: TimeSpan | Duration | tuple[Duration, Duration] | None = None,
        bounce_chance: Probability = 0.0,
        on_bounce: Literal["stop", "skip"] = "stop",
    ) -> None:
        path = f"Adventure {shown(checks.identifier(id, what='Adventure'), 60)}"
        members = members_of(actions, Action, code="INVALID_ADVENTURE", path=path)
        checks.unique((action.id for action in members), what="actions", path=path)
        put = object.__setattr__
        put(self, "id", id)
        put(self, "actions", members)
        put(self, "name", checks.optional_text(name, what="name", path=path))
        put(self, "time_span", as_time_span(time_span, name="time_span", path=path))
        put(self, "bounce_chance", checked_bounce(bounce_chance, path))
        options = checks.one_of(on_bounce, ON_BOUNCE, name="on_bounce", code="INVALID_ADVENTURE", path=path)
        put(self, "on_bounce", options)

    def __str__(self) -> str:
        words = describe(time_span=self.time_span, bounce_chance=self.bounce_chance)
        if self.on_bounce == "skip":
            words.append("skips when bounced")
        return "\n".join(["  ".join([self.id, *words]), *(f"  {action}" for action in self.actions)])

    def step_rows(self, depth: int) -> list[list[str]]:
        """Its rows in a table of steps: its own, then those of its actions."""
        own = step_row(
            named(self.id, self.name),
            depth=depth,
            time_span=self.time_span,
            bounce_chance=self.bounce_chance,
            what="when bounced, goes on with the next adventure" if self.on_bounce == "skip" else "",
        )
        return [own, *(row for action in self.actions for row in action.step_rows(depth + 1))]

    def _repr_html_(self) -> str:
        return table_html(f"Adventure {self.id}", STEP_HEADS, self.step_rows(0))


def members_of(members: Iterable[T], kind: type[T], *, code: str, path: str) -> tuple[T, ...]:
    """A non-empty tuple of declarations of one kind, or an error with the given code."""
    word = kind.__name__
    if isinstance(members, kind):
        received, fix = shown(members, 60), "put it in a list: [...]"
    elif isinstance(members, str) or not isinstance(members, Iterable):
        received, fix = shown(members), f"give a list: [{word}(...), ...]"
    else:
        listed = tuple(members)
        wrong = next((member for member in listed if not isinstance(member, kind)), None)
        if listed and wrong is None:
            return listed
        received, fix = (
            ("no members", f"add one: {word}(...)") if not listed else (shown(wrong), f"wrap it: {word}(...)")
        )
    raise SynodeError(
        code,
        f"A list of {word.lower()}s is needed",
        path=path,
        expected=f"one {word} or more, in a list",
        received=received,
        suggestion=fix,
    )
