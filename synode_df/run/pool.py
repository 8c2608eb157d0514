"""Spreading batches over joblib's workers."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

import polars as pl

from synode_df.errors import SynodeError, shown
from synode_df.run.work import Job, Outcome, Workshop

_WAVE: Final = 8
"""Batches a worker gets at a time where frames come back."""

_KEPT: Final = 3

_workshops: dict[str, Workshop] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Ticket:
    """Where a worker finds its job: in a file, written once; the worker keeps what it has read."""

    token: str
    file: str
    exchange: str | None


@dataclass(frozen=True)
class Failure:
    """An error on its way to the parent: returned as a value, since joblib loses causes and breaks on some."""

    error: BaseException
    cause: BaseException | None


def _workshop(ticket: Ticket) -> Workshop:
    with _lock:
        if ticket.token not in _workshops:
            import cloudpickle

            job: Callable[[], Job] = cloudpickle.loads(Path(ticket.file).read_bytes())
            # Workers outlive runs: what earlier ones left is dropped, but for a few that may still be under way.
            for earlier in list(_workshops)[: -_KEPT or None]:
                _workshops.pop(earlier).close()
            _workshops[ticket.token] = Workshop(job())
        return _workshops[ticket.token]


def _work(ticket: Ticket, first_user: int, end_user: int) -> Outcome | Failure:
    """One batch in a worker; its events go to a file that the parent maps into memory, not through a pipe."""
    try:
        outcome = _workshop(ticket).run(first_user, end_user)
        if outcome.events is not None and ticket.exchange is not None:
            outcome.events.write_ipc(Path(ticket.exchange, f"{first_user}.arrow"), compression="uncompressed")
            outcome.events = None
    except Exception as error:  # noqa: BLE001 - every error must reach the parent whole
        return Failure(_portable(error), None if error.__cause__ is None else _portable(error.__cause__))
    return outcome


def _portable(error: BaseException) -> BaseException:
    """An error that survives pickling: itself, or its type and text."""
    import cloudpickle

    try:
        cloudpickle.loads(cloudpickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its pickling raises
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _bound_polars(threads: int) -> None:
    """Let a worker's Polars use its share of the cores; runs before Polars starts its threads."""
    os.environ["POLARS_MAX_THREADS"] = str(threads)


class WorkerPool:
    """Runs batches of users on joblib workers.

    Parameters
    ----------
    make_job : callable
        Makes the job in each worker; travels by cloudpickle, once a run.
    n_jobs : int
        Number of workers; -1 for all cores. What `joblib.parallel_config` says about the backend holds.

    Raises
    ------
    SynodeError
        `NOT_PICKLABLE` where the declarations cannot travel.
    """

    def __init__(self, make_job: Callable[[], Job], *, n_jobs: int) -> None:
        import joblib

        self._make_job = make_job
        self._workers: int = joblib.effective_n_jobs(n_jobs)
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
            What the batches raise; `WORKER_DIED` where a worker's process ended.
        """
        folder = Path(tempfile.mkdtemp(prefix="synode_df-"))
        exchange = _memory_folder() if frames else None
        ticket = Ticket(secrets.token_hex(16), str(folder / "job"), None if exchange is None else str(exchange))
        try:
            (folder / "job").write_bytes(_pickled(self._make_job))
            for outcome in self._outcomes(ticket, batches):
                if exchange is not None:
                    outcome.events = _mapped(exchange / f"{outcome.first_user}.arrow")
                yield outcome
        finally:
            with _lock:
                kept = _workshops.pop(ticket.token, None)
            if kept is not None:
                kept.close()
            shutil.rmtree(folder, ignore_errors=True)
            if exchange is not None:
                shutil.rmtree(exchange, ignore_errors=True)

    def _outcomes(self, ticket: Ticket, batches: Iterable[tuple[int, int]]) -> Iterator[Outcome]:
        import joblib

        waiting = iter(batches)
        with self._configured():
            # joblib has no back-pressure: where frames come back, a wave bounds how many wait for the parent.
            wave = None if ticket.exchange is None else self._workers * _WAVE
            while (following := next(waiting, None)) is not None:
                todo = chain([following], islice(waiting, None if wave is None else wave - 1))
                calls = (joblib.delayed(_work)(ticket, first, end) for first, end in todo)
                pool = joblib.Parallel(n_jobs=self._n_jobs, return_as="generator", batch_size=1)
                results: Generator[Outcome | Failure, None, None] = pool(calls)
                try:
                    yield from _unpacked(results)
                finally:
                    _abandon(results)

    @contextlib.contextmanager
    def _configured(self) -> Iterator[None]:
        """Bound Polars' threads in joblib's own default workers; leave what the user configured alone."""
        import joblib
        from joblib.parallel import get_active_backend

        backend, _ = get_active_backend()
        if type(backend).__name__ != "LokyBackend" or getattr(backend, "backend_kwargs", None):
            yield
            return
        threads = max(1, (os.cpu_count() or 1) // max(1, self._workers))
        with joblib.parallel_config(backend="loky", initializer=_bound_polars, initargs=(threads,)):
            yield


def _unpacked(results: Iterable[Outcome | Failure]) -> Iterator[Outcome]:
    try:
        for result in results:
            if isinstance(result, Failure):
                raise result.error from result.cause
            yield result
    except (SynodeError, GeneratorExit, KeyboardInterrupt):
        raise
    except Exception as error:
        if "Terminated" not in type(error).__name__ and "Broken" not in type(error).__name__:
            raise
        raise SynodeError(
            "WORKER_DIED",
            "A worker process ended before its batch was done",
            path="n_jobs",
            expected="workers that live until the run is done",
            received=shown(str(error), 300),
            suggestion="most often memory ran out: use fewer n_jobs or a smaller batch_size",
        ) from error


def _abandon(results: Generator[Outcome | Failure, None, None]) -> None:
    """End what is still under way, if anything; joblib's advice about it would only puzzle."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tasks (have been|which were)", category=UserWarning)
        results.close()


def _pickled(make_job: Callable[[], Job]) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(make_job))
    except Exception as error:
        raise SynodeError(
            "NOT_PICKLABLE",
            f"The declarations cannot travel to the workers: {error}",
            path="n_jobs",
            expected="handlers and callables that hold no open files, locks or connections",
            received=f"{type(error).__name__}: {shown(str(error), 200)}",
            suggestion="open such things inside the handler, put all in a module (worker_module=...), or use n_jobs=1",
        ) from error


def _memory_folder() -> Path:
    """A folder for frames on their way to the parent: in shared memory where there is some."""
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2**30:
        return Path(tempfile.mkdtemp(prefix="synode_df-", dir=shared))
    return Path(tempfile.mkdtemp(prefix="synode_df-"))


def _mapped(file: Path) -> pl.DataFrame:
    """A frame mapped from its file, whose name is then free: the memory stays until the frame is dropped."""
    frame = pl.read_ipc(file)
    file.unlink()
    return frame
