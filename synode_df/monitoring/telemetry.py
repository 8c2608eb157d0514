"""Telemetry: what happened in a run and what it took, as tidy frames and as JSON."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import polars as pl

from synode_df.engine.clock import to_datetime
from synode_df.engine.scenario import Scenario
from synode_df.engine.tally import JourneyTally, StepTally, Tally
from synode_df.errors import SynodeError, shown
from synode_df.fields.fake import Fake
from synode_df.fields.values import is_callback
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.journey import Journey

_ACTION_LABELS: Final = ("journey_id", "adventure_id", "action_id", "executor", "reason")
_MOST_LINES: Final = 12
_MOST_FAILURES: Final = 6


@dataclass(frozen=True)
class BatchTiming:
    """What one batch took."""

    first_user: int
    users: int
    events: int
    seconds: float
    cpu_seconds: float
    peak_memory: int | None = None


@dataclass(frozen=True, repr=False)
class Telemetry:
    """Counters and timings of a run.

    Attributes
    ----------
    mode : {"sequential", "lanes", "processes"}
        How it ran.
    seconds, cpu_seconds : float
        Wall time, and processor time of all batches.
    peak_memory : int or None
        Most memory that the calling process has held so far, in bytes; None where the system does not tell.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", bounce_chance=1)])])
    >>> telemetry = sd.generate(visit, users=3, adapter=sd.InMemoryAdapter()).telemetry
    >>> telemetry.actions.select("action_id", "executor", "reached", "bounced", "events").row(0)
    ('land', 'columnar', 3, 3, 0)
    """

    scenario: Scenario
    tally: Tally
    mode: str
    seconds: float
    cpu_seconds: float
    peak_memory: int | None
    batch_timings: Sequence[BatchTiming] = field(default_factory=tuple)

    @property
    def users(self) -> int:
        """Number of users."""
        return self.tally.users

    @property
    def events(self) -> int:
        """Number of events."""
        return self.tally.events

    @property
    def dropped(self) -> int:
        """Number of events that failed their schema and were dropped; no other count has them."""
        return self.tally.dropped

    @property
    def events_per_second(self) -> float:
        """Events per second of wall time."""
        return self.events / self.seconds if self.seconds else 0.0

    @property
    def worker_peak_memory(self) -> int | None:
        """Most memory that one of the workers has held, in bytes; None without workers, or where nobody tells."""
        if self.mode != "processes":
            return None
        return max((each.peak_memory for each in self.batch_timings if each.peak_memory is not None), default=None)

    @property
    def journeys(self) -> pl.DataFrame:
        """One row a journey: users, skipped (by requires), late, bounced, started, stopped, cut, completed, events."""
        names = [each.name for each in dataclasses.fields(JourneyTally)]
        rows = [
            {"journey_id": journey.id, **dataclasses.asdict(self.tally.journey(journey.id))}
            for journey in self.scenario.journeys
        ]
        return pl.DataFrame(rows, schema={"journey_id": pl.String, **dict.fromkeys(names, pl.Int64)})

    @property
    def adventures(self) -> pl.DataFrame:
        """One row an adventure: reached, cut (by the window), bounced, entered, skipped, events.

        Skipped are those who left it by a bounce, its own or that of an action inside, and went on with the next one.
        """
        rows = []
        for journey in self.scenario.journeys:
            for adventure in journey.adventures:
                counts = dataclasses.asdict(self.tally.adventure(journey.id, adventure.id))
                skipped = self._bounced_before(journey, adventure, None)
                rows.append({"journey_id": journey.id, "adventure_id": adventure.id, **counts, "skipped": skipped})
        return pl.DataFrame(rows, schema=_step_schema("journey_id", "adventure_id"))

    @property
    def actions(self) -> pl.DataFrame:
        """One row an action: its executor, the reason for it, reached, cut, bounced, entered, skipped, events.

        Skipped are those who left its adventure by a bounce before they came to it, and went on with the next one.
        """
        rows = []
        for journey in self.scenario.journeys:
            for adventure, action in journey.actions():
                executor, reason = executor_of(action)
                labels = (journey.id, adventure.id, action.id, executor, reason)
                counts = dataclasses.asdict(self.tally.action(journey.id, adventure.id, action.id))
                skipped = self._bounced_before(journey, adventure, action)
                rows.append({**dict(zip(_ACTION_LABELS, labels, strict=True)), **counts, "skipped": skipped})
        return pl.DataFrame(rows, schema=_step_schema(*_ACTION_LABELS))

    def _bounced_before(self, journey: Journey, adventure: Adventure, action: Action | None) -> int:
        """Users who skip the rest of an adventure before one of its actions, or before its end."""
        if adventure.on_bounce != "skip":
            return 0
        earlier = takewhile(lambda each: each is not action, adventure.actions)
        actions = sum(self.tally.action(journey.id, adventure.id, each.id).bounced for each in earlier)
        return self.tally.adventure(journey.id, adventure.id).bounced + actions

    @property
    def event_names(self) -> pl.DataFrame:
        """One row an event name: events. Names that declarations fix come first, also those without events."""
        declared = dict.fromkeys(
            (
                action.event_name
                for journey in self.scenario.journeys
                for _, action in journey.actions()
                if action.handler is None
            ),
            0,
        )
        counts = {**declared, **dict(sorted(self.tally.names.items()))}
        rows = [{"event": name, "events": events} for name, events in counts.items()]
        return pl.DataFrame(rows, schema={"event": pl.String, "events": pl.Int64})

    @property
    def validation(self) -> pl.DataFrame:
        """One row for each check that failed: event, column (null for checks of whole rows), check, failures."""
        rows = [
            {"event": event, "column": column or None, "check": check, "failures": failures}
            for (event, column, check), failures in sorted(self.tally.failures.items())
        ]
        return pl.DataFrame(
            rows, schema={"event": pl.String, "column": pl.String, "check": pl.String, "failures": pl.Int64}
        )

    @property
    def batches(self) -> pl.DataFrame:
        """One row a batch: first_user, users, events, seconds, cpu_seconds, peak_memory (of its process, so far)."""
        schema = {
            "first_user": pl.Int64,
            "users": pl.Int64,
            "events": pl.Int64,
            "seconds": pl.Float64,
            "cpu_seconds": pl.Float64,
            "peak_memory": pl.Int64,
        }
        return pl.DataFrame([dataclasses.asdict(each) for each in self.batch_timings], schema=schema)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON."""
        from synode_df.version import DATA_VERSION, __version__

        return {
            "seed": self.scenario.seed,
            "versions": {
                "synode_df": __version__,
                "data": DATA_VERSION,
                "polars": pl.__version__,
                "python": platform.python_version(),
            },
            "window": {
                "start": to_datetime(self.scenario.start).isoformat(),
                "end": to_datetime(self.scenario.end).isoformat(),
            },
            "mode": self.mode,
            "users": self.users,
            "events": self.events,
            "dropped": self.dropped,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "events_per_second": self.events_per_second,
            "peak_memory": self.peak_memory,
            "worker_peak_memory": self.worker_peak_memory,
            "journeys": self.journeys.to_dicts(),
            "adventures": self.adventures.to_dicts(),
            "actions": self.actions.to_dicts(),
            "event_names": self.event_names.to_dicts(),
            "validation": self.validation.to_dicts(),
            "batches": self.batches.to_dicts(),
        }

    def write_json(self, path: str | Path) -> None:
        """Write everything as JSON.

        Parameters
        ----------
        path : str or Path
            The file.

        Raises
        ------
        SynodeError
            `OUTPUT_ERROR` where it cannot be written; `INVALID_OPTION` for what is no path.
        """
        target = checked_path(path)
        try:
            target.write_text(json.dumps(self.to_dict(), indent=2), encoding="utf-8")
        except OSError as error:
            raise SynodeError(
                "OUTPUT_ERROR",
                f"The telemetry cannot be written: {error}",
                path="telemetry_path",
                expected="a file that can be written",
                received=shown(str(path)),
                suggestion="give another telemetry_path",
            ) from error

    def __repr__(self) -> str:
        speed = f"{self.events_per_second:,.0f} events/s"
        total = f"{self.users:,} users, {self.events:,} events in {self.seconds:.2f} s ({self.mode}, {speed})"
        lines = [
            f"  {row['journey_id']}: {row['started']:,} started, {row['completed']:,} completed, "
            f"{row['bounced']:,} bounced, {row['skipped']:,} skipped, {row['stopped']:,} stopped, "
            f"{row['cut'] + row['late']:,} out of time"
            for row in self.journeys.head(_MOST_LINES).iter_rows(named=True)
        ]
        if (more := self.journeys.height - _MOST_LINES) > 0:
            lines.append(f"  and {more:,} journeys more: see .journeys")
        failures = self.validation.sort("failures", descending=True)
        for row in failures.head(_MOST_FAILURES).iter_rows(named=True):
            place = f"{row['event']}.{row['column']}" if row["column"] else row["event"]
            lines.append(f"  {place}: {row['failures']:,} fail {row['check']}")
        if (more := failures.height - _MOST_FAILURES) > 0:
            lines.append(f"  and {more:,} checks more that failed: see .validation")
        if self.dropped:
            lines.append(f"  {self.dropped:,} events dropped: see report.invalid")
        return "\n".join([total, *lines])

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """The JSON Schema (draft 2020-12) of what `write_json` writes.

        Returns
        -------
        dict
            As plain values.
        """
        text = files("synode_df.monitoring").joinpath("telemetry.schema.json").read_text(encoding="utf-8")
        return dict(json.loads(text))


