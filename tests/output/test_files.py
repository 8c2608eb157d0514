"""CSV and NDJSON: one file that holds what the frame holds, whole or absent."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

import synode_df as sd
from tests.output.runs import (
    assert_same_values,
    failing,
    filesystem,
    kept,
    numbered,
    read_only,
    rich,
    uneven,
    users_table,
)
from tests.run.scenarios import environment, persona, products, shop

SHOP: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7}
KINDS = {"csv": sd.CSVAdapter, "ndjson": sd.NDJSONAdapter}
every_kind = pytest.mark.parametrize("kind", KINDS)


def inside(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def read(file: Path, schema: pl.Schema) -> pl.DataFrame:
    """A file as DuckDB reads it, its columns named and typed as in the frame."""
    types = dict.fromkeys(schema, "VARCHAR") if "csv" in file.name else {}
    reader = "read_csv" if "csv" in file.name else "read_json"
    options = f", types={types}, allow_quoted_nulls=false, header=true" if types else ", format='newline_delimited'"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        cursor = connection.execute(f"SELECT * FROM {reader}('{file}'{options})")
        names = [column[0] for column in cursor.description]
        return pl.DataFrame(dict(zip(names, zip(*cursor.fetchall(), strict=True), strict=True)), strict=False)


def as_written(frame: pl.DataFrame, file: Path) -> pl.DataFrame:
    """A frame with every value as the text that a CSV file has, or the value that a JSON file has."""
    if "csv" in file.name:
        return frame.select(
            pl.when(pl.col(name).is_not_null()).then(csv_text(name, dtype)).alias(name)
            for name, dtype in frame.schema.items()
        )
    return frame


def csv_text(name: str, dtype: pl.DataType) -> pl.Expr:
    values = pl.col(name)
    match dtype:
        case pl.Datetime():
            zone = "" if dtype.time_zone is None else "%z"
            return values.dt.to_string(f"%Y-%m-%dT%H:%M:%S%.6f{zone}")
        case pl.Boolean():
            return pl.when(values).then(pl.lit("true")).otherwise(pl.lit("false"))
        case pl.Struct() | pl.List():
            return values.map_elements(lambda value: json_of(value), return_dtype=pl.String)
        case pl.Binary():
            return values.bin.encode("base64")
        case pl.Duration() | pl.Time():
            return values.dt.to_string("iso")
    return values.cast(pl.String)


def json_of(value: Any) -> str:
    plain = value.to_list() if isinstance(value, pl.Series) else value
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), default=json_time)


def json_time(value: Any) -> str:
    return "PT1S" if type(value).__name__ == "timedelta" else value.isoformat(timespec="microseconds")


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_duckdb_reads_csv_with_every_row_and_value(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"events.csv{ending}"
    sd.generate(rich(), users=200, adapter=sd.CSVAdapter(file), batch_size=64, seed=3)
    frame = kept(rich(), users=200, seed=3)
    assert_same_values(read(file, frame.schema), as_written(frame, file))
    assert inside(tmp_path) == [file.name]


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_duckdb_reads_ndjson_with_every_row_and_value(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"events.ndjson{ending}"
    sd.generate(shop(), users=200, adapter=sd.NDJSONAdapter(file), batch_size=64, **SHOP)
    frame = kept(shop(), users=200, **SHOP)
    assert_same_values(read(file, frame.schema), frame)
    assert inside(tmp_path) == [file.name]


def test_every_line_of_ndjson_is_json_with_every_field(tmp_path: Path) -> None:
    sd.generate(rich(), users=3, adapter=sd.NDJSONAdapter(tmp_path / "e.jsonl"), seed=3)
    lines = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    frame = kept(rich(), users=3, seed=3)
    assert [list(line) for line in lines] == [frame.columns] * frame.height
    first = next(line for line in lines if line["event"] == "view")
    assert first["place"] == {"city": "Köln", "at": {"lat": 50.9, "since": "2026-01-01T00:00:00.000000"}}
    assert first["visits"] == [{"n": 1, "took": "PT1S"}]
    assert (first["raw"], first["took"], first["exact"]) == ("AP8=", "PT5400.000005S", "12.50")
    assert first["large"] in range(2**64 - 3, 2**64)
    assert first["timestamp"].endswith("+00:00")
    assert first["abroad"].endswith("+01:00")


@every_kind
@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compression_by_option(tmp_path: Path, kind: str, compression: Any) -> None:
    file = tmp_path / "events"
    sd.generate(numbered(), users=50, adapter=KINDS[kind](file, compression=compression), seed=1)
    assert file.read_bytes()[:2] == {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5"}[compression]
    sd.generate(numbered(), users=50, adapter=KINDS[kind](tmp_path / "plain", compression="uncompressed"), seed=1)
    if compression == "gzip":
        assert gzip.decompress(file.read_bytes()) == (tmp_path / "plain").read_bytes()


@every_kind
def test_the_bytes_do_not_depend_on_workers_or_batches(tmp_path: Path, kind: str) -> None:
    for number, options in enumerate(({}, {"n_jobs": 2, "batch_size": 30}, {"batch_size": 7})):
        sd.generate(shop(), users=200, adapter=KINDS[kind](tmp_path / str(number)), **SHOP, **options)
    one, two, three = (file.read_bytes() for file in sorted(tmp_path.iterdir()))
    assert one == two == three


@pytest.mark.parametrize("n_jobs", [1, 2])
@every_kind
def test_columns_that_later_batches_bring_are_in_the_header(tmp_path: Path, kind: str, n_jobs: int) -> None:
    file = tmp_path / f"events.{kind}"
    sd.generate(uneven(), users=300, adapter=KINDS[kind](file), batch_size=32, n_jobs=n_jobs, seed=2)
    frame = kept(uneven(), users=300, seed=2)
    assert {"amount", "gift", "when", "more"} <= set(frame.columns)
    assert_same_values(read(file, frame.schema), as_written(frame, file))


@every_kind
def test_types_that_do_not_fit_together_leave_nothing(tmp_path: Path, kind: str) -> None:
    def torn(ctx: sd.SynodeContext) -> list[sd.Event]:
        return [ctx.event(value=ctx.user_index if ctx.user_index < 10 else "text")]

    journey = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=torn)])])
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(journey, users=20, batch_size=5, adapter=KINDS[kind](tmp_path / "events"))
    assert raised.value.code == "TYPE_CONFLICT"
    assert inside(tmp_path) == []


def test_a_number_that_a_later_type_would_change_ends_in_its_own_error(tmp_path: Path) -> None:
    def large(ctx: sd.SynodeContext) -> list[sd.Event]:
        return [ctx.event(value=2**60 + 1 if ctx.user_index < 10 else 0.5)]

    journey = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=large)])])
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(journey, users=20, batch_size=5, adapter=sd.CSVAdapter(tmp_path / "events"))
    assert raised.value.code == "TYPE_CONFLICT"
    assert inside(tmp_path) == []


@every_kind
def test_no_users_and_no_events(tmp_path: Path, kind: str) -> None:
    sd.generate(numbered(), users=0, adapter=KINDS[kind](tmp_path / "none"))
    quiet = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=lambda ctx: [])])])
    sd.generate(quiet, users=5, adapter=KINDS[kind](tmp_path / "quiet"))
    if kind == "csv":
        assert (tmp_path / "none").read_text().startswith("event_id,user_id,session_id,event,timestamp,")
        assert len((tmp_path / "none").read_text().splitlines()) == 1
        assert len((tmp_path / "quiet").read_text().splitlines()) == 1
    else:
        assert (tmp_path / "none").read_bytes() == (tmp_path / "quiet").read_bytes() == b""


@every_kind
def test_a_file_that_is_there_is_refused_or_replaced(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "events"
    file.write_text("precious")
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(numbered(), users=5, adapter=KINDS[kind](file))
    assert raised.value.code == "OUTPUT_ERROR"
    assert 'mode="overwrite"' in (raised.value.suggestion or "")
    assert file.read_text() == "precious"
    sd.generate(numbered(), users=5, adapter=KINDS[kind](file, mode="overwrite"), seed=1)
    assert len(file.read_text().splitlines()) == 5 + (kind == "csv")
    assert inside(tmp_path) == ["events"]


@every_kind
@pytest.mark.parametrize("mode", ["create", "overwrite"])
@pytest.mark.parametrize("error", [ValueError("unlucky"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_a_run_that_fails_leaves_what_was(tmp_path: Path, kind: str, mode: Any, error: BaseException) -> None:
    file = tmp_path / "events"
    if mode == "overwrite":
        file.write_text("precious")
    with pytest.raises((sd.SynodeError, KeyboardInterrupt)) as raised:
        sd.generate(failing(error), users=50, batch_size=10, adapter=KINDS[kind](file, mode=mode))
    assert isinstance(raised.value, KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else sd.SynodeError)
    assert [(name, (tmp_path / name).read_text()) for name in inside(tmp_path)] == (
        [("events", "precious")] if mode == "overwrite" else []
    )


@every_kind
def test_ctrl_c_while_the_file_is_written(tmp_path: Path, kind: str) -> None:
    frame = kept(numbered(text="x" * 50), users=50_000, seed=1)

    ended = threading.Event()

    def interrupt() -> None:
        while not ended.is_set():
            if list(tmp_path.glob(".*.unfinished/*.whole")):
                os.kill(os.getpid(), signal.SIGINT)
                return
            time.sleep(0.001)

    adapter = KINDS[kind](tmp_path / "events")
    try:
        with pytest.raises(KeyboardInterrupt), adapter:
            for _ in range(60):
                adapter.write(frame)
            threading.Thread(target=interrupt, daemon=True).start()
    finally:
        ended.set()
    assert inside(tmp_path) == []


@every_kind
def test_tables_land_beside_the_file(tmp_path: Path, kind: str) -> None:
    adapter = KINDS[kind](tmp_path / f"events.{kind}.gz")
    with adapter:
        adapter.write(kept(numbered(), users=5))
        adapter.write_table("users", users_table().head(2))
        adapter.write_table("users", users_table().tail(3))
        adapter.write_table("dataset_a/b", users_table().select("score"))
    names = [f"events-dataset_a%2Fb.{kind}.gz", f"events-users.{kind}.gz", f"events.{kind}.gz"]
    assert inside(tmp_path) == names
    assert adapter.table_path("users") == tmp_path / names[1]
    found = read(tmp_path / names[1], users_table().schema)
    assert_same_values(found, as_written(users_table(), tmp_path / names[1]))


@every_kind
def test_a_star_schema(tmp_path: Path, kind: str) -> None:
    adapter = KINDS[kind](tmp_path / f"events.{kind}")
    report = sd.generate(shop(), users=100, adapter=adapter, star_schema=True, batch_size=32, **SHOP)
    names = {f"events-{table}.{kind}" for table, _ in report.tables()}
    assert set(inside(tmp_path)) == {f"events.{kind}", *names}
    found = read(tmp_path / f"events-users.{kind}", report.users.schema)
    assert_same_values(found, as_written(report.users, tmp_path / f"events-users.{kind}"))


@every_kind
def test_a_table_that_is_there_is_refused_before_anything_lands(tmp_path: Path, kind: str) -> None:
    (tmp_path / f"events-users.{kind}").write_text("precious")
    adapter = KINDS[kind](tmp_path / f"events.{kind}")
    with pytest.raises(sd.SynodeError, match="is there already"), adapter:
        adapter.write(kept(numbered(), users=5))
        adapter.write_table("users", users_table())
    assert inside(tmp_path) == [f"events-users.{kind}"]


@every_kind
def test_two_runs_into_one_file_the_second_to_end_is_refused(tmp_path: Path, kind: str) -> None:
    one, two = KINDS[kind](tmp_path / "events"), KINDS[kind](tmp_path / "events")
    frame = kept(numbered(), users=5)
    with pytest.raises(sd.SynodeError, match="is there already"), two:
        two.write(frame)
        with one:
            one.write(frame)
    assert inside(tmp_path) == ["events"]


@pytest.mark.parametrize(
    ("target", "fix"),
    [
        ("missing/events.csv", "make the folder first"),
        (".", "name a file in it"),
        ("file/events.csv", "check the path"),
    ],
)
def test_targets_that_cannot_be(tmp_path: Path, target: str, fix: str) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(numbered(), users=5, adapter=sd.CSVAdapter(tmp_path / target))
    assert raised.value.code == "OUTPUT_ERROR"
    assert fix in (raised.value.suggestion or ""), raised.value
    assert inside(tmp_path) == ["file"]


def test_a_read_only_target(tmp_path: Path) -> None:
    with filesystem(tmp_path / "small", "1m") as folder:
        read_only(folder)
        with pytest.raises(sd.SynodeError, match="(?i)read-only") as raised:
            sd.generate(numbered(), users=5, adapter=sd.NDJSONAdapter(folder / "events"))
        assert raised.value.code == "OUTPUT_ERROR"
        assert "may write to" in (raised.value.suggestion or "")


@every_kind
@pytest.mark.parametrize("rows", [3_000, 30_000], ids=["at the end", "on the way"])
def test_a_disk_that_fills_up(tmp_path: Path, kind: str, rows: int) -> None:
    """On the way, batches no longer fit; or the file does not fit beside them."""
    with filesystem(tmp_path / "small", "900k") as folder:
        with pytest.raises(sd.SynodeError, match="(?i)no space left") as raised:
            sd.generate(numbered(), users=rows * 10, adapter=KINDS[kind](folder / "events"), batch_size=rows)
        assert raised.value.code == "OUTPUT_ERROR"
        assert "free some space" in (raised.value.suggestion or "")
        assert inside(folder) == []
        # After space is made, or here with fewer users, the same target is as good as new.
        sd.generate(numbered(), users=100, adapter=KINDS[kind](folder / "events"))
        assert inside(folder) == ["events"]


HANGING = """
import os, sys, time
import synode_df as sd

