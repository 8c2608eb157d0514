"""Databases by address: PostgreSQL and SQLite through ADBC, all others through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from synode_df import checks
from synode_df.errors import SynodeError, shown, told
from synode_df.extras import import_extra
from synode_df.output.folders import require_folder
from synode_df.output.spool import Spool
from synode_df.output.tables import TableAdapter, TableConnection, TableMode

DatabaseEngine = Literal["adbc", "sqlalchemy"]

_DRIVERS: Final[Mapping[str, tuple[str, str]]] = {
    "postgresql": ("adbc_driver_postgresql.dbapi", "postgresql"),
    "postgres": ("adbc_driver_postgresql.dbapi", "postgresql"),
    "sqlite": ("adbc_driver_sqlite.dbapi", "sqlite"),
}
"""The ADBC driver of each kind of address, and the extra that brings it."""


class DatabaseAdapter(TableAdapter):
    """Writes events to a table of a database.

    All of it in one transaction when the run has ended: a run that fails leaves the database as it was, where the
    database can undo the making of tables (PostgreSQL, SQLite and most others can, MySQL and Oracle cannot). The
    connection is tried when the run begins, and is not held while it lasts. Tables of a star schema land beside the
    events: `events_users`, `events_dataset_products`.

    PostgreSQL and SQLite are written through ADBC, which takes columns as they are; other databases through
    SQLAlchemy, whose drivers take one row after the other. Enums become text; structs become JSON text, and so do
    lists, which in PostgreSQL are arrays. SQLite has text also for times, in UTC, and for decimals.

    Parameters
    ----------
    uri : str
        `"postgresql://user:password@host/database"`, `"sqlite:///shop.db"`, or what SQLAlchemy takes, such as
        `"mysql+pymysql://..."`.
    table : str, default "events"
        The table, or a schema that is there and the table: `"analytics.events"`.
    mode : {"create", "overwrite", "append"}, default "create"
        Refuse a table that has rows, replace it, or add to it.
    engine : {"adbc", "sqlalchemy"}, optional
        By the address if not given.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`; `OUTPUT_ERROR` where a library is missing, the database cannot be reached or refuses, or the
        table has rows.

    Examples
    --------
    >>> import pathlib, sqlite3, tempfile
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view")])])
    >>> file = pathlib.Path(tempfile.mkdtemp(), "shop.db")
    >>> _ = sd.generate(visit, users=1_000, adapter=sd.DatabaseAdapter(f"sqlite:///{file}"))
    >>> sqlite3.connect(file).execute("SELECT event, count(*) FROM events GROUP BY event").fetchall()
    [('land', 1000), ('view', 1000)]
    """

    def __init__(
        self,
        uri: str,
        table: str = "events",
        *,
        mode: TableMode = "create",
        engine: DatabaseEngine | None = None,
    ) -> None:
        super().__init__(table, mode=mode)
        self._uri = _checked_uri(uri)
        if engine is not None:
            checks.one_of(engine, ("adbc", "sqlalchemy"), name="engine", code="INVALID_OPTION", path="DatabaseAdapter")
        self._connection, failures = _connection(self._uri, engine)
        self._failures = (*self._failures, *failures)
        self._file = _sqlite_file(self._uri)

    def _shown_target(self) -> str:
        return _without_secrets(self._uri)

    def _connect(self) -> TableConnection:
        return self._connection(self._uri)

    def _prepare(self) -> None:
        if self._file is not None:
            require_folder(self._file.parent)
        super()._prepare()

    def _claim(self, table: str) -> None:
        if self._file is None or self._file.exists():  # connecting would make it
            if self._mode != "create":
                self._connect().close()  # a server that is down is told of now, not at the end
            super()._claim(table)

    def _land(self, spools: Mapping[str, Spool]) -> None:
        new = self._file is not None and not self._file.exists()
        try:
            super()._land(spools)
        except BaseException:
            if new and self._file is not None:
                for file in (self._file, self._file.with_name(f"{self._file.name}-journal")):
                    file.unlink(missing_ok=True)
            raise


def _connection(
    uri: str, engine: DatabaseEngine | None
) -> tuple[Callable[[str], TableConnection], tuple[type[Exception], ...]]:
    """What connects to an address, and what it raises."""
    scheme = urlsplit(uri).scheme
    driver = _DRIVERS.get(scheme)
    if engine == "adbc" and driver is None:
        raise _invalid(
            f"There is no ADBC driver for {scheme!r} here",
            expected="an address that starts with postgresql:// or sqlite://",
            received=f"{scheme}://...",
            suggestion='leave engine out, or engine="sqlalchemy"',
        )
    if driver is None or engine == "sqlalchemy":
        alchemy = import_extra("sqlalchemy", extra="sqlalchemy", path="DatabaseAdapter")
        try:
            alchemy.create_engine(uri)
        except (alchemy.exc.SQLAlchemyError, ImportError, ValueError) as error:
            raise _invalid(
                f"SQLAlchemy cannot use this address: {told(error).splitlines()[0]}",
                expected="an address of a database whose driver is installed",
                received=shown(_without_secrets(uri)),
                suggestion="mend the address, or install the driver that it names",
            ) from error
        from synode_df.output import sqlalchemy

        return sqlalchemy.SQLAlchemyConnection, sqlalchemy.FAILURES
    module, extra = driver
    import_extra(module, extra=extra, path="DatabaseAdapter")
    from synode_df.output import adbc

    return adbc.SQLiteConnection if extra == "sqlite" else adbc.PostgreSQLConnection, adbc.FAILURES


def _checked_uri(uri: object) -> str:
    if isinstance(uri, str) and "://" in uri and "\x00" not in uri:
        try:
            if urlsplit(uri).scheme and _sqlite_file(uri) != Path():
                return uri
        except ValueError:
            pass  # a malformed address: as below
    raise _invalid(
        "`uri` is no address of a database",
        expected="a URI such as postgresql://user:password@host/database or sqlite:///shop.db",
        received=shown(uri) if not isinstance(uri, str) else shown(uri.rpartition("@")[2]),
        suggestion='DatabaseAdapter("sqlite:///shop.db"); for DuckDB files there is DuckDBAdapter',
    )


def _sqlite_file(uri: str) -> Path | None:
    """The file of a SQLite address, or None for servers; an address without a file gives `Path()`."""
    if urlsplit(uri).scheme.partition("+")[0] != "sqlite":
        return None
    file = uri.partition("://")[2].removeprefix("/")
    return Path() if not file or file.startswith(":memory:") else Path(file)


def _without_secrets(uri: str) -> str:
    """An address for messages: without user, password and options."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _invalid(message: str, *, expected: str, received: str, suggestion: str) -> SynodeError:
    return SynodeError(
        "INVALID_OPTION", message, path="DatabaseAdapter", expected=expected, received=received, suggestion=suggestion
    )
