"""One schema for all shards of a run, where handlers gave some of them fields or events of their own."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping

import polars as pl

from synode_df.engine.frames import conformed, joint_schema
from synode_df.output.base import Shard, ShardFile
from synode_df.output.landing import Landing, Record
from synode_df.output.storage import Storage


def schema_digest(schema: pl.Schema) -> str:
    """A short text that is the same for equal schemas."""
    return hashlib.sha256(str(schema).encode()).hexdigest()[:16]


def unified(
    landing: Landing, known: Mapping[int, pl.Schema], write: Callable[[str, pl.DataFrame], ShardFile]
) -> pl.Schema:
    """Bring all shards to the schema that holds them all, and return it.

    Parameters
    ----------
    landing : Landing
        The shards.
    known : mapping of int to polars.Schema
        The schemas of the shards that this run has written, by first user; others are read from their files.
    write : callable
        Writes a frame as a file.

    Raises
    ------
    SynodeError
        `TYPE_CONFLICT` where handlers gave one field types that no column can hold.
    """
    records = [record for record in landing.in_order() if record.shard.files]
    schemas: dict[str, pl.Schema] = {}
    for record in records:
        if record.schema not in schemas:
            own = known.get(record.shard.first_user)
            schemas[record.schema] = _schema_of(record.shard.files[0], landing.storage) if own is None else own
    if not schemas:
        return pl.Schema()
    target = next(iter(schemas.values())) if len(schemas) == 1 else joint_schema(list(schemas.values()))
    for record in records:
        if schemas[record.schema] != target:
            files = tuple(_rewritten(file, target, landing.storage, write) for file in record.shard.files)
            shard = Shard(record.shard.first_user, record.shard.end_user, files)
            landing.take(Record(shard, schema_digest(target), record.tally))
    return target


def _schema_of(file: ShardFile, storage: Storage) -> pl.Schema:
    return pl.Schema(pl.read_parquet_schema(io.BytesIO(storage.read(file.name) or b"")))


def _rewritten(
    file: ShardFile, target: pl.Schema, storage: Storage, write: Callable[[str, pl.DataFrame], ShardFile]
) -> ShardFile:
    return write(file.name, conformed(pl.read_parquet(io.BytesIO(storage.read(file.name) or b"")), target))
