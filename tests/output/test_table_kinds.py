"""Tables: what one kind of database has for itself, and the options of all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import polars as pl
import psycopg
import pytest

import synode_df as sd
from tests.output.places import Place, in_delta, in_duckdb, in_postgresql, in_sqlite
from tests.output.runs import (
    filesystem,
    kept,
    numbered,
    read_only,
    rich,
    users_table,
)
from tests.output.server import free_port

# PostgreSQL


def test_postgresql_has_types_of_its_own_for_most(postgresql_server: str) -> None:
    place = in_postgresql(postgresql_server, "adbc")
    sd.generate(rich(), users=20, adapter=place.adapter(), seed=3)
    with psycopg.connect(postgresql_server) as database:
        query = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'events'"
        types = dict(database.execute(query).fetchall())
    assert (types["timestamp"], types["event"], types["took"]) == ("timestamp with time zone", "text", "interval")
    assert (types["large"], types["tags"], types["day"]) == ("numeric", "ARRAY", "date")


def test_a_schema_and_a_table(postgresql_server: str) -> None:
    place = in_postgresql(postgresql_server, "adbc")
    with psycopg.connect(postgresql_server, autocommit=True) as database:
        database.execute('DROP SCHEMA IF EXISTS "web shop" CASCADE')
        database.execute('CREATE SCHEMA "web shop"')
    adapter = place.adapter("web shop.events")
    with adapter:
        adapter.write(kept(numbered(), users=5))
        adapter.write_table("users", users_table())
    with psycopg.connect(postgresql_server) as database:
        assert database.execute('SELECT count(*) FROM "web shop".events').fetchall() == [(5,)]
        assert database.execute('SELECT count(*) FROM "web shop".events_users').fetchall() == [(5,)]
    with pytest.raises(sd.SynodeError, match="is there already"):
        sd.generate(numbered(), users=3, adapter=place.adapter("web shop.events"))
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(numbered(), users=3, adapter=place.adapter("nowhere.events"))
    assert "make it first" in (raised.value.suggestion or "")


@pytest.mark.parametrize("mode", ["create", "append"])
@pytest.mark.parametrize(
    ("change", "fix"),
    [
        (lambda uri: uri.replace(":synthetic@", ":hunter2@"), "the user and the password"),
        (lambda uri: uri.rpartition("/")[0] + "/nowhere", "make it first"),
        (lambda uri: f"postgresql://synode:hunter2@127.0.0.1:{free_port()}/postgres", "the server runs"),
        (lambda uri: "postgresql://synode:hunter2@no-such-host.invalid/postgres", "the server runs"),
    ],
    ids=["password", "database", "down", "host"],
)
def test_a_database_that_cannot_be_reached_is_told_of_before_the_run(
    postgresql_server: str, change: Callable[[str], str], fix: str, mode: Any
) -> None:
    seen: list[int] = []

    def handler(ctx: sd.SynodeContext) -> list[sd.Event]:
        seen.append(ctx.user_index)
        return []

    journey = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=handler)])])
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(journey, users=3, adapter=sd.DatabaseAdapter(change(postgresql_server), mode=mode))
    assert raised.value.code == "OUTPUT_ERROR"
    assert fix in (raised.value.suggestion or ""), raised.value
    assert "hunter2" not in raised.value.format()
    assert seen == []


def test_a_table_that_the_user_may_not_write(postgresql_server: str) -> None:
    in_postgresql(postgresql_server, "adbc")
    with psycopg.connect(postgresql_server, autocommit=True) as database:
        database.execute("DROP ROLE IF EXISTS reader")
        database.execute("CREATE ROLE reader LOGIN PASSWORD 'synthetic'")
        database.execute("GRANT USAGE ON SCHEMA public TO reader")
    reader = postgresql_server.replace("synode:", "reader:")
    with pytest.raises(sd.SynodeError, match="permission denied") as raised:
        sd.generate(numbered(), users=3, adapter=sd.DatabaseAdapter(reader))
    assert "may write to" in (raised.value.suggestion or "")


# Files


@pytest.mark.parametrize(
    "make", [in_duckdb, lambda path: in_sqlite(path, "adbc"), in_delta], ids=["duckdb", "sqlite", "delta"]
)
def test_folders_that_are_not_there_read_only_or_full(tmp_path: Path, make: Callable[[Path], Place]) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(numbered(), users=3, adapter=make(tmp_path / "missing").adapter())
    assert "make the folder first" in (raised.value.suggestion or "")
    with filesystem(tmp_path / "small", "600k") as folder:
        with pytest.raises(sd.SynodeError) as raised:
            sd.generate(numbered(), users=60_000, adapter=make(folder).adapter(), batch_size=1_000)
        assert raised.value.code == "OUTPUT_ERROR"
        assert "free some space" in (raised.value.suggestion or ""), raised.value
        assert list(folder.iterdir()) == []
        read_only(folder)
        with pytest.raises(sd.SynodeError) as raised:
            sd.generate(numbered(), users=3, adapter=make(folder).adapter())
        assert raised.value.code == "OUTPUT_ERROR"
        assert "may write to" in (raised.value.suggestion or ""), raised.value


@contextmanager
def occupied(script: str, file: Path) -> Iterator[None]:
    """Another process has a file open."""
    command = [sys.executable, "-c", script, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        yield
        other.communicate("\n")


OPENING = """
import duckdb, sys
database = duckdb.connect(sys.argv[1])
print("open", flush=True)
input()
"""


def test_a_duckdb_file_that_another_process_has_open(tmp_path: Path) -> None:
    with occupied(OPENING, tmp_path / "shop.duckdb"), pytest.raises(sd.SynodeError) as raised:
        sd.generate(numbered(), users=3, adapter=in_duckdb(tmp_path).adapter())
    assert raised.value.code == "OUTPUT_ERROR"
    assert "what else has it open" in (raised.value.suggestion or "")
    sd.generate(numbered(), users=3, adapter=in_duckdb(tmp_path).adapter())
    assert in_duckdb(tmp_path).values() == [0, 1, 2]


def test_a_duckdb_file_that_the_caller_has_open(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "shop.duckdb") as own:
        sd.generate(numbered(), users=3, adapter=in_duckdb(tmp_path).adapter())
        assert own.execute("SELECT count(*) FROM events").fetchall() == [(3,)]


@pytest.mark.parametrize("make", [in_duckdb, lambda path: in_sqlite(path, "adbc")], ids=["duckdb", "sqlite"])
def test_a_file_that_is_no_database_stays(tmp_path: Path, make: Callable[[Path], Place]) -> None:
    for name in ("shop.duckdb", "shop.db"):
        (tmp_path / name).write_text("precious " * 2_000)
    for mode in ("create", "overwrite"):
        with pytest.raises(sd.SynodeError) as raised:
            sd.generate(numbered(), users=3, adapter=make(tmp_path).adapter(mode=mode))
        assert raised.value.code == "OUTPUT_ERROR"
    assert {file.read_text() for file in tmp_path.iterdir()} == {"precious " * 2_000}


LOCKING = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("CREATE TABLE mine (a)")
database.execute("BEGIN EXCLUSIVE")
print("open", flush=True)
input()
"""


