"""The sample of users that a preview shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from synode_df.engine.population import draw_population
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import PersonaMixture
from synode_df.run.options import declarations
from synode_df.run.single import hydrate

_NOTHING: Final = Journey("nothing", [Adventure("nothing", [Action("nothing")])])


def rows_of(dataset: Dataset, others: Iterable[Dataset], seed: int) -> pl.DataFrame:
    """A dataset's rows, as a run with the same seed has them."""
    return hydrate(dataset, datasets=hydrated(others, seed), seed=seed)


def hydrated(datasets: Iterable[Dataset], seed: int) -> list[Dataset]:
    """The datasets with their rows, so that they are drawn once."""
    ready: list[Dataset] = []
    for dataset in datasets:
        ready.append(Dataset.from_frame(dataset.id, hydrate(dataset, datasets=ready, seed=seed)))
    return ready


def draw_people(persona: PersonaMixture, *, users: int, datasets: Iterable[Dataset], seed: int) -> pl.DataFrame:
    """The first users of a run with the same seed: `user_id`, `persona_id` of a mixture, attributes."""
    scenario = declarations(_NOTHING, persona=persona, datasets=datasets, seed=seed).scenario()
    return draw_population(scenario, np.arange(users, dtype=np.int64)).frame().drop("user_index")
