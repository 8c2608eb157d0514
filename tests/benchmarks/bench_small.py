"""Small benchmarks for the day's work, with pytest-benchmark: `python -m pytest tests/benchmarks/bench_small.py`.

They compare a change with the commit before it (`--benchmark-autosave`, `--benchmark-compare`). What takes fresh
processes, peaks of memory or rivals is measured by `python -m tests.benchmarks`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import synode_df as sd
from tests.benchmarks.workloads import persona, products, shop, shop_with_handlers

DECLARED: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7}


@pytest.mark.parametrize("users", [1_000, 32_768, 100_000])
def test_shop_in_memory(benchmark: Any, users: int) -> None:
    events = benchmark(lambda: sd.generate_df(shop(), users=users, **DECLARED))
    benchmark.extra_info["events_per_second"] = events.height / benchmark.stats["median"]


def test_shop_with_handlers(benchmark: Any) -> None:
    events = benchmark(lambda: sd.generate_df(shop_with_handlers(), users=2_000, **DECLARED))
    benchmark.extra_info["events_per_second"] = events.height / benchmark.stats["median"]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_shop_to_shards(benchmark: Any, tmp_path: Path, n_jobs: int) -> None:
    def write() -> sd.Report:
        adapter = sd.ParquetAdapter(tmp_path / "events", mode="overwrite")
        return sd.generate(shop(), users=100_000, adapter=adapter, n_jobs=n_jobs, **DECLARED)

    report = benchmark(write)
    benchmark.extra_info["events_per_second"] = report.telemetry.events / benchmark.stats["median"]


def test_one_user_is_replayed(benchmark: Any) -> None:
    events = benchmark(
        lambda: sd.replay(shop(), user=9_999_999, seed=7, persona=DECLARED["persona"], datasets=DECLARED["datasets"])
    )
    assert events.columns[0] == "event_id"
