"""Workers that joblib itself runs: threads, processes on this machine, and whatever else is registered with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import polars as pl

from synode_df.run.exchange import THREADS, Failure, JobInHand, Parcel, attempt, packed_job, work_apart, workshop
from synode_df.run.work import Job, Outcome, Workshop

Batches = Iterable[tuple[int, int]]
Found = Generator[Outcome | Failure, None, None]

_WAVE: Final = 8
"""Batches a worker gets at a time where frames come back."""

_LONG_WAVE: Final = 64
"""The same where only counts come back, on backends that tell nothing before the end of a wave."""


@dataclass(frozen=True)
class Ticket:
    """Where a process on this machine finds its job, and where it leaves its frames."""

    token: str
    file: str
    exchange: str | None
    parent: int

    def packed(self) -> bytes:
        """The job, from its file."""
        return Path(self.file).read_bytes()

    def watch(self) -> None:
        """End this worker if its parent is killed during the run."""
        if os.getppid() == self.parent:
            threading.Thread(target=self._end_with_parent, daemon=True).start()

    def _end_with_parent(self) -> None:
        while os.getppid() == self.parent:
            if not os.path.exists(self.file):
                return
            time.sleep(1)
        for folder in (os.path.dirname(self.file), self.exchange):  # nobody else will come for them
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


def _work_beside(ticket: Ticket, first_user: int, end_user: int) -> Outcome | Failure:
    """One batch in a process beside this one; its events go to a file that the parent maps, not through a pipe."""

    def run() -> Outcome:
        outcome = workshop(ticket.token, ticket.packed, ticket.watch).run(first_user, end_user)
        if outcome.events is not None and ticket.exchange is not None:
            outcome.events.write_ipc(Path(ticket.exchange, f"{first_user}.arrow"), compression="uncompressed")
            outcome.events = None
        return outcome

    return attempt(run)


def in_threads(make_job: Callable[[], Job], batches: Batches, *, n_jobs: int, workers: int, frames: bool) -> Found:
    """Outcomes from joblib's threads, or from this one: nothing is packed, frames are handed over as they are."""
    shop = Workshop(make_job())

    def work(first_user: int, end_user: int) -> Outcome | Failure:
        return attempt(lambda: shop.run(first_user, end_user))

    try:
        yield from _waves(work, batches, n_jobs=n_jobs, size=workers * _WAVE if frames else None)
    finally:
        shop.close()


def in_processes(
    make_job: Callable[[], Job], batches: Batches, *, token: str, n_jobs: int, workers: int, frames: bool
) -> Found:
    """Outcomes from joblib's own processes on this machine: the job in a file, frames in shared memory."""
    folder = _folder()
    exchange = _memory_folder() if frames else None
    ticket = Ticket(token, str(folder / "job"), None if exchange is None else str(exchange), os.getpid())
    try:
        (folder / "job").write_bytes(packed_job(make_job))
        size = workers * _WAVE if frames else None
        results = _waves(partial(_work_beside, ticket), batches, n_jobs=n_jobs, size=size)
        with _configured(workers), contextlib.closing(results):
            for found in results:
                if exchange is not None and isinstance(found, Outcome):
                    found.events = _mapped(exchange / f"{found.first_user}.arrow")
                yield found
    finally:
        _remove(folder)
        if exchange is not None:
            _remove(exchange)


def elsewhere(
    make_job: Callable[[], Job],
    batches: Batches,
    *,
    token: str,
    n_jobs: int,
    workers: int,
    frames: bool,
    one_by_one: bool,
) -> Found:
    """Outcomes from a backend of which nothing is known: the job goes with each batch, frames come back as bytes.

    `one_by_one` says whether the backend hands out results before the last of a wave is there.
    """
    work = partial(work_apart, token, JobInHand(packed_job(make_job)))
    size = workers * (_WAVE if frames else _LONG_WAVE)
    with contextlib.closing(_waves(work, batches, n_jobs=n_jobs, size=size, one_by_one=one_by_one)) as results:
        for found in results:
            yield found.unpacked() if isinstance(found, Parcel) else found


def _waves(
    work: Callable[[int, int], Any], batches: Batches, *, n_jobs: int, size: int | None, one_by_one: bool = True
) -> Generator[Any, None, None]:
    """Batches through joblib; it has no back-pressure, so `size` bounds how many wait for the parent."""
    import joblib

    waiting = iter(batches)
    while (following := next(waiting, None)) is not None:
        todo = chain([following], islice(waiting, None if size is None else size - 1))
        calls = (joblib.delayed(work)(first, end) for first, end in todo)
        pool = joblib.Parallel(n_jobs=n_jobs, return_as="generator" if one_by_one else "list", batch_size=1)
        results = pool(calls)
        try:
            for result in results:  # noqa: UP028 - `yield from` would close them before `_abandon`
                yield result
        finally:
            if one_by_one:
                _abandon(results)


def _abandon(results: Generator[Any, None, None]) -> None:
    """End what is still under way, if anything; joblib's advice about it would only puzzle."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tasks (have been|which were)", category=UserWarning)
        results.close()


@contextlib.contextmanager
def _configured(workers: int) -> Iterator[None]:
    """Let each of joblib's own default workers use its share of the cores for Polars.

    What the user configured, for joblib or for Polars, is left alone. The initializer is a function of the
    standard library on purpose: one of ours would import Polars, which reads the variable on import.
    """
    import joblib
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend()
    if getattr(backend, "backend_kwargs", None) or THREADS in os.environ:
        yield
        return
    threads = max(1, joblib.cpu_count() // max(1, workers))
    with joblib.parallel_config(backend="loky", initializer=os.putenv, initargs=(THREADS, str(threads))):
        yield


def _memory_folder() -> Path:
    """A folder for frames on their way to the parent: in shared memory where there is some."""
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2**30:
        return _folder(shared)
    return _folder()


def _folder(within: Path | None = None) -> Path:
    """A new temporary folder, named after this process."""
    return Path(tempfile.mkdtemp(prefix=f"synode_df-{os.getpid()}-", dir=within))


def _remove(folder: Path) -> None:
    """Remove a folder, also while a worker that was told to stop still puts its last file there."""
    for pause in (0.0, 0.05, 0.2, 0.5, 1.0):
        time.sleep(pause)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return


def _mapped(file: Path) -> pl.DataFrame:
    """A frame mapped from its file, whose name is then free: the memory stays until the frame is dropped."""
    frame = pl.read_ipc(file)
    file.unlink()
    return frame
