"""What goes wrong in workers reaches the user as one clear error, and leaves nothing broken behind."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import polars as pl
import psutil
import pytest
from polars.testing import assert_frame_equal

import synode_df as sd
from tests.run.scenarios import calling, filling, left_behind, run_script, shop, start_script

BACKENDS = ["sequential", "threading", "loky"]
FIELDS = ("code", "message", "path", "expected", "received", "suggestion", "replay")
PLACE = "Journey 'visit' > Adventure 'look' > Action 'land'"


@contextmanager
def running_on(backend: str) -> Iterator[dict[str, Any]]:
    """The options of a run on a backend; sequential is this process, without any pool."""
    if backend == "sequential":
        yield {"batch_size": 10}
    else:
        with joblib.parallel_config(backend=backend):
            yield {"batch_size": 10, "n_jobs": 2}


def failure(journey: sd.Journey, backend: str, **options: Any) -> sd.SynodeError:
    with running_on(backend) as how, pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(journey, users=100, seed=5, **how, **options)
    return raised.value


def check_that_workers_still_work() -> None:
    alone = sd.generate_df(filling(1), users=50, seed=1)
    assert_frame_equal(sd.generate_df(filling(1), users=50, seed=1, n_jobs=2, batch_size=5), alone)


class Plain(Exception):
    """Nothing special."""


class Demanding(Exception):
    """Cannot be rebuilt from its message: the kind that breaks process pools."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")
        self.first, self.second = first, second


