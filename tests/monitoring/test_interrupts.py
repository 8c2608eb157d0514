"""Ctrl-C: a run ends at once, whatever its handlers wait for, and what was finished is whole."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys

import nbformat
import polars as pl
import pytest
from nbclient import NotebookClient

import synode_df as sd

VISIT = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view")])])

LONG_RUN = """
import asyncio, logging, sys, time
import synode_df as sd

kind, seconds, target, options = sys.argv[1], float(sys.argv[2]), sys.argv[3], eval(sys.argv[4])

def waiting(ctx):
    if ctx.user_index == 60:
        print("user 60", flush=True)
    time.sleep(seconds)
    return [ctx.event("slow"), ctx.event("slow")]

async def waiting_async(ctx):
    if ctx.user_index == 60:
        print("user 60", flush=True)
    await asyncio.sleep(seconds)
    return [ctx.event("slow"), ctx.event("slow")]

handler = waiting if kind == "plain" else waiting_async
journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", handler=handler)])])
if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
    try:
        if target == "frame":
            sd.generate_df(journey, seed=1, **options)
        else:
            sd.generate(journey, seed=1, adapter=sd.ParquetAdapter(target), **options)
    except sd.GenerationInterrupted as interrupted:
        events = interrupted.partial
        frame = (None, None) if events is None else (events.height, events["user_id"].n_unique())
        print("ended", frame, len(interrupted.users), flush=True)
"""


def interrupted(tmp_path, sign: str, *arguments: str) -> tuple[tuple[int, int], int]:
    """Start a long run, press Ctrl-C at a sign of it, and say what it gave back: (events, their users), users."""
    script = tmp_path / "long_run.py"
    script.write_text(LONG_RUN)
    process = subprocess.Popen(
        [sys.executable, str(script), *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        for line in process.stdout:
            if sign in line:
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does: parent and workers
            if line.startswith("ended"):
                return eval(line.removeprefix("ended").replace(") ", "), "))
        raise AssertionError("the run said nothing of its end")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()


@pytest.mark.parametrize("how", [{}, {"lanes": 4}, {"n_jobs": 2}], ids=str)
def test_generate_df_gives_the_whole_users_that_were_finished(tmp_path, how) -> None:
    options = repr({"users": 1_000_000, "batch_size": 50, **how})
    (events, users), finished = interrupted(tmp_path, "users 50 to", "plain", "0.001", "frame", options)
    assert events == 2 * users == 2 * finished
    assert finished >= 50
    assert finished % 50 == 0


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("plain", {"users": range(60, 70)}),
        ("plain", {"users": 100, "lanes": 100}),
        ("async", {"users": 100, "lanes": 100}),
        ("async", {"users": range(60, 70), "n_jobs": 2}),
    ],
)
@pytest.mark.timeout(60)
def test_nobody_waits_for_handlers_that_wait(tmp_path, kind, how) -> None:
    nothing, finished = interrupted(
        tmp_path, "generating" if "n_jobs" in how else "user 60", kind, "300", "frame", repr(how)
    )
    assert (nothing, finished) == ((0, 0), 0)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_has_landed_is_readable_and_whole(tmp_path, n_jobs) -> None:
    target = tmp_path / "events"
    options = repr({"users": 1_000_000, "batch_size": 50, "n_jobs": n_jobs})
    nothing, finished = interrupted(tmp_path, "users 50 to", "plain", "0.001", str(target), options)
    assert nothing == (None, None)
    landed = pl.read_parquet(target / "*.parquet")
    assert landed.height == 2 * finished >= 100
    assert landed["user_id"].n_unique() == finished
    journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", handler=lambda ctx: [ctx.event("slow")] * 2)])])
    again = sd.generate_df(journey, seed=1, users=finished)
    assert landed["user_id"].unique().sort().equals(again["user_id"].unique().sort())


def test_stopping_the_kernel_of_a_notebook_gives_what_was_finished() -> None:
    code = """
import _thread, synode_df as sd
def handler(ctx):
    if ctx.user_index == 120:
        import os, signal
        os.kill(os.getpid(), signal.SIGINT)  # what "interrupt the kernel" sends
    return [ctx.event("seen")]
journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", handler=handler)])])
try:
    sd.generate_df(journey, users=1_000, batch_size=50, seed=1)
except sd.GenerationInterrupted as interrupted:
    print("finished", interrupted.partial.height, interrupted.users)
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    texts = [output["text"] for output in notebook.cells[0].outputs if output["output_type"] == "stream"]
    assert "finished 100 range(0, 100)" in "".join(texts)


def test_what_was_finished_survives_pickling() -> None:
    error = sd.GenerationInterrupted(sd.generate_df(VISIT, users=2, seed=1), range(2), 1)
    copy = pickle.loads(pickle.dumps(error))
    assert copy.partial.equals(error.partial)
    assert str(copy) == str(error)
    assert (copy.users, copy.seed, str(copy)) == (range(2), 1, str(error))
