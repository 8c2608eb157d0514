"""`worker_module`: every worker imports the declarations itself, nothing but the module's name travels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import synode_df as sd
from tests.run.scenarios import filling, run_script

MODULE = """
import os
from pathlib import Path
import polars as pl
import synode_df as sd

with (Path(__file__).parent / "imports").open("a") as log:
    log.write(f"{os.getpid()}\\n")

persona = sd.Persona("shopper", {"device": sd.weighted({"mobile": 0.6, "desktop": 0.4})})
datasets = [sd.Dataset("products", rows=10, fields={"sku": sd.sequence("SKU-{}")})]
preloaded_datasets = [sd.Dataset.from_frame("plans", pl.DataFrame({"plan": ["free", "pro"]}))]

def land(ctx):
    return [ctx.event(pid=os.getpid(), device=ctx.get("device"))]

journeys = [sd.Journey("visit", [sd.Adventure("look", [
    sd.Action("land", handler=land),
    sd.Action("view", remember={"row": sd.pick("products"), "plan": sd.pick("plans")},
              fields={"sku": pl.col("row").struct.field("sku"), "plan": pl.col("plan").struct.field("plan")}),
])])]
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script beside the module `shop_scenario`; what it is to run is appended by the test."""
    (tmp_path / "shop_scenario.py").write_text(MODULE)
    found = tmp_path / "script.py"
    found.write_text(
        "import os\nimport polars as pl\nimport synode_df as sd\nfrom tests.run.scenarios import filling\n"
    )
    return found


def run(script: Path, body: str) -> str:
    script.write_text(script.read_text() + body)
    return run_script(script).strip()


def imports(script: Path) -> list[int]:
    return [int(each) for each in (script.parent / "imports").read_text().split()]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_modules_declarations_are_run(script: Path, n_jobs: int) -> None:
    body = f"""
import shop_scenario as shop
how = dict(users=60, seed=4)
passed = sd.generate_df(shop.journeys, persona=shop.persona, datasets=shop.datasets,
                        preloaded_datasets=shop.preloaded_datasets, **how)
imported = sd.generate_df(worker_module="shop_scenario", n_jobs={n_jobs}, batch_size=7, **how)
print(imported.drop("pid").equals(passed.drop("pid")), imported.height)
"""
    assert run(script, body) == "True 120"


def test_each_worker_imports_the_module_itself(script: Path) -> None:
    body = """
found = sd.generate_df(worker_module="shop_scenario", n_jobs=2, users=200, batch_size=5)
print(os.getpid(), *sorted(set(found["pid"].drop_nulls())))
"""
    parent, *workers = map(int, run(script, body).split())
    assert parent not in workers
    imported = imports(script)
    assert set(workers) <= set(imported)
    assert len(imported) == len(set(imported)), "a process imported the module twice"


def test_journeys_passed_are_ignored(script: Path) -> None:
    body = """
found = sd.generate_df(filling(1), worker_module="shop_scenario", n_jobs=2, users=20)
print(sorted(found["action_id"].unique().to_list()), "value" in found.columns)
"""
    assert run(script, body) == "['land', 'view'] False"


def test_the_modules_persona_and_datasets_win_over_passed_ones(script: Path) -> None:
    body = """
