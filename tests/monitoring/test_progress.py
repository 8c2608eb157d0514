"""Progress: where it shows, and what."""

from __future__ import annotations

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
