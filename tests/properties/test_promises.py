"""The promises of addressed randomness, each a test that carries its name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import joblib
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import synode_df as sd
from synode_df.engine.frames import conformed
from tests.hashing import content_hash
from tests.properties import shop
from tests.strategies import scenario

RUN = {"persona": shop.persona, "datasets": shop.datasets, "seed": 7}
USERS = 200


@pytest.fixture(scope="module")
def whole() -> pl.DataFrame:
    return sd.generate_df(shop.journeys, users=USERS, **RUN)


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_worker_free(whole: pl.DataFrame, n_jobs: int, backend: str) -> None:
    for batch_size in (1, 7, 4_096, 65_536):
        with joblib.parallel_config(backend=backend):
            events = sd.generate_df(shop.journeys, users=USERS, n_jobs=n_jobs, batch_size=batch_size, **RUN)
        assert content_hash(events) == content_hash(whole)


@pytest.mark.parametrize("lanes", [2, 16])
def test_lane_free(whole: pl.DataFrame, lanes: int) -> None:
    assert content_hash(sd.generate_df(shop.journeys, users=USERS, lanes=lanes, **RUN)) == content_hash(whole)


@pytest.mark.parametrize("batch_size", [1, 7, 4_096, 65_536])
def test_batch_free(whole: pl.DataFrame, batch_size: int) -> None:
    events = sd.generate_df(shop.journeys, users=USERS, batch_size=batch_size, **RUN)
    assert content_hash(events) == content_hash(whole)


@given(st.integers(0, USERS))
def test_prefix_stable(users: int) -> None:
    whole = sd.generate_df(shop.journeys, users=USERS, **RUN)
    first = sd.generate_df(shop.journeys, users=users, **RUN)
    # Few users may not reach every handler: what its events would have added is null there.
    assert conformed(first, whole.schema).equals(whole.head(first.height))
    report = sd.generate(shop.journeys, users=range(users), adapter=sd.InMemoryAdapter(), **RUN)
    assert report.users.height == users


@given(st.integers(0, USERS), st.integers(0, USERS))
def test_slices_are_parts_of_one_population(a: int, b: int) -> None:
    low, high = sorted((a, b))
    parts = [
        sd.generate_df(shop.journeys, users=part, **RUN) for part in (range(low), range(low, high), range(high, USERS))
    ]
    whole = sd.generate_df(shop.journeys, users=USERS, **RUN)
    assert pl.concat([conformed(part, whole.schema) for part in parts]).equals(whole)


@given(st.integers(0, USERS - 1))
def test_replay(user: int) -> None:
    population = sd.generate(shop.journeys, users=USERS, adapter=sd.InMemoryAdapter(), **RUN).users
    whole = sd.generate_df(shop.journeys, users=USERS, **RUN)
    own = whole.filter(pl.col("user_id") == population["user_id"][user])
    assert conformed(sd.replay(shop.journeys, user=user, **RUN), whole.schema).equals(own)


def test_replay_of_one_user_of_ten_million() -> None:
    alone = sd.generate_df(shop.journeys, users=range(9_999_999, 10_000_000), **RUN)
    assert sd.replay(shop.journeys, user=9_999_999, **RUN).equals(alone)


SESSION = """
import sys
from tests.properties import shop
from tests.hashing import content_hash
import synode_df as sd
events = sd.generate_df(shop.journeys, users=200, persona=shop.persona, datasets=shop.datasets, seed=7)
print(content_hash(events))
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "77", "TZ": "America/New_York", "LC_ALL": "C.UTF-8", "POLARS_MAX_THREADS": "1"},
    ],
)
def test_session_free(whole: pl.DataFrame, environment: dict[str, str]) -> None:
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", SESSION],
        env={**os.environ, **environment, "PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == content_hash(whole)


def test_other_seeds_give_other_data(whole: pl.DataFrame) -> None:
    other = sd.generate_df(shop.journeys, users=USERS, **{**RUN, "seed": 8})
    assert not set(other["event_id"]) & set(whole["event_id"])
    assert not set(other["user_id"]) & set(whole["user_id"])


PINNED = {1: "b2b20e1138b21f9bf4684bbddc93752b3aba95cde33f9b81e207dafc92b6ce73"}


def test_pinned_content_of_a_reference_data_set(whole: pl.DataFrame) -> None:
    """A change here changes everybody's data: raise DATA_VERSION, add its hash, and say why in the changelog."""
    columnar_only = whole.drop("who")  # Faker's own releases change names
    assert content_hash(columnar_only) == PINNED[sd.DATA_VERSION]


@given(st.randoms(use_true_random=False))
def test_ids_are_unique(r: Random) -> None:
    journeys, options = scenario(r)
    events = sd.generate_df(journeys, users=30, **options)
    assert events["event_id"].n_unique() == events.height
