"""What a backend costs, for `docs/scale.md`: workload S by joblib's processes, Dask and Ray, in turns.

python -m tests.clusters.measure [rounds] [users]      Ray takes part where it is installed
"""

from __future__ import annotations

import importlib.util
import os
import resource
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import joblib
import polars as pl

import synode_df as sd
from synode_df.run.exchange import packed_job
from synode_df.run.options import declarations
from synode_df.run.work import Job
from tests.benchmarks.workloads import persona, products, shop

S: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7, "n_jobs": -1}


class Nowhere(sd.OutputAdapter):
    """Takes frames as they come and keeps none."""

    def write(self, batch: pl.DataFrame) -> None:
        pass


class Naming(joblib.parallel.LokyBackend):
    """joblib's processes as a backend of which nothing is known: the job goes with each batch."""


def own_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def backends() -> Iterator[list[str]]:
    """Clusters of two worker processes with one Polars thread each, started."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    joblib.register_parallel_backend("unknown", Naming)
    with ExitStack() as stack:
        from distributed import Client, LocalCluster

        cluster = stack.enter_context(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0"))
        stack.enter_context(Client(cluster))
        names = ["loky", "dask", "unknown"]
        if importlib.util.find_spec("ray"):
            import ray
            from ray.util.joblib import register_ray

            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
            stack.callback(ray.shutdown)
            register_ray()
            names.append("ray")
        yield names


def measure(backend: str, users: int, adapter: sd.OutputAdapter, **more: Any) -> dict[str, float]:
    """Seconds on the clock, of this process, and of the batches; per million events."""
    with joblib.parallel_config(backend=backend):
        wall, own = time.perf_counter(), own_seconds()
        report = sd.generate(shop(), users=users, adapter=adapter, **{**S, **more})
        wall, own = time.perf_counter() - wall, own_seconds() - own
    millions = report.telemetry.events / 1e6
    cpu = report.telemetry.cpu_seconds
    return {"wall": wall / millions, "here": own / millions, "batches": cpu / millions}


def main(rounds: int, users: int) -> None:
    """Print medians, with the least and the greatest."""
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    scenario = declarations(shop(), persona=S["persona"], datasets=S["datasets"], seed=7).scenario()
    print(f"the job: {len(packed_job(lambda: Job(scenario))) / 1e3:.0f} kB")
    large = sd.Dataset.from_frame("large", pl.DataFrame({"key": range(2_000_000), "price": [0.5] * 2_000_000}))
    with backends() as names, tempfile.TemporaryDirectory() as folder:
        for turn in range(-1, rounds):
            for backend in names:
                target = Path(folder, f"{backend}{turn}")
                for what, adapter, more in (
                    ("shards", sd.ParquetAdapter(target), {}),
                    ("frames", Nowhere(), {}),
                    ("frames, 32 MB of datasets", Nowhere(), {"preloaded_datasets": [large]}),
                ):
                    figures = measure(backend, users if turn >= 0 else 70_000, adapter, **more)
                    for name, value in figures.items():
                        if turn >= 0:  # the turn before the first warms up
                            found[what, backend, name].append(value)
                if turn == 0 and backend == "loky":
                    size = sum(file.stat().st_size for file in target.glob("**/*.parquet"))
                    rows = pl.scan_parquet(target / "*.parquet").select(pl.len()).collect().item()
                    print(f"shards: {size / rows:.1f} bytes an event, {rows:,} events")
    print(f"{'':28}{'backend':9}{'wall':>18}{'this process':>18}{'in batches':>18}   seconds per million events")
    for what, backend in dict.fromkeys((what, backend) for what, backend, _ in found):
        cells = [found[what, backend, name] for name in ("wall", "here", "batches")]
        texts = [f"{statistics.median(cell):.2f} ({min(cell):.2f}-{max(cell):.2f})" for cell in cells]
        print(f"{what:28}{backend:9}" + "".join(f"{text:>18}" for text in texts), flush=True)


if __name__ == "__main__":
    main(*(int(each) for each in (sys.argv[1:] + ["3", "500000"][len(sys.argv) - 1 :])))
