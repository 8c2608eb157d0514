"""Runs tell the logging module, and nobody else."""

from __future__ import annotations

import logging

import pytest

import synode_df as sd

VISIT = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_run_logs_its_start_its_batches_and_its_end(caplog, capsys, n_jobs) -> None:
    with caplog.at_level(logging.DEBUG, logger="synode_df"):
        sd.generate_df(VISIT, users=10, batch_size=5, seed=3, n_jobs=n_jobs)
    messages = [
        (record.levelname, record.getMessage()) for record in caplog.records if record.name.startswith("synode_df")
    ]
    mode = "sequential" if n_jobs == 1 else "processes"
    assert messages[0] == ("INFO", f"generating 10 users, seed 3 ({mode})")
    assert [level for level, _ in messages[1:3]] == ["DEBUG", "DEBUG"]
    assert messages[3][1].startswith("10 users, 10 events in ")
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_silent_without_a_handler(capsys) -> None:
    assert any(isinstance(each, logging.NullHandler) for each in logging.getLogger("synode_df").handlers)
