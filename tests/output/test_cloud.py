"""Shards in an object store: against a real S3 server on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import polars as pl
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store
from polars.testing import assert_frame_equal

import synode_df as sd
from tests.output.test_landing import failing_at
from tests.run.scenarios import persona, products, shop

SHOP: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7, "batch_size": 64, "users": 300}


@pytest.fixture(scope="module")
def options() -> Iterator[dict[str, str]]:
    """A server with a bucket, and how to reach it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    reach = {
        "aws_endpoint_url": f"http://127.0.0.1:{port}",
        "aws_access_key_id": "key",
        "aws_secret_access_key": "secret",
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    import urllib.request

    urllib.request.urlopen(urllib.request.Request(f"{reach['aws_endpoint_url']}/bucket", method="PUT")).close()
    yield reach
    server.stop()


def store(options: dict[str, str], prefix: str) -> S3Store:
    config = {key: value for key, value in options.items() if key != "aws_allow_http"}
    return S3Store("bucket", prefix=prefix, client_options={"allow_http": True}, **config)


def names(options: dict[str, str], prefix: str) -> list[str]:
    return sorted(each["path"] for page in obstore.list(store(options, prefix)) for each in page)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("partition_by", [(), "event"])
def test_shards_land_in_a_bucket(options: dict[str, str], n_jobs: int, partition_by: Any) -> None:
    place = f"s3://bucket/landed-{n_jobs}-{partition_by or 'plain'}"
    adapter = sd.ParquetAdapter(place, storage_options=options, partition_by=partition_by)
    report = sd.generate(shop(), adapter=adapter, n_jobs=n_jobs, star_schema=True, **SHOP)
    frame = sd.generate_df(shop(), **SHOP)
    key = ["user_id", "timestamp", "event_id"]
    assert_frame_equal(sd.scan(place, storage_options=options).collect().sort(key), frame.sort(key))
    assert_frame_equal(sd.scan(place, table="users", storage_options=options).collect(), report.users)
    assert sd.verify(place, storage_options=options).height == 0
    with pytest.raises(sd.SynodeError, match="not empty"):
        sd.generate(shop(), adapter=sd.ParquetAdapter(place, storage_options=options), **SHOP)
    again = sd.ParquetAdapter(place, storage_options=options, partition_by=partition_by, mode="overwrite")
    sd.generate(shop(), adapter=again, star_schema=True, **SHOP)
    assert sd.scan(place, storage_options=options).select(pl.len()).collect().item() == frame.height


def test_an_interrupted_run_resumes_in_a_bucket(options: dict[str, str], tmp_path: Path) -> None:
    journey = failing_at(200, tmp_path)

    def land(place: str, **more: Any) -> dict[str, Any]:
        adapter = sd.ParquetAdapter(f"s3://bucket/{place}", storage_options=options, **more)
        sd.generate(journey, adapter=adapter, **SHOP)
        return dict(json.loads(bytes(obstore.get(store(options, place), "_manifest.json").bytes())))

    with pytest.raises(sd.SynodeError, match="unlucky"):
        land("resumed")
    kept = [name for name in names(options, "resumed") if name.endswith(".parquet")]
    assert len(kept) == 3
    (tmp_path / "mended").touch()
    resumed = land("resumed", resume=True)
    assert resumed["content_hash"] == land("whole")["content_hash"]
    assert names(options, "resumed") == names(options, "whole")


def test_a_corrupted_object_is_found_and_mended(options: dict[str, str]) -> None:
    place = "s3://bucket/harmed"
    sd.generate(shop(), adapter=sd.ParquetAdapter(place, storage_options=options), **SHOP)
    before = bytes(obstore.get(store(options, "harmed"), "_manifest.json").bytes())
    victim = "events-000000000064.parquet"
    content = bytearray(bytes(obstore.get(store(options, "harmed"), victim).bytes()))
    content[30] ^= 255
    obstore.put(store(options, "harmed"), victim, bytes(content))
    assert sd.verify(place, storage_options=options).rows() == [("events", victim, "changed")]
    sd.generate(shop(), adapter=sd.ParquetAdapter(place, storage_options=options, resume=True), **SHOP)
    assert sd.verify(place, storage_options=options).height == 0
    assert bytes(obstore.get(store(options, "harmed"), "_manifest.json").bytes()) == before


def test_a_claim_refuses_a_second_run_and_a_resumed_run_takes_it_over(options: dict[str, str]) -> None:
    place = "s3://bucket/claimed"
    obstore.put(store(options, "claimed"), "_unfinished/claim.json", b"{}")
    with pytest.raises(sd.SynodeError, match="Another run is writing"):
        sd.generate(shop(), adapter=sd.ParquetAdapter(place, storage_options=options), **SHOP)
    sd.generate(shop(), adapter=sd.ParquetAdapter(place, storage_options=options, resume=True), **SHOP)
    assert not any(name.startswith("_unfinished") for name in names(options, "claimed"))


@pytest.mark.parametrize("place", ["nonsense://bucket/x", "s3://no-such-bucket/events"])
def test_places_that_are_not_there_are_output_errors(options: dict[str, str], place: str) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate(shop(), adapter=sd.ParquetAdapter(place, storage_options=options), **SHOP)
    assert raised.value.code == "OUTPUT_ERROR"
