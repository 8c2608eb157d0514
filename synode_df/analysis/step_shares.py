"""The share of users at each step of some journeys: as declared, and as simulated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import polars as pl

from synode_df.engine.tally import Tally
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import PersonaMixture
from synode_df.model.validation import checked_journeys
from synode_df.output.base import OutputAdapter
from synode_df.run.funnel import expected_funnel
from synode_df.run.generate import generate

_IDS: Final = {"journey_id": pl.String, "step": pl.String, "adventure_id": pl.String, "action_id": pl.String}
_SCHEMA: Final = {
    **_IDS,
    "expected": pl.Float64,
    "simulated": pl.Float64,
}


class _Nowhere(OutputAdapter):
    """The counters of the run are all that is wanted."""

    def write(self, batch: pl.DataFrame) -> None:
        pass


def step_shares(
    journeys: Journey | Iterable[Journey],
    *,
    users: int = 1_000,
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    seed: int = 0,
    **window: Any,
) -> pl.DataFrame:
    """The share of users that enter each step, as the declaration implies it and as a simulation counts it.

    Parameters
    ----------
    journeys : Journey or sequence of Journey
        What users walk through, in this order. All that they require must be among them.
    users : int, default 1000
        How many users to simulate.
    persona, datasets
        As for `generate`.
    seed : int, default 0
        The seed of the simulation.
    **window
        `start_date`, `end_date`, `duration`, as for `generate`.

    Returns
    -------
    polars.DataFrame
        One row a step, in order: `journey_id`, `step` ("journey", "adventure", "action" or "completed"),
        `adventure_id`, `action_id` (String); `expected` and `simulated` Float64, shares of all users. `expected` is
        null from the first journey on whose declaration does not tell it exactly: see `expected_funnel`.

    Raises
    ------
    SynodeError
        As for `generate`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", bounce_chance=0.4)])])
    >>> step_shares(visit, users=100, seed=7).select("step", "expected", "simulated").rows()[-2:]
    [('action', 0.6, 0.63), ('completed', 0.6, 0.63)]
    """
    members = checked_journeys(journeys)
    tables = list(datasets)
    report = generate(
        members,
        users=users,
        persona=persona,
        datasets=tables,
        adapter=_Nowhere(),
        seed=seed,
        progress=False,
        **window,
    )
    tally = report.telemetry.tally
    rows = [
        (journey.id, *step, count / max(1, users)) for journey in members for *step, count in _counted(journey, tally)
    ]
    counted = pl.DataFrame(rows, schema=[*_IDS, "simulated"], orient="row")
    expected = _expected(members, persona=persona, datasets=tables, **window)
    padding = [None] * (counted.height - len(expected))
    exact = pl.Series("expected", [*expected, *padding], dtype=pl.Float64)
    return counted.with_columns(exact).select(pl.col(name).cast(dtype) for name, dtype in _SCHEMA.items())


def _expected(members: tuple[Journey, ...], **declared: Any) -> list[float]:
    """The exact shares, of as many of the first journeys as there are: later ones change nothing for those before."""
    for count in range(len(members), 0, -1):
        first = members[0] if len(members) == 1 else members[:count]
        found = expected_funnel(first, simulated_users=1, **declared)
        if found["exact"].all():
            return found["entered"].to_list()
    return []


def _counted(journey: Journey, tally: Tally) -> Iterator[tuple[str, str | None, str | None, int]]:
    """The steps of a journey, and how many users entered each."""
    whole = tally.journey(journey.id)
    yield "journey", None, None, whole.started
    for adventure in journey.adventures:
        yield "adventure", adventure.id, None, tally.adventure(journey.id, adventure.id).entered
        for action in adventure.actions:
            yield "action", adventure.id, action.id, tally.action(journey.id, adventure.id, action.id).entered
    yield "completed", None, None, whole.completed
