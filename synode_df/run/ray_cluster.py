"""Batches on Ray: as tasks.

joblib's own way to Ray is not taken: it hands out nothing before the last batch of a call is there, and its pool of
actors does not bring a lost one back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from synode_df.run.cluster import Cluster, Lost
from synode_df.run.exchange import THREADS, Failure, Parcel, packed_job, unfit, work_apart
from synode_df.run.work import Job

_ACTORS: Final = {"lifetime", "max_concurrency", "max_restarts", "max_task_retries", "name", "namespace"}
"""Options of Ray's actors, which joblib's backend makes, that tasks do not have."""


def _fetched(job: list[Any]) -> bytes:
    import ray

    packed: bytes = ray.get(job[0])
    return packed


def _work(token: str, job: list[Any], first_user: int, end_user: int) -> Parcel | Failure:
    """One batch; the job is in a list, so that Ray fetches it only where it is asked for, once a worker."""
    return work_apart(token, partial(_fetched, job), first_user, end_user)


class RayCluster(Cluster):
    """The Ray cluster that this process is connected to, or one on this machine.

    Parameters
    ----------
    backend : Ray's backend of joblib
        Its options for workers hold.
    make_job : callable
        Travels once to Ray's object store, and from there once to each machine.
    token : str
        The name of the job.
    n_jobs : int
        How many batches may be under way, if positive; else two for each of the cluster's processors.
    """

    def __init__(self, backend: Any, make_job: Callable[[], Job], *, token: str, n_jobs: int) -> None:
        import ray

        packed = packed_job(make_job)
        if not ray.is_initialized():
            ray.init()
        given = {key: value for key, value in (backend.ray_remote_args or {}).items() if key not in _ACTORS}
        # Tried again here rather than by Ray, which would do so without end where memory runs out.
        options: dict[str, Any] = {"num_cpus": 1, **given, "max_retries": 0}
        if THREADS not in os.environ:  # each task has one processor
            options.setdefault("runtime_env", {"env_vars": {THREADS: "1"}})
        self._ray: Any = ray
        self._work = ray.remote(_work).options(**options)
        self._job = [ray.put(packed)]
        self._token = token
        self._n_jobs = n_jobs

    def room(self) -> int:
        """As many as asked for; else two for each processor, so that none waits for this process."""
        if self._n_jobs > 0:
            return self._n_jobs
        return 2 * max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def submit(self, first_user: int, end_user: int) -> Any:
        """A reference of Ray."""
        return self._work.remote(self._token, self._job, first_user, end_user)

    def finished(self, under_way: Sequence[Any]) -> list[Any]:
        """Wait for one."""
        done: list[Any] = self._ray.wait(list(under_way), num_returns=1, fetch_local=False)[0]
        return done

    def result(self, handle: Any) -> Parcel | Failure:
        """Fetch it."""
        errors = self._ray.exceptions
        try:
            found: Parcel | Failure = self._ray.get(handle)
        except errors.RayTaskError as error:
            raise unfit(error) from error
        except errors.RayError as error:
            raise Lost(f"{type(error).__name__}: {error}") from error
        return found

    def cancel(self, under_way: Sequence[Any]) -> None:
        """End what is not done. Not by force: Ray 2.60 ends this process where a batch is just then finished."""
        if self._ray.is_initialized():
            for reference in under_way:
                self._ray.cancel(reference)

    def close(self) -> None:
        """Let Ray forget the job."""
        self._job.clear()
