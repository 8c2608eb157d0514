"""Tables of databases: the values of the frame, all of them or none."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import synode_df as sd
from tests.output.places import Place, Rows, in_delta, in_duckdb, in_postgresql, in_sqlite
from tests.output.runs import (
    failing,
    kept,
    numbered,
    rich,
    uneven,
    users_table,
)
from tests.run.scenarios import persona, products, shop

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
