"""Events kept in memory."""

from __future__ import annotations

from types import TracebackType

import polars as pl

from synode_df.engine.frames import combined
from synode_df.errors import SynodeValidationError
from synode_df.output.base import OutputAdapter


class InMemoryAdapter(OutputAdapter):
    """Keeps all events in memory.

    Attributes
    ----------
    events : polars.DataFrame
        What has been written, in order; after a run that failed, what was written until then, but nothing
        where events failed their schema.
    tables : dict of str to polars.DataFrame
        The tables that were written beside the events, by name: `"users"`, `"dataset_products"`.

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
        self._parts: dict[str, list[pl.DataFrame]] = {}

    def open(self) -> None:
        """Forget what an earlier run has written."""
        self._batches, self._parts = [], {}

    def write(self, batch: pl.DataFrame) -> None:
        """Keep a batch."""
        self._batches.append(batch)

    def write_table(self, name: str, part: pl.DataFrame) -> None:
        """Keep a part of a table."""
        self._parts.setdefault(name, []).append(part)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; of a run whose events were refused as invalid, nothing stays."""
        if isinstance(error, SynodeValidationError):
            self._batches, self._parts = [], {}
        super().__exit__(kind, error, trace)

    @property
    def events(self) -> pl.DataFrame:
        """Everything written since the adapter was opened."""
        if not self._batches:
            return pl.DataFrame()
        return combined(self._batches, self._batches[0].clear())

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables written since the adapter was opened."""
        return {name: pl.concat(parts, rechunk=False) for name, parts in self._parts.items()}
