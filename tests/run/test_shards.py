"""Populations to Parquet shards: the directory holds what the frame holds, whoever wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import synode_df as sd
from tests.run.scenarios import calling, filling, persona, products, shop

SHOP: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7}


def written(target: Path, journey: sd.Journey, *, n_jobs: int = 1, **options: Any) -> pl.DataFrame:
    sd.generate(journey, adapter=sd.ParquetAdapter(target), n_jobs=n_jobs, batch_size=64, **options)
    return sd.scan(target).collect()


def shards_in(target: Path) -> list[Path]:
    return sorted(target.glob("*.parquet"))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_directory_scans_as_the_frame(tmp_path: Path, n_jobs: int) -> None:
    found = written(tmp_path / "events", shop(), users=500, n_jobs=n_jobs, **SHOP)
    frame = sd.generate_df(shop(), users=500, **SHOP)
    assert found.schema == frame.schema
    assert_frame_equal(found, frame)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_shards_have_the_same_bytes_whoever_writes_them(tmp_path: Path, backend: str) -> None:
    written(tmp_path / "one", shop(), users=500, **SHOP)
    with joblib.parallel_config(backend=backend):
        written(tmp_path / "two", shop(), users=500, n_jobs=2, **SHOP)
    one, two = ({file.name: file.read_bytes() for file in shards_in(tmp_path / each)} for each in ("one", "two"))
    assert len(one) == 8
    assert one == two


def test_shards_are_in_order_and_named_after_their_first_user(tmp_path: Path) -> None:
    written(tmp_path / "events", filling(pl.col("user_index")), users=range(1_000, 1_200), n_jobs=2)
    for shard in shards_in(tmp_path / "events"):
        assert pl.read_parquet(shard)["value"][0] == int(shard.stem.removeprefix("events-"))


def test_slices_of_a_population_written_to_one_place_each_scan_as_the_whole(tmp_path: Path) -> None:
    for number, users in enumerate((range(200), range(200, 350))):
        written(tmp_path / f"part-{number}", shop(), users=users, **SHOP)
    assert_frame_equal(
        pl.scan_parquet(tmp_path / "part-*" / "*.parquet").collect(), sd.generate_df(shop(), users=350, **SHOP)
    )


def test_the_adapter_lists_its_shards(tmp_path: Path) -> None:
    adapter = sd.ParquetAdapter(tmp_path / "events")
    report = sd.generate(shop(), users=300, adapter=adapter, n_jobs=2, batch_size=100, **SHOP)
    assert [(shard.first_user, shard.end_user) for shard in adapter.shards] == [(0, 100), (100, 200), (200, 300)]
    assert sum(shard.rows for shard in adapter.shards) == report.telemetry.events
    for shard in adapter.shards:
        assert (tmp_path / "events" / shard.files[0].name).stat().st_size == shard.bytes


def uneven(ctx: sd.SynodeContext) -> list[sd.Event]:
    """Fields and event names that some users have and others have not, and one field of two types."""
    index = ctx.user_index
    events = [ctx.event(amount=index if index < 100 else index + 0.5)]
    if index >= 128:
        events.append(ctx.event("bonus", gift=f"gift {index}"))
    if index % 64 == 3:
        events.append(ctx.event("rare", when=ctx.now()))
    return events


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_shards_whose_handlers_gave_different_fields_scan_together(tmp_path: Path, n_jobs: int) -> None:
    found = written(tmp_path / "events", calling(uneven), users=300, n_jobs=n_jobs, seed=2)
    frame = sd.generate_df(calling(uneven), users=300, seed=2).select(found.columns)
    frame = frame.with_columns(pl.col("event").cast(found["event"].dtype))
    assert set(found["event"].dtype.categories) == {"land", "bonus", "rare"}
    assert found["amount"].dtype == pl.Float64
    assert_frame_equal(found, frame)
    schemas = {str(pl.read_parquet_schema(shard)) for shard in shards_in(tmp_path / "events")}
    assert len(schemas) == 1


@pytest.mark.parametrize("how", ["shards", "memory"])
def test_columns_and_categories_do_not_depend_on_batches(tmp_path: Path, how: str) -> None:
    frame = sd.generate_df(calling(uneven), users=300, seed=2)
    if how == "shards":
        found = written(tmp_path / "events", calling(uneven), users=300, seed=2)
    else:
        sd.generate(calling(uneven), users=300, adapter=(kept := sd.InMemoryAdapter()), batch_size=64, seed=2)
        found = kept.events
    assert found.schema == frame.schema
    assert_frame_equal(found, frame)


def test_no_users_and_no_events(tmp_path: Path) -> None:
    nobody = written(tmp_path / "none", shop(), users=0, n_jobs=2, **SHOP)
    assert_frame_equal(nobody, sd.generate_df(shop(), users=0, **SHOP))
    quiet = calling(lambda ctx: [])
    assert written(tmp_path / "quiet", quiet, users=100, n_jobs=2).height == 0


def test_create_refuses_a_directory_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(filling(1), users=10, adapter=sd.ParquetAdapter(tmp_path))
    assert raised.value.code == "OUTPUT_ERROR"
    assert "overwrite" in (raised.value.suggestion or "")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_overwrite_replaces_shards_and_nothing_else(tmp_path: Path) -> None:
    written(tmp_path / "events", filling("old"), users=500)
    (tmp_path / "events" / "mine.txt").write_text("precious")
    adapter = sd.ParquetAdapter(tmp_path / "events", mode="overwrite")
    sd.generate(filling("new"), users=100, adapter=adapter, batch_size=64, n_jobs=2)
    found = pl.scan_parquet(tmp_path / "events" / "*.parquet").collect()
    assert found["value"].to_list() == ["new"] * 100
    assert (tmp_path / "events" / "mine.txt").read_text() == "precious"


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("a file")
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(filling(1), users=10, adapter=sd.ParquetAdapter(tmp_path / "events"), n_jobs=2)
    assert raised.value.code == "OUTPUT_ERROR"
    assert (tmp_path / "events").read_text() == "a file"


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_target_that_vanishes_during_the_run_is_an_output_error(tmp_path: Path, n_jobs: int) -> None:
    target = tmp_path / "events"

    def vandal(ctx: sd.SynodeContext) -> list[sd.Event]:
        import shutil

        shutil.rmtree(target, ignore_errors=True)
        return [ctx.event()]

    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(calling(vandal), users=50, n_jobs=n_jobs, batch_size=10, adapter=sd.ParquetAdapter(target))
    assert raised.value.code == "OUTPUT_ERROR"
    assert raised.value.path == "ParquetAdapter"


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_after_an_error_the_shards_that_landed_are_whole(tmp_path: Path, n_jobs: int) -> None:
    def failing(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index == 70:
            raise ValueError("unlucky")
        return [ctx.event(value=ctx.user_index)]

    target = tmp_path / "events"
    with pytest.raises(sd.SynodeError, match="unlucky"):
        sd.generate(calling(failing), users=100, n_jobs=n_jobs, batch_size=10, adapter=sd.ParquetAdapter(target))
    assert {entry.name for entry in target.iterdir() if entry.suffix != ".parquet"} == {"_manifest.json", "_unfinished"}
    shards = shards_in(target)
    assert target / "events-000000000060.parquet" in shards
    assert target / "events-000000000070.parquet" not in shards
    for shard in shards:
        first = int(shard.stem[-12:])
        assert pl.read_parquet(shard)["value"].to_list() == list(range(first, first + 10))


def test_the_error_that_ended_the_run_is_told_though_the_shards_do_not_fit_together(tmp_path: Path) -> None:
    def failing(ctx: sd.SynodeContext) -> list[sd.Event]:
        if ctx.user_index == 25:
            raise ValueError("unlucky")
        return [ctx.event(value=ctx.user_index if ctx.user_index < 10 else "text")]

    for users, code in ((20, "TYPE_CONFLICT"), (30, "HANDLER_ERROR")):
        adapter = sd.ParquetAdapter(tmp_path / code)
        with pytest.raises(sd.SynodeError) as raised:
            sd.generate(calling(failing), users=users, batch_size=10, adapter=adapter)
        assert raised.value.code == code


def test_a_relative_path_means_the_same_place_in_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Warm workers stand in the folder in which they were started."""
    sd.generate_df(filling(1), users=10, n_jobs=2, batch_size=2)
    monkeypatch.chdir(tmp_path)
    sd.generate(filling(1), users=40, n_jobs=2, batch_size=10, adapter=sd.ParquetAdapter("events"))
    assert sd.scan(tmp_path / "events").collect().height == 40


@pytest.mark.parametrize("layout", ["columns", "struct", "json"])
def test_layouts_of_a_frame_are_written_and_read_back(tmp_path: Path, layout: Any) -> None:
    frame = sd.generate_df(shop(), users=100, layout=layout, **SHOP)
    frame.write_parquet(tmp_path / "events.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "events.parquet"), frame)
    if layout != "struct":
        frame.write_csv(tmp_path / "events.csv")
        assert pl.read_csv(tmp_path / "events.csv").height == frame.height