def handler(ctx):
    if ctx.user_index == 15:
        print("waiting", flush=True)
        time.sleep(60)
    return [ctx.event()]

visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=handler)])])
sd.generate(visit, users=20, batch_size=5, adapter=sd.CSVAdapter(sys.argv[1]))
"""


def test_what_a_killed_run_left_goes_with_the_next_run_and_not_while_it_lives(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(HANGING)
    (folder := tmp_path / "out").mkdir()
    with subprocess.Popen(
        [sys.executable, str(script), str(folder / "events[1].csv")],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        (left,) = folder.iterdir()
        sd.generate(numbered(), users=5, adapter=sd.CSVAdapter(folder / "events[1].csv"))
        assert left.is_dir()
        process.kill()
    assert inside(folder) == [left.name, "events[1].csv"]
    sd.generate(numbered(), users=5, adapter=sd.CSVAdapter(folder / "events[1].csv", mode="overwrite"))
    assert inside(folder) == ["events[1].csv"]


def test_a_folder_that_vanishes_during_the_run(tmp_path: Path) -> None:
    (folder := tmp_path / "out").mkdir()

    def vandal(ctx: sd.SynodeContext) -> list[sd.Event]:
        shutil.rmtree(folder, ignore_errors=True)
        return [ctx.event()]

    journey = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", handler=vandal)])])
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(journey, users=50, batch_size=10, adapter=sd.CSVAdapter(folder / "events.csv"))
    assert raised.value.code == "OUTPUT_ERROR"


def test_separator(tmp_path: Path) -> None:
    sd.generate(numbered(), users=5, adapter=sd.CSVAdapter(tmp_path / "events.csv", separator=";"), seed=1)
    assert pl.read_csv(tmp_path / "events.csv", separator=";")["value"].to_list() == [0, 1, 2, 3, 4]


def test_an_adapter_that_is_not_open_says_so(tmp_path: Path) -> None:
    adapter = sd.CSVAdapter(tmp_path / "events.csv")
    with pytest.raises(sd.SynodeError, match="not open"):
        adapter.write(users_table())
    adapter.close()
    assert inside(tmp_path) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: sd.CSVAdapter("s3://bucket/events.csv"),
        lambda: sd.CSVAdapter(""),
        lambda: sd.CSVAdapter(3),
        lambda: sd.CSVAdapter("events.csv", mode="append"),
        lambda: sd.CSVAdapter("events.csv", compression="zip"),
        lambda: sd.CSVAdapter("events.csv", separator=";;"),
        lambda: sd.CSVAdapter("events.csv", separator='"'),
        lambda: sd.NDJSONAdapter("events.csv", mode=None),
    ],
)
def test_options_are_checked_when_the_adapter_is_made(make: Any) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        make()
    assert raised.value.code == "INVALID_OPTION"
    assert raised.value.path in ("CSVAdapter", "NDJSONAdapter")
