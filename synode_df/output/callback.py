"""A function of the user as destination."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

import polars as pl

from synode_df import checks
from synode_df.errors import SynodeError, shown, told
from synode_df.output.base import OutputAdapter
from synode_df.output.events import event_dicts, event_objects
from synode_df.output.failures import output_error

Receives = Literal["event", "dict", "batch"]


class CallbackAdapter(OutputAdapter):
    """Calls a function with each event, or with each batch of events, in order.

    Parameters
    ----------
    callback : callable
        A function of one argument; what it returns is ignored.
    receives : {"event", "dict", "batch"}, default "event"
        What it gets: an `Event`; a dict of the event's columns and of the payload fields that it fills; or a batch as a
        `polars.DataFrame`, which is faster by far.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`; `OUTPUT_ERROR` where the function raises, with the original as `__cause__`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", fields={"path": "/"})])])
    >>> def show(event):
    ...     print(event.name, event.payload)
    >>> _ = sd.generate(visit, users=2, adapter=sd.CallbackAdapter(show))
    land {'path': '/'}
    land {'path': '/'}
    >>> heights = []
    >>> to_batch = sd.CallbackAdapter(lambda batch: heights.append(batch.height), receives="batch")
    >>> _ = sd.generate(visit, users=5, adapter=to_batch, batch_size=2)
    >>> heights
    [2, 2, 1]
    """

    def __init__(self, callback: Callable[[Any], object], *, receives: Receives = "event") -> None:
        if not callable(callback) or inspect.iscoroutinefunction(callback):
            raise SynodeError(
                "INVALID_OPTION",
                "`callback` must be a plain function",
                path="CallbackAdapter",
                expected="a function of one argument, not `async def`",
                received=shown(callback),
                suggestion="pass the function itself, such as CallbackAdapter(print); from it, start what is async",
            )
        self._callback = callback
        self._receives = checks.one_of(
            receives, ("event", "dict", "batch"), name="receives", code="INVALID_OPTION", path="CallbackAdapter"
        )

    def write(self, batch: pl.DataFrame) -> None:
        """Call the function with the batch, or with each of its events."""
        if self._receives == "batch":
            self._call(batch, f"a batch of {batch.height} events")
        elif self._receives == "dict":
            for row in event_dicts(batch):
                self._call(row, f"event {row['event_id']}")
        else:
            for event in event_objects(batch):
                self._call(event, f"event {event.id}")

    def _call(self, argument: object, what: str) -> None:
        try:
            self._callback(argument)
        except Exception as error:
            raise output_error(
                "CallbackAdapter",
                f"The callback raised {told(error)}",
                expected="a function that takes every event",
                received=f"{type(error).__name__} for {what}",
                suggestion="see the original error above this one",
            ) from error
