"""Batches set aside on disk, since only the last one tells which columns and types the whole has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from synode_df.engine.frames import conformed, joint_schema
from synode_df.output.sink_types import SinkTypes

_ROWS: Final = 65_536
"""Small batches are gathered up to this, so that a run in small batches does not end in a hundred thousand files."""


class Spool:
    """Frames in order, in files of a folder; one is in memory at a time.

    Handlers may bring columns, event names and wider types with any batch, while a file has one header and a table one
    set of columns.

    Parameters
    ----------
    folder : Path
        An empty folder, or none yet; whoever made the spool removes it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._schemas: list[pl.Schema] = []
        self._waiting: list[pl.DataFrame] = []
        self._files = 0
        self.rows = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Set a frame aside."""
        if not self._schemas or frame.schema != self._schemas[-1]:
            self._put()
            self._schemas.append(frame.schema)
        self._waiting.append(frame)
        self.rows += frame.height
        if sum(waiting.height for waiting in self._waiting) >= _ROWS:
            self._put()

    def schema(self) -> pl.Schema:
        """The columns and types that hold every frame.

        Raises
        ------
        SynodeError
            `TYPE_CONFLICT`.
        """
        first, *others = self._schemas
        return first if all(other == first for other in others) else joint_schema(self._schemas)

    def batches(self, types: SinkTypes) -> Iterator[pl.DataFrame]:
        """The frames in order, all of one schema, with the types that a destination takes."""
        self._put()
        target = self.schema()
        for number in range(self._files):
            with self._file(number).open("rb") as file:  # a path would be taken for a pattern
                frame = pl.read_ipc(file)
            yield types.of(conformed(frame, target))

    @contextmanager
    def scanned(self, types: SinkTypes) -> Iterator[pl.LazyFrame]:
        """The frames as one LazyFrame that streams, for a sink in the block.

        What is raised while they are read is raised here as it is; through an Arrow stream it would come as text only.
        """
        raised: list[BaseException] = []

        def batches(*_: object) -> Iterator[pl.DataFrame]:  # a sink asks for nothing but the whole
            try:
                yield from self.batches(types)
            except BaseException as error:
                raised.append(error)
                raise

        try:
            yield register_io_source(batches, schema=types.schema(self.schema()))
        except (Exception, KeyboardInterrupt):
            if raised and not isinstance(raised[0], GeneratorExit):
                raise raised[0] from None
            raise

    def _put(self) -> None:
        if self._waiting:
            frame = pl.concat(self._waiting, rechunk=False)
            frame.write_ipc(self._file(self._files), compression="lz4")
            self._files += 1
            self._waiting = []

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:06d}.arrow"
