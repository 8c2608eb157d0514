"""Parquet: a directory of shards, written by the workers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from synode_df import checks
from synode_df.engine.frames import conformed, joint_schema
from synode_df.errors import SynodeError, shown
from synode_df.output.base import Shard, ShardingAdapter

Compression = Literal["zstd", "lz4", "snappy", "gzip", "brotli", "uncompressed"]


class ParquetAdapter(ShardingAdapter):
    """Writes events to a directory of Parquet files, one for each batch of users.

    Workers write their own files. A file appears whole or not at all: it is written under another name and then
    renamed. All files of a run have one schema, so that the directory can be scanned as one table.

    Parameters
    ----------
    path : str or Path
        The directory; made if it is not there, refused if it is not empty.
    mode : {"create", "overwrite"}, default "create"
        What to do with a directory that has something in it: refuse, or replace the Parquet files of an earlier run.
    compression : {"zstd", "lz4", "snappy", "gzip", "brotli", "uncompressed"}, default "zstd"
        How the files are compressed.
    compression_level : int, optional
        For zstd, gzip and brotli. 1 for zstd if not given: on events it writes a third
        faster than Polars' own default and no larger.

    Raises
    ------
    SynodeError
        `OUTPUT_ERROR` where the target is not a directory, not empty, or cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import polars as pl
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> target = pathlib.Path(tempfile.mkdtemp(), "events")
    >>> _ = sd.generate(visit, users=1_000, adapter=sd.ParquetAdapter(target))
    >>> pl.scan_parquet(target).select(pl.len()).collect().item()
    1000
    """

    def __init__(
        self,
        path: str | Path,
        *,
        mode: Literal["create", "overwrite"] = "create",
        compression: Compression = "zstd",
        compression_level: int | None = None,
    ) -> None:
        self.path = Path(path).absolute()  # workers may stand in another folder
        self._mode = checks.one_of(
            mode, ("create", "overwrite"), name="mode", code="INVALID_OPTION", path="ParquetAdapter"
        )
        self._compression: Compression = checks.one_of(  # type: ignore[assignment]  # one of the literals
            compression,
            get_args(Compression),
            name="compression",
            code="INVALID_OPTION",
            path="ParquetAdapter",
        )
        if compression_level is not None:
            checks.whole(
                compression_level,
                name="compression_level",
                path="ParquetAdapter",
                at_least=0,
                at_most={"zstd": 22, "gzip": 9, "brotli": 11}.get(self._compression, -1),
                code="INVALID_OPTION",
            )
        self._level = 1 if compression_level is None and self._compression == "zstd" else compression_level
        self._schemas: dict[str, pl.Schema] = {}
        self.shards: list[Shard] = []

    def open(self) -> None:
        """Make the directory, or refuse one with something in it."""
        self._schemas, self.shards = {}, []
        try:
            if self.path.exists() and not self.path.is_dir():
                raise NotADirectoryError(f"{self.path} is a file")
            inside = sorted(self.path.iterdir()) if self.path.exists() else []
            if inside and self._mode == "create":
                raise self._error(
                    "The target directory is not empty",
                    expected="an empty directory, or none yet",
                    received=f"{shown(str(self.path))} with {len(inside)} entries, such as {shown(inside[0].name)}",
                    suggestion='choose another directory, or ParquetAdapter(path, mode="overwrite")',
                )
            for old in self.path.glob("*.parquet") if inside else ():
                old.unlink()
            shutil.rmtree(self.path / "_unfinished", ignore_errors=True)
            (self.path / "_unfinished").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._cannot_write(error) from error

    def write(self, batch: pl.DataFrame) -> None:
        """Write a batch as the next shard, when there is no worker to do it."""
        first = self.shards[-1].end_user if self.shards else 0
        self.take_shard(self.write_shard(batch, first_user=first, end_user=first + 1), batch.schema)

    def write_shard(self, batch: pl.DataFrame, *, first_user: int, end_user: int) -> Shard:
        """Write a batch of users as one file."""
        name = f"events-{first_user:012d}.parquet"
        unfinished = self.path / "_unfinished" / f"{name}.{os.getpid()}"
        try:
            batch.write_parquet(unfinished, compression=self._compression, compression_level=self._level)
            size = unfinished.stat().st_size
            unfinished.replace(self.path / name)
        except (OSError, pl.exceptions.PolarsError) as error:
            unfinished.unlink(missing_ok=True)
            raise self._cannot_write(error) from error
        return Shard(name, first_user, end_user, batch.height, size)

    def take_shard(self, shard: Shard, schema: pl.Schema) -> None:
        """Note a written shard."""
        self.shards.append(shard)
        self._schemas[shard.name] = schema

    def close(self) -> None:
        """Bring all shards to one schema, where handlers gave some of them fields or events of their own."""
        shutil.rmtree(self.path / "_unfinished", ignore_errors=True)
        schemas = list(self._schemas.values())
        if all(schema == schemas[0] for schema in schemas[1:]):
            return
        target = joint_schema(schemas)
        for name, schema in self._schemas.items():
            if schema != target:
                self._rewrite(self.path / name, target)

    def _rewrite(self, file: Path, target: pl.Schema) -> None:
        aside = file.with_suffix(".rewritten")
        try:
            whole = conformed(pl.read_parquet(file), target)
            whole.write_parquet(aside, compression=self._compression, compression_level=self._level)
            aside.replace(file)
        except (OSError, pl.exceptions.PolarsError) as error:
            aside.unlink(missing_ok=True)
            raise self._cannot_write(error) from error

    def _cannot_write(self, error: Exception) -> SynodeError:
        return self._error(
            f"The target cannot be written: {error}",
            expected="a directory that can be written",
            received=shown(str(self.path)),
            suggestion="check the path, its permissions and the space left",
        )

    def _error(self, message: str, *, expected: str, received: str, suggestion: str) -> SynodeError:
        return SynodeError(
            "OUTPUT_ERROR",
            message,
            path="ParquetAdapter",
            expected=expected,
            received=received,
            suggestion=suggestion,
        )