other = sd.Persona("other", {"device": "tv"})
found = sd.generate_df(worker_module="shop_scenario", persona=other, n_jobs=2, users=50, seed=1)
print(sorted(found["device"].drop_nulls().unique().to_list()))
"""
    assert run(script, body) == "['desktop', 'mobile']"


def test_persona_and_datasets_may_be_passed_where_the_module_has_none(tmp_path: Path) -> None:
    (tmp_path / "bare_scenario.py").write_text(
        "import polars as pl, synode_df as sd\n"
        "journeys = sd.Journey('visit', [sd.Adventure('look', [sd.Action('land', remember={'row': sd.pick('rows')},"
        " fields={'device': pl.col('device'), 'key': pl.col('row').struct.field('key')})])])\n"
    )
    script = tmp_path / "script.py"
    script.write_text(
        "import polars as pl, synode_df as sd\n"
        "rows = sd.Dataset.from_frame('rows', pl.DataFrame({'key': [5]}))\n"
        "found = sd.generate_df(worker_module='bare_scenario', persona=sd.Persona('p', {'device': 'tv'}),\n"
        "                       preloaded_datasets=[rows], users=9, n_jobs=2, batch_size=2)\n"
        "print(found.height, found['device'].unique().to_list(), found['key'].unique().to_list())\n"
    )
    assert run_script(script).strip() == "9 ['tv'] [5]"


def test_a_seed_that_was_drawn_is_the_same_in_every_worker(script: Path) -> None:
    body = """
report = sd.generate(worker_module="shop_scenario", n_jobs=2, users=80, batch_size=7, adapter=(kept := sd.InMemoryAdapter()))
again = sd.generate_df(worker_module="shop_scenario", n_jobs=1, users=80, seed=report.seed)
print(again.drop("pid").equals(kept.events.drop("pid")))
"""
    assert run(script, body) == "True"


def test_shards_of_a_worker_module(script: Path) -> None:
    body = """
sd.generate(worker_module="shop_scenario", n_jobs=2, users=80, batch_size=20, adapter=sd.ParquetAdapter("events"), seed=2)
frame = sd.generate_df(worker_module="shop_scenario", users=80, seed=2)
print(sd.scan("events").drop("pid").collect().equals(frame.drop("pid")))
"""
    assert run(script, body) == "True"


BAD = {
    "missing": (None, "No module named"),
    "without_journeys": ("value = 1\n", "exports no journeys"),
    "that_raises": ("raise RuntimeError('no database today')\n", "no database today"),
    "with_a_typo": ("journeys = [\n", "SyntaxError"),
}


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("name", BAD)
def test_a_module_that_is_no_good(name: str, n_jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, said = BAD[name]
    if source is not None:
        (tmp_path / f"module_{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(worker_module=f"module_{name}", users=10, n_jobs=n_jobs)
    error = raised.value
    assert error.code == "WORKER_MODULE_ERROR"
    assert error.path == "worker_module"
    assert said in error.message
    assert f"module_{name}" in (error.received or "")
    assert error.suggestion


@pytest.mark.parametrize("name", ["", "no-such module", ".relative", 5])
def test_a_name_that_is_none(name: Any) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(worker_module=name, users=1)
    assert raised.value.code == "WORKER_MODULE_ERROR"


def test_a_module_that_only_the_workers_cannot_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent's check passes; the workers' own failure comes back as the same error."""
    (tmp_path / "module_parent_only.py").write_text(
        f"import os\nif os.getpid() != {os.getpid()}:\n    raise RuntimeError('not here')\n"
        "import synode_df as sd\n"
        "journeys = sd.Journey('visit', [sd.Adventure('look', [sd.Action('land')])])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(sd.SynodeError) as raised:
        sd.generate_df(worker_module="module_parent_only", users=10, n_jobs=2)
    assert raised.value.code == "WORKER_MODULE_ERROR"
    assert raised.value.__cause__ is not None
    assert_frame_equal(
        sd.generate_df(filling(1), users=10, n_jobs=2, seed=1), sd.generate_df(filling(1), users=10, seed=1)
    )


def test_a_module_found_on_a_path_that_warm_workers_never_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook: workers run already when `sys.path.append` is called."""
    sd.generate_df(filling(1), users=10, n_jobs=2, batch_size=2)
    (tmp_path / "module_new_path.py").write_text(
        "import synode_df as sd\njourneys = sd.Journey('visit', [sd.Adventure('look', [sd.Action('land')])])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = sd.generate_df(worker_module="module_new_path", users=10, n_jobs=2, batch_size=2)
    assert isinstance(found, pl.DataFrame)
    assert found.height == 10
