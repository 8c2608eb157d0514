"""Spreading batches over joblib's workers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from synode_df.errors import SynodeError
from synode_df.run import local
from synode_df.run.cluster import died, outcomes
from synode_df.run.exchange import Failure, forget
from synode_df.run.work import Job, Outcome


class WorkerPool:
    """Runs batches of users on joblib workers.

    Threads, processes on this machine, Dask, Ray and other backends, as `joblib.parallel_config` says. On Dask and Ray
    a batch whose worker was lost is tried again, four times in all.

    Parameters
    ----------
    make_job : callable
        Makes the job in each worker; travels by cloudpickle, once a run.
    n_jobs : int
        Number of workers; -1 for all cores, of this machine or of the cluster.

    Raises
    ------
    SynodeError
        `NOT_PICKLABLE` where the declarations cannot travel; `INVALID_OPTION` for joblib's multiprocessing backend.

    Examples
    --------
    `generate` makes one where `n_jobs` asks for workers:

    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> alone = sd.generate_df(visit, users=1_000, seed=7)
    >>> sd.generate_df(visit, users=1_000, seed=7, n_jobs=2, batch_size=250).equals(alone)
    True
    """

    def __init__(self, make_job: Callable[[], Job], *, n_jobs: int) -> None:
        self._make_job = make_job
        self._n_jobs = n_jobs

    def run(self, batches: Iterable[tuple[int, int]], *, frames: bool) -> Iterator[Outcome]:
        """The outcome of every batch, in order.

        Parameters
        ----------
        batches : iterable of (int, int)
            First user and end of each batch.
        frames : bool
            Whether outcomes carry their events; else the job's adapter has written them.

        Yields
        ------
        Outcome

        Raises
        ------
        SynodeError
            What the batches raise; `WORKER_DIED` where a worker's process ended, on Dask and Ray four times for one
            batch; `WORKER_MISMATCH` where a worker's machine lacks this version of `synode_df`.
        """
        token = secrets.token_hex(16)
        found = self._found(token, batches, frames=frames)
        try:
            for each in found:
                if isinstance(each, Failure):
                    raise each.error from each.cause
                yield each
        finally:
            found.close()
            forget(token)

    def _found(
        self, token: str, batches: Iterable[tuple[int, int]], *, frames: bool
    ) -> Generator[Outcome | Failure, None, None]:
        from joblib.parallel import get_active_backend

        backend, _ = get_active_backend()
        kind = type(backend).__name__
        if kind == "DaskDistributedBackend":
            from synode_df.run.dask_cluster import DaskCluster

            return outcomes(DaskCluster(backend, self._make_job, token=token, n_jobs=self._n_jobs), batches)
        if kind == "RayBackend":
            from synode_df.run.ray_cluster import RayCluster

            return outcomes(RayCluster(backend, self._make_job, token=token, n_jobs=self._n_jobs), batches)
        if kind == "MultiprocessingBackend":
            raise SynodeError(
                "INVALID_OPTION",
                "joblib's multiprocessing backend cannot be used",
                path="joblib.parallel_config",
                expected="a backend whose workers do not begin as copies of this process, in which Polars has run",
                received="backend='multiprocessing'",
                suggestion="leave the backend out: joblib's own workers (loky) are processes too",
            )
        return _told(self._beside(backend, kind, token, batches, frames=frames), kind)

    def _beside(
        self, backend: Any, kind: str, token: str, batches: Iterable[tuple[int, int]], *, frames: bool
    ) -> Generator[Outcome | Failure, None, None]:
        import joblib

        how: dict[str, Any] = {
            "n_jobs": self._n_jobs,
            "workers": joblib.effective_n_jobs(self._n_jobs),
            "frames": frames,
        }
        if getattr(backend, "supports_sharedmem", False):
            return local.in_threads(self._make_job, batches, **how)
        if kind == "LokyBackend":
            return local.in_processes(self._make_job, batches, token=token, **how)
        one_by_one = getattr(backend, "supports_return_generator", False)
        return local.elsewhere(self._make_job, batches, token=token, one_by_one=one_by_one, **how)


def _told(found: Generator[Outcome | Failure, None, None], kind: str) -> Generator[Outcome | Failure, None, None]:
    """The same outcomes; what the backend itself raises becomes one clear error."""
    try:
        yield from found
    except (SynodeError, GeneratorExit, KeyboardInterrupt):
        raise
    except Exception as error:
        if kind in {"ThreadingBackend", "SequentialBackend"}:
            raise
        raise died(
            "A worker process ended before its batch was done", f"{kind}, {type(error).__name__}: {error}"
        ) from error
