"""Destinations with tables: how to write to each, and how others read it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import polars as pl
import psycopg

import synode_df as sd
from synode_df.output.sink_types import SinkTypes

Rows = list[dict[str, Any]]


@dataclass
class Place:
    """A destination with tables: how to write to it, and how others read it."""

    adapter: Callable[..., sd.OutputAdapter]
    select: Callable[[str], tuple[list[str], list[tuple[Any, ...]]]]
    tables: Callable[[], set[str]]
    types: SinkTypes
    join: str = "_"

    def rows(self, table: str = "events", *, by: str = "event_id") -> Rows:
        names, rows = self.select(table)
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return sorted(found, key=lambda row: row[by])

    def values(self) -> list[int]:
        return sorted(row["value"] for row in self.rows())


def in_duckdb(tmp_path: Path) -> Place:
    file = tmp_path / "shop.duckdb"

    def select(table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        with duckdb.connect(file, read_only=True) as database:
            cursor = database.execute(f'FROM "{table}"')
            return [column[0] for column in cursor.description], cursor.fetchall()

    def tables() -> set[str]:
        if not file.exists():
            return set()
        with duckdb.connect(file, read_only=True) as database:
            return {name for (name,) in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()}

    types = SinkTypes(structs=True, lists="any", arrays=True, unsigned=True, durations=True, times=True)
    return Place(lambda table="events", **options: sd.DuckDBAdapter(file, table, **options), select, tables, types)


def in_sqlite(tmp_path: Path, engine: str) -> Place:
    file = tmp_path / "shop.db"

    def select(table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        database = sqlite3.connect(file)
        cursor = database.execute(f'SELECT * FROM "{table}"')
        found = [column[0] for column in cursor.description], cursor.fetchall()
        database.close()
        return found

    def tables() -> set[str]:
        if not file.exists():
            return set()
        database = sqlite3.connect(file)
        found = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        database.close()
        return found

    def adapter(table: str = "events", **options: Any) -> sd.OutputAdapter:
        return sd.DatabaseAdapter(f"sqlite:///{file}", table, engine=engine, **options)

    return Place(adapter, select, tables, SinkTypes(decimals=False, times=engine == "sqlalchemy"))


def in_postgresql(uri: str, engine: str) -> Place:
    with psycopg.connect(uri, autocommit=True) as database:
        database.execute("DROP SCHEMA public CASCADE")
        database.execute("CREATE SCHEMA public")

    def select(table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        with psycopg.connect(uri) as database:
            cursor = database.execute(f'SELECT * FROM "{table}"')
            return [column[0] for column in cursor.description or ()], cursor.fetchall()

    def tables() -> set[str]:
        with psycopg.connect(uri) as database:
            found = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            return {name for (name,) in found}

    def adapter(table: str = "events", **options: Any) -> sd.OutputAdapter:
        address = uri if engine == "adbc" else uri.replace("postgresql:", "postgresql+psycopg:")
        return sd.DatabaseAdapter(address, table, engine=engine, **options)

    adbc = SinkTypes(lists="flat", durations=True, times=True)
    return Place(adapter, select, tables, adbc if engine == "adbc" else SinkTypes(times=True))


def in_delta(tmp_path: Path) -> Place:
    def select(table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        files = deltalake.DeltaTable(tmp_path / table).file_uris()
        if not files:
            return pl.read_delta(tmp_path / table).columns, []
        with duckdb.connect() as database:
            cursor = database.execute(f"FROM read_parquet({files}, union_by_name=true)")
            return [column[0] for column in cursor.description], cursor.fetchall()

    def adapter(table: str = "events", **options: Any) -> sd.OutputAdapter:
        return sd.DeltaLakeAdapter(tmp_path / table, **options)

    def tables() -> set[str]:
        return {folder.name for folder in tmp_path.iterdir()}

    return Place(adapter, select, tables, SinkTypes(structs=True, lists="any"), join="-")
