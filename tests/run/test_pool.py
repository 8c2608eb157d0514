"""The worker pool: every backend gives the frame that one process gives, and keeps to its share of the machine."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import joblib
import polars as pl
import pytest
from joblib.parallel import LokyBackend
from polars.testing import assert_frame_equal

import synode_df as sd
from synode_df.run.work import Job
from tests.run.scenarios import filling, left_behind, persona, products, run_script, shop

SHOP: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7}


@pytest.fixture(scope="module")
def sequential() -> pl.DataFrame:
    return sd.generate_df(shop(), users=1_000, **SHOP)


@pytest.mark.parametrize("n_jobs", [1, 2, -1])
def test_frame_is_the_same_for_any_number_of_workers(n_jobs: int, sequential: pl.DataFrame) -> None:
    assert_frame_equal(sd.generate_df(shop(), users=1_000, n_jobs=n_jobs, batch_size=130, **SHOP), sequential)


@pytest.mark.parametrize("backend", ["threading", "sequential", "loky"])
def test_frame_is_the_same_on_any_backend(backend: str, sequential: pl.DataFrame) -> None:
    with joblib.parallel_config(backend=backend):
        found = sd.generate_df(shop(), users=1_000, n_jobs=2, batch_size=130, **SHOP)
    assert_frame_equal(found, sequential)


class Distant(LokyBackend):
    """A backend of which nothing is known: its workers share no memory and no files, as Spark's."""

    supports_return_generator = False


class DistantOneByOne(LokyBackend):
    """The same, but for handing out what is done before all is."""


@pytest.mark.parametrize("kind", [Distant, DistantOneByOne])
def test_frame_and_shards_are_the_same_on_a_backend_nobody_has_heard_of(
    kind: type, sequential: pl.DataFrame, tmp_path: Path
) -> None:
    files = Counter()

    class Watching(sd.InMemoryAdapter):
        def write(self, batch: pl.DataFrame) -> None:
            files.update(left_behind(os.getpid()))
            super().write(batch)

    joblib.register_parallel_backend("distant", kind)
    with joblib.parallel_config(backend="distant"):
        adapter = Watching()
        sd.generate(shop(), users=1_000, n_jobs=2, batch_size=13, adapter=adapter, **SHOP)
        sd.generate(
            shop(), users=1_000, n_jobs=2, batch_size=130, adapter=sd.ParquetAdapter(tmp_path / "events"), **SHOP
        )
        with pytest.raises(sd.SynodeError) as raised:
            sd.generate_df(filling(lambda ctx: os._exit(3)), users=10, n_jobs=2, batch_size=1)
    assert_frame_equal(adapter.events, sequential)
    assert files == Counter()
    assert_frame_equal(sd.scan(tmp_path / "events").collect(), sequential)
    assert raised.value.code == "WORKER_DIED"


def test_a_backend_that_forks_is_refused() -> None:
    """Polars' threads do not live on in a fork: the run would wait for ever."""
    with joblib.parallel_config(backend="multiprocessing"), pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(shop(), users=100, n_jobs=2, batch_size=10, **SHOP)
    assert raised.value.code == "INVALID_OPTION"
    assert raised.value.path == "joblib.parallel_config"


def test_threads_take_what_cannot_be_pickled() -> None:
    lock = threading.Lock()
    with joblib.parallel_config(backend="threading"):
        found = sd.generate_df(filling(lambda ctx: lock.locked()), users=20, n_jobs=2, batch_size=2)
    assert found["value"].to_list() == [False] * 20


@pytest.mark.parametrize("size", [1, 7, 4_096])
def test_frame_is_the_same_for_any_batch_size_in_workers(size: int, sequential: pl.DataFrame) -> None:
    found = sd.generate_df(shop(), users=60, n_jobs=2, batch_size=size, **SHOP)
    assert_frame_equal(found, sequential.head(found.height))


