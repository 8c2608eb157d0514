"""Progress, and ending a run by Ctrl-C."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from nbclient import NotebookClient

import synode_df as sd

VISIT = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view")])])

LONG_RUN = """
import sys, time
import synode_df as sd

def slow(ctx):
    time.sleep(0.001)
    return [ctx.event("slow"), ctx.event("slow")]

journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", handler=slow)])])
if __name__ == "__main__":
    print("ready", flush=True)
    try:
        sd.generate_df(journey, users=1_000_000, seed=1, batch_size=50, n_jobs=int(sys.argv[1]), lanes=int(sys.argv[2]))
    except sd.GenerationInterrupted as interrupted:
        events = interrupted.partial
        print(events.height, events["user_id"].n_unique(), len(interrupted.users), flush=True)
"""


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


@pytest.mark.parametrize("how", [("1", "1"), ("1", "4"), ("2", "1")])
def test_ctrl_c_ends_a_run_within_two_seconds_and_gives_whole_users(tmp_path, how) -> None:
    script = tmp_path / "long_run.py"
    script.write_text(LONG_RUN)
    process = subprocess.Popen(
        [sys.executable, str(script), *how], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(5)
    asked = time.perf_counter()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: parent and workers
    line = process.stdout.readline()
    took = time.perf_counter() - asked
    process.stdout.close()
    process.wait(30)
    events, users, finished = map(int, line.split())
    assert events == 2 * users == 2 * finished > 0
    assert took < 2


def test_what_was_finished_survives_pickling() -> None:
    error = sd.GenerationInterrupted(sd.generate_df(VISIT, users=2, seed=1), range(2), 1)
    copy = pickle.loads(pickle.dumps(error))
    assert copy.partial.equals(error.partial)
    assert (copy.users, copy.seed, str(copy)) == (range(2), 1, str(error))
