"""Lanes: handlers that wait, wait together."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import joblib
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import synode_df as sd
from tests.run.scenarios import calling

Handler = Callable[..., Any]


def blocking(seconds: float) -> Handler:
    """A handler that blocks its thread."""

    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        time.sleep(seconds)
        return [ctx.event(luck=ctx.random.random(), city=ctx.faker.city())]

    return handler


def waiting(seconds: float) -> Handler:
    """A handler that awaits; users finish in another order than they start."""

    async def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        await asyncio.sleep(seconds * (0.5 + ctx.random.random()))
        return [ctx.event(luck=ctx.random.random(), city=ctx.faker.city())]

    return handler


def timed(handler: Handler, *, users: int, lanes: int) -> tuple[pl.DataFrame, float]:
    started = time.perf_counter()
    found = sd.generate_df(calling(handler), users=users, lanes=lanes, seed=7)
    return found, time.perf_counter() - started


@pytest.mark.parametrize("kind", [blocking, waiting])
def test_a_hundred_waiting_users_finish_together(kind: Callable[[float], Handler]) -> None:
    timed(kind(0), users=2, lanes=2)  # Faker's first import is not what is timed
    one, long = timed(kind(0.05), users=100, lanes=1)
    fifty, short = timed(kind(0.05), users=100, lanes=50)
    assert_frame_equal(fifty, one)
    assert long >= 100 * 0.045
    assert short < long / 5


@pytest.mark.parametrize("kind", [blocking, waiting])
@pytest.mark.parametrize("options", [{"n_jobs": 2, "batch_size": 9}, {"batch_size": 1}, {"batch_size": 64}])
def test_lanes_give_the_frame_of_one_lane(kind: Callable[[float], Handler], options: dict[str, Any]) -> None:
    journey = calling(kind(0.001))
    one = sd.generate_df(journey, users=100, seed=7)
    assert_frame_equal(sd.generate_df(journey, users=100, lanes=8, seed=7, **options), one)


def test_lanes_on_threads_give_the_frame_of_one_lane() -> None:
    journey = calling(waiting(0.001))
    one = sd.generate_df(journey, users=60, seed=7)
    with joblib.parallel_config(backend="threading"):
        assert_frame_equal(sd.generate_df(journey, users=60, lanes=4, n_jobs=2, batch_size=9, seed=7), one)


@pytest.mark.parametrize("lanes", [1, 3])
def test_no_more_users_are_in_flight_than_there_are_lanes(lanes: int) -> None:
    lock, inside, most = threading.Lock(), [0], [0]

    def count(step: int) -> None:
        with lock:
            inside[0] += step
            most[0] = max(most[0], inside[0])

    def plain(ctx: sd.SynodeContext) -> list[sd.Event]:
        count(1)
        time.sleep(0.002)
        count(-1)
        return []

    async def coroutine(ctx: sd.SynodeContext) -> list[sd.Event]:
        count(1)
        await asyncio.sleep(0.002)
        count(-1)
        return []

    for handler in (plain, coroutine):
        most[0] = 0
        sd.generate_df(calling(handler), users=30, lanes=lanes)
        assert most[0] == lanes


def test_state_set_in_lanes_is_the_users_own() -> None:
    async def put(ctx: sd.SynodeContext) -> list[sd.Event]:
        await asyncio.sleep(0.001 * ctx.random.random())
        ctx.set("mine", ctx.user_index)
        return []

    journey = sd.Journey(
        "visit",
        [
            sd.Adventure(
                "look",
                [
                    sd.Action("put", handler=put),
                    sd.Action("get", fields={"mine": pl.col("mine"), "user": pl.col("user_index")}),
                ],
            )
        ],
    )
    found = sd.generate_df(journey, users=200, lanes=20)
    assert found["mine"].to_list() == found["user"].to_list() == list(range(200))


def test_async_handlers_work_inside_a_running_event_loop() -> None:
    """As in a notebook, where the caller's own loop runs already."""
    journey = calling(waiting(0.001))
    outside = sd.generate_df(journey, users=20, seed=7)

    async def notebook() -> list[pl.DataFrame]:
        return [sd.generate_df(journey, users=20, lanes=lanes, seed=7) for lanes in (1, 6)]

    for inside in asyncio.run(notebook()):
        assert_frame_equal(inside, outside)


def test_coroutines_of_one_process_share_an_event_loop() -> None:
    """So that a client opened once, with its connections, serves every user."""
    loops = set()

    async def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        loops.add(asyncio.get_running_loop())
        return []

    for _ in range(2):
        sd.generate_df(calling(handler), users=10, lanes=3, batch_size=4)
    assert len(loops) == 1


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("style", ["blocking", "async"])
def test_an_error_in_a_lane_is_one_clear_error(lanes: int, n_jobs: int, style: str) -> None:
    def plain(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index == 13:
            raise ValueError("unlucky")
        return [ctx.event()]

    async def coroutine(ctx: sd.SynodeContext) -> list[sd.Event]:
        await asyncio.sleep(0)
        return plain(ctx)

    journey = calling(plain if style == "blocking" else coroutine)
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(journey, users=40, lanes=lanes, n_jobs=n_jobs, batch_size=10, seed=5)
    error = raised.value
    assert error.code == "HANDLER_ERROR"
    assert error.path == "Journey 'visit' > Adventure 'look' > Action 'land'"
    assert error.replay is not None
    assert "user=13" in error.replay
    assert "seed=5" in error.replay
    assert isinstance(error.__cause__, ValueError)
    assert str(error.__cause__) == "unlucky"


@pytest.mark.parametrize("style", ["blocking", "async"])
def test_an_error_stops_the_lanes_and_leaves_no_threads(style: str) -> None:
    started: list[int] = []

    def plain(ctx: sd.SynodeContext) -> list[sd.Event]:
        started.append(ctx.user_index)
        time.sleep(0.005)
        if ctx.user_index == 3:
            raise ValueError("unlucky")
        return []

    async def coroutine(ctx: sd.SynodeContext) -> list[sd.Event]:
        started.append(ctx.user_index)
        await asyncio.sleep(0.005)
        if ctx.user_index == 3:
            raise ValueError("unlucky")
        return []

    with pytest.raises(sd.SynodeError, match="unlucky"):
        sd.generate_df(calling(plain if style == "blocking" else coroutine), users=1_000, lanes=4)
    deadline = time.monotonic() + 5
    while any(each.name.startswith("synode_df lane") for each in threading.enumerate()):
        assert time.monotonic() < deadline, "threads of lanes live on"
        time.sleep(0.01)
    assert len(started) < 100


@pytest.mark.parametrize("result", [None, "land", [1]])
def test_a_wrong_return_in_a_lane_is_named(result: object) -> None:
    async def handler(ctx: sd.SynodeContext) -> object:
        return result

    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(calling(handler), users=20, lanes=5)
    assert raised.value.code == "INVALID_HANDLER_RETURN"
    assert raised.value.replay is not None


@pytest.mark.parametrize("lanes", [0, -1, 1.5, "4", True])
def test_lanes_must_be_a_whole_number(lanes: Any) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(calling(blocking(0)), users=1, lanes=lanes)
    assert raised.value.code == "INVALID_OPTION"