class KeywordOnly(Exception):
    def __init__(self, *, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Holding(Exception):
    """Holds what no pickle can."""

    def __init__(self) -> None:
        super().__init__("holding a lock")
        self.lock = threading.Lock()


class Defiant(Exception):
    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("no pickling today")


RAISED: dict[str, Callable[[], Exception]] = {
    "builtin": lambda: KeyError("sku"),
    "plain": lambda: Plain("plain"),
    "demanding": lambda: Demanding("one", "two"),
    "keyword-only": lambda: KeywordOnly(reason="because"),
    "holding": Holding,
    "defiant": lambda: Defiant("defiant"),
    "stop-iteration": lambda: StopIteration("stopped"),
    "without-text": lambda: ValueError(),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", RAISED)
def test_a_handler_that_raises(kind: str, backend: str) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index >= 33:
            raise RAISED[kind]()
        return [ctx.event()]

    error = failure(calling(handler), backend)
    original = RAISED[kind]()
    assert error.code == "HANDLER_ERROR"
    assert error.path == PLACE
    assert error.message == f"The handler raised {type(original).__name__}: {original}"
    assert error.replay is not None
    assert "user=33" in error.replay
    assert "seed=5" in error.replay
    assert error.format().splitlines()[-1].startswith("  Replay: ")
    cause = error.__cause__
    assert cause is not None
    if type(cause) is type(original):
        assert str(cause) == str(original)
        assert vars(cause).keys() == vars(original).keys()
    else:
        assert backend == "loky"
        assert kind in {"demanding", "keyword-only", "holding", "defiant"}
        assert type(original).__name__ in str(cause)
        assert str(original) in str(cause)


def test_errors_arrive_whole_where_pickle_was_taught_to_take_causes_along() -> None:
    """As it is in workers in which `distributed` was imported before the class of the error was made."""

    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        import tblib.pickling_support

        tblib.pickling_support.install()

        class Late(Exception):
            def __init__(self, first: str, second: str) -> None:
                super().__init__(f"{first} and {second}")

        raise Late("one", "two")

    error = failure(calling(handler), "loky")
    assert error.code == "HANDLER_ERROR"
    assert error.replay is not None
    assert "one and two" in str(error.__cause__)


def test_after_an_error_in_a_worker_the_next_run_works() -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        raise Demanding("one", "two")

    failure(calling(handler), "loky")
    assert left_behind(os.getpid()) == []
    check_that_workers_still_work()


PUBLIC = sorted(
    {each for each in vars(sd).values() if isinstance(each, type) and issubclass(each, sd.SynodeError)},
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", PUBLIC)
def test_every_public_exception_survives_with_its_fields(kind: type[sd.SynodeError], backend: str) -> None:
    given = {name: f"the {name}" for name in FIELDS}

    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        parts = dict(given)
        raise kind(parts.pop("code"), parts.pop("message"), **parts)

    error = failure(calling(handler), backend)
    assert error.code == "HANDLER_ERROR"
    cause = error.__cause__
    assert type(cause) is kind
    assert {name: getattr(cause, name) for name in FIELDS} == given
    assert str(cause) == cause.format()


@pytest.mark.parametrize("kind", PUBLIC)
def test_every_public_exception_pickles_with_and_without_its_fields(kind: type[sd.SynodeError]) -> None:
    for error in (kind("A_CODE", "a message"), kind("A_CODE", "a message", path="here", replay="sd.replay(...)")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert vars(again) == vars(error)
        assert again.args == error.args


def number_or_text(ctx: sd.SynodeContext) -> object:
    return ctx.user_index if ctx.user_index < 55 else "text"


def raising(ctx: sd.SynodeContext) -> int:
    return 1 // (ctx.user_index - 44)


def reserved(ctx: sd.SynodeContext) -> list[sd.Event]:
    return [ctx.event(user_id="mine")]


def looking(ctx: sd.SynodeContext) -> list[sd.Event]:
    ctx.dataset("prodcts")
    return []


WRONG: dict[str, Callable[[], sd.Journey]] = {
    "HANDLER_ERROR": lambda: calling(looking),
    "INVALID_HANDLER_RETURN": lambda: calling(lambda ctx: "land"),
    "INVALID_EVENT": lambda: calling(lambda ctx: [ctx.event()._replace(name="")]),
    "CALLABLE_ERROR": lambda: filling(raising),
    "TYPE_CONFLICT": lambda: filling(number_or_text),
    "UNKNOWN_NAME": lambda: sd.Journey(
        "visit",
        [
            sd.Adventure(
                "look",
                [
                    sd.Action("set", handler=lambda ctx: []),
                    sd.Action("land", fields={"value": pl.col("never_set")}),
                ],
            )
        ],
    ),
    "INVALID_PROBABILITY": lambda: sd.Journey(
        "visit", [sd.Adventure("look", [sd.Action("land", bounce_chance=pl.col("user_index") / 50)])]
    ),
}


@pytest.mark.parametrize("backend", ["threading", "loky"])
@pytest.mark.parametrize("code", WRONG)
def test_the_error_of_workers_is_the_error_of_one_process(code: str, backend: str) -> None:
    alone, there = failure(WRONG[code](), "sequential"), failure(WRONG[code](), backend)
    assert alone.code == code
    for name in FIELDS:
        assert getattr(there, name) == getattr(alone, name), name
    assert type(there.__cause__) is type(alone.__cause__)
    assert str(there.__cause__) == str(alone.__cause__)


def test_the_error_is_that_of_the_first_user_though_later_batches_fail_sooner() -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index < 10:
            time.sleep(0.03)
        if ctx.user_index % 10 == 9:
            raise ValueError(str(ctx.user_index))
        return []

    assert "user=9" in (failure(calling(handler), "loky").replay or "")


@pytest.mark.parametrize(
    "held", [threading.Lock(), open(os.devnull, "w"), (each for each in ())], ids=["lock", "file", "generator"]
)
def test_declarations_that_cannot_travel(held: object) -> None:
    journey = filling(lambda ctx: str(held))
    assert sd.generate_df(journey, users=2).height == 2
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(journey, users=2, n_jobs=2)
    assert raised.value.code == "NOT_PICKLABLE"
    assert "n_jobs=1" in (raised.value.suggestion or "")
    assert raised.value.__cause__ is not None
    assert left_behind(os.getpid()) == []


def test_declarations_that_cannot_be_unpacked() -> None:
    class Stubborn:
        def __setstate__(self, state: object) -> None:
            raise ImportError("no such driver here")

        def __call__(self, ctx: sd.SynodeContext) -> int:
            return 1

        def __init__(self) -> None:
            self.state = 1

    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(filling(Stubborn()), users=20, n_jobs=2, batch_size=2)
    assert raised.value.code == "NOT_PICKLABLE"
    assert "no such driver here" in raised.value.message


DEATHS: dict[str, Callable[[], None]] = {
    "os._exit": lambda: os._exit(3),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_worker_that_dies(death: str) -> None:
    parent = os.getpid()

    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        assert os.getpid() != parent
        if ctx.user_index == 25:
            DEATHS[death]()
        return [ctx.event()]

    error = failure(calling(handler), "loky")
    assert error.code == "WORKER_DIED"
    assert error.path == "n_jobs"
    assert error.suggestion
    assert error.__cause__ is not None
    assert left_behind(parent) == []
    check_that_workers_still_work()


def test_a_worker_that_dies_leaves_whole_shards(tmp_path: Path) -> None:
    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index == 55:
            time.sleep(0.3)
            os._exit(1)
        return [ctx.event(value=ctx.user_index)]

    target = tmp_path / "events"
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(calling(handler), users=100, n_jobs=2, batch_size=10, adapter=sd.ParquetAdapter(target), seed=1)
    assert raised.value.code == "WORKER_DIED"
    shards = sorted(target.glob("*.parquet"))
    assert shards
    assert all(shard.suffix == ".parquet" for shard in shards)
    for shard in shards:
        assert pl.read_parquet(shard)["value"].to_list() == list(
            range(int(shard.stem[-12:]), int(shard.stem[-12:]) + 10)
        )


@pytest.mark.parametrize("leaving", [SystemExit, KeyboardInterrupt])
def test_a_handler_that_wants_to_exit(leaving: type[BaseException]) -> None:
    """`sys.exit()` in a worker must not pass for a dead worker nor end the caller in silence."""

    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        raise leaving("enough")

    with running_on("loky") as how, pytest.raises(BaseException) as raised:
        sd.generate_df(calling(handler), users=40, **how)
    assert isinstance(raised.value, (leaving, sd.SynodeError))
    assert left_behind(os.getpid()) == []
    check_that_workers_still_work()


SLOW_RUN = """
import sys, time
import synode_df as sd

def land(ctx):
    time.sleep(0.002)
    return [ctx.event(value=ctx.user_index)]

journey = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=land)])])

if __name__ == "__main__":
    print("started", flush=True)
    where = sys.argv[1]
    options = dict(users=1_000_000, n_jobs=2, batch_size=50, seed=1)
    try:
        if where == "frame":
            sd.generate_df(journey, **options)
        else:
            sd.generate(journey, adapter=sd.ParquetAdapter(where), **options)
    except KeyboardInterrupt:
        if sys.argv[2] == "leave":
            raise
        found = sd.generate_df(journey, users=40, n_jobs=2, batch_size=5, seed=1)
        print("again", found["value"].to_list() == list(range(40)), flush=True)
"""


def descendants(process: int) -> list[psutil.Process]:
    try:
        return psutil.Process(process).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def wait_for(what: Callable[[], Any], *, seconds: float, that: str) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, that
        time.sleep(0.02)
    return found


def interrupt(process: subprocess.Popen[str], whom: str) -> None:
    """As a notebook's stop button does (the process alone), or as a terminal does (all of its group)."""
    if whom == "group":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("whom", ["process", "group"])
@pytest.mark.parametrize("then", ["leave", "go on"])
def test_control_c_while_workers_write_shards(tmp_path: Path, whom: str, then: str) -> None:
    script, target = tmp_path / "script.py", tmp_path / "events"
    script.write_text(SLOW_RUN)
    with start_script(script, target, then) as process:
        wait_for(lambda: len(list(target.glob("*.parquet"))) >= 3, seconds=30, that="no shards came")
        family = descendants(process.pid)
        assert len(family) >= 2
        interrupt(process, whom)
        try:
            out, err = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    if then == "leave":
        assert process.returncode != 0
        assert "KeyboardInterrupt" in err
    else:
        assert process.returncode == 0, err
        assert "again True" in out
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == [], "orphans"
    assert left_behind(process.pid, tmp_path) == []
    assert [each for each in tmp_path.iterdir() if each.name.startswith(("joblib_", "loky", "synode_df"))] == []
    assert list(target.rglob("*.tmp")) == [], "unfinished files were left"
    for shard in target.glob("*.parquet"):
        first = int(shard.stem[-12:])
        assert pl.read_parquet(shard)["value"].to_list() == list(range(first, first + 50))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_control_c_while_workers_send_frames(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SLOW_RUN)
    with start_script(script, "frame", "leave") as process:
        wait_for(lambda: len(descendants(process.pid)) >= 3, seconds=30, that="no workers came")
        time.sleep(1.0)
        family = descendants(process.pid)
        interrupt(process, "process")
        try:
            _, err = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert "KeyboardInterrupt" in err
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert left_behind(process.pid, tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_workers_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    """As the system does when memory runs out: no process and no folder lives on."""
    script, target = tmp_path / "script.py", tmp_path / "events"
    script.write_text(SLOW_RUN)
    with start_script(script, target, "leave") as process:
        wait_for(lambda: len(list(target.glob("*.parquet"))) >= 3, seconds=30, that="no shards came")
        family = descendants(process.pid)
        process.kill()
        process.communicate(timeout=20)
    _, alive = psutil.wait_procs(family, timeout=15)
    assert alive == []
    assert left_behind(process.pid, tmp_path) == []


def test_a_run_that_ends_well_leaves_no_processes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import psutil, synode_df as sd\nfrom tests.run.scenarios import filling\n"
        "sd.generate_df(filling(1), users=50, n_jobs=2, batch_size=5)\n"
        "print(*[each.pid for each in psutil.Process().children(recursive=True)])\n"
    )
    family = [int(each) for each in run_script(script).split()]
    assert len(family) >= 2
    wait_for(lambda: not any(map(psutil.pid_exists, family)), seconds=10, that="workers live on")


def test_the_shop_runs_on_after_all_of_this() -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(shop(), users=10, n_jobs=2)
    assert raised.value.code == "DATASET_NOT_FOUND"
