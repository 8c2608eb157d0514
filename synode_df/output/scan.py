"""Reading what has landed: as a lazy frame, and to see whether it is still whole."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from synode_df.errors import SynodeError, SynodeWarning, did_you_mean, shown
from synode_df.output.base import ShardFile
from synode_df.output.failures import output_error
from synode_df.output.landing import fault, landed_records, read_manifest
from synode_df.output.manifest import MANIFEST, Manifest
from synode_df.output.open_storage import open_storage
from synode_df.output.partitions import hive_schema
from synode_df.output.single_file import SingleFile
from synode_df.output.storage import Storage

_PROBLEMS = {"table": pl.String, "file": pl.String, "problem": pl.String}


def scan(path: str | Path, *, table: str = "events", storage_options: Mapping[str, str] | None = None) -> pl.LazyFrame:
    """A landed run as a lazy frame.

    Parameters
    ----------
    path : str or Path
        What `ParquetAdapter` was given: a directory, a file, or an address in an object store.
    table : str, default "events"
        The table; others than the events land with `star_schema=True`: `"users"`, `"dataset_products"`,
        `"telemetry_actions"` and so on.
    storage_options : mapping of str to str, optional
        For object stores.

    Returns
    -------
    polars.LazyFrame
        The columns and types of `generate_df`, in order of users; of a partitioned run also its `date`, if it is
        partitioned by it, and each shard's partitions one after the other. Of an unfinished run what has landed so far.

    Raises
    ------
    SynodeError
        `OUTPUT_ERROR` where there is no landed run, or no such table.

    Warns
    -----
    SynodeWarning
        Where the run is unfinished.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", bounce_chance=0.5)])])
    >>> target = pathlib.Path(tempfile.mkdtemp(), "events")
    >>> _ = sd.generate(visit, users=1_000, adapter=sd.ParquetAdapter(target), seed=7)
    >>> sd.scan(target).group_by("event").len().sort("event").collect().rows()
    [('land', 1000), ('view', 508)]
    """
    if isinstance(path, Path) or "://" not in path:
        local = Path(path).absolute()
        if local.is_file():
            return pl.scan_parquet(local if table == "events" else _beside(local, table))
        if not local.is_dir():
            raise _no_run(path, "nothing there")
    storage, manifest, tables = _landed(path, storage_options)
    if table not in tables:
        raise output_error(
            "scan",
            f"The run has no table {shown(table, 60)}",
            expected="a table that landed",
            received=shown(table),
            suggestion=did_you_mean(table, tables) or "generate with star_schema=True",
        )
    if not manifest.complete:
        warnings.warn(
            f"the run in {storage.location('')} is unfinished: resume it, or take what there is",
            SynodeWarning,
            stacklevel=2,
        )
    names = [file.name for file in tables[table]]
    if not names:
        raise _no_run(path, "a run of which nothing has landed yet")
    keys = manifest.partition_by if table == "events" else {}
    types = hive_schema(names, keys)
    frame = pl.scan_parquet(
        [storage.location(name) for name in names],
        glob=False,
        hive_partitioning=bool(types),
        hive_schema=types or None,
        storage_options=dict(storage_options) if storage_options else None,
    )
    if not types:
        return frame
    wanted = [*manifest.schema, *(["date"] if "date" in types else [])]
    return frame.select(wanted)


def verify(path: str | Path, *, storage_options: Mapping[str, str] | None = None) -> pl.DataFrame:
    """What is wrong with a landed run: every file is read and compared with the manifest.

    Parameters
    ----------
    path : str or Path
        The directory, or its address in an object store.
    storage_options : mapping of str to str, optional
        For object stores.

    Returns
    -------
    polars.DataFrame
        One row for each file that is not as it landed: `table` String, `file` String, `problem` String (`missing`,
        `truncated`, `changed`, or `stray` for a Parquet file that no run has landed). No rows where all is well.
        `ParquetAdapter(path, resume=True)` mends it.

    Raises
    ------
    SynodeError
        `OUTPUT_ERROR` where there is no landed run.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> target = pathlib.Path(tempfile.mkdtemp(), "events")
    >>> _ = sd.generate(visit, users=1_000, adapter=sd.ParquetAdapter(target))
    >>> sd.verify(target).height
    0
    >>> _ = (target / "events-000000000000.parquet").write_bytes(b"PAR1")
    >>> sd.verify(target).row(0)
    ('events', 'events-000000000000.parquet', 'truncated')
    """
    storage, _, tables = _landed(path, storage_options)
    entries = storage.entries()
    problems = []
    for table, files in tables.items():
        for file in files:
            problem = fault(file, entries, storage, thorough=True)
            if problem is not None:
                problems.append((table, file.name, problem))
    known = {file.name for files in tables.values() for file in files}
    problems += [
        ("events", name, "stray") for name in sorted(entries) if name.endswith(".parquet") and name not in known
    ]
    return pl.DataFrame(problems, schema=_PROBLEMS, orient="row")


def _landed(
    path: str | Path, storage_options: Mapping[str, str] | None
) -> tuple[Storage, Manifest, dict[str, list[ShardFile]]]:
    """A run's storage, its manifest, and the files of each table."""
    place = path if isinstance(path, str) and "://" in path else Path(path).absolute()
    storage = open_storage(place, storage_options)
    found = storage.read(MANIFEST)
    if found is None:
        raise _no_run(path, f"no {MANIFEST} there")
    manifest = read_manifest(found)
    records = sorted(landed_records(manifest, storage), key=lambda record: record.shard.first_user)
    events = [file for record in records for file in record.shard.files]
    return storage, manifest, {"events": events, **{name: list(files) for name, files in manifest.tables.items()}}


def _beside(file: Path, table: str) -> Path:
    other = SingleFile(file).beside(table)
    if not other.is_file():
        raise _no_run(other, "nothing there")
    return other


def _no_run(path: str | Path, received: str) -> SynodeError:
    return output_error(
        "scan",
        f"There is no landed run at {shown(str(path))}",
        expected="a directory or file that ParquetAdapter has written",
        received=received,
        suggestion="mend the path; for other Parquet files use polars.scan_parquet",
    )
