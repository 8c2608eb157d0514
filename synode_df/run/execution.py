"""A run under way: what was asked for, checked; its batches, here or in workers; what has happened so far."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from synode_df import checks
from synode_df.engine.columnar import Types
from synode_df.engine.frames import combined
from synode_df.engine.scenario import Scenario
from synode_df.engine.tally import Tally
from synode_df.errors import SynodeError
from synode_df.model.journey import Journey
from synode_df.monitoring.memory import peak_memory
from synode_df.monitoring.schemas import EventSchema, EventSchemas, SchemaMode
from synode_df.monitoring.telemetry import BatchTiming, Telemetry
from synode_df.monitoring.validation import invalid_frame, tell_of
from synode_df.output.base import Plan, ShardingAdapter
from synode_df.run.expectation import has_functions
from synode_df.run.identity import config_of
from synode_df.run.options import checked_users, declarations, module_declarations, types_of
from synode_df.run.pool import WorkerPool
from synode_df.run.progress import Progress, ProgressOption, checked_progress
from synode_df.run.report import Report
from synode_df.run.work import DEFAULT_BATCH, FIRST_BATCH, Job, Outcome, Workshop, batches

_log = logging.getLogger(__name__)


@dataclass
class Run:
    """A run under way: what is declared, how it is spread, and what has happened so far."""

    scenario: Scenario
    types: Types
    users: range
    lanes: int
    n_jobs: int
    batch_size: int
    make_job: Callable[[ShardingAdapter | None], Callable[[], Job]]
    in_workers: bool
    first_batch: int | None = None
    schemas: EventSchemas | None = None
    progress: ProgressOption = False
    invalid: list[pl.DataFrame] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    timings: list[BatchTiming] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    @property
    def mode(self) -> str:
        """Sequential, lanes or processes."""
        return "processes" if self.in_workers else "lanes" if self.lanes > 1 else "sequential"

    def plan(self, *, star_schema: bool) -> Plan:
        """What an adapter may want to know before it is opened."""
        config = config_of(self.scenario, self.users, self.batch_size, self.schemas)
        return Plan(self.users, self.batch_size, config, self.types.events.schema, star_schema)

    def outcomes(self, adapter: ShardingAdapter | None) -> Generator[Outcome]:
        """Every batch's outcome, in order of users."""
        _log.info("generating %d users, seed %d (%s)", len(self.users), self.scenario.seed, self.mode)
        if adapter is None:
            todo = list(batches(self.users, self.batch_size, first_size=self.first_batch))
        else:
            todo = list(adapter.remaining(batches(self.users, self.batch_size)))
        with Progress(sum(end - first for first, end in todo), self.progress) as progress:
            for outcome in self._outcomes(todo, adapter):
                progress.add(outcome.tally.users, outcome.tally.events)
                _log.debug(
                    "users %d to %d: %d events in %.3f s",
                    outcome.first_user,
                    outcome.end_user,
                    outcome.tally.events,
                    outcome.seconds,
                )
                yield outcome
        seconds = time.perf_counter() - self.started
        _log.info("%d users, %d events in %.2f s", self.tally.users, self.tally.events, seconds)
        if self.schemas is not None:
            tell_of(self.schemas, self.tally)

    def _outcomes(self, todo: list[tuple[int, int]], adapter: ShardingAdapter | None) -> Generator[Outcome]:
        if self.in_workers:
            pool = WorkerPool(self.make_job(adapter), n_jobs=self.n_jobs)
            found = pool.run(todo, frames=adapter is None)
        else:
            found = _here(Job(self.scenario, self.lanes, adapter, self.schemas), todo)
        for outcome in found:
            self.tally.add(outcome.tally)
            if outcome.invalid is not None:
                self.invalid.append(outcome.invalid)
            self.timings.append(
                BatchTiming(
                    outcome.first_user,
                    outcome.tally.users,
                    outcome.tally.events,
                    outcome.seconds,
                    outcome.cpu_seconds,
                    outcome.peak_memory,
                )
            )
            yield outcome

    def report(self) -> Report:
        """The report at the end of the run."""
        telemetry = Telemetry(
            self.scenario,
            self.tally,
            self.mode,
            time.perf_counter() - self.started,
            sum(timing.cpu_seconds for timing in self.timings),
            peak_memory(),
            tuple(self.timings),
        )
        return Report(self.scenario.seed, telemetry, self.users, self.scenario, self._invalid())

    def _invalid(self) -> pl.DataFrame:
        """The events that failed their schema and were dropped."""
        empty = invalid_frame(self.types.events)
        return combined(self.invalid, empty)


def _here(job: Job, todo: Iterable[tuple[int, int]]) -> Generator[Outcome]:
    """Batches in this process, one after the other."""
    workshop = Workshop(job)
    try:
        for first, end in todo:
            yield workshop.run(first, end)
    finally:
        workshop.close()


def prepared(
    journeys: Journey | Iterable[Journey] | None,
    *,
    users: int | range,
    lanes: int,
    n_jobs: int,
    batch_size: int | None,
    worker_module: str | None,
    event_schema: EventSchema | None,
    schema_mode: SchemaMode,
    progress: ProgressOption,
    **declared: Any,
) -> Run:
    """Check everything, hydrate the datasets, and find out the types by a run of nobody."""
    indices = checked_users(users)
    checked_progress(progress)
    checks.whole(lanes, name="lanes", path="lanes", at_least=1, at_most=10_000, code="INVALID_OPTION")
    checks.whole(n_jobs, name="n_jobs", path="n_jobs", at_least=-256, at_most=4_096, code="INVALID_OPTION")
    if n_jobs == 0:
        raise SynodeError(
            "INVALID_OPTION",
            "`n_jobs` cannot be 0",
            path="n_jobs",
            expected="1, a number of workers, or -1 for all cores",
            received="0",
            suggestion="use n_jobs=1 to run in this process",
        )
    size = DEFAULT_BATCH if batch_size is None else batch_size
    checks.whole(size, name="batch_size", path="batch_size", at_least=1, code="INVALID_OPTION")

    if worker_module is None:
        scenario = declarations(() if journeys is None else journeys, **declared).scenario()
    else:
        scenario = module_declarations(worker_module, **declared).scenario()

    types = types_of(scenario)
    schemas = EventSchemas.of(event_schema, schema_mode, scenario, types)

    def make_job(adapter: ShardingAdapter | None) -> Callable[[], Job]:
        if worker_module is None:
            return lambda: Job(scenario, lanes, adapter, schemas)
        again = {**declared, "seed": scenario.seed}
        return lambda: Job(module_declarations(worker_module, **again).scenario(), lanes, adapter, schemas)

    in_workers = n_jobs != 1 or worker_module is not None
    if schemas is not None:
        schemas.warn_of_unknown()
    first = FIRST_BATCH if batch_size is None and has_functions(scenario) else None
    return Run(scenario, types, indices, lanes, n_jobs, size, make_job, in_workers, first, schemas, progress)
