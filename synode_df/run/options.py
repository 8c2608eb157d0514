"""The options of a run, checked before anything is drawn."""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from synode_df import checks
from synode_df.durations import MICROSECOND, Duration, parse_duration
from synode_df.engine.clock import DEFAULT_END, DEFAULT_START, checked_moment, to_micros
from synode_df.engine.columnar import ColumnarEngine, Types
from synode_df.engine.context import context_of_row
from synode_df.engine.datasets import hydrate_all
from synode_df.engine.handlers import HandlerRunner
from synode_df.engine.scenario import Scenario
from synode_df.errors import SynodeError, shown
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import PersonaMixture, checked_personas
from synode_df.model.validation import check_picks, checked_datasets, checked_journeys

MAX_USERS: Final = 10_000_000


def checked_users(users: Any) -> range:
    """The users of a run as a range of indices.

    Raises
    ------
    SynodeError
        `INVALID_USERS`.
    """
    if isinstance(users, range):
        if users.step == 1 and 0 <= users.start <= users.stop and len(users) <= MAX_USERS:
            return users
        raise SynodeError(
            "INVALID_USERS",
            "The range of users is out of bounds",
            path="users",
            expected=f"range(a, b) with 0 <= a <= b, at most {MAX_USERS:,} users",
            received=shown(users),
            suggestion="generate several ranges one after the other: each is the same slice of one population",
        )
    return range(checks.whole(users, name="users", path="users", at_least=0, at_most=MAX_USERS, code="INVALID_USERS"))


def checked_seed(seed: Any) -> int:
    """The seed, or a new one for None."""
    if seed is None:
        return secrets.randbits(53)
    return checks.whole(seed, name="seed", path="seed", at_least=0, at_most=2**64 - 1, code="INVALID_OPTION")


def checked_window(start: Any, end: Any, duration: Any) -> tuple[int, int]:
    """The window in microseconds: start and end, or one of them and a duration, or the default.

    Raises
    ------
    SynodeError
        `INVALID_WINDOW`, `INVALID_DURATION`.
    """
    first = None if start is None else checked_moment(_midnight(start), "start_date")
    last = None if end is None else checked_moment(_midnight(end), "end_date")
    if duration is None:
        if first is None and last is None:
            return to_micros(DEFAULT_START), to_micros(DEFAULT_END)
        if first is None or last is None:
            given, missing = ("start_date", "end_date") if last is None else ("end_date", "start_date")
            raise SynodeError(
                "INVALID_WINDOW",
                "The window needs two ends",
                path=missing,
                expected="start_date and end_date, or one of them with duration",
                received=f"{given} alone",
                suggestion=f'add {missing}=datetime(...), or duration="30d"',
            )
    else:
        length = parse_duration(duration, path="duration") // MICROSECOND
        if first is not None and last is not None:
            raise SynodeError(
                "INVALID_WINDOW",
                "The window is given twice",
                path="duration",
                expected="start_date and end_date, or one of them with duration",
                received="all three",
                suggestion="leave one of them out",
            )
        if first is None and last is None:
            first = to_micros(DEFAULT_START)
        if last is None:
            last = (first or 0) + length
        elif first is None:
            first = last - length
    if first is None or last is None or last <= first:
        raise SynodeError(
            "INVALID_WINDOW",
            "The window ends before it starts",
            path="end_date",
            expected="start_date < end_date",
            received=f"{start or 'no start'} to {end or 'no end'}, duration {duration}",
            suggestion="swap them, or use a longer duration",
        )
    return first, last


def _midnight(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


@dataclass(frozen=True)
class Declarations:
    """What a user declared for a run, checked as far as it can be without drawing anything."""

    journeys: tuple[Journey, ...]
    personas: tuple[tuple[Any, float], ...]
    datasets: tuple[Dataset, ...]
    start: int
    end: int
    seed: int

    def scenario(self) -> Scenario:
        """The same with its datasets hydrated."""
        tables = hydrate_all(self.datasets, self.seed, context=partial(context_of_row, self.seed))
        return Scenario(self.journeys, self.personas, tables, self.start, self.end, self.seed)


def declarations(
    journeys: Journey | Iterable[Journey],
    *,
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    preloaded_datasets: Iterable[Dataset] = (),
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    duration: Duration | None = None,
    seed: int | None = None,
) -> Declarations:
    """Check everything that a run is given.

    Raises
    ------
    SynodeError
        Whatever is wrong, before anything is drawn.
    """
    members = checked_journeys(journeys)
    personas = checked_personas(persona)
    tables = checked_datasets(datasets, preloaded_datasets)
    check_picks(members, (each for each, _ in personas), tables)
    start, end = checked_window(start_date, end_date, duration)
    return Declarations(members, personas, tables, start, end, checked_seed(seed))


def module_declarations(module: str, **declared: Any) -> Declarations:
    """Declarations from an importable module: its `journeys`, and its `persona` and datasets where it has them.

    Raises
    ------
    SynodeError
        `WORKER_MODULE_ERROR`, and whatever is wrong with the declarations.
    """
    try:
        imported = importlib.import_module(module)
    except Exception as error:
        raise SynodeError(
            "WORKER_MODULE_ERROR",
            f"The worker module cannot be imported: {type(error).__name__}: {error}",
            path="worker_module",
            expected='a module that every worker can import, such as "pkg.scenario"',
            received=shown(module),
            suggestion="check the name, and that the module lies on the workers' path",
        ) from error
    if not hasattr(imported, "journeys"):
        raise SynodeError(
            "WORKER_MODULE_ERROR",
            "The worker module exports no journeys",
            path="worker_module",
            expected="a module with `journeys`, and if needed `persona`, `datasets`, `preloaded_datasets`",
            received=shown(module),
            suggestion="assign them at the top level: journeys = [...]",
        )
    exported = {
        name: getattr(imported, name)
        for name in ("persona", "datasets", "preloaded_datasets")
        if hasattr(imported, name)
    }
    return declarations(imported.journeys, **{**declared, **exported})


def types_of(scenario: Scenario) -> Types:
    """What is known of a run's types before its first user; raises for what no user could run."""
    with HandlerRunner() as runner:
        return ColumnarEngine(scenario, runner).types()