def test_a_sqlite_file_that_is_locked(tmp_path: Path) -> None:
    with occupied(LOCKING, tmp_path / "shop.db"), pytest.raises(sd.SynodeError, match="locked") as raised:
        sd.generate(numbered(), users=3, adapter=in_sqlite(tmp_path, "adbc").adapter())
    assert raised.value.code == "OUTPUT_ERROR"
    assert "what else has it open" in (raised.value.suggestion or "")


# Delta Lake


def test_a_run_is_one_commit_and_earlier_versions_stay(tmp_path: Path) -> None:
    place = in_delta(tmp_path)
    sd.generate(numbered(), users=300, adapter=place.adapter(), batch_size=32, seed=1)
    sd.generate(numbered(), users=2, adapter=place.adapter(mode="overwrite"), batch_size=32, seed=1)
    assert deltalake.DeltaTable(tmp_path / "events").version() == 1
    assert pl.read_delta(tmp_path / "events").height == 2
    assert pl.read_delta(tmp_path / "events", version=0)["value"].sort().to_list() == list(range(300))


def test_partitions(tmp_path: Path) -> None:
    odd = numbered(label=sd.one_of(["a/b", "c=d", "e f", "😀", ".."]))
    adapter = in_delta(tmp_path).adapter(partition_by=["event", "label"])
    with adapter:
        adapter.write(kept(odd, users=100, seed=1))
        adapter.write_table("users", users_table())
    table = deltalake.DeltaTable(tmp_path / "events")
    assert table.metadata().partition_columns == ["event", "label"]
    found = pl.read_delta(tmp_path / "events")
    assert found.group_by("label").len().sort("label").rows() == (
        kept(odd, users=100, seed=1).group_by("label").len().sort("label").rows()
    )
    assert {folder.name for folder in tmp_path.iterdir()} == {"events", "events-users"}


