"""Progress: where it shows, and what."""

from __future__ import annotations

import sys
import time

import nbformat
import pytest
from nbclient import NotebookClient

import synode_df as sd

VISIT = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view")])])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_bar_shows_users_events_and_rate(capsys, n_jobs) -> None:
    sd.generate_df(VISIT, users=1_000, batch_size=100, n_jobs=n_jobs, progress=True)
    shown = capsys.readouterr().err
    assert "0.00/1.00k" in shown  # from the start
    assert "1.00k/1.00k" in shown
    assert "2,000 events" in shown
    assert "events/s" in shown


@pytest.mark.parametrize("progress", [False, "auto"])
def test_silent_where_nobody_looks(capsys, progress) -> None:
    sd.generate_df(VISIT, users=1_000, progress=progress)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize("progress", ["automatic", 3, None])
def test_an_unknown_option_is_an_error(progress) -> None:
    with pytest.raises(sd.SynodeError) as caught:
        sd.generate_df(VISIT, users=1, progress=progress)
    assert caught.value.code == "INVALID_OPTION"


def slow_journey() -> sd.Journey:
    def slow(ctx: sd.SynodeContext) -> list[sd.Event]:
        time.sleep(1.6)
        return []

    return sd.Journey("j", [sd.Adventure("a", [sd.Action("x", handler=slow)])])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_time_passes_on_the_bar_while_the_first_batch_takes_long(capsys, n_jobs) -> None:
    sd.generate_df(slow_journey(), users=1, n_jobs=n_jobs, progress=True)
    shown = capsys.readouterr().err
    assert "0.00/1.00 [00:00<" in shown
    assert "0.00/1.00 [00:01<" in shown


def test_time_passes_in_a_notebook_too() -> None:
    seen: list[str] = []

    class Watching(NotebookClient):
        def process_message(self, msg, cell, cell_index):
            if msg["msg_type"] == "update_display_data":
                seen.append(msg["content"]["data"]["text/plain"])
            return super().process_message(msg, cell, cell_index)

    code = (
        "import time, synode_df as sd\n"
        "def slow(ctx):\n    time.sleep(1.6)\n    return []\n"
        "journey = sd.Journey('j', [sd.Adventure('a', [sd.Action('x', handler=slow)])])\n"
        "sd.generate_df(journey, users=1)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    Watching(notebook, timeout=120, kernel_name="python3").execute()
    assert any("0.00/1.00 [00:01<" in line for line in seen)
    assert "1.00/1.00" in seen[-1]


def test_handlers_begin_with_small_batches_and_change_no_data() -> None:
    journey = sd.Journey(
        "j", [sd.Adventure("a", [sd.Action("x", handler=lambda ctx: [ctx.event(n=ctx.random.random())])])]
    )
    adapter = sd.InMemoryAdapter()
    batches = sd.generate(journey, users=1_000, seed=1, adapter=adapter).telemetry.batches
    assert batches["users"].to_list() == [256, 512, 232]
    assert adapter.events.equals(sd.generate_df(journey, users=1_000, seed=1, batch_size=1_000))
    fixed = sd.generate(journey, users=1_000, seed=1, adapter=adapter, batch_size=400).telemetry.batches
    assert fixed["users"].to_list() == [400, 400, 200]


def test_a_program_without_standard_error_runs(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert sd.generate_df(VISIT, users=5, progress=True).height == 10


def test_a_saved_notebook_shows_how_it_ended() -> None:
    code = (
        "import synode_df as sd\n"
        "visit = sd.Journey('visit', [sd.Adventure('look', [sd.Action('land')])])\n"
        "events = sd.generate_df(visit, users=1_000, batch_size=100)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert "1.00k/1.00k" in output["data"]["text/plain"]
