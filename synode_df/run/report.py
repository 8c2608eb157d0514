"""What a run reports: who the users were, what was hydrated, what happened and what it took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from synode_df.engine.population import draw_population
from synode_df.engine.scenario import Scenario
from synode_df.monitoring.rendering import report_html, report_tables
from synode_df.monitoring.telemetry import Telemetry

TELEMETRY_FRAMES: Final = ("journeys", "adventures", "actions", "event_names", "validation", "batches")
_PART: Final = 131_072
"""Users at a time that land beside the events: a population of any size fits memory."""


@dataclass(frozen=True, repr=False)
class Report:
    """The report of a run, returned by `generate`.

    Attributes
    ----------
    seed : int
        The seed, also where none was given.
    telemetry : Telemetry
        Counters and timings, as tidy frames.
    user_range : range
        The users of the run.
    invalid : polars.DataFrame
        Events that failed their schema and were dropped (`schema_mode="skip"`): `user_index` Int64, `failed_check`
        String (`column: check`, several joined by "; "), then the columns of the events frame.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> report = sd.generate(visit, users=3, adapter=sd.InMemoryAdapter(), seed=7)
    >>> report.seed, report.telemetry.events, report.users.height
    (7, 3, 3)
    """

    seed: int
    telemetry: Telemetry
    user_range: range
    scenario: Scenario
    invalid: pl.DataFrame

    @cached_property
    def users(self) -> pl.DataFrame:
        """The population: `user_index`, `user_id`, `persona_id` for mixtures, and the attributes; one row a user.

        Drawn when first asked for: attributes are addressed, so they are the same then as during the run.
        """
        return draw_population(self.scenario, np.arange(self.user_range.start, self.user_range.stop)).frame()

    @cached_property
    def datasets(self) -> dict[str, pl.DataFrame]:
        """The run's datasets, by id."""
        return {id: table.frame for id, table in self.scenario.tables.items()}

    def tables(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """What lands beside the events as a small star schema.

        Yields
        ------
        (str, polars.DataFrame)
            Name and rows: `"users"` in parts, `"dataset_"` and the id of each dataset, `"telemetry_"` and the name of
            each telemetry frame.
        """
        # An empty population, too, has a table of users, with its columns.
        for first in range(self.user_range.start, max(self.user_range.stop, self.user_range.start + 1), _PART):
            some = np.arange(first, min(first + _PART, self.user_range.stop))
            yield "users", draw_population(self.scenario, some).frame()
        for id, frame in self.datasets.items():
            yield f"dataset_{id}", frame
        for name in TELEMETRY_FRAMES:
            yield f"telemetry_{name}", getattr(self.telemetry, name)

    def __repr__(self) -> str:
        return f"seed {self.seed}\n{self.telemetry!r}"

    def _repr_html_(self) -> str:
        return report_html(self.telemetry)

    def __rich__(self) -> object:
        """Tables for a terminal, where Rich prints the report."""
        return report_tables(self.telemetry)
