"""Tables of databases: the values of the frame, all of them or none."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import polars as pl
import psycopg
import pytest

import synode_df as sd
from synode_df.output.sink_types import SinkTypes
from tests.output.runs import (
    failing,
    filesystem,
    kept,
    numbered,
    read_only,
    rich,
    uneven,
    users_table,
)
from tests.output.server import free_port
from tests.run.scenarios import persona, products, shop

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


PLACES = ["duckdb", "delta", "sqlite-adbc", "sqlite-sqlalchemy", "postgresql-adbc", "postgresql-sqlalchemy"]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    kind, _, engine = request.param.partition("-")
    if kind == "postgresql":
        yield in_postgresql(request.getfixturevalue("postgresql_server"), engine)
    elif kind == "sqlite":
        yield in_sqlite(tmp_path, engine)
    else:
        yield {"duckdb": in_duckdb, "delta": in_delta}[kind](tmp_path)


def plain(value: Any, *, text: bool) -> Any:
    """A value as it is read back; SQLite has text for times and numbers for truth."""
    if text and isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds")
    if text and isinstance(value, date):
        return value.isoformat()
    return value


def expected(place: Place, frame: pl.DataFrame, *, by: str = "event_id") -> Rows:
    return sorted(place.types.of(frame).to_dicts(), key=lambda row: row[by])


def assert_rows(found: Rows, rows: Rows) -> None:
    text = isinstance(found[0]["timestamp"], str)
    adbc = text and "T" in found[0]["timestamp"]
    assert [list(row) for row in found] == [list(row) for row in rows]
    for one, other in zip(found, rows, strict=True):
        for name, value in other.items():
            wanted = plain(value, text=text)
            if text and isinstance(value, datetime) and not adbc:
                wanted = wanted.replace("T", " ")
            if text and type(value).__name__ == "time":
                wanted = value.isoformat(timespec="microseconds")
            assert one[name] == wanted, name


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_every_row_and_value(place: Place, n_jobs: int) -> None:
    sd.generate(rich(), users=200, adapter=place.adapter(), batch_size=64, n_jobs=n_jobs, seed=3)
    assert_rows(place.rows(), expected(place, kept(rich(), users=200, seed=3)))
    assert place.tables() == {"events"}


@pytest.mark.parametrize("error", [None, ValueError("unlucky")], ids=["success", "failure"])
def test_nothing_stays_where_batches_waited(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    (waiting := tmp_path / "waiting").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(waiting))
    if error is None:
        sd.generate(numbered(), users=50, adapter=place.adapter(), batch_size=10)
    else:
        with pytest.raises(sd.SynodeError, match="unlucky"):
            sd.generate(failing(error), users=50, adapter=place.adapter(), batch_size=10)
    assert list(waiting.iterdir()) == []
    assert list(tmp_path.glob(".*")) == []


def test_columns_that_later_batches_bring(place: Place) -> None:
    sd.generate(uneven(), users=300, adapter=place.adapter(), batch_size=32, seed=2)
    assert_rows(place.rows(), expected(place, kept(uneven(), users=300, seed=2)))


def test_a_table_with_rows_is_refused_replaced_or_added_to(place: Place) -> None:
    sd.generate(numbered(), users=5, adapter=place.adapter(), seed=1)
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(numbered(), users=5, adapter=place.adapter())
    assert raised.value.code == "OUTPUT_ERROR"
    assert 'mode="overwrite"' in (raised.value.suggestion or "")
    assert place.values() == [0, 1, 2, 3, 4]
    sd.generate(numbered(), users=range(5, 8), adapter=place.adapter(mode="append"), seed=1)
    assert place.values() == list(range(8))
    sd.generate(numbered(extra="new"), users=2, adapter=place.adapter(mode="overwrite"), seed=1)
    assert [row["extra"] for row in place.rows()] == ["new", "new"]
    assert place.tables() == {"events"}


def test_an_empty_table_is_no_obstacle(place: Place) -> None:
    sd.generate(numbered(), users=0, adapter=place.adapter(), seed=1)
    names, rows = place.select("events")
    assert names == kept(numbered(), users=1).columns
    assert rows == []
    sd.generate(numbered(), users=5, adapter=place.adapter(), seed=1)
    assert place.values() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("mode", ["create", "overwrite", "append"])
@pytest.mark.parametrize("error", [ValueError("unlucky"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_a_run_that_fails_leaves_what_was(place: Place, tmp_path: Path, mode: Any, error: BaseException) -> None:
    if mode != "create":
        sd.generate(numbered(), users=5, adapter=place.adapter(), seed=1)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((sd.SynodeError, KeyboardInterrupt)):
        sd.generate(failing(error), users=50, batch_size=10, adapter=place.adapter(mode=mode))
    assert sorted(tmp_path.rglob("*")) == before
    assert place.tables() == (set() if mode == "create" else {"events"})
    assert mode == "create" or place.values() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("mode", ["create", "overwrite", "append"])
def test_a_failure_in_the_middle_of_the_transaction_leaves_what_was(place: Place, tmp_path: Path, mode: Any) -> None:
    if mode != "create":
        sd.generate(numbered(more=0.5), users=5, adapter=place.adapter(), seed=1)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(sd.SynodeError) as raised:
        write_parts(place.adapter(mode=mode))
    assert raised.value.code == "TYPE_CONFLICT"
    assert sorted(tmp_path.rglob("*")) == before
    assert place.tables() == (set() if mode == "create" else {"events"})
    assert mode == "create" or place.values() == [0, 1, 2, 3, 4]


def write_parts(adapter: sd.OutputAdapter) -> None:
    """Parts of which the last does not fit the others."""
    frame = kept(numbered(), users=50, seed=1)
    with adapter:
        adapter.write(frame.with_columns(pl.lit(0.5).alias("more")))
        adapter.write(frame.with_columns(pl.lit(2**60 + 1).alias("more")))


def test_tables_land_beside_the_events(place: Place) -> None:
    with place.adapter() as adapter:
        adapter.write(kept(numbered(), users=5))
        adapter.write_table("users", users_table().head(2))
        adapter.write_table("users", users_table().tail(3))
    users = f"events{place.join}users"
    assert place.tables() == {"events", users}
    found = place.rows(users, by="user_id")
    assert [row["score"] for row in found] == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert [row["plan"] for row in found] == ["free"] * 5
    with pytest.raises(sd.SynodeError, match="is there already"), place.adapter("other") as adapter:
        adapter.write(kept(numbered(), users=5))
        with place.adapter() as again:
            again.write_table("users", users_table())
    assert "other" not in place.tables()


def test_a_star_schema(place: Place) -> None:
    options: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7, "star_schema": True}
    report = sd.generate(shop(), users=100, adapter=place.adapter(), batch_size=32, **options)
    names = {table for table, _ in report.tables()}
    assert place.tables() == {"events", *(f"events{place.join}{name}" for name in names)}
    users = place.rows(f"events{place.join}users", by="user_index")
    assert users == place.types.of(report.users).to_dicts()
    skus = place.rows(f"events{place.join}dataset_products", by="sku")
    assert skus == report.datasets["products"].to_dicts()
    events = place.rows()
    assert {row["user_id"] for row in events} <= {row["user_id"] for row in users}
    assert {row["sku"] for row in events if row["sku"]} <= {row["sku"] for row in skus}


def test_users_that_are_there_are_refused_before_the_run(place: Place) -> None:
    with place.adapter() as adapter:
        adapter.write(kept(numbered(), users=5))
        adapter.write_table("users", users_table())
    with place.adapter(mode="overwrite") as adapter:
        adapter.write(kept(numbered(), users=5).clear())
    seen: list[int] = []
    journey = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=lambda ctx: seen.append(1) or [])])])
    with pytest.raises(sd.SynodeError, match="is there already"):
        sd.generate(journey, users=5, adapter=place.adapter(), star_schema=True)
    assert seen == []


@pytest.mark.parametrize("table", ["it's", 'say "hi"', "größe 😀", "select"])
def test_names_of_any_characters(place: Place, table: str) -> None:
    sd.generate(numbered(), users=3, adapter=place.adapter(table), seed=1)
    with pytest.raises(sd.SynodeError, match="is there already"):
        sd.generate(numbered(), users=3, adapter=place.adapter(table), seed=1)
    assert place.tables() == {table}


def test_rows_that_do_not_fit_the_table_that_is_there(place: Place, request: pytest.FixtureRequest) -> None:
    sd.generate(numbered(), users=5, adapter=place.adapter(), seed=1)
    more = numbered(unknown="column")
    if request.node.callspec.params["place"] == "delta":  # where columns may be added
        sd.generate(more, users=range(5, 7), adapter=place.adapter(mode="append"), seed=1)
        assert sorted(row["unknown"] or "" for row in place.rows()) == [""] * 5 + ["column"] * 2
        return
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(more, users=range(5, 7), adapter=place.adapter(mode="append"), seed=1)
    assert raised.value.code == "OUTPUT_ERROR"
    assert "columns in line" in (raised.value.suggestion or ""), raised.value
    assert place.values() == [0, 1, 2, 3, 4]


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
    assert raised.value.code == "OUTPUT_ERROR"
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
