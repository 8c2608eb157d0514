"""Batches on Dask: through the client that joblib's backend holds.

joblib's own way to Dask is not taken: it waits for ever for a batch that Dask gave up after several workers died of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any, Final

from synode_df.run.cluster import Cluster, Lost, died
from synode_df.run.exchange import Failure, JobInHand, Parcel, packed_job, unfit, work_apart
from synode_df.run.work import Job

_POLL: Final = 1.0
"""Seconds between two looks at whether there still are workers."""

_FETCH: Final = 60.0
"""Seconds that fetching one result may take before that look; fetching then begins anew."""


def _same(packed: bytes) -> bytes:
    """The job as a task: unlike data that was scattered, Dask makes it again where its workers are lost."""
    return packed


def _work(token: str, packed: bytes, first_user: int, end_user: int) -> Parcel | Failure:
    return work_apart(token, JobInHand(packed), first_user, end_user)


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
        import distributed

        self._wait: Any = distributed.wait
        self._client = backend.client
        self._options = dict(backend.submit_kwargs)
        self._patience: float | None = backend.wait_for_workers_timeout or None
        self._token = token
        self._n_jobs = n_jobs
        self._tried = 0
        self._threads = 0
        self._seen = self._looked = time.monotonic() - _POLL
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
        return self._client.submit(
            _work,
            self._token,
            self._job,
            first_user,
            end_user,
            key=f"synode_df-users-{first_user}-{end_user}-{self._token}-{self._tried}",
            pure=False,
            **self._options,
        )

    def finished(self, under_way: Sequence[Any]) -> list[Any]:
        """Wait, as long as there are workers."""
        while not (done := [future for future in under_way if future.status != "pending"]):
            try:
                self._wait(list(under_way), timeout=_POLL, return_when="FIRST_COMPLETED")
            except TimeoutError:
                self._look()
            except CancelledError:
                continue  # as the future's status says
        return done

    def result(self, handle: Any) -> Parcel | Failure:
        """Fetch it; its worker may be lost just now, and Dask then runs it again by itself."""
        from distributed import KilledWorker

        while True:
            try:
                found: Parcel | Failure = handle.result(timeout=_FETCH)
            except TimeoutError:
                self._look()
            except KilledWorker as error:
                raise Lost(str(error), final=True) from error
            except (CancelledError, OSError) as error:
                raise Lost(str(error)) from error
            except Exception as error:
                raise unfit(error) from error
            else:
                return found

    def cancel(self, under_way: Sequence[Any]) -> None:
        """Take back what has not begun; what has begun runs to its end, since Dask's threads cannot be stopped."""
        if under_way and self._client.status == "running":
            self._client.cancel(list(under_way), force=True)

    def close(self) -> None:
        """Let the workers forget the job."""
        self._job.release()

    def _send_job(self) -> Any:
        import dask

        self._tried += 1
        key = f"synode_df-job-{self._token}-{self._tried}"
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
            # Datasets make a job large, and it is sent once: what the warning asks for.
            return self._client.submit(_same, self._packed, key=key, pure=False, **self._options)

    def _look(self) -> None:
        """Count the cluster's threads, now and then; end the run where there are none for too long."""
        now = time.monotonic()
        if now - self._looked < _POLL:
            return
        self._looked = now
        self._threads = self._count()
        if self._threads:
            self._seen = now
        elif self._patience is not None and now - self._seen > self._patience:
            raise died(f"The Dask cluster has had no worker for {self._patience:g} seconds", "no workers")

    def _count(self) -> int:
        try:
            return sum(self._client.ncores().values())
        except OSError as error:
            raise died("The Dask scheduler cannot be reached", str(error)) from error
