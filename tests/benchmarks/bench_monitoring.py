"""What validation, telemetry and progress cost on workload S: each on and off, interleaved, medians.

Run with `python -m tests.benchmarks.bench_monitoring [users] [rounds]`.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import sys
import time
from collections.abc import Callable
from unittest import mock

import pandera.polars as pa
import polars as pl

import synode_df as sd
from synode_df.engine.tally import Tally
from tests.benchmarks import workloads


class Nowhere(sd.OutputAdapter):
    def write(self, batch: pl.DataFrame) -> None:
        pass


def schemas() -> dict[str, pa.DataFrameSchema]:
    """Three checks for each of the eight event names."""
    return {
        action: pa.DataFrameSchema(
            {
                "device": pa.Column(str, pa.Check.isin(["mobile", "desktop", "tablet"])),
                "price": pa.Column(float, pa.Check.gt(0)),
                "sku": pa.Column(str, pa.Check.str_matches(r"^SKU-")),
            }
        )
        for actions in workloads.ADVENTURES.values()
        for action in actions
    }


def uncounted() -> contextlib.AbstractContextManager[object]:
    """A run whose merged counters and names are not kept: what is left of telemetry are a few additions a batch."""
    stack = contextlib.ExitStack()
    for name in ("add", "named", "emitted"):
        stack.enter_context(mock.patch.object(Tally, name, lambda *_: None))
    return stack


def measure(users: int, rounds: int) -> dict[str, float]:
    """Median seconds of each variant."""
    common = {"users": users, "persona": workloads.persona(), "datasets": [workloads.products()], "seed": 1}
    checks = schemas()

    def run(**options: object) -> None:
        sd.generate(workloads.shop(), adapter=Nowhere(), **{**common, "progress": False, **options})

    def without_telemetry() -> None:
        with uncounted():
            run()

    def with_progress() -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            run(progress=True)

    variants: dict[str, Callable[[], None]] = {
        "plain": run,
        "validation": lambda: run(event_schema=checks),
        "no telemetry": without_telemetry,
        "progress": with_progress,
    }
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, variant in variants.items():
            started = time.perf_counter()
            variant()
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def main() -> None:
    users, rounds = (int(each) for each in (sys.argv[1:] + ["300000", "7"][len(sys.argv) - 1 :])[:2])
    found = measure(users, rounds)
    plain = found["plain"]
    print(f"workload S, {users:,} users, medians of {rounds} interleaved rounds")
    print(f"plain        {plain:.3f} s")
    print(f"validation   {found['validation']:.3f} s  {found['validation'] / plain - 1:+.1%}  (goal: 15 %)")
    print(f"telemetry    {found['no telemetry']:.3f} s without  {plain / found['no telemetry'] - 1:+.1%}  (goal: 3 %)")
    print(f"progress     {found['progress']:.3f} s  {found['progress'] / plain - 1:+.1%}  (goal: 1 %)")


if __name__ == "__main__":
    main()