def test_no_users_give_a_typed_empty_frame_from_workers(sequential: pl.DataFrame) -> None:
    found = sd.generate_df(shop(), users=0, n_jobs=2, **SHOP)
    assert found.schema == sequential.schema
    assert found.height == 0


def test_fewer_batches_than_workers(sequential: pl.DataFrame) -> None:
    found = sd.generate_df(shop(), users=10, n_jobs=4, **SHOP)
    assert_frame_equal(found, sequential.head(found.height))


def test_a_range_of_users_is_that_slice_of_the_population(sequential: pl.DataFrame) -> None:
    pieces = [
        sd.generate_df(shop(), users=users, n_jobs=n_jobs, batch_size=64, **SHOP)
        for users, n_jobs in ((range(300), 1), (range(300, 555), 2), (range(555, 1_000), 2))
    ]
    assert_frame_equal(pl.concat(pieces), sequential)


def test_a_range_far_out_in_the_population_is_the_same_from_workers() -> None:
    users = range(5_000_000, 5_000_100)
    alone = sd.generate_df(shop(), users=users, **SHOP)
    assert_frame_equal(sd.generate_df(shop(), users=users, n_jobs=2, batch_size=11, **SHOP), alone)


def test_the_threading_backend_runs_in_this_process() -> None:
    with joblib.parallel_config(backend="threading"):
        found = sd.generate_df(filling(lambda ctx: os.getpid()), users=20, n_jobs=2, batch_size=2)
    assert set(found["value"]) == {os.getpid()}


def test_loky_is_the_default_and_runs_in_other_processes() -> None:
    found = sd.generate_df(filling(lambda ctx: os.getpid()), users=20, n_jobs=2, batch_size=2)
    assert os.getpid() not in set(found["value"])


def test_handlers_callables_and_lambdas_travel() -> None:
    factor = 3

    def land(ctx: sd.SynodeContext) -> list[sd.Event]:
        ctx.set("luck", ctx.random.random() * factor)
        return [ctx.event(luck=ctx.get("luck")) for _ in range(ctx.random.randint(0, 3))]

    journey = sd.Journey(
        "visit",
        [
            sd.Adventure(
                "look",
                [
                    sd.Action("land", handler=land),
                    sd.Action("view", fields={"double": pl.col("luck") * 2, "half": lambda ctx: ctx.get("luck") / 2}),
                ],
            )
        ],
    )
    alone = sd.generate_df(journey, users=200, seed=3)
    assert_frame_equal(sd.generate_df(journey, users=200, seed=3, n_jobs=2, batch_size=17), alone)


def test_each_worker_unpacks_the_declarations_once(tmp_path: Path) -> None:
    log = tmp_path / "unpacked"

    class Logged:
        def __init__(self, log: Path) -> None:
            self.log = log

        def __setstate__(self, state: dict[str, Any]) -> None:
            self.__dict__.update(state)
            with self.log.open("a") as file:
                file.write(f"{os.getpid()}\n")

        def __call__(self, ctx: sd.SynodeContext) -> int:
            return os.getpid()

    found = sd.generate_df(filling(Logged(log)), users=400, n_jobs=2, batch_size=10)
    unpacked = Counter(map(int, log.read_text().split()))
    assert set(unpacked.values()) == {1}
    assert set(unpacked) == set(found["value"])


def test_each_worker_gets_the_datasets_with_the_declarations() -> None:
    table = sd.Dataset.from_frame("table", pl.DataFrame({"key": range(50_000)}))
    land = sd.Action("land", remember={"row": sd.pick("table")}, fields={"value": pl.col("row").struct.field("key")})
    journey = sd.Journey("visit", [sd.Adventure("look", [land])])
    alone = sd.generate_df(journey, users=300, preloaded_datasets=[table], seed=1)
    found = sd.generate_df(journey, users=300, preloaded_datasets=[table], seed=1, n_jobs=2, batch_size=50)
    assert_frame_equal(found, alone)


