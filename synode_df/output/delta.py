"""Delta Lake: a table of Parquet files with a log, here or in cloud storage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from synode_df import checks
from synode_df.errors import SynodeError, shown
from synode_df.extras import import_extra
from synode_df.output.failures import already_there, output_error
from synode_df.output.folders import HiddenFolder, require_folder
from synode_df.output.sink_types import SinkTypes
from synode_df.output.spool import Spool
from synode_df.output.spooling import EVENTS, SpoolingAdapter
from synode_df.output.tables import TableMode

_TYPES: Final = SinkTypes(structs=True, lists="any")


class DeltaLakeAdapter(SpoolingAdapter):
    """Writes events to a Delta Lake table.

    All of it in one commit when the run has ended: readers see the table as it was until then, and a run that fails
    leaves it so. Structs and lists stay what they are, Enums become text, durations and times of day ISO 8601 text.
    Tables of a star schema land beside it, each in a commit of its own: `events-users`, `events-dataset_products`.

    Parameters
    ----------
    path : str or Path
        The table's folder, in a folder that is there; or its address in cloud storage, such as
        `"s3://bucket/shop/events"`.
    mode : {"create", "overwrite", "append"}, default "create"
        Refuse a table that has rows, replace it (its earlier versions stay in the log), or add to it, also with columns
        that it has not yet.
    partition_by : str or sequence of str, default ()
        Columns of the events whose values are folders: `"event"`.
    storage_options : mapping of str to str, optional
        What deltalake needs for cloud storage: keys, region, endpoint.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`; `OUTPUT_ERROR` where the library is missing, the table has rows, or it cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import polars as pl
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", fields={"tags": ["a", "b"]})])])
    >>> folder = pathlib.Path(tempfile.mkdtemp(), "events")
    >>> _ = sd.generate(visit, users=1_000, adapter=sd.DeltaLakeAdapter(folder))
    >>> pl.scan_delta(folder).select(pl.len()).collect().item()
    1000
    """

    def __init__(
        self,
        path: str | Path,
        *,
        mode: TableMode = "create",
        partition_by: str | list[str] | tuple[str, ...] = (),
        storage_options: Mapping[str, str] | None = None,
    ) -> None:
        if not isinstance(path, str | Path) or not str(path):
            raise _invalid("`path` must be a folder or an address", received=path, example='DeltaLakeAdapter("events")')
        self._local = None if "://" in str(path) else Path(path).absolute()
        self._uri = str(self._local or path).rstrip("/")
        self._mode = checks.one_of(
            mode, ("create", "overwrite", "append"), name="mode", code="INVALID_OPTION", path="DeltaLakeAdapter"
        )
        columns = [partition_by] if isinstance(partition_by, str) else partition_by
        if not isinstance(columns, list | tuple) or not all(isinstance(each, str) for each in columns):
            raise _invalid("`partition_by` must name columns", received=partition_by, example='partition_by="event"')
        self._partition_by = list(columns)
        if storage_options is not None and not (
            isinstance(storage_options, Mapping)
            and all(isinstance(part, str) for pair in storage_options.items() for part in pair)
        ):
            names = list(storage_options) if isinstance(storage_options, Mapping) else storage_options
            raise _invalid(
                "`storage_options` must map names to texts",
                received=names,
                example='storage_options={"AWS_REGION": "eu-central-1"}',
            )
        self._options = None if storage_options is None else dict(storage_options)
        import_extra("deltalake", extra="delta", path="DeltaLakeAdapter")
        self._failures = (Exception,)  # what fails within its writers has no better name
        self._hidden: HiddenFolder | None = None

    def table_path(self, name: str) -> str:
        """Where a table lands: beside `shop/events`, the users are in `shop/events-users`.

        Parameters
        ----------
        name : str
            The table's name, such as `"users"`.
        """
        return self._uri if name == EVENTS else f"{self._uri}-{quote(name, safe=' ')}"

    def _shown_target(self) -> str:
        return self._uri

    def _prepare(self) -> None:
        if self._local is not None:
            require_folder(self._local.parent)
        self._claim(EVENTS)

    def _claim(self, table: str) -> None:
        import deltalake

        target = self.table_path(table)
        if deltalake.DeltaTable.is_deltatable(target, self._options):
            if self._mode == "create" and deltalake.DeltaTable(target, storage_options=self._options).count() > 0:
                raise already_there(
                    "DeltaLakeAdapter",
                    target,
                    what="table",
                    suggestion='choose another folder, or DeltaLakeAdapter(path, mode="overwrite") or mode="append"',
                )
        elif (
            self._local is not None
            and Path(target).exists()
            and (not Path(target).is_dir() or any(Path(target).iterdir()))
        ):
            raise output_error(
                "DeltaLakeAdapter",
                "The target is no Delta Lake table, and not empty",
                expected="a Delta Lake table, an empty folder, or none yet",
                received=shown(target),
                suggestion="choose another folder",
            )

    def _new_folder(self) -> Path:
        if self._local is None:
            return super()._new_folder()
        self._hidden = HiddenFolder(self._local)
        return self._hidden.path

    def _release(self) -> None:
        super()._release()
        if self._hidden is not None:
            self._hidden.remove()
            self._hidden = None

    def _land(self, spools: Mapping[str, Spool]) -> None:
        import deltalake

        for name in spools:
            self._claim(name)  # somebody else may have put something there meanwhile
        made: dict[Path, Path] = {}
        # The events come last: where they are, everything is.
        for name, spool in sorted(spools.items(), key=lambda item: item[0] == EVENTS):
            target = self.table_path(name)
            if self._hidden is not None and not deltalake.DeltaTable.is_deltatable(target):
                made[Path(target)] = self._hidden.path / f"new-{len(made)}"
                target = str(made[Path(target)])
            self._commit(name, spool, target)
        for place, folder in made.items():
            folder.replace(place)

    def _commit(self, name: str, spool: Spool, target: str) -> None:
        import deltalake

        with spool.scanned(_TYPES) as frames:
            deltalake.write_deltalake(
                target,
                frames.collect_batches(maintain_order=True, lazy=True),
                mode="overwrite" if self._mode == "overwrite" else "append",
                schema_mode="overwrite" if self._mode == "overwrite" else "merge",
                partition_by=(self._partition_by or None) if name == EVENTS else None,
                storage_options=self._options,
            )


def _invalid(message: str, *, received: object, example: str) -> SynodeError:
    return SynodeError(
        "INVALID_OPTION",
        message,
        path="DeltaLakeAdapter",
        expected=f"such as {example}",
        received=shown(received),
        suggestion=example,
    )
