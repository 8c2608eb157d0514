"""What landing costs: `python -m tests.benchmarks.bench_landing`, and `--big` for 100 million events.

Rewrites its table in `docs/performance.md`. Sides take turns in every round; ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import psutil

import synode_df as sd
from synode_df.engine.tally import Tally
from synode_df.output.base import Plan, Shard, ShardFile
from synode_df.output.landing import Landing, Record
from synode_df.output.local import LocalStorage
from tests.benchmarks.workloads import persona, products, shop

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
BEGIN: Final = "<!-- landing: begin -->"
END: Final = "<!-- landing: end -->"
BATCH: Final = 32_768
DECLARED: Final[dict[str, Any]] = {"persona": persona(), "datasets": [products()], "seed": 7}


def written(events: pl.DataFrame, **options: Any) -> float:
    """Seconds to write a finished frame to one file."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        events.write_parquet(Path(folder, "events.parquet"), **options)
        return time.perf_counter() - started


def landed(batches: list[pl.DataFrame]) -> float:
    """Seconds for the same events as shards: hashed, renamed, journalled, with a manifest."""
    with tempfile.TemporaryDirectory() as folder:
        adapter = sd.ParquetAdapter(Path(folder, "events"))
        started = time.perf_counter()
        adapter.prepare(Plan(range(len(batches)), 1, {}, batches[0].schema, star_schema=False))
        with adapter:
            for number, batch in enumerate(batches):
                shard = adapter.write_shard(batch, first_user=number, end_user=number + 1)
                adapter.take_shard(shard, batch.schema, Tally(users=1, events=batch.height))
        return time.perf_counter() - started


def resumed(shards: int) -> float:
    """Seconds until a resumed run knows what is left to do."""
    with tempfile.TemporaryDirectory() as folder:
        storage = LocalStorage(Path(folder))
        landing = Landing(storage, {})
        landing.begin(mode="create", resume=False)
        report = sd.generate(shop(), users=10, adapter=sd.InMemoryAdapter(), **DECLARED)
        from synode_df.output.manifest import tally_values

        tally = json.dumps(tally_values(report.telemetry.tally))
        for number in range(shards):
            name = f"events-{number:012d}.parquet"
            file = ShardFile(name, 1, 100, "0" * 64, storage.write(name, b"x" * 100))
            landing.take(Record(Shard(number, number + 1, (file,)), "same", tally))
        landing.stop(discard=False)
        again = Landing(LocalStorage(Path(folder)), {})
        started = time.perf_counter()
        again.begin(mode="create", resume=True)
        seconds = time.perf_counter() - started
        assert len(again.records) == shards
        again.stop(discard=True)
        return seconds


def resident() -> Iterator[int]:
    """Resident bytes of this process and its children."""
    own = psutil.Process()
    for process in [own, *own.children(recursive=True)]:
        try:
            yield process.memory_info().rss
        except psutil.NoSuchProcess:
            continue


def big(events: int) -> tuple[int, float, float]:
    """So many events to shards on two workers: events, seconds, the most memory of all processes together in MB."""
    most, done = 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.05):
            most = max(most, sum(resident()) / 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    folder = Path(tempfile.mkdtemp())
    found, first, started = 0, 0, time.perf_counter()
    try:
        while found < events:
            users = range(first, first + min(10_000_000, int((events - found) / 6.3) + BATCH))
            adapter = sd.ParquetAdapter(folder / f"events-{first}")
            report = sd.generate(shop(), users=users, adapter=adapter, n_jobs=2, progress=False, **DECLARED)
            found, first = found + report.telemetry.events, users.stop
        return found, time.perf_counter() - started, most
    finally:
        done.set()
        watcher.join()
        shutil.rmtree(folder)


def told(values: list[float], form: str) -> str:
    """Median, and least to most."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} – {max(values):{form}})"


def main() -> None:
    """Measure and rewrite the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--users", type=int, default=1_000_000)
    options.add_argument("--big", action="store_true", help="also 100 million events, some minutes more")
    given = options.parse_args()
    # First, while this process holds nothing else: its memory counts, too.
    most_of_all = big(100_000_000) if given.big else None
    events = sd.generate_df(shop(), users=given.users, **DECLARED)
    bounds = events["user_id"].rle_id()
    batches = events.with_columns(batch=bounds // BATCH).partition_by("batch", include_key=False, maintain_order=True)
    written(batches[0]), landed(batches[:1])
    sides: dict[str, list[float]] = {"floor": [], "level_1": [], "landed": [], "resumed": []}
    for _ in range(given.rounds):
        sides["floor"].append(written(events))
        sides["landed"].append(landed(batches))
        sides["level_1"].append(written(events, compression="zstd", compression_level=1))
        sides["resumed"].append(resumed(10_000))
    against = {
        name: [one / other for one, other in zip(sides["landed"], sides[name], strict=True)]
        for name in ("floor", "level_1")
    }
    lines = [
        f"Measured on {os.cpu_count()} cores, polars {pl.__version__}; median of {given.rounds} rounds (least – most).",
        "",
        "| what | aim | measured |",
        "|---|---|---:|",
        f"| landing S's frame as shards against `write_parquet` of it | ≤ 1.25 × | {told(against['floor'], '.2f')} × |",
        f"| the same, against `write_parquet` at the shards' zstd level | | {told(against['level_1'], '.2f')} × |",
        f"| resume decides what is left of 10,000 shards | ≤ 1 s | {told(sides['resumed'], '.2f')} s |",
    ]
    if most_of_all is not None:
        found, seconds, most = most_of_all
        lines += [
            f"| {found / 1e6:,.0f} M events to shards, two workers | | {seconds:,.0f} s, {found / seconds / 1e6:.2f} M a second |",
            f"| the most memory of all its processes together | ≤ 1.5 GB | {most:,.0f} MB |",
        ]
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(lines)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
