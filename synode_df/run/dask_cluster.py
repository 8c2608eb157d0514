"""Batches on Dask: through the client that joblib's backend holds.

joblib's own way to Dask is not taken: it waits for ever for a batch that Dask gave up after several workers died of it.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import Any, Final

from synode_df.run.cluster import Cluster, Lost, died
from synode_df.run.exchange import Failure, Parcel, packed_job, unfit
from synode_df.run.work import Job

_POLL: Final = 1.0
"""Seconds between two looks at whether there still are workers."""

_RETURN: Final = 60.0
"""Seconds that a cluster which lost all its workers has to get new ones, if joblib's backend allows no more."""


def _worker_function() -> Callable[[str, bytes, int, int], Parcel | Failure]:
    """What workers call. An inner function travels by value: one of a module would end workers that lack the module."""

    def work(token: str, packed: bytes, first_user: int, end_user: int) -> Parcel | Failure:
        from synode_df.run.exchange import JobInHand, work_apart

        return work_apart(token, JobInHand(packed), first_user, end_user)

    return work


class DaskCluster(Cluster):
    """The workers of a `distributed.Client`.

    Parameters
    ----------
    backend : joblib's DaskDistributedBackend
        Its client, options for tasks and patience with a cluster without workers hold.
    make_job : callable
        Travels once, as a task of its own whose result workers hand to each other.
    token : str
        The name of the job.
    n_jobs : int
        How many batches may be under way, if positive; else two for each of the cluster's threads.
    """

    def __init__(self, backend: Any, make_job: Callable[[], Job], *, token: str, n_jobs: int) -> None:
        self._client = backend.client
        self._options = dict(backend.submit_kwargs)
        self._patience: float | None = backend.wait_for_workers_timeout or None
        self._token = token
        self._n_jobs = n_jobs
        self._tried = 0
        self._threads = 0
        self._looked = -_POLL
        self._without: float | None = None
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._fetcher = ThreadPoolExecutor(1, thread_name_prefix="synode_df-dask")
        self._work = _worker_function()
        self._packed = packed_job(make_job)
        self._job = self._send_job()

    def room(self) -> int:
        """As many as asked for; else two for each thread, so that none waits for this process."""
        if self._n_jobs > 0:
            return self._n_jobs
        self._look()
        return 2 * max(1, self._threads)

    def submit(self, first_user: int, end_user: int) -> Any:
        """A future of Dask."""
        if self._client.status in {"closing", "closed"}:
            raise died("The connection to the Dask cluster was closed", self._client.status)
        if self._job.status not in {"pending", "finished"}:
            self._job = self._send_job()  # the cluster was restarted
        self._tried += 1
        future = self._client.submit(
            self._work,
            self._token,
            self._job,
            first_user,
            end_user,
            key=f"synode_df-users-{first_user}-{end_user}-{self._token}-{self._tried}",
            pure=False,
            **self._options,
        )
        future.add_done_callback(self._done.put)
        return future

    def finished(self, under_way: Sequence[Any]) -> list[Any]:
        """Wait, as long as there are workers."""
        while True:
            try:
                future = self._done.get(timeout=_POLL)
            except queue.Empty:
                self._look()
            else:
                if any(future is each for each in under_way):
                    return [future]

    def result(self, handle: Any) -> Parcel | Failure:
        """Fetch it; its worker may be lost just now, and Dask then runs it again by itself."""
        from distributed import KilledWorker

        fetching: Future[Parcel | Failure] = self._fetcher.submit(handle.result)
        while not wait([fetching], timeout=_POLL).done:
            self._look()
        try:
            return fetching.result()
        except KilledWorker as error:
            raise Lost(str(error), final=True) from error
        except Exception as error:
            if handle.status == "error" and not isinstance(error, CancelledError):
                raise unfit(error) from error  # a batch returns its errors: this one came before it began
            raise Lost(str(error)) from error

    def cancel(self, under_way: Sequence[Any]) -> None:
        """Take back what has not begun; what has begun runs to its end, since Dask's threads cannot be stopped."""
        if under_way and self._client.status == "running":
            self._client.cancel(list(under_way), force=True)

    def close(self) -> None:
        """Let the workers forget the job."""
        self._job.release()
        self._fetcher.shutdown(wait=False, cancel_futures=True)

    def _send_job(self) -> Any:
        import dask

        self._tried += 1
        key = f"synode_df-job-{self._token}-{self._tried}"
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
            # Datasets make a job large, and it is sent once: what the warning asks for. As a task, since unlike data
            # that was scattered Dask makes it again where its workers are lost.
            return self._client.submit(bytes, self._packed, key=key, pure=False, **self._options)

    def _look(self) -> None:
        """Count the cluster's threads, now and then; end the run where there are none for too long."""
        now = time.monotonic()
        if now - self._looked < _POLL:
            return
        self._looked = now
        threads = self._count()
        if threads:
            self._threads, self._without = threads, None
            return
        self._without = now if self._without is None else self._without
        patience = self._patience
        if patience is not None and self._threads:
            patience = max(patience, _RETURN)
        if patience is not None and now - self._without >= patience:
            raise died(f"The Dask cluster has had no worker for {patience:g} seconds", "no workers")

    def _count(self) -> int:
        try:
            return sum(self._client.ncores().values())
        except OSError as error:
            raise died("The Dask scheduler cannot be reached", str(error)) from error
