"""A directory of shards: what a reader sees, what a resumed run keeps, what is refused."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import synode_df as sd
from tests.run.scenarios import calling, filling, persona, products, shop

SHOP: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7}


def landed(target: Path, *, users: int = 500, journey: sd.Journey | None = None, **options: Any) -> dict[str, Any]:
    """Land a shop's events and give the manifest."""
    places = ("resume", "mode", "partition_by", "compression")
    adapter = sd.ParquetAdapter(target, **{name: options.pop(name) for name in places if name in options})
    run = {"batch_size": 64, **SHOP, **options}
    sd.generate(shop() if journey is None else journey, users=users, adapter=adapter, **run)
    return manifest_of(target)


def manifest_of(target: Path) -> dict[str, Any]:
    return dict(json.loads((target / "_manifest.json").read_text()))


def failing_at(index: int, folder: Path) -> sd.Journey:
    """A journey that fails for one user until a file `mended` is there."""

    def failing(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index == index and not (folder / "mended").exists():
            raise ValueError("unlucky")
        return [ctx.event(value=ctx.random.random())]

    return calling(failing)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_manifest_tells_what_is_there(tmp_path: Path) -> None:
    manifest = landed(tmp_path / "events")
    frame = sd.generate_df(shop(), users=500, **SHOP)
    assert manifest["complete"] is True
    assert manifest["rows"] == frame.height
    assert manifest["config"]["seed"] == 7
    assert manifest["config"]["users"] == [0, 500]
    assert [shard["first_user"] for shard in manifest["shards"]] == list(range(0, 500, 64))
    for shard in manifest["shards"]:
        file = tmp_path / "events" / shard["files"][0]["name"]
        assert file.stat().st_size == shard["files"][0]["bytes"]
        assert pl.read_parquet(file).height == shard["files"][0]["rows"]
    assert not (tmp_path / "events" / "_unfinished").exists()


@pytest.mark.parametrize("partition_by", [(), "event", ["date"]])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_content_hash_does_not_depend_on_workers(tmp_path: Path, n_jobs: int, partition_by: Any) -> None:
    one = landed(tmp_path / "one", partition_by=partition_by)
    other = landed(tmp_path / "other", partition_by=partition_by, n_jobs=n_jobs)
    assert one["content_hash"] == other["content_hash"]
    assert landed(tmp_path / "third", partition_by=partition_by, seed=8)["content_hash"] != one["content_hash"]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_resumed_run_ends_as_an_uninterrupted_one(tmp_path: Path, n_jobs: int) -> None:
    journey = failing_at(300, tmp_path)
    with pytest.raises(sd.SynodeError, match="unlucky"):
        landed(tmp_path / "events", journey=journey, n_jobs=n_jobs)
    kept = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "events").glob("*.parquet")}
    assert 4 <= len(kept) < 8
    (tmp_path / "mended").touch()
    whole = landed(tmp_path / "whole", journey=journey)
    resumed = landed(tmp_path / "events", journey=journey, resume=True, n_jobs=n_jobs)
    assert resumed["content_hash"] == whole["content_hash"]
    assert resumed["tally"] == whole["tally"]
    first = tmp_path / "events" / "events-000000000000.parquet"
    assert first.stat().st_mtime_ns == kept[first.name]
    assert sd.verify(tmp_path / "events").height == 0
    assert {file.name for file in (tmp_path / "events").iterdir()} == {f.name for f in (tmp_path / "whole").iterdir()}


def test_telemetry_of_a_resumed_run_counts_all_users(tmp_path: Path) -> None:
    journey = failing_at(300, tmp_path)
    with pytest.raises(sd.SynodeError):
        landed(tmp_path / "events", journey=journey)
    (tmp_path / "mended").touch()
    adapter = sd.ParquetAdapter(tmp_path / "events", resume=True)
    report = sd.generate(journey, users=500, adapter=adapter, batch_size=64, **SHOP)
    assert report.telemetry.users == 500
    assert report.telemetry.events == sd.scan(tmp_path / "events").select(pl.len()).collect().item()


def test_resuming_a_complete_run_changes_nothing(tmp_path: Path) -> None:
    before = landed(tmp_path / "events")
    stamps = {file: file.stat().st_mtime_ns for file in (tmp_path / "events").glob("*.parquet")}
    assert landed(tmp_path / "events", resume=True) == before
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "events").glob("*.parquet")} == stamps


