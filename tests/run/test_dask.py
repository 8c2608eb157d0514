"""A real Dask cluster of two worker processes: the same data, and what goes wrong there."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import joblib
import polars as pl
import pytest
from distributed import Client, LocalCluster
from polars.testing import assert_frame_equal

import synode_df as sd
from tests.hashing import content_hash
from tests.run.scenarios import calling, filling, left_behind, persona, products, shop

SHOP: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7}


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    # A local cluster gives up a worker that is seen missing some seconds after it was lost, also if it was lost again.
    patient = {"distributed.deploy.lost-worker-timeout": "1h"}
    how = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with dask.config.set(patient), LocalCluster(**how) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[Client]:
    """Both workers up, and joblib told to use them."""
    with Client(cluster) as client, joblib.parallel_config(backend="dask"):
        client.wait_for_workers(2, timeout=60)
        yield client


@pytest.fixture(scope="module")
def sequential() -> pl.DataFrame:
    return sd.generate_df(shop(), users=1_000, **SHOP)


def workers_of(client: Client) -> list[int]:
    return list(client.run(os.getpid).values())


def slow(seconds: float) -> sd.Journey:
    def land(ctx: sd.SynodeContext) -> list[sd.Event]:
        time.sleep(seconds)
        return [ctx.event(value=ctx.user_index)]

    return calling(land)


def lethal(user: int, *, once: Path | None = None) -> sd.Journey:
    """A handler that ends its worker's process at a user: always, or the first time only."""

    def land(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index == user and not (once is not None and once.exists()):
            if once is not None:
                once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return [ctx.event(value=ctx.user_index)]

    return calling(land)


class Counting(sd.ParquetAdapter):
    """Notes which batches were handed over."""

    def open(self) -> None:
        super().open()
        self.taken: list[tuple[int, int]] = []

    def take_shard(self, shard: Any, schema: pl.Schema, tally: Any) -> None:
        self.taken.append((shard.first_user, shard.end_user))
        super().take_shard(shard, schema, tally)


def landed(adapter: Counting) -> pl.DataFrame:
    """What is in the target: each batch once, and nothing but whole shards."""
    files = sorted(adapter.path.rglob("*.parquet"))
    assert len(files) == len(adapter.taken)
    assert [first for first, _ in adapter.taken] == sorted({first for first, _ in adapter.taken})
    assert {each for each in adapter.path.rglob("*") if each.is_file()} == {*files, adapter.path / "_manifest.json"}
    return pl.concat([pl.read_parquet(file) for file in files])


def test_frames_have_the_same_hash_as_in_one_process(client: Client, sequential: pl.DataFrame) -> None:
    found = sd.generate_df(shop(), users=1_000, batch_size=70, n_jobs=-1, **SHOP)
    assert content_hash(found) == content_hash(sequential)


@pytest.mark.parametrize("n_jobs", [-1, 2, 1_000])
def test_shards_have_the_same_hash_as_in_one_process(
    client: Client, sequential: pl.DataFrame, n_jobs: int, tmp_path: Path
) -> None:
    adapter = Counting(tmp_path / "events")
    sd.generate(shop(), users=1_000, batch_size=70, n_jobs=n_jobs, adapter=adapter, **SHOP)
    assert content_hash(landed(adapter)) == content_hash(sequential)


def test_batches_run_in_the_workers(client: Client) -> None:
    found = sd.generate_df(filling(lambda ctx: os.getpid()), users=200, batch_size=5, n_jobs=-1)
    assert set(found["value"]) == set(workers_of(client))


def test_n_jobs_bounds_the_batches_under_way(client: Client, tmp_path: Path) -> None:
    """One at a time: no two batches overlap."""

    def land(ctx: sd.SynodeContext) -> list[sd.Event]:
        began = time.perf_counter()
        time.sleep(0.02)
        return [ctx.event(began=began, ended=time.perf_counter())]

    module = calling(land)
    scenario = sd.WorkerPool(_job_of(module), n_jobs=1)
    spans = [each.events for each in scenario.run([(index, index + 1) for index in range(12)], frames=True)]
    ordered = pl.concat([each for each in spans if each is not None]).sort("began")
    assert (ordered["began"].to_numpy()[1:] >= ordered["ended"].to_numpy()[:-1]).all()


def _job_of(journey: sd.Journey) -> Callable[[], Any]:
    from synode_df.run.options import declarations
    from synode_df.run.work import Job

    scenario = declarations(journey, seed=1).scenario()
    return lambda: Job(scenario)


def test_each_worker_unpacks_the_declarations_once_and_no_file_is_needed(client: Client, tmp_path: Path) -> None:
    log = tmp_path / "unpacked"

    class Logged:
        def __getstate__(self) -> dict[str, Any]:
            return {"table": list(range(300_000))}  # large enough for Dask to warn of, were it sent with each batch

        def __setstate__(self, state: dict[str, Any]) -> None:
            with log.open("a") as file:
                file.write(f"{os.getpid()}\n")

        def __call__(self, ctx: sd.SynodeContext) -> int:
            return os.getpid()

    class Watching(sd.OutputAdapter):
        files = 0

        def write(self, batch: pl.DataFrame) -> None:
            self.files += len(left_behind(os.getpid()))

    watching = Watching()
    sd.generate(filling(Logged()), users=400, adapter=watching, n_jobs=-1, batch_size=10)
    assert sorted(map(int, log.read_text().split())) == sorted(workers_of(client))
    assert watching.files == 0


def test_frames_waiting_for_a_slow_adapter_are_bounded(client: Client, tmp_path: Path) -> None:
    made = tmp_path / "made"

    def land(ctx: sd.SynodeContext) -> list[sd.Event]:
        with made.open("a") as file:
            file.write(".")
        return [ctx.event()]

    class Slow(sd.OutputAdapter):
        most = taken = 0

        def write(self, batch: pl.DataFrame) -> None:
            time.sleep(0.01)
            self.most = max(self.most, made.stat().st_size - self.taken)
            self.taken += 1

    adapter = Slow()
    sd.generate(calling(land), users=200, batch_size=1, n_jobs=-1, adapter=adapter)
    assert adapter.taken == 200
    assert 0 < adapter.most <= 4 * 4 + 2  # two threads, two batches each, four waiting for each of those


@pytest.mark.parametrize("raised", [KeyError("sku"), SystemExit("enough"), KeyboardInterrupt("enough")])
def test_a_handler_that_raises(client: Client, raised: BaseException) -> None:
    def land(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index >= 33:
            raise raised
        return [ctx.event()]

    with pytest.raises((sd.SynodeError, SystemExit, sd.GenerationInterrupted)) as caught:
        sd.generate_df(calling(land), users=100, batch_size=10, n_jobs=-1, seed=5)
    if not isinstance(raised, Exception):  # as in this process
        assert isinstance(caught.value, SystemExit if isinstance(raised, SystemExit) else sd.GenerationInterrupted)
        return
    error = caught.value
    assert isinstance(error, sd.SynodeError)
    assert error.code == "HANDLER_ERROR"
    assert error.path == "Journey 'visit' > Adventure 'look' > Action 'land'"
    assert error.replay is not None
    assert "user=33" in error.replay
    assert isinstance(error.__cause__, KeyError)


def test_declarations_that_cannot_travel(client: Client) -> None:
    lock = threading.Lock()
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(filling(lambda ctx: str(lock)), users=10, n_jobs=-1)
    assert raised.value.code == "NOT_PICKLABLE"


def test_a_worker_killed_from_outside_costs_nothing_but_time(
    client: Client, sequential: pl.DataFrame, tmp_path: Path
) -> None:
    """SIGKILL in the middle of a run: the hash is that of one process, each batch landed once."""
    alone = sd.generate_df(slow(0), users=400, seed=1, n_jobs=1)
    adapter = Counting(tmp_path / "events")
    killed: list[int] = []

    def kill() -> None:
        while len(list(adapter.path.glob("**/*.parquet"))) < 5:
            time.sleep(0.01)
        killed.append(victims[0])
        os.kill(victims[0], signal.SIGKILL)

    victims = workers_of(client)
    killer = threading.Thread(target=kill)
    killer.start()
    sd.generate(slow(0.004), users=400, batch_size=10, n_jobs=-1, adapter=adapter, seed=1)
    killer.join()
    assert killed == victims[:1]
    assert set(workers_of(client)) != set(victims), "nobody was killed"
    assert len(adapter.taken) == 40
    assert content_hash(landed(adapter)) == content_hash(alone)


@pytest.mark.parametrize("frames", [True, False])
def test_a_batch_that_ends_its_worker_once_is_tried_again(client: Client, frames: bool, tmp_path: Path) -> None:
    journey = lethal(33, once=tmp_path / "died")
    if frames:
        found = sd.generate_df(journey, users=100, batch_size=10, n_jobs=-1)
    else:
        adapter = Counting(tmp_path / "events")
        sd.generate(journey, users=100, batch_size=10, n_jobs=-1, adapter=adapter)
        found = landed(adapter)
    assert (tmp_path / "died").exists()
    assert found["value"].to_list() == list(range(100))


def test_a_batch_that_ends_every_worker_ends_the_run_by_name(client: Client) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(lethal(33), users=100, batch_size=10, n_jobs=-1)
    assert raised.value.code == "WORKER_DIED"
    assert "users 30 to 39 " in raised.value.message
    client.wait_for_workers(2, timeout=60)
    assert sd.generate_df(filling(1), users=20, batch_size=5, n_jobs=-1).height == 20


def test_a_cluster_that_is_restarted_loses_the_job_too_and_the_run_goes_on(client: Client) -> None:
    timer = threading.Timer(0.5, client.restart, kwargs={"wait_for_workers": False})
    timer.start()
    found = sd.generate_df(slow(0.005), users=400, batch_size=10, n_jobs=-1)
    timer.join()
    assert found["value"].to_list() == list(range(400))


def test_a_cluster_without_workers_ends_in_one_error() -> None:
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask", wait_for_workers_timeout=1),
        pytest.raises(sd.SynodeError) as raised,
    ):
        sd.generate_df(filling(1), users=10, n_jobs=-1)
    assert raised.value.code == "WORKER_DIED"
    assert raised.value.message == "The Dask cluster has had no worker for 1 seconds"


def test_a_cluster_that_loses_all_its_workers_waits_for_new_ones(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("synode_df.run.dask_cluster._RETURN", 2.0)
    adapter = Counting(tmp_path / "events")

    def retire(after: int) -> None:
        while len(list(adapter.path.glob("**/*.parquet"))) < after:
            time.sleep(0.01)
        cluster.scale(0)
        while client.ncores():
            time.sleep(0.01)

    def come_and_go() -> None:
        retire(after=3)
        cluster.scale(1)
        retire(after=10)

    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        joblib.parallel_config(backend="dask", wait_for_workers_timeout=1),
    ):
        thread = threading.Thread(target=come_and_go)
        thread.start()
        with pytest.raises(sd.SynodeError) as raised:
            sd.generate(slow(0.01), users=1_000, batch_size=10, adapter=adapter, n_jobs=-1)
        thread.join()
    assert raised.value.message == "The Dask cluster has had no worker for 2 seconds"
    assert len(adapter.taken) > 3
    for first, end in adapter.taken:
        assert pl.read_parquet(adapter.path / f"events-{first:012d}.parquet")["value"].to_list() == list(
            range(first, end)
        )


def test_a_client_that_is_closed_ends_in_one_error(cluster: LocalCluster) -> None:
    client = Client(cluster, set_as_default=False)
    with joblib.parallel_config(backend="dask", client=client), pytest.raises(sd.SynodeError) as raised:
        timer = threading.Timer(0.5, client.close)
        timer.start()
        sd.generate_df(slow(0.01), users=400, batch_size=10, n_jobs=-1)
    timer.join()
    assert raised.value.code == "WORKER_DIED"


def test_control_c_hands_over_what_was_finished(client: Client, tmp_path: Path) -> None:
    far = tmp_path / "far"

    def land(ctx: sd.SynodeContext) -> list[sd.Event]:
        time.sleep(0.002)
        if ctx.user_index == 300:
            far.touch()
        return [ctx.event(value=ctx.user_index)]

    def interrupt() -> None:
        while not far.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(sd.GenerationInterrupted) as raised:
        sd.generate_df(calling(land), users=4_000, batch_size=10, n_jobs=-1)
    thread.join()
    partial = raised.value.partial["value"].to_list()
    assert partial == list(range(len(partial)))
    assert 0 < len(partial) < 4_000
    began = time.perf_counter()
    while any(client.processing().values()):
        assert time.perf_counter() - began < 30, "batches nobody wants are still run"
        time.sleep(0.05)
    assert sd.generate_df(filling(1), users=20, batch_size=5, n_jobs=-1).height == 20
    assert set(client.run(os.getpid).values()) == set(workers_of(client))


def test_a_run_that_lost_its_cluster_is_resumed_on_another_backend(sequential: pl.DataFrame, tmp_path: Path) -> None:
    target = tmp_path / "events"
    first = Counting(target)

    def leave() -> None:
        while len(list(target.glob("**/*.parquet"))) < 5:
            time.sleep(0.005)
        client.close()

    with LocalCluster(n_workers=1, processes=False, threads_per_worker=1, dashboard_address=":0") as cluster:
        client = Client(cluster, set_as_default=False)
        thread = threading.Thread(target=leave)
        thread.start()
        with joblib.parallel_config(backend="dask", client=client), pytest.raises(sd.SynodeError) as raised:
            sd.generate(shop(), users=1_000, batch_size=2, adapter=first, n_jobs=-1, **SHOP)
        thread.join()
    assert raised.value.code == "WORKER_DIED"
    again = Counting(target, resume=True)
    sd.generate(shop(), users=1_000, batch_size=2, adapter=again, n_jobs=2, **SHOP)
    assert 0 < len(again.taken) < 500
    assert content_hash(
        pl.concat([pl.read_parquet(file) for file in sorted(target.glob("*.parquet"))])
    ) == content_hash(sequential)


def test_a_cluster_of_threads_in_this_process(sequential: pl.DataFrame) -> None:
    with (
        LocalCluster(n_workers=1, threads_per_worker=3, processes=False, dashboard_address=":0") as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        found = sd.generate_df(shop(), users=1_000, batch_size=70, n_jobs=-1, **SHOP)
    assert_frame_equal(found, sequential)


def test_workers_that_do_not_fit_are_told_of() -> None:
    """Of another version, and without the package."""

    def age() -> None:
        import synode_df.run.exchange

        synode_df.run.exchange.__version__ = "0.0.1"

    def hide() -> None:
        import sys

        sys.modules["synode_df.run.exchange"] = None  # type: ignore[assignment]  # "import halted", says Python

    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        found = []
        for spoil in (hide, age):
            client.restart()
            client.run(spoil)
            with pytest.raises(sd.SynodeError) as raised:
                sd.generate_df(filling(1), users=10, n_jobs=-1)
            found.append(raised.value)
    missing, older = found
    assert missing.code == older.code == "WORKER_MISMATCH"
    assert "synode_df.run.exchange" in missing.message
    assert older.expected == f"synode_df {sd.__version__}, Python {sys.version_info[0]}.{sys.version_info[1]}"
    assert older.received == older.expected.replace(sd.__version__, "0.0.1")
