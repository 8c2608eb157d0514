"""`generate` and `generate_df`: a population to an adapter, or to a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import polars as pl

from synode_df import checks
from synode_df.durations import Duration
from synode_df.engine.frames import combined
from synode_df.errors import GenerationInterrupted, SynodeError, shown
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import PersonaMixture
from synode_df.monitoring.schemas import EventSchema, SchemaMode
from synode_df.monitoring.telemetry import checked_path
from synode_df.output.base import OutputAdapter, ShardingAdapter
from synode_df.output.console import ConsoleAdapter
from synode_df.output.layouts import LAYOUTS, SORTS, Layout, Sort, to_frame
from synode_df.run.execution import prepared
from synode_df.run.progress import ProgressOption
from synode_df.run.report import Report


def generate(
    journeys: Journey | Iterable[Journey] | None = None,
    *,
    users: int | range,
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    preloaded_datasets: Iterable[Dataset] = (),
    adapter: OutputAdapter | None = None,
    lanes: int = 1,
    n_jobs: int = 1,
    batch_size: int | None = None,
    worker_module: str | None = None,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    duration: Duration | None = None,
    event_schema: EventSchema | None = None,
    schema_mode: SchemaMode = "strict",
    seed: int | None = None,
    star_schema: bool = False,
    debug: bool = False,
    telemetry_path: str | Path = "telemetry-report.json",
    progress: ProgressOption = "auto",
) -> Report:
    """Generate the events of a population and send them to an adapter.

    Parameters
    ----------
    journeys : Journey or sequence of Journey
        What every user walks through, in this order. Not needed with `worker_module`.
    users : int or range
        How many users, 0 to 10,000,000; or a slice of a larger population: `range(5_000_000, 6_000_000)`.
    persona : Persona or list of (Persona, float), optional
        Who the users are; weighted pairs mix personas and add a column `persona_id`.
    datasets : sequence of Dataset, optional
        Generated first; a dataset may pick from those before it.
    preloaded_datasets : sequence of Dataset, optional
        Datasets that have their rows already.
    adapter : OutputAdapter, optional
        Where events go; a preview on the screen if not given.
    lanes : int, default 1
        How many users' handlers may wait at the same time.
    n_jobs : int, default 1
        Worker processes, -1 for all cores; `joblib.parallel_config` chooses other backends.
    batch_size : int, optional
        Users a batch; changes speed and memory, never the data.
    worker_module : str, optional
        An importable module with `journeys` (and `persona`, `datasets`, `preloaded_datasets`), imported by each
        worker itself instead of being sent there. The journeys passed are then ignored.
    start_date, end_date : datetime, optional
        The window; naive means UTC. Both, or one with `duration`; 2026-01-01 to 2026-01-31 without any.
    duration : str or timedelta, optional
        Length of the window: `"30d"`.
    event_schema : pandera.polars DataFrameModel or DataFrameSchema, or mapping of str to one, optional
        What events must fulfil: all of them, or those of each name.
    schema_mode : {"strict", "warn", "skip"}, default "strict"
        Events that fail end the run with `SynodeValidationError`; are kept, with one warning and counts in
        `report.telemetry`; or are dropped and kept in `report.invalid`.
    seed : int, optional
        0 or more; the same seed gives the same bytes. A new one is drawn, and reported, if not given.
    star_schema : bool, default False
        Whether to land the users, the datasets and the telemetry beside the events, as tables of the same adapter.
    debug : bool, default False
        Whether to write telemetry as JSON.
    telemetry_path : str or Path
        Where to.
    progress : bool or "auto", default "auto"
        Whether to show a bar; `"auto"` in a terminal or a notebook.

    Returns
    -------
    Report
        Seed, telemetry, users and datasets of the run.

    Raises
    ------
    SynodeError
        Whatever is wrong with the declarations, before the first user; `HANDLER_ERROR`, `CALLABLE_ERROR`,
        `INVALID_HANDLER_RETURN`, `OUTPUT_ERROR`, `WORKER_DIED` and the like during the run.
    SynodeValidationError
        `INVALID_EVENTS` where events fail their schema in strict mode.
    GenerationInterrupted
        Where Ctrl-C ended the run; `.users` are those whose events the adapter was given.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", bounce_chance=0.5)])])
    >>> report = sd.generate(visit, users=1_000, adapter=sd.InMemoryAdapter(), seed=7)
    >>> report.telemetry.actions.select("action_id", "reached", "bounced", "events").rows()
    [('land', 1000, 0, 1000), ('view', 1000, 492, 508)]
    """
    if checks.boolean(debug, name="debug", code="INVALID_OPTION", path="debug"):
        checked_path(telemetry_path)
    checks.boolean(star_schema, name="star_schema", code="INVALID_OPTION", path="star_schema")
    target = ConsoleAdapter() if adapter is None else adapter
    if not isinstance(target, OutputAdapter):
        raise SynodeError(
            "INVALID_OPTION",
            "`adapter` must be an OutputAdapter",
            path="adapter",
            expected="an adapter such as ParquetAdapter(...) or InMemoryAdapter()",
            received=shown(adapter),
            suggestion="make one, or subclass OutputAdapter",
        )
    run = prepared(
        journeys,
        users=users,
        lanes=lanes,
        n_jobs=n_jobs,
        batch_size=batch_size,
        worker_module=worker_module,
        persona=persona,
        datasets=datasets,
        preloaded_datasets=preloaded_datasets,
        start_date=start_date,
        end_date=end_date,
        duration=duration,
        event_schema=event_schema,
        schema_mode=schema_mode,
        progress=progress,
        seed=seed,
    )
    target.prepare(run.plan(star_schema=star_schema))
    done = run.users.start
    try:
        with target:
            if isinstance(target, ShardingAdapter):
                with closing(run.outcomes(target)) as outcomes:
                    for outcome in outcomes:
                        if outcome.shard is not None:
                            target.take_shard(outcome.shard, outcome.schema, outcome.tally)
                            done = outcome.end_user
                run.tally = target.whole() or run.tally
            else:
                with closing(run.outcomes(None)) as outcomes:
                    for outcome in outcomes:
                        if outcome.events is not None:
                            target.write(outcome.events)
                            done = outcome.end_user
                if not run.users:
                    target.write(run.types.events)  # no users, but columns that a file or a table can have
            if star_schema:
                for name, part in run.report().tables():
                    target.write_table(name, part)
    except KeyboardInterrupt as interrupt:
        raise GenerationInterrupted(None, range(run.users.start, done), run.scenario.seed) from interrupt
    report = run.report()
    if debug:
        report.telemetry.write_json(telemetry_path)
    return report


def generate_df(
    journeys: Journey | Iterable[Journey] | None = None,
    *,
    users: int | range,
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    preloaded_datasets: Iterable[Dataset] = (),
    lanes: int = 1,
    n_jobs: int = 1,
    batch_size: int | None = None,
    worker_module: str | None = None,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    duration: Duration | None = None,
    event_schema: EventSchema | None = None,
    schema_mode: SchemaMode = "strict",
    seed: int | None = None,
    layout: Layout = "columns",
    sort: Sort = "user",
    progress: ProgressOption = "auto",
) -> pl.DataFrame:
    """Generate the events of a population as a DataFrame.

    Parameters
    ----------
    journeys, users, persona, datasets, preloaded_datasets, lanes, n_jobs, batch_size, worker_module
        As for `generate`.
    start_date, end_date, duration, event_schema, schema_mode, seed
        As for `generate`.
    layout : {"columns", "struct", "json"}, default "columns"
        Payload fields as columns, in one struct, or in one JSON text; see `to_frame`.
    sort : {"user", "time"}, default "user"
        By user and then time, or by time over all users.
    progress : bool or "auto", default "auto"
        As for `generate`.

    Returns
    -------
    polars.DataFrame
        `event_id` String, `user_id` String, `session_id` String, `event` Enum, `timestamp` Datetime("us", "UTC"),
        `journey_id` Enum, `adventure_id` Enum, `action_id` Enum, for mixtures `persona_id` Enum; then one column
        for each payload field, null where an event has no such field.

    Raises
    ------
    SynodeError
        As for `generate`.
    GenerationInterrupted
        Where Ctrl-C ended the run; `.partial` has the events of the users that were finished.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", fields={"path": "/"})])])
    >>> sd.generate_df(visit, users=2, seed=7).select("event", "action_id", "path")
    shape: (2, 3)
    ┌───────┬───────────┬──────┐
    │ event ┆ action_id ┆ path │
    │ ---   ┆ ---       ┆ ---  │
    │ enum  ┆ enum      ┆ str  │
    ╞═══════╪═══════════╪══════╡
    │ land  ┆ land      ┆ /    │
    │ land  ┆ land      ┆ /    │
    └───────┴───────────┴──────┘
    """
    checks.one_of(layout, LAYOUTS, name="layout", code="INVALID_OPTION", path="layout")
    checks.one_of(sort, SORTS, name="sort", code="INVALID_OPTION", path="sort")
    run = prepared(
        journeys,
        users=users,
        lanes=lanes,
        n_jobs=n_jobs,
        batch_size=batch_size,
        worker_module=worker_module,
        persona=persona,
        datasets=datasets,
        preloaded_datasets=preloaded_datasets,
        start_date=start_date,
        end_date=end_date,
        duration=duration,
        event_schema=event_schema,
        schema_mode=schema_mode,
        progress=progress,
        seed=seed,
    )
    frames: list[pl.DataFrame] = []
    done = run.users.start
    try:
        for outcome in run.outcomes(None):
            if outcome.events is not None:
                frames.append(outcome.events)
                done = outcome.end_user
    except KeyboardInterrupt as interrupt:
        partial = to_frame(combined(frames, run.types.events), layout=layout, sort=sort)
        finished = range(run.users.start, done)
        raise GenerationInterrupted(partial, finished, run.scenario.seed) from interrupt
    return to_frame(combined(frames, run.types.events), layout=layout, sort=sort)
