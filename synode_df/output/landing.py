"""A directory of shards while a run writes into it: claimed, journalled, resumed, finished."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import polars as pl

from synode_df.engine.tally import Tally
from synode_df.errors import SynodeError, shown
from synode_df.output.base import Shard, ShardFile
from synode_df.output.failures import cannot_write, output_error
from synode_df.output.manifest import (
    MANIFEST,
    Manifest,
    differences,
    shard_of,
    shard_values,
    tally_of,
)
from synode_df.output.storage import Entry, Storage

Mode = Literal["create", "overwrite"]

_OURS: Final = re.compile(r"(^|/)(events|users|dataset_[^/]+|telemetry_\w+)-\d{12}\.(parquet|part)$")
"""What files of a run are called."""


@dataclass(frozen=True)
class Record:
    """A landed shard.

    Attributes
    ----------
    shard : Shard
        Its files.
    schema : str
        A word that shards of one schema share.
    tally : str
        What happened to its users, as JSON, which is read when it is needed; empty where it is not known.
    """

    shard: Shard
    schema: str
    tally: str

    def to_line(self) -> str:
        """The record as a line of the journal."""
        return f"{json.dumps([shard_values(self.shard), self.schema])}\t{self.tally}"

    @classmethod
    def of_line(cls, line: str) -> Record | None:
        """The record in a line, or None for one that is no record."""
        try:
            head, tally = line.split("\t")
            shard, schema = json.loads(head)
            return cls(shard_of(shard), schema, tally)
        except (ValueError, KeyError, TypeError):
            return None


class Landing:
    """The events of one run on their way into a directory.

    Parameters
    ----------
    storage : Storage
        The directory.
    config : mapping of str to JSON value
        What decides the bytes.

    Attributes
    ----------
    records : dict of int to Record
        What has landed, by first user.
    complete : Manifest or None
        That of the run that is resumed, if it was complete once: then its shards are only mended.
    """

    def __init__(self, storage: Storage, config: Mapping[str, Any]) -> None:
        self.storage = storage
        self.records: dict[int, Record] = {}
        self.complete: Manifest | None = None
        self.config: Mapping[str, Any] = json.loads(json.dumps(config))  # as it will be read back: tuples are lists
        self._tables: dict[str, list[ShardFile]] = {}

    def begin(self, *, mode: Mode, resume: bool) -> None:
        """Claim the directory, and keep, replace or refuse what is there.

        Raises
        ------
        SynodeError
            `OUTPUT_ERROR` where another run has it, or what is there is neither nothing nor to be overwritten or
            resumed.
        """
        entries = self.storage.entries()
        where = shown(self.storage.location(""))
        if entries and mode == "create" and not resume:
            raise landing_error(
                "The target directory is not empty",
                expected="an empty directory, or none yet",
                received=f"{where} with {len(entries)} files, such as {shown(min(entries))}",
                suggestion='choose another directory, mode="overwrite" to replace an earlier run, or resume=True to '
                "continue one that was interrupted",
            )
        if not self.storage.lock(take_over=resume):
            raise landing_error(
                "Another run is writing into the target directory",
                expected="one run at a time",
                received=where,
                suggestion="wait until it is done, or choose another directory",
            )
        try:
            entries = self.storage.entries()  # again: before the claim it may have been another run's
            manifest = self._manifest(entries) if resume else None
            if manifest is not None:
                self._recall(manifest, entries)
            self._remove_others(entries)
            self.storage.write(MANIFEST, self.manifest(complete=False).to_json().encode())
            self.storage.write_journal([record.to_line() for record in self.records.values()])
        except BaseException:
            self.storage.release(finished=False)
            raise

    def _manifest(self, entries: Mapping[str, Entry]) -> Manifest | None:
        """The manifest of the run to resume, if there is a run."""
        found = self.storage.read(MANIFEST)
        if found is None:
            strangers = [name for name in entries if not _OURS.search(name)]
            if not strangers:
                return None
            raise landing_error(
                "There is no run to resume in the target directory",
                expected=f"a directory with a {MANIFEST}, or an empty one",
                received=f"{shown(self.storage.location(''))} with {shown(strangers[0])}",
                suggestion="choose the directory of the interrupted run",
            )
        manifest = read_manifest(found)
        check_same(manifest, self.config)
        return manifest

    def _recall(self, manifest: Manifest, entries: Mapping[str, Entry]) -> None:
        """Take over what an earlier run has landed and is still whole."""
        for record in landed_records(manifest, self.storage):
            if all(self.intact(file, entries) for file in record.shard.files):
                self.records[record.shard.first_user] = record
        if manifest.tally.users:
            self.complete = manifest

    def intact(self, file: ShardFile, entries: Mapping[str, Entry]) -> bool:
        """Whether a file is as it landed; its bytes are read only if its stamp is another."""
        return fault(file, entries, self.storage, thorough=False) is None

    def take(self, record: Record) -> None:
        """Note a landed shard; from here on it survives whatever happens."""
        self.records[record.shard.first_user] = record
        self.storage.append_journal(record.to_line())

    def take_table(self, name: str, file: ShardFile) -> None:
        """Note a file of a table beside the events."""
        self._tables.setdefault(name, []).append(file)

    def tally(self) -> Tally:
        """What happened to the users of all shards."""
        if self.complete is not None:
            return self.complete.tally  # a shard that was mended has the events that it had before
        whole = Tally()
        for record in self.in_order():
            if record.tally:
                whole.add(tally_of(json.loads(record.tally)))
        return whole

    def in_order(self) -> list[Record]:
        """The landed shards in order of users."""
        return [self.records[first] for first in sorted(self.records)]

    def finish(self, *, schema: Mapping[str, str], partition_by: Mapping[str, list[str] | None]) -> None:
        """Write the manifest of the complete run, and give up the claim."""
        whole = self.manifest(complete=True, schema=schema, partition_by=partition_by)
        self.storage.write(MANIFEST, whole.to_json().encode())
        self.storage.release(finished=True)

    def stop(self, *, discard: bool) -> None:
        """Give up the claim on a run that did not come to its end; `discard` removes what it has landed.

        Shards that a worker has written but that nobody has taken go, too: what is there is what is noted.
        """
        if discard:
            self.records = {}
        self._remove_others(self.storage.entries())
        if discard:
            self.storage.remove([MANIFEST])
        self.storage.release(finished=discard)

    def _remove_others(self, entries: Mapping[str, Entry]) -> None:
        """Remove files that are called like ours but are not noted."""
        kept = {file.name for record in self.records.values() for file in record.shard.files}
        self.storage.remove(name for name in entries if name not in kept and _OURS.search(name))

    def manifest(
        self,
        *,
        complete: bool,
        schema: Mapping[str, str] | None = None,
        partition_by: Mapping[str, list[str] | None] | None = None,
    ) -> Manifest:
        """What is there, as a manifest; a run under way keeps its shards in the journal."""
        return Manifest(
            complete=complete,
            config=self.config,
            schema={} if schema is None else schema,
            partition_by={} if partition_by is None else partition_by,
            shards=tuple(record.shard for record in self.in_order()) if complete else (),
            tables={name: tuple(files) for name, files in self._tables.items()},
            tally=self.tally() if complete or self.complete is not None else Tally(),
        )


def check_same(manifest: Manifest, config: Mapping[str, Any]) -> None:
    """Refuse to resume a run with another config, and say what differs."""
    changed = differences(manifest.config, config)
    if changed:
        raise landing_error(
            "The run to resume was another one",
            expected="the options and declarations of the interrupted run",
            received="; ".join(changed[:6]) + (f"; and {len(changed) - 6} more" if len(changed) > 6 else ""),
            suggestion='repeat the call that was interrupted, or generate anew with mode="overwrite"',
        )


def read_manifest(found: bytes) -> Manifest:
    """The manifest in a file, or `OUTPUT_ERROR`."""
    try:
        return Manifest.from_json(found)
    except (ValueError, KeyError, TypeError) as error:
        raise landing_error(
            f"The manifest cannot be read: {type(error).__name__}: {error}",
            expected=f"a {MANIFEST} that synode_df has written",
            received=shown(found[:80]),
            suggestion='generate anew with mode="overwrite"',
        ) from error


def landed_records(manifest: Manifest, storage: Storage) -> Iterator[Record]:
    """What has landed: from the manifest of a complete run, else from the journal; the last word on a shard counts."""
    if manifest.complete:
        yield from (Record(shard, "as landed", "") for shard in manifest.shards)
        return
    found = {}
    for line in storage.read_journal():
        record = Record.of_line(line)
        if record is not None:
            found[record.shard.first_user] = record
    yield from found.values()


def fault(file: ShardFile, entries: Mapping[str, Entry], storage: Storage, *, thorough: bool) -> str | None:
    """What is wrong with a landed file, or None: missing, truncated, changed.

    `thorough` reads it in any case; else only if it was written again since it landed.
    """
    entry = entries.get(file.name)
    if entry is None:
        return "missing"
    if entry.bytes != file.bytes:
        return "truncated" if entry.bytes < file.bytes else "changed"
    if not thorough and entry.stamp == file.stamp:
        return None
    content = storage.read(file.name)
    if content is None:
        return "missing"
    return None if hashlib.sha256(content).hexdigest() == file.sha256 else "changed"


@contextmanager
def output_errors(where: object) -> Iterator[None]:
    """What the system, Polars or an object store refuse, as `OUTPUT_ERROR`."""
    try:
        yield
    except SynodeError:
        raise
    except Exception as error:
        if not isinstance(error, OSError | pl.exceptions.PolarsError) and "obstore" not in type(error).__module__:
            raise
        raise cannot_write("ParquetAdapter", str(where), error) from error


def landing_error(message: str, *, expected: str, received: str, suggestion: str) -> SynodeError:
    """An `OUTPUT_ERROR` about a directory of shards."""
    return output_error("ParquetAdapter", message, expected=expected, received=received, suggestion=suggestion)
