"""What a worker does: run batches of users, and hand back frames or write shards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from synode_df.engine.columnar import ColumnarEngine
from synode_df.engine.handlers import HandlerRunner
from synode_df.engine.scenario import Scenario
from synode_df.engine.tally import Tally
from synode_df.monitoring.memory import peak_memory
from synode_df.monitoring.schemas import EventSchemas
from synode_df.monitoring.validation import validate
from synode_df.output.base import Shard, ShardingAdapter

DEFAULT_BATCH: Final = 32_768
"""Users a batch: few enough that a column fits the processor's cache, enough that Python's share is small."""

FIRST_BATCH: Final = 256
"""Users of the first batch where functions of the user are called, which may take any time."""


@dataclass(frozen=True)
class Job:
    """Everything that a worker needs to run any batch; shipped once."""

    scenario: Scenario
    lanes: int = 1
    adapter: ShardingAdapter | None = None
    schemas: EventSchemas | None = None


@dataclass
class Outcome:
    """What became of a batch.

    Attributes
    ----------
    first_user, end_user : int
        Its users.
    tally : Tally
        What happened.
    seconds, cpu_seconds : float
        What it took.
    peak_memory : int or None
        The most memory that its process has held so far, in bytes; None where the system does not tell.
    schema : polars.Schema
        The events' columns and types.
    events : polars.DataFrame or None
        The events, unless they were written.
    shard : Shard or None
        The file, if they were written.
    invalid : polars.DataFrame or None
        The events that failed their schema and were dropped.
    """

    first_user: int
    end_user: int
    tally: Tally
    seconds: float
    cpu_seconds: float
    schema: pl.Schema
    events: pl.DataFrame | None = None
    shard: Shard | None = field(default=None)
    invalid: pl.DataFrame | None = field(default=None)
    peak_memory: int | None = None


class Workshop:
    """Runs the batches of one job, one after the other."""

    def __init__(self, job: Job) -> None:
        self._adapter = job.adapter
        self._schemas = job.schemas
        self._runner = HandlerRunner(job.lanes)
        self._engine = ColumnarEngine(job.scenario, self._runner)

    def run(self, first_user: int, end_user: int) -> Outcome:
        """One batch: the users `range(first_user, end_user)`."""
        started, cpu = time.perf_counter(), time.process_time()
        result = self._engine.run(np.arange(first_user, end_user, dtype=np.int64))
        events, invalid = result.events, None
        if self._schemas is not None:
            verdict = validate(events, self._schemas, result.tally, result.owners)
            events, invalid = verdict.events, verdict.invalid
        outcome = Outcome(first_user, end_user, result.tally, 0.0, 0.0, events.schema, invalid=invalid)
        if self._adapter is None:
            outcome.events = events
        else:
            outcome.shard = self._adapter.write_shard(events, first_user=first_user, end_user=end_user)
        outcome.seconds = time.perf_counter() - started
        outcome.cpu_seconds = time.process_time() - cpu
        outcome.peak_memory = peak_memory()
        return outcome

    def close(self) -> None:
        """End the threads of its lanes."""
        self._runner.__exit__(None, None, None)


def batches(users: range, size: int, *, first_size: int | None = None) -> Iterator[tuple[int, int]]:
    """The users of a run in batches: pairs of first user and end.

    With `first_size` they begin that small and double: however slow the users' handlers are, the next batch is done
    after no longer than all before it have taken together.
    """
    first, step = users.start, min(size, first_size or size)
    while first < users.stop:
        yield first, min(first + step, users.stop)
        first, step = first + step, min(size, 2 * step)
