"""Several destinations at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType

import polars as pl

from synode_df.errors import SynodeError, SynodeValidationError, shown
from synode_df.output.base import OutputAdapter, Plan


class CompositeAdapter(OutputAdapter):
    """Sends every batch to several adapters, in the order given.

    A run that fails at one of them fails as a whole; the others are told and closed like after any failure. Where one
    fails at the end, the others still land. Tables go to those adapters that have a place for them. An adapter that
    writes shards in the workers by itself writes them in the calling process here.

    Parameters
    ----------
    adapters : sequence of OutputAdapter
        At least one.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`; what the adapters raise.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> memory, names = sd.InMemoryAdapter(), []
    >>> both = sd.CompositeAdapter([memory, sd.CallbackAdapter(lambda event: names.append(event.name))])
    >>> _ = sd.generate(visit, users=2, adapter=both)
    >>> memory.events.height, names
    (2, ['land', 'land'])
    """

    def __init__(self, adapters: Sequence[OutputAdapter]) -> None:
        own = list(adapters) if isinstance(adapters, list | tuple) else []
        if not own or not all(isinstance(adapter, OutputAdapter) for adapter in own) or _twice(own):
            raise SynodeError(
                "INVALID_OPTION",
                "`adapters` must be a list of adapters",
                path="CompositeAdapter",
                expected="one or more adapters, each of them once",
                received=shown(adapters),
                suggestion='CompositeAdapter([ConsoleAdapter(), ParquetAdapter("events/")])',
            )
        self._adapters = own

    def prepare(self, plan: Plan) -> None:
        """Tell all of the run."""
        super().prepare(plan)
        for adapter in self._adapters:
            adapter.prepare(plan if adapter.takes_tables else replace(plan, star_schema=False))

    @property
    def takes_tables(self) -> bool:
        """Whether one of them does."""
        return any(adapter.takes_tables for adapter in self._adapters)

    def open(self) -> None:
        """Open all; where one cannot be opened, none stays open."""
        opened: list[OutputAdapter] = []
        try:
            for adapter in self._adapters:
                adapter.open()
                opened.append(adapter)
        except BaseException:
            for adapter in opened:
                with suppress(SynodeError):
                    adapter.discard()
                    adapter.close()
            raise

    def write(self, batch: pl.DataFrame) -> None:
        """Hand a batch on."""
        for adapter in self._adapters:
            adapter.write(batch)

    def write_table(self, name: str, part: pl.DataFrame) -> None:
        """Hand a part of a table to those that have a place for it."""
        if not self.takes_tables:
            super().write_table(name, part)
        for adapter in self._adapters:
            if adapter.takes_tables:
                adapter.write_table(name, part)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all; where events were refused as invalid, each learns of it, to keep nothing."""
        if not isinstance(error, SynodeValidationError):
            super().__exit__(kind, error, trace)
            return
        for adapter in self._adapters:
            with suppress(SynodeError):
                adapter.__exit__(kind, error, trace)

    def discard(self) -> None:
        """Tell all of the failure."""
        for adapter in self._adapters:
            adapter.discard()

    def close(self) -> None:
        """Close all, also where closing one of them fails; then tell of the first failure."""
        failures: list[Exception] = []
        for position, adapter in enumerate(self._adapters):
            try:
                adapter.close()
            except Exception as error:  # noqa: BLE001 - kept, and raised when all are closed
                failures.append(error)
            except BaseException:
                for other in self._adapters[position + 1 :]:
                    other.discard()
                    other.close()
                raise
        if failures:
            for other in failures[1:]:
                failures[0].add_note(f"Also: {other}")
            raise failures[0]


def _twice(adapters: list[OutputAdapter]) -> bool:
    return len({id(adapter) for adapter in adapters}) < len(adapters)
