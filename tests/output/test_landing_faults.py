"""Runs that are killed, starved of space or refused: what stays is whole, and a resumed run ends as if nothing were."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest

import synode_df as sd
from tests.output.test_landing import landed, manifest_of
from tests.run.scenarios import ROOT, calling, persona, products, shop

OPTIONS: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7, "batch_size": 100}
USERS = 20_000

SCRIPT = """
import sys
import synode_df as sd
from tests.output.test_landing_faults import OPTIONS, USERS, shop
target, n_jobs, keys = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
adapter = sd.ParquetAdapter(target, resume=True, partition_by=keys)
sd.generate(shop(), users=USERS, adapter=adapter, n_jobs=n_jobs, progress=False, **OPTIONS)
"""


def started(target: Path, *, n_jobs: int, keys: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """A run in a process of its own, once its first shards have landed."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(target), str(n_jobs), *keys],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while process.poll() is None and not next(target.glob("**/*.parquet"), None):
        assert time.monotonic() < until, "the run did not start"
        time.sleep(0.005)
    return process


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], dict[str, Any]]:
    """What uninterrupted runs end with, by their partitions."""
    folder = tmp_path_factory.mktemp("whole")
    manifests = {}
    for keys in ((), ("event",)):
        adapter = sd.ParquetAdapter(folder / "-".join(["events", *keys]), partition_by=keys)
        sd.generate(shop(), users=USERS, adapter=adapter, **OPTIONS)
        manifests[keys] = manifest_of(Path(adapter.path))
    return manifests


def check_resumed(target: Path, keys: tuple[str, ...], whole: dict[tuple[str, ...], dict[str, Any]]) -> None:
    """Resume, and compare everything with an uninterrupted run."""
    adapter = sd.ParquetAdapter(target, resume=True, partition_by=keys)
    report = sd.generate(shop(), users=USERS, adapter=adapter, **OPTIONS)
    manifest = manifest_of(target)
    assert manifest["content_hash"] == whole[keys]["content_hash"]
    assert manifest["tally"] == whole[keys]["tally"]
    assert report.telemetry.users == USERS
    files = {str(file.relative_to(target)) for file in target.rglob("*") if file.is_file()}
    assert files == {"_manifest.json", *(each["name"] for shard in manifest["shards"] for each in shard["files"])}
    assert sd.verify(target).height == 0


def check_that_a_killed_run_resumes(tmp_path: Path, whole: dict[tuple[str, ...], dict[str, Any]], seed: int) -> None:
    """Kill the parent or a worker at a random moment, look at what is there, resume."""
    chance = random.Random(seed)
    keys = chance.choice([(), ("event",)])
    n_jobs = chance.choice([1, 2])
    of_worker = n_jobs == 2 and chance.random() < 0.5
    target = tmp_path / f"events-{seed}"
    process = started(target, n_jobs=n_jobs, keys=keys)
    time.sleep(chance.uniform(0, 1.5))
    try:
        workers = [
            child
            for child in psutil.Process(process.pid).children(recursive=True)
            if any("loky" in part and "resource_tracker" not in part for part in child.cmdline())
        ]
        victims = workers[:1] if of_worker and workers else []
        for victim in victims or [psutil.Process(process.pid)]:
            victim.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        pass  # it was faster than we
    process.wait(60)
    for file in target.glob("**/*.parquet"):
        pl.read_parquet(file)  # whole, all of them
    check_resumed(target, keys, whole)


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_run_resumes(tmp_path: Path, whole: dict[Any, Any], seed: int) -> None:
    check_that_a_killed_run_resumes(tmp_path, whole, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4, 24))
def test_a_killed_run_resumes_whenever_it_was(tmp_path: Path, whole: dict[Any, Any], seed: int) -> None:
    check_that_a_killed_run_resumes(tmp_path, whole, seed)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_leaves_what_a_resumed_run_goes_on_with(tmp_path: Path, whole: dict[Any, Any], n_jobs: int) -> None:
    target = tmp_path / "events"
    process = started(target, n_jobs=n_jobs)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.wait(30)
    check_resumed(target, (), whole)


def test_a_second_process_is_refused_until_the_first_is_dead(tmp_path: Path, whole: dict[Any, Any]) -> None:
    target = tmp_path / "events"
    process = started(target, n_jobs=1)
    process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(sd.SynodeError, match="Another run is writing"):
            check_resumed(target, (), whole)
    finally:
        process.kill()
        process.wait(30)
    check_resumed(target, (), whole)


def mounted(folder: Path, options: str) -> None:
    """Mount a file system in memory, or skip where that is not allowed."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount a small file system: {done.stderr.strip()}")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted(folder, "size=400k")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_full_disk_is_told_and_the_run_resumes_when_there_is_space(small: Path, n_jobs: int) -> None:
    target = small / "events"
    with pytest.raises(sd.SynodeError) as raised:
        landed(target, users=10_000, batch_size=500, n_jobs=n_jobs)
    assert raised.value.code == "OUTPUT_ERROR"
    assert "space" in (raised.value.suggestion or "")
    for file in target.glob("*.parquet"):
        pl.read_parquet(file)
    assert list(target.rglob("*.tmp")) == []
    subprocess.run(["mount", "-o", "remount,size=50M", str(small)], check=True)
    resumed = landed(target, users=10_000, batch_size=500, n_jobs=n_jobs, resume=True)
    assert list(target.rglob("*.tmp")) == []
    assert resumed["content_hash"] == landed(small / "whole", users=10_000, batch_size=500)["content_hash"]


def test_a_read_only_target_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    folder.mkdir()
    mounted(folder, "size=400k,ro")
    try:
        for name in ("events", "events.parquet"):
            with pytest.raises(sd.SynodeError) as raised:
                sd.generate(shop(), users=10, adapter=sd.ParquetAdapter(folder / name), **OPTIONS)
            assert raised.value.code == "OUTPUT_ERROR"
            assert "permissions" in (raised.value.suggestion or "")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_value_too_long_for_a_folder_name_is_an_output_error(tmp_path: Path) -> None:
    def long_winded(ctx: sd.SynodeContext) -> list[sd.Event]:
        return [ctx.event("x" * 300)]

    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(calling(long_winded), users=3, adapter=sd.ParquetAdapter(tmp_path / "e", partition_by="event"))
    assert raised.value.code == "OUTPUT_ERROR"


FINGERPRINTS = """
import json, polars as pl, synode_df as sd
from synode_df.model.fingerprint import fingerprint
from tests.run.scenarios import shop, persona, calling
factor = 3
def handler(ctx, words=frozenset({"a", "b", "c"})):
    return [ctx.event(value=factor * len(words))]
things = [shop(), persona(), calling(handler), pl.DataFrame({"a": [1, None]}), sd.Persona("p", {"x": lambda ctx: ctx.user_index})]
print(json.dumps([fingerprint(each) for each in things]))
"""


def test_declarations_have_the_same_fingerprints_in_every_process() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", FINGERPRINTS],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(found) == 1
    prints = json.loads(found.pop())
    assert len(set(prints)) == len(prints)
