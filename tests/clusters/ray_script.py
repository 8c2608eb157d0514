"""The same data from Ray, and what becomes of a run whose workers are killed. Run by `make ray`; needs the extra `ray`.

Not part of the tests that run on every change: Ray takes about a gigabyte of memory and, with what it installs, 400 MB
of disk. Ends with an error where something does not hold.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import polars as pl

import synode_df as sd
from tests.hashing import content_hash
from tests.run.scenarios import calling, filling, left_behind, persona, products, shop

SHOP: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7}
USERS = 300_000


@contextmanager
def step(what: str) -> Iterator[None]:
    """Tell what is done and how long it took."""
    began = time.perf_counter()
    yield
    print(f"{time.perf_counter() - began:7.2f} s  {what}", flush=True)


def shards(target: Path) -> pl.DataFrame:
    """What landed: one file for each batch, nothing unfinished."""
    files = sorted(target.rglob("*.parquet"))
    assert {each for each in target.rglob("*") if each.is_file()} == {*files, target / "_manifest.json"}
    return pl.concat([pl.read_parquet(file) for file in files])


def same_data(folder: Path) -> None:
    """Frames, shards, with and without a bound on the batches under way."""
    with step(f"{USERS:,} users in this process"):
        alone = content_hash(sd.generate_df(shop(), users=USERS, **SHOP))
    for n_jobs in (-1, 2):
        with step(f"frames from Ray, n_jobs={n_jobs}"):
            found = sd.generate_df(shop(), users=USERS, n_jobs=n_jobs, **SHOP)
        assert content_hash(found) == alone
        target = folder / f"events-{n_jobs}"
        with step(f"shards from Ray, n_jobs={n_jobs}"):
            sd.generate(shop(), users=USERS, n_jobs=n_jobs, adapter=sd.ParquetAdapter(target), **SHOP)
        assert content_hash(shards(target)) == alone
    with joblib.parallel_config(backend="loky"), step("frames from two processes of joblib, with their start"):
        sd.generate_df(shop(), users=USERS, n_jobs=2, **SHOP)
    with joblib.parallel_config(backend="loky"), step("shards from two processes of joblib"):
        sd.generate(shop(), users=USERS, n_jobs=2, adapter=sd.ParquetAdapter(folder / "loky"), **SHOP)
    assert left_behind(os.getpid()) == []


def errors() -> None:
    """One error, with the place and the user."""

    def land(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index >= 33:
            raise KeyError("sku")
        return [ctx.event()]

    with step("a handler that raises"):
        try:
            sd.generate_df(calling(land), users=100, batch_size=10, n_jobs=-1, seed=5)
        except sd.SynodeError as error:
            assert error.code == "HANDLER_ERROR", error
            assert "user=33" in str(error.replay)
            assert isinstance(error.__cause__, KeyError)
        else:
            raise AssertionError("it was lost")


def lost_workers(folder: Path) -> None:
    """One that dies once costs a batch; a batch that kills each of its workers ends the run by name."""
    died = folder / "died"

    def land(ctx: sd.SynodeContext) -> list[sd.Event]:
        time.sleep(0.001)
        if ctx.user_index == 133 and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return [ctx.event(value=ctx.user_index)]

    def lethal(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index == 33:
            os.kill(os.getpid(), signal.SIGKILL)
        return [ctx.event()]

    with step("a worker killed in the middle"):
        target = folder / "killed"
        sd.generate(calling(land), users=400, batch_size=10, n_jobs=-1, seed=1, adapter=sd.ParquetAdapter(target))
    assert died.exists()
    assert shards(target)["value"].to_list() == list(range(400))
    with step("a batch that kills every worker"):
        try:
            sd.generate_df(calling(lethal), users=100, batch_size=10, n_jobs=-1)
        except sd.SynodeError as error:
            assert error.code == "WORKER_DIED", error
            assert "users 30 to 39 " in error.message, error
        else:
            raise AssertionError("it was lost")


def control_c(folder: Path) -> None:
    """What was finished is handed over, and Ray works on."""
    far = folder / "far"

    def slow(ctx: sd.SynodeContext) -> list[sd.Event]:
        time.sleep(0.002)
        if ctx.user_index == 300:
            far.touch()
        return [ctx.event(value=ctx.user_index)]

    def interrupt() -> None:
        while not far.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    with step("Ctrl-C on the way"):
        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            sd.generate_df(calling(slow), users=4_000, batch_size=10, n_jobs=-1)
        except sd.GenerationInterrupted as interrupted:
            found = interrupted.partial["value"].to_list()
            assert found == list(range(len(found)))
            assert 0 < len(found) < 4_000
        else:
            raise AssertionError("it was lost")
        thread.join()
    with step("a run after it"):
        assert sd.generate_df(filling(1), users=20, batch_size=5, n_jobs=-1).height == 20


def main() -> None:
    """All of it, on a Ray cluster on this machine."""
    with step("import ray"):
        import ray
        from ray.util.joblib import register_ray
    with step("start a cluster of two processors"):
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        register_ray()
    with tempfile.TemporaryDirectory() as folder, joblib.parallel_config(backend="ray"):
        same_data(Path(folder))
        errors()
        lost_workers(Path(folder))
        control_c(Path(folder))
    ray.shutdown()
    print(f"Ray {ray.__version__}, Python {sys.version_info[0]}.{sys.version_info[1]}: all holds")


if __name__ == "__main__":
    main()
