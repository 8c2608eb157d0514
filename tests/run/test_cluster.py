"""Batches on a cluster that loses some: every outcome once and in order, or one error that names the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import synode_df as sd
from synode_df.run.cluster import TRIES, Cluster, Lost, outcomes
from synode_df.run.exchange import Failure, Parcel
from synode_df.run.options import declarations
from synode_df.run.work import Job, Outcome, Workshop
from tests.run.scenarios import filling

WORKSHOP = Workshop(Job(declarations(filling(1), seed=1).scenario()))
SIZE = 3


class Unsteady(Cluster):
    """Runs batches here; loses each as often as told, and finishes those under way in an order that varies."""

    def __init__(self, losses: Sequence[int], *, room: int, final: bool = False) -> None:
        self.losses = list(losses)
        self.rooms = room
        self.final = final
        self.sent: Counter[int] = Counter()
        self.most = self.furthest = self.yielded = 0
        self.given_up: list[int] = []
        self.closed = 0

    def room(self) -> int:
        return self.rooms

    def submit(self, first_user: int, end_user: int) -> int:
        assert end_user == first_user + SIZE
        self.sent[first_user // SIZE] += 1
        self.furthest = max(self.furthest, first_user // SIZE - self.yielded)
        return first_user // SIZE

    def finished(self, under_way: Sequence[int]) -> list[int]:
        assert under_way, "waiting for nothing never ends"
        self.most = max(self.most, len(under_way))
        return [under_way[sum(self.sent.values()) % len(under_way)]]

    def result(self, handle: int) -> Parcel | Failure:
        if self.losses[handle]:
            self.losses[handle] -= 1
            raise Lost("gone", final=self.final)
        return Parcel.of(WORKSHOP.run(handle * SIZE, (handle + 1) * SIZE))

    def cancel(self, under_way: Sequence[int]) -> None:
        self.given_up = list(under_way)

    def close(self) -> None:
        self.closed += 1


def run(cluster: Cluster, batches: int) -> list[Outcome]:
    found = []
    for each in outcomes(cluster, ((index * SIZE, (index + 1) * SIZE) for index in range(batches))):
        found.append(each)
        if isinstance(cluster, Unsteady):
            cluster.yielded += 1
    assert all(isinstance(each, Outcome) for each in found)
    return found


@given(losses=st.lists(st.integers(0, TRIES), max_size=12), room=st.integers(1, 5))
def test_every_outcome_comes_once_and_in_order(losses: list[int], room: int) -> None:
    cluster = Unsteady(losses, room=room)
    found = run(cluster, len(losses))
    assert [each.first_user for each in found] == [index * SIZE for index in range(len(losses))]
    assert all(each.events is not None and each.events.height == SIZE for each in found)
    assert cluster.most <= room
    assert cluster.furthest < 4 * room
    assert {index: count for index, count in cluster.sent.items() if count > 1} == {
        index: lost + 1 for index, lost in enumerate(losses) if lost
    }
    assert (cluster.given_up, cluster.closed) == ([], 1)


@pytest.mark.parametrize(("final", "tries"), [(False, TRIES + 1), (True, 2)])
def test_a_batch_that_workers_die_of_ends_the_run_by_name(final: bool, tries: int) -> None:
    cluster = Unsteady([0, 0, 99, 1, 0, 0, 0], room=3, final=final)
    with pytest.raises(sd.SynodeError) as raised:
        run(cluster, 7)
    assert raised.value.code == "WORKER_DIED"
    assert "users 6 to 8 " in raised.value.message
    assert cluster.sent[2] == tries
    assert cluster.closed == 1


def test_a_suspect_gets_its_last_chance_alone() -> None:
    """Two batches are blamed for one death, as Dask does for all on a worker: neither ends the run."""
    seen: list[int] = []

    class Watched(Unsteady):
        def finished(self, under_way: Sequence[int]) -> list[int]:
            if {1, 2} & set(under_way) and min(self.sent[index] for index in {1, 2} & set(under_way)) > 1:
                seen.append(len(under_way))
            return super().finished(under_way)

    run(Watched([0, 1, 1, 0, 0, 0], room=3, final=True), 6)
    assert seen == [1, 1]


def test_a_slow_batch_holds_the_others_back() -> None:
    """What comes after it is not made without bound, since outcomes are handed on in order."""

    class Slow(Unsteady):
        def finished(self, under_way: Sequence[int]) -> list[int]:
            others = [index for index in under_way if index]
            return super().finished(others or under_way)

    cluster = Slow([0] * 60, room=3)
    assert len(run(cluster, 60)) == 60
    assert cluster.furthest == 4 * 3 - 1


def test_what_is_under_way_is_given_up_when_nobody_wants_more() -> None:
    cluster = Unsteady([0] * 50, room=4)
    found = outcomes(cluster, ((index * SIZE, (index + 1) * SIZE) for index in range(50)))
    next(found)
    found.close()
    assert cluster.given_up
    assert len(cluster.sent) <= 4 * 4 + 1
    assert cluster.closed == 1
