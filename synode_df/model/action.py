"""Actions: the steps of an adventure, each emitting events."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from synode_df import checks
from synode_df.durations import Duration, TimeSpan, as_time_span
from synode_df.errors import SynodeError, shown
from synode_df.fields.declaration import Declaration, FrozenMapping
from synode_df.fields.expressions import check_row_wise
from synode_df.fields.probabilities import Probability
from synode_df.fields.values import FieldValue, check_callable, checked_fields
from synode_df.model.event import RESERVED_FIELDS, RESERVED_NAMES, refuse_names
from synode_df.model.source import value_source
from synode_df.model.tables import STEP_HEADS, named, step_row, table_html

Handler = Callable[[Any], Any]
"""A function of one `SynodeContext` that returns a list of events; may be `async`."""

SCOPES: Final = ("action", "adventure", "journey")


def checked_bounce(value: object, path: str) -> Probability:
    """A bounce chance: a number in [0, 1] or a row-wise expression."""
    if isinstance(value, pl.Expr):
        check_row_wise(value, f"{path} > Bounce chance")
        return value
    return checks.probability(value, name="bounce_chance", path=path, code="INVALID_BOUNCE_CHANCE")


def checked_scope(value: object, path: str) -> str | None:
    """A scope, or `INVALID_SCOPE`."""
    return None if value is None else checks.one_of(value, SCOPES, name="scope", code="INVALID_SCOPE", path=path)


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Action(Declaration):
    """A step of an adventure: time passes, the user may bounce, values are remembered, events are emitted.

    Parameters
    ----------
    id : str
        Unique within its adventure.
    event : str, optional
        Name of the event; the id if not given.
    fields : mapping of str to field value, optional
        The payload of the one event that the action emits. A field value is a constant, a field generator, a
        Polars expression over earlier fields, remembered values and persona attributes, or a function of the context.
    handler : callable, optional
        Instead of `fields`: a function of the context, plain or async, that returns a list of events.
    remember : mapping of str to field value, optional
        Values drawn before the fields and kept in the user's state.
    remember_scope : {None, "action", "adventure", "journey"}
        When remembered values are forgotten; None keeps them for all of the user's journeys.
    time_span : TimeSpan, pair of durations or duration, optional
        The time that passes before the action.
    bounce_chance : float or polars.Expr, default 0
        Probability of leaving the adventure here.
    name : str, optional
        A name for people.

    Raises
    ------
    SynodeError
        `INVALID_ID`, `INVALID_ACTION`, `INVALID_FIELD`, `FIELD_NAME_COLLISION`, `INVALID_HANDLER`,
        `INVALID_BOUNCE_CHANCE`, `INVALID_TIME_SPAN`, `INVALID_DURATION`, `INVALID_SCOPE`, `EXPRESSION_NOT_ROW_WISE`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.Action("order", event="order_completed", time_span=("30s", "10m"), fields={"quantity": sd.integer(1, 3)})
    Action('order', event='order_completed', fields={'quantity': integer(1, 3)}, time_span=TimeSpan('30s', '10m'))
    """

    id: str
    event: str | None = None
    fields: FrozenMapping[FieldValue] = field(default_factory=FrozenMapping)
    handler: Handler | None = None
    remember: FrozenMapping[FieldValue] = field(default_factory=FrozenMapping)
    remember_scope: str | None = None
    time_span: TimeSpan | None = None
    bounce_chance: Probability = 0.0
    name: str | None = None

    def __init__(
        self,
        id: str,
        *,
        event: str | None = None,
        fields: Mapping[str, FieldValue] | None = None,
        handler: Handler | None = None,
        remember: Mapping[str, FieldValue] | None = None,
        remember_scope: str | None = None,
        time_span: TimeSpan | Duration | tuple[Duration, Duration] | None = None,
        bounce_chance: Probability = 0.0,
        name: str | None = None,
    ) -> None:
        path = f"Action {shown(checks.identifier(id, what='Action'), 60)}"
        if event is not None:
            checks.identifier(event, what="Event", path=path)
        if handler is not None:
            if fields is not None:
                raise SynodeError(
                    "INVALID_ACTION",
                    "An action has either fields or a handler",
                    path=path,
                    expected="one of the two",
                    received="both",
                    suggestion="move the fields into the handler's events, or split the action in two",
                )
            if not callable(handler) or inspect.isclass(handler):
                raise SynodeError(
                    "INVALID_HANDLER",
                    "A handler must be a function",
                    path=path,
                    expected="a function of one context that returns a list of events",
                    received=shown(handler),
                    suggestion="pass the function itself, without calling it",
                )
            check_callable(handler, path=path, parameters=1, code="INVALID_HANDLER")
        own_fields = checked_fields({} if fields is None else fields, path=path)
        refuse_names(own_fields, RESERVED_FIELDS, path)
        remembered = checked_fields({} if remember is None else remember, path=f"{path} > Remember")
        refuse_names(remembered, RESERVED_NAMES, f"{path} > Remember")
        put = object.__setattr__
        put(self, "id", id)
        put(self, "event", event)
        put(self, "fields", own_fields)
        put(self, "handler", handler)
        put(self, "remember", remembered)
        put(self, "remember_scope", checked_scope(remember_scope, path))
        put(self, "time_span", as_time_span(time_span, name="time_span", path=path))
        put(self, "bounce_chance", checked_bounce(bounce_chance, path))
        put(self, "name", checks.optional_text(name, what="name", path=path))

    @property
    def event_name(self) -> str:
        """The name of the event that `fields` emit."""
        return self.event or self.id

    def __str__(self) -> str:
        parts = [f"• {self.id}"]
        if self.event is not None and self.event != self.id:
            parts.append(f"→ {self.event}")
        parts += describe(time_span=self.time_span, bounce_chance=self.bounce_chance)
        if self.remember:
            parts.append(f"remembers {', '.join(self.remember)}")
        if self.handler is not None:
            parts.append(f"handler {getattr(self.handler, '__name__', 'function')}")
        elif self.fields:
            parts.append(f"with {', '.join(self.fields)}")
        return "  ".join(parts)

    def step_rows(self, depth: int) -> list[list[str]]:
        """Its row in a table of steps."""
        parts = []
        if self.remember:
            parts.append(f"remembers {', '.join(self.remember)}")
        if self.handler is not None:
            parts.append(f"calls {getattr(self.handler, '__name__', 'a handler')}")
        else:
            payload = f" with {', '.join(self.fields)}" if self.fields else ""
            parts.append(f"emits {self.event_name}{payload}")
        return [
            step_row(
                named(self.id, self.name),
                depth=depth,
                time_span=self.time_span,
                bounce_chance=self.bounce_chance,
                what="; ".join(parts),
            )
        ]

    def _repr_html_(self) -> str:
        return table_html(f"Action {self.id}", STEP_HEADS, self.step_rows(0))


def describe(*, time_span: TimeSpan | None, bounce_chance: Probability) -> list[str]:
    """Words for outlines: how long and how likely to leave."""
    words = []
    if time_span is not None:
        span = repr(time_span).removeprefix("TimeSpan")
        words.append(f"after {span}")
    if isinstance(bounce_chance, pl.Expr):
        words.append(f"bounces by {value_source(bounce_chance)}")
    elif bounce_chance:
        words.append(f"bounces {bounce_chance:.4g}")
    return words
