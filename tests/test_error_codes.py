"""Every error code: something that raises it, its five lines, and its row in the docs."""

from __future__ import annotations

import os
import pickle
import re
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandera.polars as pa
import polars as pl
import pytest

import synode_df as sd
from synode_df.errors import CODES
from synode_df.extras import import_extra
from synode_df.run.exchange import packed_job, unpacked_job
from synode_df.run.options import declarations
from synode_df.run.work import Job

ROOT = Path(__file__).parents[1]


def one(**options: object) -> sd.Journey:
    return sd.Journey("j", [sd.Adventure("a", [sd.Action("x", **options)])])


def run(journeys: object = None, **options: object) -> pl.DataFrame:
    return sd.generate_df(one() if journeys is None else journeys, **{"users": 3, "seed": 0, **options})


def raising(ctx: sd.SynodeContext) -> list[sd.Event]:
    raise KeyError("boom")


def dying(ctx: sd.SynodeContext) -> list[sd.Event]:
    os._exit(3)


def list_nothing() -> list[sd.Event]:
    return []


class Locked:
    """A handler that holds what cannot travel."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __call__(self, ctx: sd.SynodeContext) -> list[sd.Event]:
        return []


EMPTY = sd.Dataset("empty", 0, {"a": 1})
PLANS = sd.Dataset.from_frame("plans", pl.DataFrame({"id": ["free", "pro"], "bad": [-1, 2]}))
SCENARIO = declarations(one(), seed=0).scenario()
CONTEXT = sd.SynodeContext(datasets=[PLANS])

CASES: dict[str, Callable[[], object]] = {
    "INVALID_ID": lambda: sd.Action(""),
    "DUPLICATE_ID": lambda: sd.Adventure("a", [sd.Action("x"), sd.Action("x")]),
    "INVALID_NAME": lambda: sd.Action("x", name=3),
    "INVALID_JOURNEY": lambda: sd.Journey("j", []),
    "INVALID_ADVENTURE": lambda: sd.Adventure("a", sd.Action("x")),
    "INVALID_ACTION": lambda: sd.Action("x", fields={}, handler=raising),
    "INVALID_PERSONA": lambda: run(persona=[sd.Persona("p", {})]),
    "INVALID_DATASET": lambda: sd.Dataset("d", -1, {"a": 1}),
    "INVALID_EVENT": lambda: run(one(handler=lambda ctx: [ctx.event("e")._replace(timestamp="noon")])),
    "INVALID_BOUNCE_CHANCE": lambda: sd.Action("x", bounce_chance=1.5),
    "INVALID_PROBABILITY": lambda: sd.chance(30),
    "INVALID_DURATION": lambda: sd.Action("x", time_span=5),
    "INVALID_TIME_SPAN": lambda: sd.Action("x", time_span=("5s", "3s")),
    "INVALID_WEIGHTS": lambda: sd.weighted({"a": -1}),
    "INVALID_PARAMETER": lambda: sd.integer(6, 1),
    "INVALID_FIELD": lambda: sd.Action("x", fields={"a": object()}),
    "EXPRESSION_NOT_ROW_WISE": lambda: sd.Action("x", fields={"a": pl.col("b").mean()}),
    "EXPRESSION_FAILED": lambda: run(one(fields={"a": pl.col("user_id").dt.hour()})),
    "UNKNOWN_NAME": lambda: run(one(fields={"a": pl.col("user_idd")})),
    "UNKNOWN_JOURNEY": lambda: run(sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])], requires="k")),
    "CIRCULAR_REQUIRES": lambda: sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])], requires="j"),
    "DATASET_NOT_FOUND": lambda: run(one(fields={"a": sd.pick("planz")}), datasets=[PLANS]),
    "DATASET_EMPTY": lambda: run(one(fields={"a": sd.pick("empty")}), datasets=[EMPTY]),
    "COLUMN_NOT_FOUND": lambda: run(one(fields={"a": sd.pick("plans", "idd")}), datasets=[PLANS]),
    "ROW_NOT_FOUND": lambda: CONTEXT.dataset("plans").row("prro"),
    "FIELD_NAME_COLLISION": lambda: sd.Action("x", fields={"event_id": 1}),
    "TYPE_CONFLICT": lambda: run(
        [one(fields={"a": 1}), sd.Journey("k", [sd.Adventure("a", [sd.Action("x", fields={"a": "s"})])])]
    ),
    "INVALID_USERS": lambda: run(users=-1),
    "INVALID_WINDOW": lambda: run(start_date=datetime(2026, 1, 1)),
    "INVALID_OPTION": lambda: run(n_jobs=0),
    "INVALID_HANDLER": lambda: sd.Action("x", handler=list_nothing),
    "INVALID_HANDLER_RETURN": lambda: run(one(handler=lambda ctx: None)),
    "HANDLER_ERROR": lambda: run(one(handler=raising)),
    "CALLABLE_ERROR": lambda: run(one(fields={"a": raising})),
    "FAKER_ERROR": lambda: run(one(fields={"a": sd.fake("emial")})),
    "INVALID_PREVIEW": lambda: sd.preview(sd.Action("x")),
    "INVALID_SCOPE": lambda: sd.Action("x", remember_scope="session"),
    "INVALID_CONTEXT": lambda: CONTEXT.typed_dataset("plans", int),
    "WORKER_MODULE_ERROR": lambda: run(worker_module="no_such_module"),
    "WORKER_DIED": lambda: run(one(handler=dying), n_jobs=2, batch_size=1),
    "WORKER_MISMATCH": lambda: unpacked_job(
        packed_job(lambda: Job(SCENARIO)).replace(sd.__version__.encode(), b"x" * len(sd.__version__))
    ),
    "NOT_PICKLABLE": lambda: run(one(handler=Locked()), n_jobs=2),
    "INVALID_SCHEMA": lambda: run(event_schema=int),
    "INVALID_EVENTS": lambda: run(event_schema=pa.DataFrameSchema({"event": pa.Column(str, pa.Check.isin(["y"]))})),
    "OUTPUT_ERROR": lambda: sd.generate(one(), users=1, adapter=sd.ParquetAdapter(__file__)),
    "INVALID_FRAME": lambda: sd.funnel([("ann", "view")], ["view"]),
    "NOT_IN_EVENTS": lambda: sd.funnel(run(), ["y"]),
    "MISSING_LIBRARY": lambda: import_extra("a_library_that_nobody_has", extra="notebook", path="charts"),
}


def raised(code: str) -> sd.SynodeError:
    with pytest.raises(sd.SynodeError) as caught:
        CASES[code]()
    return caught.value


@pytest.mark.parametrize("code", CODES)
def test_code_has_its_five_lines(code: str) -> None:
    error = raised(code)
    assert error.code == code
    lines = error.format().split("\n")
    assert lines[0] == f"[{code}] {error.message}"
    assert [line.split(":")[0].strip() for line in lines[1:5]] == ["Path", "Expected", "Received", "Fix"]
    assert all(line.split(": ", 1)[1].strip() for line in lines[1:])
    assert None not in (error.path, error.expected, error.received, error.suggestion)
    assert str(error) == error.format()


@pytest.mark.parametrize("code", [code for code in CODES if code not in ("WORKER_DIED", "NOT_PICKLABLE")])
def test_errors_survive_pickling(code: str) -> None:
    error = raised(code)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    frames = {"cases"}  # frames compare by value elsewhere
    assert {k: v for k, v in vars(again).items() if k not in frames} == {
        k: v for k, v in vars(error).items() if k not in frames
    }
    assert str(again) == str(error)


def test_errors_in_python_of_the_user_say_how_to_replay() -> None:
    for code in ("HANDLER_ERROR", "CALLABLE_ERROR", "INVALID_HANDLER_RETURN", "INVALID_EVENT"):
        assert "replay(journeys, user=0, seed=0" in raised(code).format().split("\n")[-1]
    assert isinstance(raised("HANDLER_ERROR").__cause__, KeyError)


def test_docs_list_every_code() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([A-Z_]+)`", page, re.MULTILINE) == list(CODES)


def test_codes_in_the_package_are_listed() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "synode_df").rglob("*.py"))
    used = set(re.findall(r'(?:SynodeError\(\s*|code="|code: str = |code=)"?([A-Z]{3,}(?:_[A-Z]+)+)"', source))
    assert used <= set(CODES)
    assert set(CODES) == set(CASES)
