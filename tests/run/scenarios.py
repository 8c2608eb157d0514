"""Small journeys, and the means to run scripts beside the tests, for everything under `tests/run`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

import synode_df as sd

ROOT = Path(sd.__file__).resolve().parents[1]
"""The folder that the package is imported from."""


def persona() -> sd.Persona:
    """Users with a device and an age."""
    return sd.Persona("shopper", {"device": sd.weighted({"mobile": 0.6, "desktop": 0.4}), "age": sd.normal(40, 12)})


def products() -> sd.Dataset:
    """A few rows to pick from."""
    return sd.Dataset("products", rows=20, fields={"sku": sd.sequence("SKU-{:03d}"), "price": sd.uniform(1, 99)})


def shop() -> sd.Journey:
    """Bounces, time spans, a remembered pick, expressions: everything that runs in columns."""
    view = sd.Action(
        "view",
        time_span=("5s", "3m"),
        remember={"product": sd.pick("products")},
        fields={"sku": pl.col("product").struct.field("sku"), "device": pl.col("device")},
    )
    order = sd.Action(
        "order",
        time_span=("30s", "10m"),
        bounce_chance=0.2,
        fields={"revenue": pl.col("product").struct.field("price") * 2},
    )
    return sd.Journey(
        "purchase",
        [
            sd.Adventure("browse", [view, sd.Action("compare", bounce_chance=0.3)], on_bounce="skip"),
            sd.Adventure("buy", [order]),
        ],
        bounce_chance=0.05,
    )


def calling(handler: Callable[..., Any]) -> sd.Journey:
    """One action with a handler."""
    return sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=handler)])])


def filling(value: Any) -> sd.Journey:
    """One action with one field, `value`."""
    return sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", fields={"value": value})])])


def environment(*folders: Path, **more: str) -> dict[str, str]:
    """The environment of a script: the package, and `folders`, can be imported."""
    found = [str(folder) for folder in (*folders, ROOT)]
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*found, *([inherited] if inherited else [])]), **more}


def start_script(script: Path, *arguments: object, **more: str) -> subprocess.Popen[str]:
    """Start a script in a process group of its own, with its folder as folder for temporary files."""
    return subprocess.Popen(
        [sys.executable, str(script), *map(str, arguments)],
        env=environment(TMPDIR=str(script.parent), **more),
        cwd=script.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run_script(script: Path, *arguments: object, timeout: float = 60, **more: str) -> str:
    """Run a script to its end; what it printed."""
    with start_script(script, *arguments, **more) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0, err
    return out


def left_behind(process: int, *folders: Path) -> list[Path]:
    """The temporary folders of a process that are still there."""
    places = {Path(tempfile.gettempdir()), Path("/dev/shm"), *folders}
    return sorted(found for place in places if place.is_dir() for found in place.glob(f"synode_df-{process}-*"))
