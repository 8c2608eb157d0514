"""Events kept in memory."""

from __future__ import annotations

import polars as pl

from synode_df.engine.frames import combined
from synode_df.output.base import OutputAdapter


class InMemoryAdapter(OutputAdapter):
    """Keeps all events in memory.

    Attributes
    ----------
    events : polars.DataFrame
        What has been written, in order.

    Examples
    --------
    >>> import synode_df as sd
    >>> adapter = sd.InMemoryAdapter()
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> _ = sd.generate(visit, users=2, adapter=adapter)
    >>> adapter.events["event"].to_list()
    ['land', 'land']
    """

    def __init__(self) -> None:
        self._batches: list[pl.DataFrame] = []

    def open(self) -> None:
        """Forget what an earlier run has written."""
        self._batches = []

    def write(self, batch: pl.DataFrame) -> None:
        """Keep a batch."""
        self._batches.append(batch)

    @property
    def events(self) -> pl.DataFrame:
        """Everything written since the adapter was opened."""
        if not self._batches:
            return pl.DataFrame()
        return combined(self._batches, self._batches[0].clear())
