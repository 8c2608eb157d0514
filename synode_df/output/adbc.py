"""Connections through ADBC: columns go to the database as Arrow arrays."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Final

import adbc_driver_manager
import polars as pl

from synode_df.output.sink_types import SinkTypes
from synode_df.output.tables import TableConnection, quoted

FAILURES: Final = (adbc_driver_manager.Error,)

# Polars' own `write_database` commits each frame by itself; the same driver is called here without that.


class _ADBCConnection(TableConnection):
    _database: Any  # the driver's own types are those of DB-API, which has none

    @abstractmethod
    def _exists(self, table: tuple[str | None, str]) -> bool: ...

    def filled(self, table: tuple[str | None, str]) -> bool:
        return self._exists(table) and self._truth(f"SELECT EXISTS (SELECT 1 FROM {quoted(table)})")

    def drop(self, table: tuple[str | None, str]) -> None:
        with self._database.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {quoted(table)}")

    def append(self, table: tuple[str | None, str], frame: pl.DataFrame) -> None:
        with self._database.cursor() as cursor:
            cursor.adbc_ingest(table[1], frame, mode="create_append", **self._within(table[0]))

    def commit(self) -> None:
        self._database.commit()

    def close(self) -> None:
        self._database.close()  # what is not committed is rolled back

    @abstractmethod
    def _within(self, schema: str | None) -> dict[str, str]:
        """How the driver is told of a schema."""

    def _truth(self, query: str) -> bool:
        return bool(pl.read_database(query, self._database).item())


class PostgreSQLConnection(_ADBCConnection):
    """PostgreSQL by its binary COPY."""

    types = SinkTypes(lists="flat", durations=True, times=True)

    def __init__(self, uri: str) -> None:
        import adbc_driver_postgresql.dbapi

        self._database = adbc_driver_postgresql.dbapi.connect(uri)

    def _exists(self, table: tuple[str | None, str]) -> bool:
        name = quoted(table).replace("'", "''")
        return self._truth(f"SELECT to_regclass('{name}') IS NOT NULL")

    def _within(self, schema: str | None) -> dict[str, str]:
        return {} if schema is None else {"db_schema_name": schema}


class SQLiteConnection(_ADBCConnection):
    """A SQLite file."""

    types = SinkTypes(decimals=False)

    def __init__(self, uri: str) -> None:
        import adbc_driver_sqlite.dbapi

        self._database = adbc_driver_sqlite.dbapi.connect(uri.removeprefix("sqlite:///"))

    def _exists(self, table: tuple[str | None, str]) -> bool:
        schema, name = table
        listed = quoted((schema, "sqlite_master"))
        literal = name.replace("'", "''")
        return self._truth(
            f"SELECT count(*) FROM {listed} WHERE type IN ('table', 'view') AND lower(name) = lower('{literal}')"
        )

    def _within(self, schema: str | None) -> dict[str, str]:
        return {} if schema is None else {"catalog_name": schema}
