"""Parquet: a directory of shards written by the workers, or one file."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, get_args

import polars as pl

from synode_df import checks
from synode_df.engine.tally import Tally
from synode_df.errors import SynodeError, SynodeValidationError, shown
from synode_df.model.event import EVENT_COLUMNS
from synode_df.output.base import Plan, Shard, ShardFile, ShardingAdapter
from synode_df.output.landing import Landing, Mode, Record, output_errors
from synode_df.output.manifest import tally_values
from synode_df.output.open_storage import open_storage
from synode_df.output.partitions import PARTITIONS, Part, declared_labels, parts_of, quoted, without
from synode_df.output.single_file import Compression, SingleFile
from synode_df.output.storage import Storage
from synode_df.output.unify import schema_digest, unified

_MOST_LEVELS: Final = {"zstd": 22, "gzip": 9, "brotli": 11}


class ParquetAdapter(ShardingAdapter):
    """Writes events to a directory of Parquet files, one for each batch of users, or to one Parquet file.

    Workers write their own files. A file appears whole or not at all: it is written under another name and then
    renamed. All files of a run have one schema. `_manifest.json` lists them, with their rows, sizes and hashes, and
    says what made them. What is not yet part of the data stays in a folder `_unfinished`.

    Parameters
    ----------
    path : str or Path
        The directory, made if it is not there. A name that ends in `.parquet` is one file, put together from its
        parts at the end. An address such as `"s3://bucket/events"` lies in an object store (extra `cloud`).
    mode : {"create", "overwrite"}, default "create"
        What to do with a target that has something in it: refuse, or replace what an earlier run has written.
    resume : bool, default False
        Whether to continue a run that was interrupted: what has landed whole is kept, the rest is generated. A run
        with other options or declarations is refused. Where there is nothing yet, the run starts.
    partition_by : str or sequence of str, optional
        Hive partitions, a folder for each value: `"date"` (of the timestamp), `"event"`, `"persona_id"` (for mixtures),
        `"journey_id"`, `"adventure_id"`, `"action_id"`.
    compression : {"zstd", "lz4", "snappy", "gzip", "brotli", "uncompressed"}, default "zstd"
        How the files are compressed.
    compression_level : int, optional
        For zstd, gzip and brotli. 1 for zstd if not given: on events it writes a third
        faster than Polars' own default and no larger.
    storage_options : dict of str to str, optional
        For object stores, as for `polars.scan_parquet`: keys, region, endpoint.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`; `MISSING_LIBRARY` for an address without the extra `cloud`. `OUTPUT_ERROR` from a run whose
        target is not a directory, not empty, written by another run, not the run to resume, or cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> target = pathlib.Path(tempfile.mkdtemp(), "events")
    >>> _ = sd.generate(visit, users=1_000, adapter=sd.ParquetAdapter(target))
    >>> sorted(file.name for file in target.iterdir())
    ['_manifest.json', 'events-000000000000.parquet']
    >>> sd.scan(target).collect().height
    1000
    """

    def __init__(
        self,
        path: str | Path,
        *,
        mode: Mode = "create",
        resume: bool = False,
        partition_by: str | Sequence[str] = (),
        compression: Compression = "zstd",
        compression_level: int | None = None,
        storage_options: dict[str, str] | None = None,
    ) -> None:
        where = "ParquetAdapter"
        checks.one_of(mode, get_args(Mode), name="mode", code="INVALID_OPTION", path=where)
        if mode == "overwrite" and resume:
            raise SynodeError(
                "INVALID_OPTION",
                "A run is either resumed or written over",
                path=where,
                expected='resume=True or mode="overwrite"',
                received="both",
                suggestion="leave one of them out",
            )
        self._mode: Mode = mode
        self._resume = checks.boolean(resume, name="resume", code="INVALID_OPTION", path=where)
        keys = [partition_by] if isinstance(partition_by, str) else list(partition_by)
        for key in keys:
            checks.one_of(key, PARTITIONS, name="partition_by", code="INVALID_OPTION", path=where)
        self._keys = tuple(dict.fromkeys(keys))
        checks.one_of(compression, get_args(Compression), name="compression", code="INVALID_OPTION", path=where)
        self._compression: Compression = compression
        if compression_level is not None:
            checks.whole(
                compression_level,
                name="compression_level",
                path=where,
                at_least=0,
                at_most=_MOST_LEVELS.get(compression, -1),
                code="INVALID_OPTION",
            )
        self._level = 1 if compression_level is None and compression == "zstd" else compression_level
        self.path, self._storage, self._single = self._placed(path, storage_options)
        self._plan: Plan | None = None
        self._folder = ""
        self._failed = self._refused = False
        self._landing: Landing | None = None
        self._schemas: dict[int, pl.Schema] = {}
        self._table_parts: dict[str, int] = {}

    def _placed(
        self, path: str | Path, storage_options: dict[str, str] | None
    ) -> tuple[str | Path, Storage, SingleFile | None]:
        """Where to: the path, the folder of the shards, and the one file that they will become, if any."""
        if isinstance(path, str) and "://" in path:
            return path, open_storage(path, storage_options), None
        local = Path(path).absolute()  # workers may stand in another folder
        if local.suffix != ".parquet" or local.is_dir():
            return local, open_storage(local, None), None
        if self._keys:
            raise SynodeError(
                "INVALID_OPTION",
                "One file has no partitions",
                path="ParquetAdapter",
                expected="a directory for partition_by",
                received=shown(str(path)),
                suggestion="leave the ending .parquet out, or partition_by",
            )
        single = SingleFile(local)
        return local, single.parts, single

    def __getstate__(self) -> dict[str, Any]:
        # Workers write; what has landed, and the claim on the directory, stay with the calling process.
        return {**self.__dict__, "_landing": None, "_schemas": {}}

    @property
    def shards(self) -> list[Shard]:
        """What has landed, in order of users."""
        return [] if self._landing is None else [record.shard for record in self._landing.in_order()]

    def prepare(self, plan: Plan) -> None:
        """Learn what the run is, which its manifest tells and a resumed run must repeat."""
        for key in self._keys:
            if (key == "date") == (key in plan.schema):
                raise SynodeError(
                    "INVALID_OPTION",
                    f"The events cannot be partitioned by {key!r}",
                    path="ParquetAdapter > partition_by",
                    expected="`date`, unless it is a field; a column that events have",
                    received=shown(list(plan.schema), 200),
                    suggestion="rename the field" if key == "date" else "persona_id needs a mixture of personas",
                )
        self._plan = plan
        self._folder = "events/" if plan.star_schema and self._single is None else ""

    def open(self) -> None:
        """Claim the target; refuse one with something in it, replace or continue it."""
        config = {} if self._plan is None else dict(self._plan.config)
        config["files"] = {
            "compression": self._compression,
            "compression_level": self._level,
            "partition_by": list(self._keys),
            "star_schema": self._plan is not None and self._plan.star_schema,
        }
        self._schemas, self._table_parts = {}, {}
        self._failed = self._refused = False
        landing = Landing(self._storage, config)
        with output_errors(self.path):
            if self._single is not None:
                self._single.begin(landing, mode=self._mode, resume=self._resume)
            else:
                landing.begin(mode=self._mode, resume=self._resume)
        self._landing = landing

    def remaining(self, batches: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
        """The batches that have not landed in the run that is resumed."""
        landed = self._opened().records
        if self._single is not None and self._single.finished:
            return []
        return [(first, end) for first, end in batches if first not in landed]

    def whole(self) -> Tally:
        """What happened to all users, also those of the run that was resumed."""
        return self._opened().tally()

    def write(self, batch: pl.DataFrame) -> None:
        """Write a batch as the next shard, when there is no worker to do it."""
        if self._resume:
            raise SynodeError(
                "INVALID_OPTION",
                "Only an adapter that writes in the workers can resume a run",
                path="ParquetAdapter",
                expected="`generate(..., adapter=ParquetAdapter(...))`",
                received="resume=True for an adapter inside another one",
                suggestion="give it to `generate` by itself, or leave resume out",
            )
        first = max((record.shard.end_user for record in self._opened().records.values()), default=0)
        shard = self.write_shard(batch, first_user=first, end_user=first + 1)
        self.take_shard(shard, batch.schema, Tally(events=batch.height))

    def write_shard(self, batch: pl.DataFrame, *, first_user: int, end_user: int) -> Shard:
        """Write a batch of users as one file, or one for each partition."""
        ending = "parquet" if self._single is None else "part"
        name = f"events-{first_user:012d}.{ending}"
        parts = parts_of(batch, self._keys) if self._keys else [Part("", batch)]
        files = [self._written(f"{self._folder}{part.folder}{name}", part.frame) for part in parts]
        return Shard(first_user, end_user, tuple(files))

    def take_shard(self, shard: Shard, schema: pl.Schema, tally: Tally) -> None:
        """Note a written shard."""
        own = without(schema, self._keys)
        self._schemas[shard.first_user] = own
        with output_errors(self.path):
            self._opened().take(Record(shard, schema_digest(own), json.dumps(tally_values(tally))))

    def write_table(self, name: str, part: pl.DataFrame) -> None:
        """Write a part of a table in a folder of its own, or beside the one file."""
        number = self._table_parts.get(name, 0)
        self._table_parts[name] = number + 1
        folder, ending = (f"{quoted(name)}/", "parquet") if self._single is None else ("", "part")
        self._opened().take_table(name, self._written(f"{folder}{quoted(name)}-{number:012d}.{ending}", part))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; of a run whose events were refused as invalid, nothing stays."""
        self._refused = isinstance(error, SynodeValidationError)
        super().__exit__(kind, error, trace)

    def discard(self) -> None:
        """Learn that the run failed: what landed stays, to be resumed."""
        self._failed = True

    def close(self) -> None:
        """Bring all shards to one schema, write the manifest, give up the claim."""
        if self._landing is None:
            return
        done = False
        try:
            with output_errors(self.path):
                done = not self._refused and self._finish(self._landing)
        finally:
            if not done:
                with output_errors(self.path):
                    self._landing.stop(discard=self._refused)

    def _finish(self, landing: Landing) -> bool:
        """Bring the run to its end; False where it has failed, and there is none."""
        if not (self._failed or landing.records or self._plan is None or (self._single and self._single.finished)):
            start = self._plan.users.start
            name = f"{self._folder}events-{start:012d}.{'parquet' if self._single is None else 'part'}"
            nobody = pl.DataFrame(schema=self._plan.schema)
            self.take_shard(Shard(start, start, (self._written(name, nobody),)), self._plan.schema, Tally())
        schema = unified(landing, self._schemas, self._encoded)
        if self._failed:
            return False
        if self._single is not None:
            self._single.finish(landing, compression=self._compression, compression_level=self._level)
        else:
            labels = {} if self._plan is None else declared_labels(self._plan.schema, self._keys)
            landing.finish(schema=self._schema_texts(schema), partition_by=labels)
        return True

    def _schema_texts(self, files: pl.Schema) -> dict[str, str]:
        """The events' columns and types in their usual order: those of the files, and those of folders' names."""
        declared = {} if self._plan is None else {name: self._plan.schema.get(name) for name in self._keys}
        types = {**{name: dtype for name, dtype in declared.items() if name != "date"}, **files}
        fixed = [name for name in (*EVENT_COLUMNS, "persona_id") if name in types]
        return {name: str(types[name]) for name in dict.fromkeys([*fixed, *files])}

    def _written(self, name: str, frame: pl.DataFrame) -> ShardFile:
        with output_errors(self.path):
            return self._encoded(name, frame)

    def _encoded(self, name: str, frame: pl.DataFrame) -> ShardFile:
        """Write a frame as a file; its hash is taken on the way, from memory."""
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression=self._compression, compression_level=self._level)
        content = buffer.getbuffer()
        stamp = self._storage.write(name, content)
        return ShardFile(name, frame.height, len(content), hashlib.sha256(content).hexdigest(), stamp)

    def _opened(self) -> Landing:
        if self._landing is None:
            raise SynodeError(
                "OUTPUT_ERROR",
                "The adapter is not open",
                path="ParquetAdapter",
                expected="`generate(..., adapter=...)`, or `with adapter:` around `write`",
                received="a write before `open`",
                suggestion="let `generate` open it",
            )
        return self._landing
