"""What validation, telemetry and progress cost on workload S: each on and off in the same rounds.

python -m tests.benchmarks.bench_monitoring                   measure, and rewrite the table in docs/performance.md
python -m tests.benchmarks.bench_monitoring --print-only      the same without rewriting
python -m tests.benchmarks.bench_monitoring --users 100000 --rounds 5
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from unittest import mock

import pandera.polars as pa
import polars as pl

import synode_df as sd
from synode_df.engine.tally import Tally
from synode_df.run import work
from tests.benchmarks import workloads

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
BEGIN: Final = "<!-- monitoring: begin -->"
END: Final = "<!-- monitoring: end -->"

Taken = tuple[float, float]
"""Wall and processor seconds of a run."""


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


@contextlib.contextmanager
def uncounted():
    """A run that merges and keeps no counters and asks for no memory; a few additions a batch are left."""
    with contextlib.ExitStack() as stack:
        for name in ("add", "named", "emitted"):
            stack.enter_context(mock.patch.object(Tally, name, lambda *_: None))
        stack.enter_context(mock.patch.object(work, "peak_memory", lambda: None))
        yield


def variants(users: int, folder: Path) -> dict[str, Callable[[], object]]:
    """What takes part in every round."""
    common = {"users": users, "persona": workloads.persona(), "datasets": [workloads.products()], "seed": 1}
    checks = schemas()

    def run(**options: object) -> object:
        return sd.generate(workloads.shop(), adapter=Nowhere(), **{**common, "progress": False, **options})

    def without_telemetry() -> None:
        with uncounted():
            run()

    def with_progress() -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            run(progress=True)

    return {
        "plain": run,
        "plain again": run,
        "validation": lambda: run(event_schema=checks),
        "telemetry off": without_telemetry,
        "telemetry on": lambda: run(debug=True, telemetry_path=folder / "telemetry.json"),
        "progress": with_progress,
    }


def measured(users: int, rounds: int) -> dict[str, list[Taken]]:
    """Each variant once a round, in an order that is shuffled for each; one round before to warm up."""
    taken: dict[str, list[Taken]] = {}
    order = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        everything = list(variants(users, Path(folder)).items())
        for number in range(-1, rounds):
            order.shuffle(everything)
            for name, variant in everything:
                started, cpu = time.perf_counter(), time.process_time()
                variant()
                if number >= 0:
                    seconds = (time.perf_counter() - started, time.process_time() - cpu)
                    taken.setdefault(name, []).append(seconds)
    return taken


def added(taken: dict[str, list[Taken]], on: str, off: str, which: int) -> str:
    """What a feature adds: the median of the ratios within each round, and their middle half."""
    ratios = sorted(one[which] / other[which] - 1 for one, other in zip(taken[on], taken[off], strict=True))
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{middle:+.1%} ({low:+.1%} – {high:+.1%})"


def table(taken: dict[str, list[Taken]], users: int, rounds: int) -> str:
    """The section of the page."""
    plain = statistics.median(seconds for seconds, _ in taken["plain"])
    rows = [
        ("three checks for each event name", "validation", "plain", "15 %"),
        ("telemetry, counted and written as JSON", "telemetry on", "telemetry off", "3 %"),
        ("progress", "progress", "plain", "1 %"),
        ("nothing: the same run twice, for comparison", "plain again", "plain", ""),
    ]
    lines = [
        f"S for {users:,} users, {plain:.2f} s without any of them; median of {rounds} rounds (middle half).",
        "",
        "| what | aim | adds to the time | adds to processor time |",
        "|---|---|---:|---:|",
        *(
            f"| {what} | {f'≤ {aim}' if aim else ''} | {added(taken, on, off, 0)} | {added(taken, on, off, 1)} |"
            for what, on, off, aim in rows
        ),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="What validation, telemetry and progress cost.")
    parser.add_argument("--users", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--print-only", action="store_true")
    chosen = parser.parse_args()
    section = table(measured(chosen.users, chosen.rounds), chosen.users, chosen.rounds)
    print(section)
    if not chosen.print_only:
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n\n{section}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
