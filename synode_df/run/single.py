"""One user, one column, one dataset: replay, dry run, sample and hydrate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import polars as pl

from synode_df import checks
from synode_df.durations import Duration
from synode_df.engine.one_by_one import run_one_by_one
from synode_df.engine.population import draw_population
from synode_df.engine.tally import Tally
from synode_df.fields.values import FieldValue
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import Persona, PersonaMixture
from synode_df.model.validation import checked_datasets
from synode_df.run.options import checked_seed, declarations, types_of

_NOTHING: Final = Journey("nothing", [Adventure("nothing", [Action("nothing")])])
"""A journey for what needs none: a population's attributes, or a dataset's rows."""


def replay(
    journeys: Journey | Iterable[Journey],
    *,
    user: int,
    seed: int,
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    preloaded_datasets: Iterable[Dataset] = (),
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    duration: Duration | None = None,
) -> pl.DataFrame:
    """The events of one user of a population, alone.

    Runs the reference engine: plain Python, one step after the other, which a debugger can follow.

    Parameters
    ----------
    journeys, persona, datasets, preloaded_datasets, start_date, end_date, duration
        What the run was given.
    user : int
        The user's index.
    seed : int
        The run's seed.

    Returns
    -------
    polars.DataFrame
        The same rows that the run has for this user.

    Raises
    ------
    SynodeError
        As for `generate`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> events = sd.generate_df(visit, users=1_000, seed=7)
    >>> sd.replay(visit, user=123, seed=7).equals(events[123])
    True
    """
    checks.whole(user, name="user", path="user", at_least=0, code="INVALID_USERS")
    return _one_by_one(
        journeys,
        [user],
        persona=persona,
        datasets=datasets,
        preloaded_datasets=preloaded_datasets,
        start_date=start_date,
        end_date=end_date,
        duration=duration,
        seed=seed,
    )


def dry_run(
    journey: Journey | Iterable[Journey],
    users: int = 1,
    *,
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    preloaded_datasets: Iterable[Dataset] = (),
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    duration: Duration | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """A few users through the reference engine, to see whether a journey does what is meant.

    Parameters
    ----------
    journey : Journey or sequence of Journey
        What to try.
    users : int, default 1
        How many users, at most 10,000.
    persona, datasets, preloaded_datasets, start_date, end_date, duration
        As for `generate`.
    seed : int, default 0
        The seed.

    Returns
    -------
    polars.DataFrame
        Their events, as `generate_df` gives them.

    Raises
    ------
    SynodeError
        As for `generate`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", time_span="5s")])])
    >>> sd.dry_run(visit)["event"].to_list()
    ['land', 'view']
    """
    checks.whole(users, name="users", path="users", at_least=0, at_most=10_000, code="INVALID_USERS")
    return _one_by_one(
        journey,
        range(users),
        persona=persona,
        datasets=datasets,
        preloaded_datasets=preloaded_datasets,
        start_date=start_date,
        end_date=end_date,
        duration=duration,
        seed=seed,
    )


def _one_by_one(journeys: Journey | Iterable[Journey], users: Sequence[int], **declared: Any) -> pl.DataFrame:
    scenario = declarations(journeys, **declared).scenario()
    return run_one_by_one(scenario, users, types_of(scenario), Tally())


def hydrate(dataset: Dataset, *, datasets: Iterable[Dataset] = (), seed: int = 0) -> pl.DataFrame:
    """A dataset's rows, as a run with the same seed has them.

    Parameters
    ----------
    dataset : Dataset
        What to hydrate.
    datasets : sequence of Dataset, optional
        Those that it picks from.
    seed : int, default 0
        The run's seed.

    Returns
    -------
    polars.DataFrame
        One column for each field.

    Raises
    ------
    SynodeError
        What its fields raise.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.hydrate(sd.Dataset("plans", rows=2, fields={"sku": sd.sequence("P-{}")}))["sku"].to_list()
    ['P-1', 'P-2']
    """
    members = checked_datasets([*datasets, dataset], ())
    return declarations(_NOTHING, datasets=members, seed=seed).scenario().tables[dataset.id].frame


def sample(
    value: FieldValue, *, rows: int = 1_000, datasets: Iterable[Dataset] = (), seed: int | None = None
) -> pl.Series:
    """Values of a field, to see what a generator gives.

    Parameters
    ----------
    value : field value
        A generator, constant, expression or callable, as in a persona's attributes.
    rows : int, default 1000
        How many values.
    datasets : sequence of Dataset, optional
        Those that it picks from.
    seed : int, optional
        The same seed gives the same values; a new one is drawn if not given.

    Returns
    -------
    polars.Series
        One value a row.

    Raises
    ------
    SynodeError
        What the value raises.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.integer(1, 6), rows=3, seed=7).to_list()
    [1, 3, 3]
    """
    checks.whole(rows, name="rows", path="rows", at_least=0, at_most=100_000_000)
    who = Persona("sample", {"value": value})
    scenario = declarations(_NOTHING, persona=who, datasets=datasets, seed=checked_seed(seed)).scenario()
    return draw_population(scenario, np.arange(rows, dtype=np.int64)).frame()["value"]
