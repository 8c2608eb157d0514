"""One file for the events, one beside it for each table: whole or absent."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

import polars as pl

from synode_df import checks
from synode_df.errors import shown
from synode_df.output.failures import already_there, output_error
from synode_df.output.folders import HiddenFolder, local_path, require_folder
from synode_df.output.sink_types import SinkTypes
from synode_df.output.spool import Spool
from synode_df.output.spooling import EVENTS, SpoolingAdapter

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
        self.path = local_path(
            path,
            adapter=kind,
            example=f"events{self.endings[0]}",
            suggestion="give the path of a file; ParquetAdapter also writes to cloud storage",
        )
        self._mode = checks.one_of(mode, ("create", "overwrite"), name="mode", code="INVALID_OPTION", path=kind)
        if compression is not None:
            checks.one_of(
                compression, ("gzip", "zstd", "uncompressed"), name="compression", code="INVALID_OPTION", path=kind
            )
        self._compression: FileCompression = compression or _ENDINGS.get(self.path.suffix.lower(), "uncompressed")
        self._hidden: HiddenFolder | None = None

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
        require_folder(self.path.parent)

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
        self._hidden = HiddenFolder(self.path)
        return self._hidden.path

    def _release(self) -> None:
        super()._release()
        if self._hidden is not None:
            self._hidden.remove()
            self._hidden = None

    def _land(self, spools: Mapping[str, Spool]) -> None:
        assert self._folder is not None
        finished: dict[Path, Path] = {}
        for name, spool in spools.items():
            target = self.path if name == EVENTS else self.table_path(name)
            finished[target] = self._folder / f"{len(finished):04d}.whole"
            with spool.scanned(self.types) as frames:
                self._sink(frames, finished[target])
        for target in finished:
            self._refuse(target)  # somebody else may have put something there meanwhile
        # The events come last: where they are, everything is.
        for target, file in reversed(finished.items()):
            file.replace(target)
