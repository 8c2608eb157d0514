"""How long a preview takes to show and to follow a slider: `python -m tests.benchmarks.bench_previews`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import polars as pl

import synode_df as sd

SHOPPER = sd.Persona(
    "shopper",
    {
        "locale": sd.weighted({"en_US": 60, "de_DE": 40}),
        "device": sd.weighted({"mobile": 0.6, "desktop": 0.3, "tablet": 0.1}),
        "email": sd.fake("email"),
        "phrase": sd.fake("catch_phrase"),
        "is_member": sd.chance(0.35),
        "age": sd.normal(40, 12, min=18, decimals=0),
        "spend": sd.lognormal(40, 0.6, decimals=2),
        "visits": sd.poisson(2.5),
        "senior": pl.col("age") > 60,
        "called": lambda ctx: ctx.random.randint(0, 3),
    },
)
JOURNEYS = [
    sd.Journey(
        f"journey {n}",
        [
            sd.Adventure(f"adventure {a}", [sd.Action(f"action {k}", bounce_chance=0.1) for k in range(4)])
            for a in range(3)
        ],
    )
    for n in range(2)
]


def inside(widget: Any) -> list[Any]:
    return [widget, *(found for child in getattr(widget, "children", ()) for found in inside(child))]


def slider(panel: Any, tooltip: str) -> Any:
    return next(each for each in inside(panel) if isinstance(each, widgets.FloatSlider) and each.tooltip == tooltip)


def moves(make: Callable[[], Any], tooltip: str, rounds: int) -> tuple[float, float, float]:
    """Median processor and wall milliseconds of a move, and the slowest by wall time."""
    panel = make()
    moved = slider(panel, tooltip)
    moved.value = 0.5
    cpu, wall = [], []
    for number in range(rounds):
        started, used = time.perf_counter(), time.process_time()
        moved.value = 0.1 + 0.8 * (number % 9) / 9
        cpu.append(1_000 * (time.process_time() - used))
        wall.append(1_000 * (time.perf_counter() - started))
    return statistics.median(cpu), statistics.median(wall), max(wall)


FIRST = """
import time, synode_df as sd
started = time.perf_counter()
sd.preview(sd.Persona("p", {"device": sd.weighted({"mobile": 6, "desktop": 4}), "age": sd.normal(40, 12)}))
print(time.perf_counter() - started)
"""


def main() -> None:
    rounds = 27
    first = [float(subprocess.check_output([sys.executable, "-c", FIRST])) for _ in range(5)]
    print(
        f"first preview of a process, imports included: {statistics.median(first):.2f} s ({min(first):.2f} to {max(first):.2f})"
    )
    cases = {
        "persona, 10 attributes, 1,000 users, a weight": (lambda: sd.preview(SHOPPER), "device: share of mobile"),
        "persona, 10 attributes, 1,000 users, a chance": (
            lambda: sd.preview(SHOPPER),
            "is_member: chance of being true",
        ),
        "two journeys of 12 actions, 1,000 users": (
            lambda: sd.preview(JOURNEYS),
            "bounce chance of journey 0 > adventure 0 > action 0",
        ),
    }
    for name, (make, tooltip) in cases.items():
        cpu, wall, slowest = moves(make, tooltip, rounds)
        print(f"{name}: {cpu:.0f} ms processor, {wall:.0f} ms wall, slowest {slowest:.0f} ms of {rounds} moves")


if __name__ == "__main__":
    main()
