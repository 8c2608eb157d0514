"""One measurement, in a process of its own: `python -m tests.benchmarks.measurements s_memory 1000000`.

Prints one line of JSON: seconds, events, and for some also memory in MB. Imports, declarations and a small run to warm
up come before the clock starts; what is cold on purpose says so in its name.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

Figures = dict[str, float]
Made = TypeVar("Made")
WARM_UP: Final = 70_000
"""Users of the warm-up: more than two batches, so that two workers both start."""


def _timed(run: Callable[[], Made]) -> tuple[Made, Figures]:
    """What a run makes, and its seconds: by the clock, and of processor time in this process."""
    started, cpu = time.perf_counter(), time.process_time()
    made = run()
    return made, {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}


def s_memory(users: int) -> Figures:
    """S in memory, one process."""
    return _shop_in_memory(users, n_jobs=1)


def s_memory_2(users: int) -> Figures:
    """S in memory, two workers."""
    return _shop_in_memory(users, n_jobs=2)


def _shop_in_memory(users: int, **options: Any) -> Figures:
    import synode_df as sd
    from tests.benchmarks.workloads import shop

    sd.generate_df(shop(), users=min(users, WARM_UP), **_declared(), **options)
    imported = _peak()
    events, figures = _timed(lambda: sd.generate_df(shop(), users=users, **_declared(), **options))
    size = events.estimated_size("mb")
    return {**figures, "events": events.height, "frame": size, "peak": _peak(), "warm": imported}


def h_memory(users: int) -> Figures:
    """H in memory, one process."""
    import synode_df as sd
    from tests.benchmarks.workloads import shop_with_handlers

    sd.generate_df(shop_with_handlers(), users=1_000, **_declared())
    events, figures = _timed(lambda: sd.generate_df(shop_with_handlers(), users=users, **_declared()))
    return {**figures, "events": events.height}


def loop(users: int) -> Figures:
    """S by hand: seconds until the rows are there, and until they are a frame."""
    from tests.benchmarks.rivals import loop_shop

    return _by_hand(loop_shop, users)


def loop_h(users: int) -> Figures:
    """H by hand."""
    from tests.benchmarks.rivals import loop_shop_with_handlers

    return _by_hand(loop_shop_with_handlers, users)


def _by_hand(run: Callable[[int], list[Any]], users: int) -> Figures:
    from tests.benchmarks.rivals import framed

    framed(run(1_000))
    rows, figures = _timed(lambda: run(users))
    events, more = _timed(lambda: framed(rows))
    both = {"framed": figures["seconds"] + more["seconds"], "framed_cpu": figures["cpu"] + more["cpu"]}
    return {**figures, **both, "events": events.height}


def simpy(users: int) -> Figures:
    """SimPy: the shop's timeouts and bounces, without payload."""
    from tests.benchmarks.rivals import simpy_shop

    return _rival(simpy_shop, users)


def misata(users: int) -> Figures:
    """Misata: users with four attributes, and the shop as a chain of states."""
    from tests.benchmarks.rivals import misata_shop

    return _rival(misata_shop, users)


def misata_log(users: int) -> Figures:
    """Misata: the chain of states alone."""
    from tests.benchmarks import rivals

    return _rival(rivals.misata_log, users)


def _rival(run: Callable[[int], Any], users: int) -> Figures:
    run(1_000)
    events, figures = _timed(lambda: run(users))
    return {**figures, "events": len(events), "peak": _peak()}


def floor(users: int) -> Figures:
    """Writing the finished frame of S to one Parquet file: with Polars' defaults, and as the shards are written."""
    import synode_df as sd
    from tests.benchmarks.workloads import shop

    events = sd.generate_df(shop(), users=users, **_declared())
    found: Figures = {"events": events.height}
    with tempfile.TemporaryDirectory() as folder:
        events.head(100_000).write_parquet(Path(folder, "warm-up.parquet"))
        for name, options in (("seconds", {}), ("level_1", {"compression": "zstd", "compression_level": 1})):
            started = time.perf_counter()
            events.write_parquet(Path(folder, f"{name}.parquet"), **options)  # type: ignore[arg-type]
            found[name] = time.perf_counter() - started
    return found


def shards_1(users: int) -> Figures:
    """S to Parquet shards, one process."""
    return _shards(users, 1)


def shards_1_thread(users: int) -> Figures:
    """S to Parquet shards, one process; started with POLARS_MAX_THREADS=1."""
    return _shards(users, 1)


def shards_2(users: int) -> Figures:
    """S to Parquet shards, two workers that run already."""
    return _shards(users, 2)


def shards_2_cold(users: int) -> Figures:
    """S to Parquet shards, two workers that are to be started first."""
    return _shards(users, 2, warm=False)


def _shards(users: int, n_jobs: int, *, warm: bool = True) -> Figures:
    import synode_df as sd
    from tests.benchmarks.workloads import shop

    with tempfile.TemporaryDirectory() as folder:
        first = sd.ParquetAdapter(Path(folder, "warm-up"))
        sd.generate(shop(), users=WARM_UP, adapter=first, n_jobs=n_jobs if warm else 1, **_declared())
        adapter = sd.ParquetAdapter(Path(folder, "events"))
        started = time.perf_counter()
        report = sd.generate(shop(), users=users, adapter=adapter, n_jobs=n_jobs, **_declared())
        seconds = time.perf_counter() - started
    found = {"seconds": seconds, "events": report.telemetry.events, "peak": _peak()}
    if n_jobs > 1:
        found["worker_peak"] = max(_worker_peaks())
    return found


def interactive(users: int) -> Figures:
    """A new process: seconds to import, for the first run, and for the one after."""
    started = time.perf_counter()
    import synode_df as sd

    imported = time.perf_counter()
    from tests.benchmarks.workloads import shop

    declared = _declared()
    begun = time.perf_counter()
    events = sd.generate_df(shop(), users=users, **declared)
    first = time.perf_counter()
    sd.generate_df(shop(), users=users, **declared)
    second = time.perf_counter()
    return {
        "import": imported - started,
        "seconds": first - begun,
        "second": second - first,
        "events": events.height,
    }


def touch(gigabytes: int) -> Figures:
    """Write to so much memory once. A virtual machine may get its pages from its host only then, slowly."""
    import numpy as np

    started = time.perf_counter()
    blocks = [np.ones(2**27) for _ in range(gigabytes)]
    return {"seconds": time.perf_counter() - started, "gigabytes": len(blocks)}


def _declared() -> dict[str, Any]:
    from tests.benchmarks.workloads import persona, products

    return {"persona": persona(), "datasets": [products()], "seed": 7}


def _peak(process: int | str = "self") -> float:
    """The most memory that a process has had resident, in MB; of this process alone, unlike `ru_maxrss`."""
    status = Path(f"/proc/{process}/status")
    if status.exists():
        return float(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def _worker_peaks() -> list[float]:
    import psutil

    return [_peak(child.pid) for child in psutil.Process(os.getpid()).children() if child.memory_info().rss > 2**26]


MEASUREMENTS: Final = {
    measurement.__name__: measurement
    for measurement in (
        s_memory, s_memory_2, h_memory, loop, loop_h, simpy, misata, misata_log, floor, shards_1, shards_1_thread, shards_2,
        shards_2_cold, interactive, touch,
    )
}  # fmt: skip

if __name__ == "__main__":
    name, size = sys.argv[1:]
    print(json.dumps(MEASUREMENTS[name](int(size))))