def test_resume_starts_where_there_is_nothing(tmp_path: Path) -> None:
    assert landed(tmp_path / "one", resume=True)["content_hash"] == landed(tmp_path / "two")["content_hash"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"seed": 8}, "seed: 7 there, 8 here"),
        ({"users": 600}, "users: [0, 500] there, [0, 600] here"),
        ({"batch_size": 32}, "batch_size: 64 there, 32 here"),
        ({"persona": sd.Persona("shopper", {"device": "mobile"})}, "personas > shopper: changed"),
        ({"journey": filling(1)}, "journeys > "),
        ({"compression": "lz4"}, "compression: 'zstd' there, 'lz4' here"),
        ({"partition_by": "event"}, "partition_by: [] there, ['event'] here"),
        ({"duration": "3d"}, "window"),
    ],
)
def test_resume_refuses_another_run_and_says_what_differs(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    before = landed(tmp_path / "events")
    with pytest.raises(sd.SynodeError) as raised:
        landed(tmp_path / "events", resume=True, **changed)
    assert raised.value.code == "OUTPUT_ERROR"
    assert told in (raised.value.received or "")
    assert manifest_of(tmp_path / "events") == before


def test_resume_refuses_what_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "mine.txt").write_text("precious")
    with pytest.raises(sd.SynodeError, match="no run to resume"):
        landed(tmp_path / "events", resume=True)
    (tmp_path / "events" / "_manifest.json").write_text('{"half": ')
    with pytest.raises(sd.SynodeError, match="manifest cannot be read"):
        landed(tmp_path / "events", resume=True)


@pytest.mark.parametrize("harm", ["truncated", "changed", "missing"])
@pytest.mark.parametrize("partition_by", [(), "event"])
def test_a_harmed_shard_is_found_and_mended(tmp_path: Path, harm: str, partition_by: Any) -> None:
    before = landed(tmp_path / "events", partition_by=partition_by)
    victim = sorted((tmp_path / "events").rglob("*.parquet"))[3]
    content = bytearray(victim.read_bytes())
    if harm == "missing":
        victim.unlink()
    elif harm == "truncated":
        victim.write_bytes(content[:-7])
    else:
        content[40] ^= 255
        victim.write_bytes(content)
    found = sd.verify(tmp_path / "events")
    assert found.rows() == [("events", str(victim.relative_to(tmp_path / "events")), harm)]
    mended = landed(tmp_path / "events", resume=True, partition_by=partition_by)
    assert mended["content_hash"] == before["content_hash"]
    assert mended["tally"] == before["tally"]
    assert sd.verify(tmp_path / "events").height == 0


def test_a_stray_file_is_told(tmp_path: Path) -> None:
    landed(tmp_path / "events")
    (tmp_path / "events" / "copy.parquet").write_bytes(b"PAR1")
    assert sd.verify(tmp_path / "events").rows() == [("events", "copy.parquet", "stray")]


def test_a_second_run_into_the_same_directory_is_refused(tmp_path: Path) -> None:
    started, go_on = threading.Event(), threading.Event()

    def waiting(ctx: sd.SynodeContext) -> list[sd.Event]:
        started.set()
        go_on.wait(30)
        return [ctx.event()]

    first = threading.Thread(
        target=sd.generate, args=(calling(waiting),), kwargs={"users": 2, "adapter": sd.ParquetAdapter("events")}
    )
    first.start()
    try:
        assert started.wait(30)
        for options in ({"resume": True}, {"mode": "overwrite"}):
            with pytest.raises(sd.SynodeError, match="Another run is writing"):
                landed(tmp_path / "events", **options)
    finally:
        go_on.set()
        first.join()
    assert sd.scan("events").collect().height == 2
    assert not Path("events/_unfinished").exists()


def test_events_refused_as_invalid_leave_nothing(tmp_path: Path) -> None:
    import pandera.polars as pa

    schema = pa.DataFrameSchema({"value": pa.Column(int, pa.Check.lt(300))})
    with pytest.raises(sd.SynodeValidationError):
        landed(tmp_path / "events", journey=filling(pl.col("user_index")), event_schema=schema)
    assert list((tmp_path / "events").rglob("*")) == []


def test_readers_see_whole_shards_only(tmp_path: Path) -> None:
    target, done, seen = tmp_path / "events", threading.Event(), []

    def read() -> None:
        while not done.is_set():
            seen.append(sum(pl.read_parquet(file).height for file in target.glob("**/*.parquet")))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        landed(target, users=3_000, n_jobs=2, batch_size=100)
    finally:
        done.set()
        reader.join()
    assert seen == sorted(seen)
    assert len(set(seen)) > 2


