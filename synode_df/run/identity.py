"""What a run is: all that decides its events, so that an interrupted one can be told from another."""

from __future__ import annotations

from typing import Any

import polars as pl

from synode_df.engine.clock import to_datetime
from synode_df.engine.scenario import Scenario
from synode_df.model.fingerprint import fingerprint
from synode_df.monitoring.schemas import EventSchemas
from synode_df.version import DATA_VERSION, __version__


def config_of(scenario: Scenario, users: range, batch_size: int, schemas: EventSchemas | None) -> dict[str, Any]:
    """All that decides the events of a run and the files that they land in, as JSON values.

    Declarations are there by their fingerprints: short, and equal for the same declarations in every process.
    """
    return {
        "seed": scenario.seed,
        "users": [users.start, users.stop],
        "batch_size": batch_size,
        "window": [to_datetime(moment).isoformat() for moment in (scenario.start, scenario.end)],
        "order": [journey.id for journey in scenario.journeys],
        "journeys": {journey.id: fingerprint(journey) for journey in scenario.journeys},
        "personas": {persona.id: fingerprint([persona, weight]) for persona, weight in scenario.personas},
        "datasets": {id: fingerprint(table.frame) for id, table in scenario.tables.items()},
        "event_schema": None if schemas is None else [schemas.mode, fingerprint(schemas.schemas)],
        "versions": {"synode_df": __version__, "data": DATA_VERSION, "polars": pl.__version__},
    }