def test_a_second_run_in_warm_workers_sees_its_own_declarations() -> None:
    frames = [sd.generate_df(filling(value), users=50, n_jobs=2, batch_size=5, seed=1) for value in (1, 2, 3, 4, 5)]
    assert [set(frame["value"]) for frame in frames] == [{1}, {2}, {3}, {4}, {5}]


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
def test_polars_threads_are_bounded_in_workers() -> None:
    found = sd.generate_df(filling(lambda ctx: pl.thread_pool_size()), users=40, n_jobs=2, batch_size=4)
    assert set(found["value"]) == {max(1, joblib.cpu_count() // 2)}


def test_polars_threads_asked_for_by_the_user_stand(tmp_path: Path) -> None:
    script = tmp_path / "threads.py"
    script.write_text(
        "import polars as pl, synode_df as sd\n"
        "from tests.run.scenarios import filling\n"
        "journey = filling(lambda ctx: pl.thread_pool_size())\n"
        "print(set(sd.generate_df(journey, users=8, n_jobs=2, batch_size=2)['value']))\n"
    )
    assert run_script(script, POLARS_MAX_THREADS="3").strip() == "{3}"


def test_what_the_user_told_joblib_is_left_alone() -> None:
    def mark(text: str) -> None:
        os.environ["SYNODE_DF_TEST_MARK"] = text

    with joblib.parallel_config(backend="loky", initializer=mark, initargs=("mine",)):
        found = sd.generate_df(
            filling(lambda ctx: os.environ.get("SYNODE_DF_TEST_MARK", "")), users=8, n_jobs=2, batch_size=2
        )
    assert set(found["value"]) == {"mine"}


def test_frames_waiting_for_the_parent_are_bounded() -> None:
    """A slow consumer is not buried under frames: workers get new batches in waves."""

    class Slow(sd.OutputAdapter):
        most = 0

        def write(self, batch: pl.DataFrame) -> None:
            waiting = [file for folder in left_behind(os.getpid()) for file in folder.glob("*.arrow")]
            self.most = max(self.most, len(waiting))

    slow = Slow()
    sd.generate(shop(), users=2_000, adapter=slow, n_jobs=2, batch_size=10, **SHOP)
    assert 0 < slow.most <= 16


def test_nothing_temporary_is_left_behind() -> None:
    sd.generate_df(shop(), users=200, n_jobs=2, batch_size=20, **SHOP)
    assert left_behind(os.getpid()) == []


def test_an_adapter_that_fails_ends_the_run_and_leaves_nothing_behind(sequential: pl.DataFrame) -> None:
    class Full(sd.OutputAdapter):
        closed = 0

        def write(self, batch: pl.DataFrame) -> None:
            raise OSError("no space left")

        def close(self) -> None:
            self.closed += 1

    full = Full()
    with pytest.raises(OSError, match="no space left"):
        sd.generate(shop(), users=1_000, adapter=full, n_jobs=2, batch_size=10, **SHOP)
    assert full.closed == 1
    assert left_behind(os.getpid()) == []
    assert_frame_equal(sd.generate_df(shop(), users=1_000, n_jobs=2, batch_size=130, **SHOP), sequential)


def test_batches_reach_an_adapter_in_order_of_users() -> None:
    class Order(sd.OutputAdapter):
        def open(self) -> None:
            self.users: list[int] = []

        def write(self, batch: pl.DataFrame) -> None:
            self.users += batch["value"].to_list()

    order = Order()
    sd.generate(filling(pl.col("user_index")), users=500, adapter=order, n_jobs=2, batch_size=7)
    assert order.users == list(range(500))


def test_the_report_of_workers_counts_what_one_process_counts() -> None:
    one, two = (
        sd.generate(shop(), users=1_000, adapter=sd.InMemoryAdapter(), n_jobs=n_jobs, batch_size=100, **SHOP)
        for n_jobs in (1, 2)
    )
    for part in ("journeys", "adventures", "actions"):
        assert_frame_equal(getattr(two.telemetry, part), getattr(one.telemetry, part))
    assert_frame_equal(two.users, one.users)


def test_worker_pool_by_itself() -> None:
    """The class is public: it runs any job, and hands back outcomes in order."""
    from synode_df.run.options import declarations

    scenario = declarations(filling(1), seed=1).scenario()
    pool = sd.WorkerPool(lambda: Job(scenario), n_jobs=2)
    outcomes = list(pool.run([(0, 5), (5, 6), (6, 20)], frames=True))
    assert [(each.first_user, each.end_user) for each in outcomes] == [(0, 5), (5, 6), (6, 20)]
    assert [each.events.height for each in outcomes if each.events is not None] == [5, 1, 14]


SCRIPT = """
import sys
import polars as pl
import synode_df as sd

OFFSET = 40

class Seller:
    def __init__(self, name):
        self.name = name

def helper(ctx):
    return ctx.user_index + OFFSET

def land(ctx):
    return [ctx.event(value=helper(ctx), seller=Seller("ann").name)]

journey = sd.Journey("visit", [sd.Adventure("look", [
    sd.Action("land", handler=land),
    sd.Action("view", fields={"value": lambda ctx: helper(ctx) * 2}),
])])

GUARD
    one = sd.generate_df(journey, users=50, seed=1)
    two = sd.generate_df(journey, users=50, seed=1, n_jobs=2, batch_size=4)
    print(one.equals(two), two["value"].max())
"""


@pytest.mark.parametrize("guard", ['if __name__ == "__main__":', "if True:"])
def test_functions_of_a_script_travel(tmp_path: Path, guard: str) -> None:
    """With and without the guard that multiprocessing asks for."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("GUARD", guard))
    assert run_script(script).split() == ["True", "178"]


def test_functions_of_a_notebook_travel(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    from tests.run.scenarios import ROOT

    body = SCRIPT.replace("GUARD", "if True:").replace("import sys", f"import sys; sys.path.insert(0, {str(ROOT)!r})")
    waiting = (
        "import asyncio\n"
        "async def wait(ctx):\n    await asyncio.sleep(0.001)\n    return [ctx.event(value=ctx.user_index)]\n"
        "again = sd.Journey('again', [sd.Adventure('look', [sd.Action('land', handler=wait)])])\n"
        "frames = [sd.generate_df(again, users=30, seed=1, **how) for how in\n"
        "          ({}, {'lanes': 5}, {'n_jobs': 2, 'batch_size': 7}, {'n_jobs': 2, 'lanes': 5})]\n"
        "print(all(frame.equals(frames[0]) for frame in frames), frames[0].height)\n"
    )
    cells = [nbformat.v4.new_code_cell(source) for source in (body, waiting)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = ["".join(each.get("text", "") for each in cell["outputs"]).split() for cell in notebook["cells"]]
    assert printed == [["True", "178"], ["True", "30"]]


PEAKS = """
import json, sys
from pathlib import Path
import psutil
import synode_df as sd
from tests.run.scenarios import persona, products, shop

def peak(process):
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024

if __name__ == "__main__":
    sd.generate(shop(), users=int(sys.argv[1]), n_jobs=2, persona=persona(), datasets=[products()], seed=1,
                adapter=sd.ParquetAdapter(Path(sys.argv[2])))
    me = psutil.Process()
    workers = [peak(child.pid) for child in me.children() if "resource_tracker" not in " ".join(child.cmdline())]
    print(json.dumps({"parent": peak(me.pid), "worker": max(workers)}))
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_memory_to_shards_does_not_grow_with_the_population(tmp_path: Path) -> None:
    script = tmp_path / "peaks.py"
    script.write_text(PEAKS)
    few, many = (
        json.loads(run_script(script, users, tmp_path / f"events-{users}", timeout=300))
        for users in (100_000, 1_000_000)
    )
    for who in ("parent", "worker"):
        assert many[who] < 600
        assert many[who] <= few[who] * 1.25, f"{who}: {few[who]} MB for 10^5 users, {many[who]} MB for 10^6"