ODD = ["a/b", "a=b", "two words", "🦊", "ümläut", "100%", ".", "x" * 60, "'quoted\"", "مرحبا"]


def test_partition_values_of_any_kind_come_back(tmp_path: Path) -> None:
    actions = [sd.Action(f"a{number}", event=name, fields={"n": number}) for number, name in enumerate(ODD)]
    journey = sd.Journey("odd", [sd.Adventure("all", actions)])
    sd.generate(journey, users=30, batch_size=10, adapter=sd.ParquetAdapter("events", partition_by="event"), seed=1)
    frame = sd.generate_df(journey, users=30, seed=1)
    found = sd.scan("events").collect().sort("timestamp", "n")
    assert found.schema == frame.schema
    assert_frame_equal(found, frame.sort("timestamp", "n"))
    read = duckdb.sql(
        "SELECT event, count(*) FROM read_parquet('events/*/*.parquet', hive_partitioning=true) GROUP BY 1"
    )
    assert dict(read.fetchall()) == dict.fromkeys(ODD, 30)


def test_partitions_by_date_and_persona(tmp_path: Path) -> None:
    mixture = [(persona(), 0.8), (sd.Persona("bot", {}), 0.2)]
    options: dict[str, Any] = {"users": 300, "persona": mixture, "datasets": [products()], "seed": 7}
    sd.generate(shop(), adapter=sd.ParquetAdapter("events", partition_by=["date", "persona_id"]), **options)
    frame = sd.generate_df(shop(), **options)
    found = sd.scan("events").collect()
    assert (found["date"] == found["timestamp"].dt.date()).all()
    key = ["user_id", "timestamp", "event_id"]
    assert_frame_equal(found.drop("date").sort(key), frame.sort(key))
    one_day = frame["timestamp"].dt.date()[0]
    assert sd.scan("events").filter(pl.col("date") == one_day).collect().height == (
        frame.filter(pl.col("timestamp").dt.date() == one_day).height
    )


@pytest.mark.parametrize(("keys", "users"), [("persona_id", 10), ("date", 10)])
def test_partitions_that_the_events_cannot_have_are_refused(tmp_path: Path, keys: str, users: int) -> None:
    journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", fields={"date": "today"})])])
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(journey, users=users, adapter=sd.ParquetAdapter("events", partition_by=keys))
    assert raised.value.code == "INVALID_OPTION"
    assert not Path("events").exists()


def uneven(ctx: sd.SynodeContext) -> list[sd.Event]:
    """Events and fields that only later batches have."""
    if ctx.user_index >= 200:
        return [ctx.event("late", gift=ctx.user_index)]
    return [ctx.event(amount=1.5)]


