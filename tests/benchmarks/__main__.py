"""Measure, and rewrite the table in `docs/performance.md`.

python -m tests.benchmarks                  the table of the docs: five rounds, about five minutes
python -m tests.benchmarks --quick          one small round, printed only, under a minute
python -m tests.benchmarks --ten-million    with the runs of ten million users, some minutes more
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "performance.md"
BEGIN: Final = "<!-- benchmarks: begin -->"
END: Final = "<!-- benchmarks: end -->"
TEN_MILLION: Final = 10_000_000


@dataclass(frozen=True)
class Side:
    """A measurement that takes part in every round."""

    key: str
    measurement: str
    users: int
    environment: dict[str, str] = field(default_factory=dict)


class Results:
    """What was measured: for each side and figure one value a round."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, key: str, figures: dict[str, float]) -> None:
        """Take one side's figures of one round."""
        for name, value in figures.items():
            self._values[key][name].append(value)

    def has(self, *keys: str) -> bool:
        """Whether all these sides were measured."""
        return all(key in self._values for key in keys)

    def values(self, key: str, name: str) -> list[float]:
        """One figure of one side, over the rounds."""
        return self._values[key][name]

    def rates(self, key: str, name: str = "seconds") -> list[float]:
        """Events a second."""
        return [
            events / seconds for events, seconds in zip(self.values(key, "events"), self.values(key, name), strict=True)
        ]


def ratios(first: list[float], second: list[float]) -> list[float]:
    """Ratios within each round."""
    return [one / other for one, other in zip(first, second, strict=True)]