def test_a_folder_that_is_no_table_stays(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "mine.txt").write_text("precious")
    for mode in ("create", "overwrite", "append"):
        with pytest.raises(sd.SynodeError, match="no Delta Lake table"):
            sd.generate(numbered(), users=3, adapter=in_delta(tmp_path).adapter(mode=mode))
    assert [file.name for file in (tmp_path / "events").iterdir()] == ["mine.txt"]


def test_a_partition_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(sd.SynodeError, match="region") as raised:
        sd.generate(numbered(), users=3, adapter=in_delta(tmp_path).adapter(partition_by="region"))
    assert raised.value.code == "OUTPUT_ERROR"
    assert list(tmp_path.iterdir()) == []


# Libraries and options


@pytest.mark.parametrize(
    ("module", "make", "extra"),
    [
        ("duckdb", lambda: sd.DuckDBAdapter("a.duckdb"), "duckdb"),
        ("deltalake", lambda: sd.DeltaLakeAdapter("a"), "delta"),
        ("adbc_driver_postgresql.dbapi", lambda: sd.DatabaseAdapter("postgresql://host/db"), "postgresql"),
        ("adbc_driver_sqlite.dbapi", lambda: sd.DatabaseAdapter("sqlite:///a.db"), "sqlite"),
        ("sqlalchemy", lambda: sd.DatabaseAdapter("mysql+pymysql://host/db"), "sqlalchemy"),
    ],
)
def test_without_its_library(monkeypatch: pytest.MonkeyPatch, module: str, make: Any, extra: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(sd.SynodeError) as raised:
        make()
    assert raised.value.code == "MISSING_LIBRARY"
    assert raised.value.suggestion == f'pip install "synode-df[{extra}]"'


@pytest.mark.parametrize(
    "make",
    [
        lambda: sd.DuckDBAdapter(":memory:"),
        lambda: sd.DuckDBAdapter("md:shop"),
        lambda: sd.DuckDBAdapter("a.duckdb", ""),
        lambda: sd.DuckDBAdapter("a.duckdb", "a.b.c"),
        lambda: sd.DuckDBAdapter("a.duckdb", ".b"),
        lambda: sd.DuckDBAdapter("a.duckdb", mode="replace"),
        lambda: sd.DatabaseAdapter("shop.db"),
        lambda: sd.DatabaseAdapter("sqlite://"),
        lambda: sd.DatabaseAdapter("sqlite:///:memory:"),
        lambda: sd.DatabaseAdapter(3),
        lambda: sd.DatabaseAdapter("sqlite:///a.db", engine="odbc"),
        lambda: sd.DatabaseAdapter("mysql://host/db", engine="adbc"),
        lambda: sd.DatabaseAdapter("nosuch://host/db"),
        lambda: sd.DatabaseAdapter("mysql+pymysql://me:hunter2@host/db"),
        lambda: sd.DeltaLakeAdapter(""),
        lambda: sd.DeltaLakeAdapter("a", mode="merge"),
        lambda: sd.DeltaLakeAdapter("a", partition_by=3),
        lambda: sd.DeltaLakeAdapter("a", storage_options={"a": 1}),
    ],
)
def test_options_are_checked_when_the_adapter_is_made(make: Any) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        make()
    assert raised.value.code == "INVALID_OPTION", raised.value
    assert "hunter2" not in raised.value.format()