@pytest.mark.parametrize("partition_by", [(), "event"])
def test_a_resumed_run_brings_old_and_new_shards_to_one_schema(tmp_path: Path, partition_by: Any) -> None:
    def failing(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index == 400 and not (tmp_path / "mended").exists():
            raise ValueError("unlucky")
        return uneven(ctx)

    with pytest.raises(sd.SynodeError):
        landed(tmp_path / "events", journey=calling(failing), partition_by=partition_by)
    (tmp_path / "mended").touch()
    resumed = landed(tmp_path / "events", journey=calling(failing), partition_by=partition_by, resume=True)
    whole = landed(tmp_path / "whole", journey=calling(failing), partition_by=partition_by)
    assert resumed["content_hash"] == whole["content_hash"]
    found = sd.scan(tmp_path / "events").collect()
    assert dict(found.select("amount", "gift").schema) == {"amount": pl.Float64, "gift": pl.Int64}
    assert set(found["event"].unique()) == {"land", "late"}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_one_file(tmp_path: Path, n_jobs: int) -> None:
    target = tmp_path / "events.parquet"
    report = sd.generate(
        shop(), users=500, adapter=sd.ParquetAdapter(target), batch_size=64, n_jobs=n_jobs, star_schema=True, **SHOP
    )
    frame = sd.generate_df(shop(), users=500, **SHOP)
    assert_frame_equal(pl.read_parquet(target), frame)
    assert_frame_equal(sd.scan(target).collect(), frame)
    assert_frame_equal(sd.scan(target, table="users").collect(), report.users)
    assert not (tmp_path / "events.parquet.unfinished").exists()
    with pytest.raises(sd.SynodeError, match="there already"):
        sd.generate(shop(), users=500, adapter=sd.ParquetAdapter(target), **SHOP)
    sd.generate(filling(1), users=5, adapter=sd.ParquetAdapter(target, mode="overwrite"))
    assert pl.read_parquet(target).height == 5


def test_one_file_is_absent_until_it_is_whole_and_resumes(tmp_path: Path) -> None:
    target, journey = tmp_path / "events.parquet", failing_at(300, tmp_path)
    with pytest.raises(sd.SynodeError, match="unlucky"):
        sd.generate(journey, users=500, adapter=sd.ParquetAdapter(target), batch_size=64, **SHOP)
    assert not target.exists()
    assert list(tmp_path.rglob("*.parquet")) == []
    (tmp_path / "mended").touch()
    with pytest.raises(sd.SynodeError, match="not empty"):
        sd.generate(journey, users=500, adapter=sd.ParquetAdapter(target), batch_size=64, **SHOP)
    for _ in range(2):  # the second time there is nothing left to do
        adapter = sd.ParquetAdapter(target, resume=True)
        report = sd.generate(journey, users=500, adapter=adapter, batch_size=64, **SHOP)
        assert report.telemetry.users == 500
    assert_frame_equal(pl.read_parquet(target), sd.generate_df(journey, users=500, **SHOP))
    with pytest.raises(sd.SynodeError, match="another one"):
        sd.generate(journey, users=501, adapter=sd.ParquetAdapter(target, resume=True), batch_size=64, **SHOP)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_star_schema_joins(tmp_path: Path, n_jobs: int) -> None:
    adapter = sd.ParquetAdapter(tmp_path / "out")
    report = sd.generate(shop(), users=500, adapter=adapter, n_jobs=n_jobs, batch_size=64, star_schema=True, **SHOP)
    events = sd.scan(tmp_path / "out").collect()
    assert_frame_equal(events, sd.generate_df(shop(), users=500, **SHOP))
    assert_frame_equal(sd.scan(tmp_path / "out", table="users").collect(), report.users)
    assert_frame_equal(sd.scan(tmp_path / "out", table="dataset_products").collect(), report.datasets["products"])
    assert sd.scan(tmp_path / "out", table="telemetry_actions").collect()["events"].sum() == events.height
    joined = duckdb.sql(
        f"SELECT count(*) FROM '{tmp_path}/out/events/*.parquet' JOIN '{tmp_path}/out/users/*.parquet' USING (user_id)"
    )
    assert joined.fetchall() == [(events.height,)]
    assert sd.verify(tmp_path / "out").height == 0
    with pytest.raises(sd.SynodeError, match="no table") as raised:
        sd.scan(tmp_path / "out", table="user")
    assert "users" in (raised.value.suggestion or "")


def test_beside_other_destinations(tmp_path: Path) -> None:
    both = sd.CompositeAdapter([sd.InMemoryAdapter(), sd.ParquetAdapter("events")])
    sd.generate(shop(), users=200, adapter=both, batch_size=64, star_schema=True, n_jobs=2, **SHOP)
    assert_frame_equal(sd.scan("events").collect(), sd.generate_df(shop(), users=200, **SHOP))
    assert sd.scan("events", table="users").collect().height == 200
    again = sd.CompositeAdapter([sd.ParquetAdapter("other", resume=True)])
    with pytest.raises(sd.SynodeError, match="Only an adapter that writes in the workers"):
        sd.generate(shop(), users=200, adapter=again, **SHOP)


def test_scanning_an_unfinished_run_warns(tmp_path: Path) -> None:
    with pytest.raises(sd.SynodeError):
        landed(tmp_path / "events", journey=failing_at(300, tmp_path))
    with pytest.warns(sd.SynodeWarning, match="unfinished"):
        assert sd.scan(tmp_path / "events").collect().height == 256


@pytest.mark.parametrize("path", ["nowhere", "nowhere.parquet", "."])
def test_what_is_no_run_cannot_be_scanned_or_verified(tmp_path: Path, path: str) -> None:
    for read in (sd.scan, sd.verify):
        with pytest.raises(sd.SynodeError) as raised:
            read(path)
        assert raised.value.code == "OUTPUT_ERROR"


@pytest.mark.parametrize(
    "options",
    [
        {"resume": 1},
        {"resume": True, "mode": "overwrite"},
        {"mode": "append"},
        {"partition_by": "country"},
        {"partition_by": ["event", 3]},
        {"compression": "zip"},
        {"compression_level": 30},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.ParquetAdapter("events", **options)
    assert raised.value.code == "INVALID_OPTION"
    with pytest.raises(sd.SynodeError):
        sd.ParquetAdapter("events.parquet", partition_by="event")
