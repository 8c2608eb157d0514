"""Batches on a cluster: a bounded number under way, tried again where a worker was lost, handed on in order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from synode_df.errors import SynodeError, shown
from synode_df.run.exchange import Failure, Parcel
from synode_df.run.work import Outcome

TRIES: Final = 4
"""How often a batch is given to workers beside others; as often as Dask does by itself."""

_AHEAD: Final = 4
"""Batches in this process or under way, for each that may be under way: what waits for a slow one before it."""


class Lost(Exception):  # noqa: N818 - what happened to a batch, not an error of ours
    """A batch's result that will not come.

    Parameters
    ----------
    reason : str
        What the cluster says.
    final : bool
        Whether the cluster has tried it again often enough by itself.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Cluster(ABC):
    """Workers on other machines, or that could be: what `outcomes` needs of Dask and Ray."""

    @abstractmethod
    def room(self) -> int:
        """How many batches may be under way now."""

    @abstractmethod
    def submit(self, first_user: int, end_user: int) -> Any:
        """Send a batch; a handle of it."""

    @abstractmethod
    def finished(self, under_way: Sequence[Any]) -> list[Any]:
        """Wait until some of these are done, one way or another; which."""

    @abstractmethod
    def result(self, handle: Any) -> Parcel | Failure:
        """What became of a batch that is done; raises `Lost`."""

    @abstractmethod
    def cancel(self, under_way: Sequence[Any]) -> None:
        """Give up what is not done."""

    def close(self) -> None:  # noqa: B027 - some have nothing to give back
        """Free what the job took in the cluster."""


@dataclass
class _Batch:
    """A batch on its way: not sent while it has no handle, done once something was found."""

    first_user: int
    end_user: int
    handle: Any = None
    tries: int = 0
    suspect: bool = False
    found: Outcome | Failure | None = None

    def send(self, cluster: Cluster) -> None:
        self.handle = cluster.submit(self.first_user, self.end_user)
        self.tries += 1


def outcomes(cluster: Cluster, batches: Iterable[tuple[int, int]]) -> Generator[Outcome | Failure, None, None]:
    """The outcome of every batch, in order; at most a few for each worker are under way or wait here.

    A batch whose workers were lost time and again is given one more chance with nothing else under way, since it may
    have been its neighbour that they died of.

    Raises
    ------
    SynodeError
        `WORKER_DIED` for a batch that workers died of.
    """
    todo = iter(batches)
    queue: deque[_Batch] = deque()
    try:
        while True:
            under_way = [batch for batch in queue if batch.handle is not None]
            suspects = [batch for batch in queue if batch.suspect and batch.found is None]
            if suspects and not under_way:
                suspects[0].send(cluster)
                under_way = suspects[:1]
            room = 0 if suspects else cluster.room()
            while len(under_way) < room and len(queue) < room * _AHEAD and (following := next(todo, None)) is not None:
                queue.append(_Batch(*following))
                queue[-1].send(cluster)
                under_way.append(queue[-1])
            if not queue:
                return
            if queue[0].found is not None:
                yield queue.popleft().found  # type: ignore[misc]  # it is there
                continue
            done = cluster.finished([batch.handle for batch in under_way])
            for batch in under_way:
                if any(batch.handle is handle for handle in done):
                    _take(cluster, batch)
    finally:
        cluster.cancel([batch.handle for batch in queue if batch.handle is not None])
        cluster.close()


def _take(cluster: Cluster, batch: _Batch) -> None:
    """Fetch what became of a batch, or send it once more."""
    try:
        result = cluster.result(batch.handle)
    except Lost as lost:
        batch.handle = None
        if not lost.final and batch.tries < TRIES:
            batch.send(cluster)
        elif not batch.suspect:
            batch.suspect = True
        else:
            users = f"users {batch.first_user} to {batch.end_user - 1}"
            raise died(f"Every worker that was given {users} ended before the batch was done", str(lost)) from lost
        return
    batch.handle = None
    batch.found = result.unpacked() if isinstance(result, Parcel) else result


def died(message: str, reason: str) -> SynodeError:
    """The error where workers were lost for good."""
    return SynodeError(
        "WORKER_DIED",
        message,
        path="n_jobs",
        expected="workers that live until the run is done",
        received=shown(reason, 300),
        suggestion="most often memory ran out: use fewer n_jobs or a smaller batch_size",
    )
