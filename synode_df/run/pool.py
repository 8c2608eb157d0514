"""Spreading batches over joblib's workers."""

from __future__ import annotations

import contextlib
import os
import pickle
import secrets
import shutil
import sys
import tempfile
import threading
import time
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
"""Jobs of earlier runs that a worker keeps, since some of their batches may still be under way."""

_THREADS: Final = "POLARS_MAX_THREADS"

_workshops: dict[str, Workshop] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Ticket:
    """Where a worker finds its job: in a file, written once; the worker keeps what it has read."""

    token: str
    file: str
    exchange: str | None
    parent: int


@dataclass(frozen=True)
class Failure:
    """An error on its way to the parent: returned as a value, since joblib loses causes and breaks on some."""

    error: BaseException
    cause: BaseException | None

    def __reduce__(self) -> tuple[type[Failure], tuple[BaseException, BaseException | None]]:
        return Failure, (_portable(self.error), None if self.cause is None else _portable(self.cause))


def _workshop(ticket: Ticket) -> Workshop:
    with _lock:
        if ticket.token not in _workshops:
            make_job = _unpacked_job(Path(ticket.file).read_bytes())
            # Workers outlive runs: what earlier ones left is dropped, but for a few that may still be under way.
            for earlier in list(_workshops)[: -_KEPT or None]:
                _workshops.pop(earlier).close()
            _workshops[ticket.token] = Workshop(make_job())
            if os.getppid() == ticket.parent:
                threading.Thread(target=_end_with_parent, args=(ticket,), daemon=True).start()
        return _workshops[ticket.token]


def _end_with_parent(ticket: Ticket) -> None:
    """End this worker if its parent is killed during the run, and remove what nobody will come for."""
    while os.getppid() == ticket.parent:
        if not os.path.exists(ticket.file):
            return
        time.sleep(1)
    for folder in (os.path.dirname(ticket.file), ticket.exchange):
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _work(ticket: Ticket, first_user: int, end_user: int) -> Outcome | Failure:
    """One batch in a worker; its events go to a file that the parent maps into memory, not through a pipe."""
    try:
        outcome = _workshop(ticket).run(first_user, end_user)
        if outcome.events is not None and ticket.exchange is not None:
            outcome.events.write_ipc(Path(ticket.exchange, f"{first_user}.arrow"), compression="uncompressed")
            outcome.events = None
    except Exception as error:  # noqa: BLE001 - every error must reach the parent whole
        return Failure(error, error.__cause__)
    return outcome


def _portable(error: BaseException) -> BaseException:
    """An error that survives pickling: itself, or its type and text."""
    import cloudpickle

    try:
        cloudpickle.loads(cloudpickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its pickling raises
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


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
        folder = _folder()
        exchange = _memory_folder() if frames else None
        ticket = Ticket(
            secrets.token_hex(16), str(folder / "job"), None if exchange is None else str(exchange), os.getpid()
        )
        try:
            (folder / "job").write_bytes(_packed_job(self._make_job))
            for outcome in self._outcomes(ticket, batches):
                if exchange is not None:
                    outcome.events = _mapped(exchange / f"{outcome.first_user}.arrow")
                yield outcome
        finally:
            with _lock:
                kept = _workshops.pop(ticket.token, None)
            if kept is not None:
                kept.close()
            _remove(folder)
            if exchange is not None:
                _remove(exchange)

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
        """Let each of joblib's own default workers use its share of the cores for Polars.

        What the user configured, for joblib or for Polars, is left alone. The initializer is a function of the
        standard library on purpose: one of ours would import Polars, which reads the variable on import.
        """
        import joblib
        from joblib.parallel import get_active_backend

        backend, _ = get_active_backend()
        configured = type(backend).__name__ != "LokyBackend" or getattr(backend, "backend_kwargs", None)
        if configured or _THREADS in os.environ:
            yield
            return
        threads = max(1, joblib.cpu_count() // max(1, self._workers))
        with joblib.parallel_config(backend="loky", initializer=os.putenv, initargs=(_THREADS, str(threads))):
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


def _remove(folder: Path) -> None:
    """Remove a folder, also while a worker that was told to stop still puts its last file there."""
    for pause in (0.0, 0.05, 0.2, 0.5, 1.0):
        time.sleep(pause)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return


def _abandon(results: Generator[Outcome | Failure, None, None]) -> None:
    """End what is still under way, if anything; joblib's advice about it would only puzzle."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tasks (have been|which were)", category=UserWarning)
        results.close()


def _packed_job(make_job: Callable[[], Job]) -> bytes:
    """A job as bytes, with the folders that modules are imported from: workers may be older than some of them."""
    import cloudpickle

    folders = [os.path.abspath(folder) for folder in sys.path]
    try:
        return pickle.dumps((folders, cloudpickle.dumps(make_job)))
    except Exception as error:
        raise SynodeError(
            "NOT_PICKLABLE",
            f"The declarations cannot travel to the workers: {error}",
            path="n_jobs",
            expected="handlers and callables that hold no open files, locks or connections",
            received=f"{type(error).__name__}: {shown(str(error), 200)}",
            suggestion="open such things inside the handler, put all in a module (worker_module=...), or use n_jobs=1",
        ) from error


def _unpacked_job(packed: bytes) -> Callable[[], Job]:
    folders, job = pickle.loads(packed)
    sys.path += [folder for folder in folders if folder not in sys.path]
    try:
        make_job: Callable[[], Job] = pickle.loads(job)
    except Exception as error:
        raise SynodeError(
            "NOT_PICKLABLE",
            f"The declarations cannot be unpacked in a worker: {error}",
            path="n_jobs",
            expected="handlers and callables whose modules every worker can import",
            received=f"{type(error).__name__}: {shown(str(error), 200)}",
            suggestion="put their modules where workers find them (PYTHONPATH, or installed), or use n_jobs=1",
        ) from error
    return make_job


def _memory_folder() -> Path:
    """A folder for frames on their way to the parent: in shared memory where there is some."""
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2**30:
        return _folder(shared)
    return _folder()


def _folder(within: Path | None = None) -> Path:
    """A new temporary folder, named after this process."""
    return Path(tempfile.mkdtemp(prefix=f"synode_df-{os.getpid()}-", dir=within))


def _mapped(file: Path) -> pl.DataFrame:
    """A frame mapped from its file, whose name is then free: the memory stays until the frame is dropped."""
    frame = pl.read_ipc(file)
    file.unlink()
    return frame
