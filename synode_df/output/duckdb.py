"""DuckDB: a table in a database file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from synode_df.errors import shown
from synode_df.extras import import_extra
from synode_df.output.failures import output_error
from synode_df.output.folders import HiddenFolder, local_path, require_folder
from synode_df.output.sink_types import SinkTypes
from synode_df.output.spool import Spool
from synode_df.output.tables import TableAdapter, TableConnection, TableMode, quoted

if TYPE_CHECKING:
    import duckdb

_TYPES: Final = SinkTypes(structs=True, lists="any", arrays=True, unsigned=True, durations=True, times=True)


class DuckDBAdapter(TableAdapter):
    """Writes events to a table of a DuckDB file.

    All of it in one transaction when the run has ended: a run that fails leaves the file as it was, and makes no new
    one. Structs and lists stay what they are, Enums become text. Tables of a star schema land beside the events:
    `events_users`, `events_dataset_products`.

    Parameters
    ----------
    path : str or Path
        The database file; made if it is not there, in a folder that is.
    table : str, default "events"
        The table, or a schema that is there and the table: `"analytics.events"`.
    mode : {"create", "overwrite", "append"}, default "create"
        Refuse a table that has rows, replace it, or add to it.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`; `OUTPUT_ERROR` where the library is missing, the table has rows, or the file cannot be
        written, for example since another process has it open.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import duckdb
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", fields={"tags": ["a", "b"]})])])
    >>> file = pathlib.Path(tempfile.mkdtemp(), "shop.duckdb")
    >>> _ = sd.generate(visit, users=1_000, adapter=sd.DuckDBAdapter(file))
    >>> with duckdb.connect(file) as database:
    ...     database.execute("SELECT event, tags, count(*) FROM events GROUP BY ALL").fetchall()
    [('land', ['a', 'b'], 1000)]
    """

    def __init__(self, path: str | Path, table: str = "events", *, mode: TableMode = "create") -> None:
        super().__init__(table, mode=mode)
        remote = isinstance(path, str) and path.startswith((":", "md:"))
        self.path = local_path(
            None if remote else path,
            adapter="DuckDBAdapter",
            example="shop.duckdb",
            suggestion="give the path of a file; in memory, DuckDB reads the frame of generate_df by its name",
        )
        import_extra("duckdb", extra="duckdb", path="DuckDBAdapter")
        import duckdb

        self._failures = (*self._failures, duckdb.Error)
        self._file = self.path
        self._hidden: HiddenFolder | None = None

    def _shown_target(self) -> str:
        return str(self.path)

    def _prepare(self) -> None:
        if self.path.is_dir():
            raise output_error(
                "DuckDBAdapter",
                "The target is a folder",
                expected="the name of a file",
                received=shown(str(self.path)),
                suggestion=f'name a file in it, such as "{self.path.name}/shop.duckdb"',
            )
        require_folder(self.path.parent)
        super()._prepare()

    def _claim(self, table: str) -> None:
        if self.path.exists():  # connecting would make it
            super()._claim(table)

    def _new_folder(self) -> Path:
        self._hidden = HiddenFolder(self.path)
        return self._hidden.path

    def _release(self) -> None:
        super()._release()
        if self._hidden is not None:
            self._hidden.remove()
            self._hidden = None

    def _connect(self) -> TableConnection:
        return _Connection(self._file)

    def _land(self, spools: Mapping[str, Spool]) -> None:
        if self.path.exists():
            super()._land(spools)
            return
        assert self._hidden is not None
        self._file = self._hidden.path / "new.duckdb"
        try:
            super()._land(spools)
            self._file.replace(self.path)
        finally:
            self._file = self.path


class _Connection(TableConnection):
    types = _TYPES

    def __init__(self, file: Path) -> None:
        import duckdb

        self._database: duckdb.DuckDBPyConnection = duckdb.connect(file)
        self._database.begin()

    def filled(self, table: tuple[str | None, str]) -> bool:
        if not self._exists(table):
            return False
        return bool(self._database.execute(f"SELECT EXISTS (FROM {quoted(table)})").fetchall()[0][0])

    def drop(self, table: tuple[str | None, str]) -> None:
        self._database.execute(f"DROP TABLE IF EXISTS {quoted(table)}")

    def append(self, table: tuple[str | None, str], frame: pl.DataFrame) -> None:
        self._database.register("arriving", _Stream(frame))
        if self._exists(table):
            self._database.execute(f"INSERT INTO {quoted(table)} BY NAME FROM arriving")
        else:
            self._database.execute(f"CREATE TABLE {quoted(table)} AS FROM arriving")
        self._database.unregister("arriving")

    def commit(self) -> None:
        self._database.commit()

    def close(self) -> None:
        self._database.close()

    def _exists(self, table: tuple[str | None, str]) -> bool:
        schema, name = table
        found = self._database.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_catalog = current_catalog()"
            " AND table_schema = coalesce(?, current_schema()) AND lower(table_name) = lower(?)",
            [schema, name],
        )
        return bool(found.fetchall()[0][0])


class _Stream:
    """A frame by its Arrow stream alone: DuckDB would take a Polars frame by way of pyarrow."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)
