"""How jobs reach workers, and how what they made comes back."""

from __future__ import annotations

import io
import os
import pickle
import platform
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import polars as pl

from synode_df.errors import SynodeError, shown, told
from synode_df.run.work import Job, Outcome, Workshop
from synode_df.version import __version__

T = TypeVar("T")

THREADS: Final = "POLARS_MAX_THREADS"
"""The variable that Polars reads on import."""

_KEPT: Final = 3
"""Jobs of earlier runs that a worker keeps, since some of their batches may still be under way."""

_workshops: dict[str, Workshop] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Failure:
    """An error on its way to the parent: returned as a value, since joblib loses causes and breaks on some."""

    error: BaseException
    cause: BaseException | None

    def __reduce__(self) -> tuple[Any, ...]:
        return _failure, (_taken_apart(self.error), None if self.cause is None else _taken_apart(self.cause))


@dataclass(frozen=True)
class Parcel:
    """An outcome on its way to another machine; its events are Arrow IPC, half as large as their pickle."""

    outcome: Outcome
    events: bytes | None

    @classmethod
    def of(cls, outcome: Outcome) -> Parcel:
        """Pack an outcome."""
        if outcome.events is None:
            return cls(outcome, None)
        buffer = io.BytesIO()
        outcome.events.write_ipc(buffer, compression="lz4")
        outcome.events = None
        return cls(outcome, buffer.getvalue())

    def unpacked(self) -> Outcome:
        """The outcome, with its events."""
        if self.events is not None:
            self.outcome.events = pl.read_ipc(self.events)
        return self.outcome


def attempt(action: Callable[[], T]) -> T | Failure:
    """What an action gives, or the error that it ended in."""
    try:
        return action()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - every error must reach the parent whole
        return Failure(error, error.__cause__)


def workshop(token: str, packed: Callable[[], bytes], prepare: Callable[[], None] | None = None) -> Workshop:
    """Give this process's workshop for a job; the job is fetched and unpacked once.

    Parameters
    ----------
    token : str
        The name of the job.
    packed : callable
        Fetches the job's bytes.
    prepare : callable, optional
        Called once, when the job is new here.
    """
    with _lock:
        if token not in _workshops:
            make_job = unpacked_job(packed())
            # Workers outlive runs: what earlier ones left is dropped, but for a few that may still be under way.
            for earlier in list(_workshops)[: -_KEPT or None]:
                _workshops.pop(earlier).close()
            _workshops[token] = Workshop(make_job())
            if prepare is not None:
                prepare()
        return _workshops[token]


def forget(token: str) -> None:
    """Close this process's workshop for a job, if there is one."""
    with _lock:
        kept = _workshops.pop(token, None)
    if kept is not None:
        kept.close()


def work_apart(token: str, packed: Callable[[], bytes], first_user: int, end_user: int) -> Parcel | Failure:
    """One batch in a worker that may be on another machine."""
    try:
        return attempt(lambda: Parcel.of(workshop(token, packed).run(first_user, end_user)))
    except KeyboardInterrupt as error:  # Dask would wait for ever for a batch that ended so
        return Failure(error, error.__cause__)


@dataclass(frozen=True)
class JobInHand:
    """A job that travels with the call."""

    packed: bytes

    def __call__(self) -> bytes:
        """The job's bytes."""
        return self.packed


def packed_job(make_job: Callable[[], Job]) -> bytes:
    """A job as bytes, with the folders that modules are imported from: workers may be older than some of them."""
    import cloudpickle

    folders = [os.path.abspath(folder) for folder in sys.path]
    try:
        return pickle.dumps((_versions(), folders, cloudpickle.dumps(make_job)))
    except Exception as error:
        raise SynodeError(
            "NOT_PICKLABLE",
            f"The declarations cannot travel to the workers: {error}",
            path="n_jobs",
            expected="handlers and callables that hold no open files, locks or connections",
            received=f"{type(error).__name__}: {shown(str(error), 200)}",
            suggestion="open such things inside the handler, put all in a module (worker_module=...), or use n_jobs=1",
        ) from error


def unpacked_job(packed: bytes) -> Callable[[], Job]:
    """The job that `packed_job` packed, perhaps on another machine."""
    versions, folders, job = pickle.loads(packed)
    if versions != _versions():
        raise _mismatch(
            "A worker runs other versions than the process that sent it work", expected=versions, received=_versions()
        )
    sys.path += [folder for folder in folders if folder not in sys.path and os.path.exists(folder)]
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


def unfit(error: BaseException) -> SynodeError:
    """The error where a worker could not even begin: most often `synode_df` is not installed there."""
    return _mismatch(
        f"A worker cannot begin: {shown(str(error), 200)}",
        expected=f"{_versions()} on every machine",
        received=f"{type(error).__name__}: {shown(str(error), 200)}",
    )


def _mismatch(message: str, *, expected: str, received: str) -> SynodeError:
    return SynodeError(
        "WORKER_MISMATCH",
        message,
        path="n_jobs",
        expected=expected,
        received=received,
        suggestion="install the same versions on every machine; with others the same seed may not give the same data",
    )


def _versions() -> str:
    """What must be the same everywhere: the data's maker, and the Python whose byte code travels."""
    return f"synode_df {__version__}, Python {'.'.join(platform.python_version_tuple()[:2])}"


def _taken_apart(error: BaseException) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """What makes an error anew where it arrives: itself, or its type and text where it does not survive pickling.

    Our own errors are not pickled as exceptions: libraries such as distributed teach pickle to take the cause of one
    along, which may not survive.
    """
    import cloudpickle

    apart: Any = error.__reduce__() if isinstance(error, SynodeError) else (_same, (error,))
    try:
        cloudpickle.loads(cloudpickle.dumps(apart))
    except Exception:  # noqa: BLE001 - whatever its pickling raises
        return RuntimeError, (told(error),)
    made: tuple[Callable[..., Any], tuple[Any, ...]] = apart
    return made


def _same(error: BaseException) -> BaseException:
    return error


def _failure(error: tuple[Callable[..., Any], tuple[Any, ...]], cause: Any) -> Failure:
    """Put a failure together again."""
    return Failure(error[0](*error[1]), None if cause is None else cause[0](*cause[1]))
