"""What a destination of events looks like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import polars as pl

from synode_df.engine.tally import Tally
from synode_df.errors import SynodeError


@dataclass(frozen=True)
class Plan:
    """What a run is about to do, as its adapter may want to know it.

    Attributes
    ----------
    users : range
        The users.
    batch_size : int
        Users a batch.
    config : mapping of str to JSON value
        All that decides what the events are: seed, window, declarations, versions.
    schema : polars.Schema
        The events' columns and types, as far as they are declared.
    star_schema : bool
        Whether tables will land beside the events.
    """

    users: range
    batch_size: int
    config: Mapping[str, Any]
    schema: pl.Schema
    star_schema: bool


@dataclass(frozen=True)
class ShardFile:
    """A file that was written whole.

    Attributes
    ----------
    name : str
        Its name within the target, with folders: `"event=land/events-000000000000.parquet"`.
    rows, bytes : int
        Its rows and its size.
    sha256 : str
        Of its bytes, as hexadecimal digits.
    stamp : str
        What changes when it is written again: nanoseconds since 1970, or what an object store gives for it.
    """

    name: str
    rows: int
    bytes: int
    sha256: str
    stamp: str


@dataclass(frozen=True)
class Shard:
    """A batch of users that was written by itself: one file, or one for each partition.

    Attributes
    ----------
    first_user, end_user : int
        The users in it: `range(first_user, end_user)`.
    files : tuple of ShardFile
        What was written.
    """

    first_user: int
    end_user: int
    files: tuple[ShardFile, ...]

    @property
    def rows(self) -> int:
        """Its events."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(file.bytes for file in self.files)


class OutputAdapter(ABC):
    """A destination of event batches.

    `generate` opens it, writes batches in order of users, and closes it once, also after a failure, of which `discard`
    tells it first. Subclass it to send events anywhere: only `write` must be there.

    Examples
    --------
    >>> import synode_df as sd
    >>> class Counter(sd.OutputAdapter):
    ...     rows = 0
    ...     def write(self, batch):
    ...         self.rows += batch.height
    >>> counter = Counter()
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> _ = sd.generate(visit, users=3, adapter=counter)
    >>> counter.rows
    3
    """

    def prepare(self, plan: Plan) -> None:
        """Learn of the run, before `open`; an adapter without a place for tables refuses a run that has some."""
        if plan.star_schema and not self.takes_tables:
            raise self._no_place("star_schema=True")

    @property
    def takes_tables(self) -> bool:
        """Whether `write_table` is there."""
        return type(self).write_table is not OutputAdapter.write_table

    def open(self) -> None:  # noqa: B027 - most adapters have nothing to prepare
        """Prepare to receive batches."""

    @abstractmethod
    def write(self, batch: pl.DataFrame) -> None:
        """Take a batch of events.

        Parameters
        ----------
        batch : polars.DataFrame
            The events of some users, whole, sorted by user and then time.
        """

    def write_table(self, name: str, part: pl.DataFrame) -> None:
        """Take a part of a table that lands beside the events.

        `generate(..., star_schema=True)` calls it after the last batch of events and before `close`.

        Parameters
        ----------
        name : str
            `"users"`, `"dataset_"` and a dataset's id, or `"telemetry_"` and the name of a telemetry frame.
        part : polars.DataFrame
            Some rows of the table. A large table comes in several parts, one after the other, all of one schema.

        Raises
        ------
        SynodeError
            `OUTPUT_ERROR` from adapters that have no place for tables.
        """
        raise self._no_place(f"the table {name!r} with {part.width} columns")

    def _no_place(self, received: str) -> SynodeError:
        return SynodeError(
            "OUTPUT_ERROR",
            f"{type(self).__name__} has no place for tables beside the events",
            path="star_schema",
            expected="an adapter with a `write_table` method",
            received=received,
            suggestion="leave star_schema out, or choose an adapter that writes files or tables of a database",
        )

    def discard(self) -> None:  # noqa: B027 - most adapters cannot take back what they have sent
        """Learn that the run failed or was interrupted: the `close` that follows must leave nothing half done."""

    def close(self) -> None:  # noqa: B027 - most adapters have nothing to end
        """End the output; no batch follows."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; where the run failed already, that is what is told."""
        try:
            if error is not None:
                self.discard()
            self.close()
        except SynodeError:
            if error is None:
                raise


class ShardingAdapter(OutputAdapter):
    """An adapter whose batches are files of their own, written where they are made: in the workers.

    It must be picklable. `write_shard` runs in the workers, everything else in the calling process.
    """

    @abstractmethod
    def write_shard(self, batch: pl.DataFrame, *, first_user: int, end_user: int) -> Shard:
        """Write one batch, whole or not at all; a second attempt at the same batch replaces the first."""

    @abstractmethod
    def take_shard(self, shard: Shard, schema: pl.Schema, tally: Tally) -> None:
        """Note a shard that a worker has written, in order of users."""

    def remaining(self, batches: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
        """The batches, as pairs of first user and end, that have not landed in an earlier run."""
        return batches

    def whole(self) -> Tally | None:
        """What happened to all users, also those of an earlier run; None where this run has counted all."""
        return None