def _step_schema(*labels: str) -> dict[str, Any]:
    names = [each.name for each in dataclasses.fields(StepTally)]
    names.insert(names.index("events"), "skipped")
    return {**dict.fromkeys(labels, pl.String), **dict.fromkeys(names, pl.Int64)}


def checked_path(path: object) -> Path:
    """Where telemetry is to go, known before a long run: a path in a folder that is there.

    Raises
    ------
    SynodeError
        `INVALID_OPTION` for what is no path, `OUTPUT_ERROR` where there is no such folder.
    """
    if not isinstance(path, str | Path) or not str(path) or "\0" in str(path):
        raise SynodeError(
            "INVALID_OPTION",
            "`telemetry_path` must be the path of a file",
            path="telemetry_path",
            expected="a string or a Path",
            received=shown(path),
            suggestion='write telemetry_path="telemetry-report.json"',
        )
    target = Path(path)
    if not target.absolute().parent.is_dir() or target.is_dir():
        raise SynodeError(
            "OUTPUT_ERROR",
            "The telemetry cannot be written there",
            path="telemetry_path",
            expected="a file in a folder that exists",
            received=shown(str(path)),
            suggestion="make the folder, or give another telemetry_path",
        )
    return target


def executor_of(action: Action) -> tuple[str, str | None]:
    """Who runs an action: "columnar", or Python for each user and why."""
    if action.handler is not None:
        return "handler", f"calls {getattr(action.handler, '__qualname__', 'a function')} for each user"
    called = [name for name, value in {**action.remember, **action.fields}.items() if is_callback(value)]
    if called:
        return "callback", f"calls a function for each user: {', '.join(called)}"
    faked = [
        name
        for name, value in {**action.remember, **action.fields}.items()
        if isinstance(value, Fake) and value.executor() == "row-wise"
    ]
    if faked:
        return "callback", f"calls Faker for each user: {', '.join(faked)}"
    return "columnar", None
