"""One file for the events, one beside it for each table: whole or absent."""

from __future__ import annotations

import os
import shutil
import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final, Literal
from urllib.parse import quote

import polars as pl
from polars.io.plugins import register_io_source

from synode_df import checks
from synode_df.errors import SynodeError, shown
from synode_df.output.failures import already_there, output_error
from synode_df.output.sink_types import SinkTypes
from synode_df.output.spool import Spool
from synode_df.output.spooling import EVENTS, SpoolingAdapter

try:
    import fcntl
except ImportError:  # Windows: folders that a killed run left behind stay
    fcntl = None  # type: ignore[assignment]

FileCompression = Literal["gzip", "zstd", "uncompressed"]
FileMode = Literal["create", "overwrite"]

_ENDINGS: Final[Mapping[str, FileCompression]] = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}


class FileAdapter(SpoolingAdapter):
    """Writes events to one file, under another name until it is whole.

    Batches wait in a hidden folder beside the target, so that renaming is enough at the end.

    Parameters
    ----------
    path : str or Path
        The file.
    mode : {"create", "overwrite"}
        Refuse a file that is there, or replace it.
    compression : {"gzip", "zstd", "uncompressed"}, optional
        By the end of the name (`.gz`, `.zst`) if not given.
    """

    types: SinkTypes
    endings: tuple[str, ...]

    def __init__(
        self, path: str | Path, *, mode: FileMode = "create", compression: FileCompression | None = None
    ) -> None:
        kind = type(self).__name__
        self.path = _local(path, kind)
        self._mode = checks.one_of(mode, ("create", "overwrite"), name="mode", code="INVALID_OPTION", path=kind)
        if compression is not None:
            checks.one_of(
                compression, ("gzip", "zstd", "uncompressed"), name="compression", code="INVALID_OPTION", path=kind
            )
        self._compression: FileCompression = compression or _ENDINGS.get(self.path.suffix.lower(), "uncompressed")
        self._lock: IO[bytes] | None = None

    def table_path(self, name: str) -> Path:
        """Where a table lands: `events.csv.gz` has its users beside it in `events-users.csv.gz`.

        Parameters
        ----------
        name : str
            The table's name, such as `"users"`; characters that file names cannot have are percent-encoded.
        """
        file = self.path.name
        end = len(file)
        for suffix in reversed(self.path.suffixes):
            if suffix.lower() not in {*_ENDINGS, *self.endings}:
                break
            end -= len(suffix)
        return self.path.with_name(f"{file[:end]}-{quote(name, safe=' ')}{file[end:]}")

    @abstractmethod
    def _sink(self, frames: pl.LazyFrame, file: Path) -> None:
        """Write frames to a file."""

    def _shown_target(self) -> str:
        return str(self.path)

    def _prepare(self) -> None:
        self._refuse(self.path)
        if not self.path.parent.is_dir():
            there = self.path.parent.exists()
            raise FileNotFoundError(f"{'not a' if there else 'no such'} folder: {self.path.parent}")

    def _claim(self, table: str) -> None:
        self._refuse(self.table_path(table))

    def _refuse(self, target: Path) -> None:
        if target.is_dir():
            raise output_error(
                type(self).__name__,
                "The target is a folder",
                expected="the name of a file",
                received=shown(str(target)),
                suggestion=f'name a file in it, such as "{target.name}/events{self.endings[0]}"',
            )
        if self._mode == "create" and (target.exists() or target.is_symlink()):
            raise already_there(
                type(self).__name__,
                target,
                what="file",
                suggestion=f'choose another name, or {type(self).__name__}(path, mode="overwrite")',
            )

    def _new_folder(self) -> Path:
        prefix = f".{self.path.name[:40]}."
        for old in self.path.parent.glob(f"{_literal(prefix)}*.unfinished"):
            _remove_abandoned(old)
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".unfinished", dir=self.path.parent))
        try:
            self._lock = (folder / "lock").open("wb")
            if fcntl is not None:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder

    def _release(self) -> None:
        super()._release()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _land(self, spools: Mapping[str, Spool]) -> None:
        assert self._folder is not None
        finished: dict[Path, Path] = {}
        for name, spool in spools.items():
            target = self.path if name == EVENTS else self.table_path(name)
            finished[target] = self._folder / f"{len(finished):04d}.whole"
            self._write(spool, finished[target])
        for target in finished:
            self._refuse(target)  # somebody else may have put something there meanwhile
        # The events come last: where they are, everything is.
        for target, file in reversed(finished.items()):
            file.replace(target)

    def _write(self, spool: Spool, file: Path) -> None:
        """One streaming sink over all batches."""
        raised: list[BaseException] = []

        def batches(*_: object) -> Iterator[pl.DataFrame]:
            # A sink asks for the whole. What is raised in here would reach the caller as text only.
            try:
                yield from spool.batches(self.types)
            except BaseException as error:
                raised.append(error)
                raise

        try:
            self._sink(register_io_source(batches, schema=self.types.schema(spool.schema())), file)
        except (OSError, pl.exceptions.PolarsError, KeyboardInterrupt):
            if raised and not isinstance(raised[0], GeneratorExit):
                raise raised[0] from None
            raise


def _local(path: str | Path, kind: str) -> Path:
    if isinstance(path, str | os.PathLike) and str(path) and "://" not in str(path):
        return Path(path).absolute()
    raise SynodeError(
        "INVALID_OPTION",
        f"{kind} writes to a file of this machine",
        path=kind,
        expected="a path, such as 'events.csv'",
        received=shown(path),
        suggestion="give the path of a file; ParquetAdapter also writes to cloud storage",
    )


def _literal(text: str) -> str:
    """Text as a pattern of `glob` that finds just this text."""
    return "".join(f"[{each}]" if each in "*?[" else each for each in text)


def _remove_abandoned(folder: Path) -> None:
    """Remove what a killed run left: nobody holds its lock any more."""
    if fcntl is None:
        return
    try:
        with (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return