def shown(values: list[float], form: Callable[[float], str]) -> str:
    """Median, and least to most."""
    middle = form(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({form(min(values))} – {form(max(values))})"


def million(value: float) -> str:
    """Events a second."""
    return f"{value / 1e6:.2f} M"


def thousand(value: float) -> str:
    """Events a second, of the slow."""
    return f"{value / 1e3:,.0f} k"


def seconds(value: float) -> str:
    """A time."""
    return f"{value:.2f} s"


def milliseconds(value: float) -> str:
    """A short time."""
    return f"{value * 1e3:.0f} ms"


def megabytes(value: float) -> str:
    """A size."""
    return f"{value:,.0f} MB"


def times(value: float) -> str:
    """A ratio."""
    return f"{value:.2f} ×"


def sides(users: int, *, ten_million: bool) -> list[Side]:
    """What takes part in every round, in this order."""
    tenth = max(1_000, users // 10)
    found = [
        Side("s", "s_memory", users),
        Side("misata", "misata", users),
        Side("misata_log", "misata_log", users),
        Side("floor", "floor", users),
        Side("shards_2", "shards_2", users),
        Side("shards_2_cold", "shards_2_cold", users),
        Side("shards_1", "shards_1", users),
        Side("shards_1_thread", "shards_1_thread", users, {"POLARS_MAX_THREADS": "1"}),
        Side("shards_tenth", "shards_1", tenth),
        Side("s_2", "s_memory_2", users),
        Side("h", "h_memory", tenth),
        Side("loop_h", "loop_h", tenth),
        Side("loop", "loop", tenth),
        Side("simpy", "simpy", tenth),
        Side("interactive", "interactive", 1_000),
    ]
    if ten_million:
        found += [Side("shards_1_ten", "shards_1", TEN_MILLION), Side("shards_2_ten", "shards_2", TEN_MILLION)]
    return found


def measured(side: Side) -> dict[str, float]:
    """One side, once, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.measurements", side.measurement, str(side.users)],
        cwd=ROOT,
        env={**os.environ, **side.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(f"{side.key} failed:\n{run.stderr}")
    figures: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return figures


def speeds(results: Results, users: int) -> list[tuple[str, str]]:
    """The table of what everybody does in a second."""
    tenth = max(1_000, users // 10)
    rows = [
        (f"**S**, in memory, one process, {users:,} users", shown(results.rates("s"), million)),
        ("**S**, in memory, two workers", shown(results.rates("s_2"), million)),
        ("**S**, to Parquet shards, one process", shown(results.rates("shards_1"), million)),
        ("**S**, the same with one Polars thread", shown(results.rates("shards_1_thread"), million)),
        ("**S**, to Parquet shards, two workers", shown(results.rates("shards_2"), million)),
        ("**S**, the same, with starting the workers", shown(results.rates("shards_2_cold"), million)),
        ("Writing the finished frame of S, nothing else", shown(results.rates("floor"), million)),
        ("Writing it as the shards are written (zstd level 1)", shown(results.rates("floor", "level_1"), million)),
        (f"Misata, users and their `Process` log, 5 columns, {users:,} users", shown(results.rates("misata"), million)),
        ("Misata, `simulate_process` alone", shown(results.rates("misata_log"), million)),
        (f"S as a plain Python loop, {tenth:,} users, tuples in a list", shown(results.rates("loop"), thousand)),
        ("S as a plain Python loop, to the same frame", shown(results.rates("loop", "framed"), thousand)),
        ("SimPy, timeouts and bounces of S, 3 columns", shown(results.rates("simpy"), thousand)),
        (f"**H**, in memory, one process, {tenth:,} users", shown(results.rates("h"), thousand)),
        ("H as a plain Python loop, tuples in a list", shown(results.rates("loop_h"), thousand)),
        ("H as a plain Python loop, to the same frame", shown(results.rates("loop_h", "framed"), thousand)),
    ]
    return rows


def bars(results: Results, users: int) -> list[tuple[str, str, str, bool]]:
    """What was aimed at, what was reached, and whether that is enough: ratios are taken within each round."""
    found: list[tuple[str, str, str, bool]] = []

    def bar(
        what: str, aim: str, values: list[float], form: Callable[[float], str], enough: Callable[[float], bool]
    ) -> None:
        found.append((what, aim, shown(values, form), enough(statistics.median(values))))

    def took(key: str, name: str = "seconds") -> list[float]:
        return results.values(key, name)

    def per_user(key: str, count: int) -> list[float]:
        return [value / count for value in took(key)]

    bar("S in memory, one process", "≥ 3 M events/s", results.rates("s"), million, lambda x: x >= 3e6)
    for other, what in (("misata", "Misata"), ("misata_log", "Misata's simulation alone")):
        for name, how in (("seconds", ""), ("cpu", ", by processor time")):
            against = ratios(results.rates("s", name), results.rates(other, name))
            bar(f"S in memory against {what}{how}", "≥ 4 ×", against, times, lambda x: x >= 4)
    floor = ratios(took("shards_2"), took("floor"))
    bar("S to shards, two workers, against writing the frame", "≤ 1.5 ×", floor, times, lambda x: x <= 1.5)
    gain = ratios(took("shards_1"), took("shards_2"))
    bar("two workers against one process, to shards", "≥ 1.8 ×", gain, times, lambda x: x >= 1.8)
    gain = ratios(took("shards_1_thread"), took("shards_2"))
    bar("the same, one Polars thread in each", "≥ 1.8 ×", gain, times, lambda x: x >= 1.8)
    bar("H, one process", "≥ 150 k events/s", results.rates("h"), thousand, lambda x: x >= 150e3)
    for name, what in (("", "tuples in a list"), ("framed", "to the same frame")):
        for own, other, how in (
            ("seconds", name or "seconds", ""),
            ("cpu", f"{name}_cpu".lstrip("_"), ", by processor time"),
        ):
            by_hand = ratios(results.rates("h", own), results.rates("loop_h", other))
            bar(f"H against a plain loop, {what}{how}", "≥ 0.5 ×", by_hand, times, lambda x: x >= 0.5)
    size = ratios(took("s", "peak"), took("s", "frame"))
    bar("peak memory of S against its frame", "≤ 2.5 ×", size, times, lambda x: x <= 2.5)
    for key, count in (("shards_2", users), ("shards_2_ten", TEN_MILLION)):
        if results.has(key):
            peaks = took(key, "worker_peak")
            bar(f"peak of a worker, shards, {count:,} users", "≤ 600 MB", peaks, megabytes, lambda x: x <= 600)
            bar(f"peak of the parent, {count:,} users", "≤ 600 MB", took(key, "peak"), megabytes, lambda x: x <= 600)
    tenth = max(1_000, users // 10)
    growth = ratios(per_user("shards_1", users), per_user("shards_tenth", tenth))
    bar(f"time a user, {users:,} against {tenth:,}", "≤ 1.15 ×", growth, times, lambda x: x <= 1.15)
    if results.has("shards_1_ten"):
        growth = ratios(per_user("shards_1_ten", TEN_MILLION), per_user("shards_1", users))
        bar(f"time a user, {TEN_MILLION:,} against {users:,}", "≤ 1.15 ×", growth, times, lambda x: x <= 1.15)
    bar("1,000 users, first run after import", "≤ 100 ms", took("interactive"), milliseconds, lambda x: x <= 0.1)
    bar("1,000 users, every run after", "≤ 100 ms", took("interactive", "second"), milliseconds, lambda x: x <= 0.1)
    return found


def table(results: Results, users: int, rounds: int) -> str:
    """The section of the docs, as Markdown."""
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("polars", "numpy", "joblib", "misata", "simpy")
    )
    system = f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}"
    count = "one round" if rounds == 1 else f"median of {rounds} rounds (least – most)"
    lines = [f"Measured on {system}, {versions}; {count}.", "", "| what | events a second |", "|---|---:|"]
    lines += [f"| {what} | {value} |" for what, value in speeds(results, users)]
    lines += ["", "| what | aim | measured | reached |", "|---|---|---:|---|"]
    lines += [
        f"| {what} | {aim} | {value} | {'yes' if ok else 'no'} |" for what, aim, value, ok in bars(results, users)
    ]
    return "\n".join(lines)


def rewritten(page: str, section: str) -> str:
    """A page with the section between the markers replaced."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{after}"


def main() -> None:
    """Run the rounds, print the tables, and write them unless told not to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=1_000_000, help="users of S; H and the slow rivals get a tenth")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is measured")
    parser.add_argument("--quick", action="store_true", help="one round of 200,000 users, printed only")
    parser.add_argument("--ten-million", action="store_true", help="with runs of 10,000,000 users, in every round")
    parser.add_argument("--touch", type=int, help="gigabytes of memory to touch before measuring")
    parser.add_argument("--print-only", action="store_true", help="leave docs/performance.md alone")
    chosen = parser.parse_args()
    users, rounds = (200_000, 1) if chosen.quick else (chosen.users, chosen.rounds)
    gigabytes = (1 if chosen.quick else 8) if chosen.touch is None else chosen.touch
    if gigabytes:
        measured(Side("touch", "touch", gigabytes))
    results = Results()
    for number in range(1, rounds + 1):
        for side in sides(users, ten_million=chosen.ten_million):
            figures = measured(side)
            results.add(side.key, figures)
            print(f"round {number}  {side.key:16} {figures['seconds']:8.3f} s", file=sys.stderr, flush=True)
    section = table(results, users, rounds)
    print(section)
    if not (chosen.quick or chosen.print_only):
        PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), section), encoding="utf-8")


if __name__ == "__main__":
    main()
