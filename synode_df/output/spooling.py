"""Adapters that land everything at the end of a run, or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from synode_df.errors import SynodeError
from synode_df.output.base import OutputAdapter, Plan
from synode_df.output.failures import cannot_write, output_error
from synode_df.output.spool import Spool

EVENTS: Final = "events"
"""The events' own place beside the tables of a run."""


class SpoolingAdapter(OutputAdapter):
    """Sets batches aside on disk, and lands them when the run has ended well.

    A run that fails or is interrupted leaves the destination as it was.
    """

    _folder: Path | None = None
    _tables_follow = False
    _failures: tuple[type[Exception], ...] = (OSError, pl.exceptions.PolarsError)

    def prepare(self, plan: Plan) -> None:
        """Learn whether tables will follow."""
        self._tables_follow = plan.star_schema

    def open(self) -> None:
        """Look at the destination, so that it is refused now and not after an hour."""
        self._spools: dict[str, Spool] = {}
        self._failed = False
        with self._told():
            self._prepare()
            if self._tables_follow:
                self._claim("users")  # the one table that every run has
            self._folder = self._new_folder()

    def write(self, batch: pl.DataFrame) -> None:
        """Set a batch of events aside."""
        self._set_aside(EVENTS, batch)

    def write_table(self, name: str, part: pl.DataFrame) -> None:
        """Set a part of a table aside; it lands beside the events."""
        self._set_aside(name, part)

    def discard(self) -> None:
        """Learn that nothing is to land."""
        self._failed = True

    def close(self) -> None:
        """Land the events and the tables, or nothing; remove what was set aside."""
        try:
            if self._folder is not None and self._spools and not self._failed:
                with self._told():
                    self._land(self._spools)
        finally:
            self._release()

    def _set_aside(self, name: str, frame: pl.DataFrame) -> None:
        if self._folder is None:
            raise output_error(
                type(self).__name__,
                "The adapter is not open",
                expected="`open`, or a `with` block, before `write`",
                received=f"a frame of {frame.height} rows",
                suggestion="pass the adapter to generate, which opens and closes it",
            )
        with self._told():
            if name not in self._spools:
                if name != EVENTS:
                    self._claim(name)
                self._spools[name] = Spool(self._folder / f"{len(self._spools):04d}")
            self._spools[name].add(frame)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What libraries raise about the destination, as an error of ours."""
        try:
            yield
        except SynodeError:
            raise
        except self._failures as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> SynodeError:
        return cannot_write(type(self).__name__, self._shown_target(), error)

    def _new_folder(self) -> Path:
        """Where batches are set aside: the system's folder for temporary files (`TMPDIR`)."""
        return Path(tempfile.mkdtemp(prefix=f"synode_df-{os.getpid()}-"))

    def _release(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    @abstractmethod
    def _shown_target(self) -> str:
        """The destination, as errors name it."""

    @abstractmethod
    def _prepare(self) -> None:
        """Look whether the events can land; refuse a destination that holds something."""

    @abstractmethod
    def _claim(self, table: str) -> None:
        """Refuse a table's place that holds something."""

    @abstractmethod
    def _land(self, spools: Mapping[str, Spool]) -> None:
        """Put everything where it belongs, or nothing."""
