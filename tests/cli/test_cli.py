"""The command line, as a user's shell calls it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import synode_df as sd
from synode_df.cli import main


def test_demo_writes_parquet_and_shows_the_funnel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "events"
    assert main(["demo", "--users", "2000", "--output", str(target)]) == 0
    shown = capsys.readouterr().out
    events = pl.read_parquet(target / "*.parquet")
    ordered = events.filter(pl.col("event") == "order_completed")
    for step in ("landed", "product_viewed", "order_completed"):
        users = events.filter(pl.col("event") == step)["user_id"].n_unique()
        assert any(step in line and f" {users} " in line for line in shown.splitlines())
    assert "2,000 users" in shown
    assert ordered["revenue"].min() > 0
    assert ordered["ship_to"].struct.field("state").n_unique() > 10
    assert (ordered["revenue"] - (ordered["quantity"] * ordered["price"]).round(2)).abs().max() == 0


def test_demo_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name, jobs in (("one", "1"), ("two", "2")):
        assert main(["demo", "--users", "300", "--output", str(tmp_path / name), "--n-jobs", jobs]) == 0
    assert pl.read_parquet(tmp_path / "one/*.parquet").equals(pl.read_parquet(tmp_path / "two/*.parquet"))


def test_run_generates_the_journeys_of_a_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = str(tmp_path / "events")
    assert main(["run", "tests.properties.shop", "--users", "20", "--output", target, "--seed", "7"]) == 0
    assert "20 users" in capsys.readouterr().out
    assert pl.read_parquet(f"{target}/*.parquet").height > 0


def test_mistakes_are_told_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--users", "-4", "--output", str(tmp_path / "x")]) == 2
    assert capsys.readouterr().err.startswith("[INVALID_USERS]")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    assert main(["demo", "--users", "4", "--output", str(tmp_path / "full")]) == 2
    assert "not empty" in capsys.readouterr().err
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == sd.__version__
