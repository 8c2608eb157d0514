"""Events: what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from synode_df.errors import SynodeError, shown

EVENT_COLUMNS: Final = (
    "event_id",
    "user_id",
    "session_id",
    "event",
    "timestamp",
    "journey_id",
    "adventure_id",
    "action_id",
)
"""The columns that every events frame has, in order; payload fields follow."""

RESERVED_FIELDS: Final = frozenset({*EVENT_COLUMNS, "persona_id"})
"""Names that a payload field cannot have."""

RESERVED_NAMES: Final = frozenset({"user_id", "user_index", "session_id", "timestamp", "persona_id"})
"""Names that persona attributes and remembered values cannot have: expressions find other things there."""


class Event(NamedTuple):
    """One event of one user.

    Handlers make events with `ctx.event(name, **payload)`, which fills in everything but the name and the payload.

    Attributes
    ----------
    id, user_id, session_id : str
        Identifiers.
    name : str
        The event's name.
    timestamp : datetime
        When it happened; UTC.
    payload : mapping of str to value
        The event's own fields.

    Examples
    --------
    >>> import synode_df as sd
    >>> event = sd.SynodeContext().event("page_viewed", path="/home")
    >>> event.name, event.payload
    ('page_viewed', {'path': '/home'})
    """

    id: str
    user_id: str
    session_id: str
    name: str
    timestamp: datetime
    payload: Mapping[str, Any]


def refuse_names(names: Iterable[str], reserved: frozenset[str], path: str) -> None:
    """Raise `FIELD_NAME_COLLISION` for a name that is taken."""
    for name in names:
        if name in reserved:
            raise SynodeError(
                "FIELD_NAME_COLLISION",
                f"The name {shown(name)} is taken",
                path=path,
                expected=f"a name other than {', '.join(sorted(reserved))}",
                received=shown(name),
                suggestion=f'call it something like "my_{name}"',
            )
