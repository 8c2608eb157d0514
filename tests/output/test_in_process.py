"""Destinations within the process: memory, the screen, a function, several at once."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import synode_df as sd
from tests.output.runs import failing, kept, numbered, rich, uneven, users_table
from tests.run.scenarios import persona, products, shop


class Noting(sd.OutputAdapter):
    """Notes what is done with it, and fails where it is told to."""

    def __init__(self, name: str, log: list[str], *, fails_at: str = "") -> None:
        self.name, self.log, self.fails_at = name, log, fails_at

    def _note(self, what: str) -> None:
        self.log.append(f"{self.name} {what}")
        if what == self.fails_at:
            raise sd.SynodeError("OUTPUT_ERROR", f"{self.name} cannot {what}")

    def open(self) -> None:
        self._note("open")

    def write(self, batch: pl.DataFrame) -> None:
        self._note("write")

    def discard(self) -> None:
        self._note("discard")

    def close(self) -> None:
        self._note("close")


def run(adapter: sd.OutputAdapter, **options: Any) -> None:
    sd.generate(numbered(), adapter=adapter, seed=1, **{"users": 5, **options})


# Memory


def test_memory_keeps_tables_whole() -> None:
    adapter = sd.InMemoryAdapter()
    with adapter:
        adapter.write_table("users", users_table().head(2))
        adapter.write_table("users", users_table().tail(3))
        adapter.write_table("dataset_plans", users_table().select("plan"))
    assert_frame_equal(adapter.tables["users"], users_table())
    assert list(adapter.tables) == ["users", "dataset_plans"]
    run(adapter)
    assert adapter.tables == {}


def test_memory_has_the_columns_also_without_users() -> None:
    adapter = sd.InMemoryAdapter()
    run(adapter, users=0)
    assert adapter.events.schema == kept(numbered(), users=1).schema
    assert adapter.events.is_empty()


def test_memory_has_a_star_schema() -> None:
    adapter = sd.InMemoryAdapter()
    options: dict[str, Any] = {"persona": persona(), "datasets": [products()], "seed": 7}
    report = sd.generate(shop(), users=100, adapter=adapter, star_schema=True, **options)
    assert_frame_equal(adapter.tables["users"], report.users)
    assert_frame_equal(adapter.tables["dataset_products"], report.datasets["products"])
    assert list(adapter.tables) == list(dict.fromkeys(name for name, _ in report.tables()))


# Screen


def printed(journey: sd.Journey, users: int = 50, **options: Any) -> list[str]:
    file = io.StringIO()
    sd.generate(journey, users=users, adapter=sd.ConsoleAdapter(file=file, **options), seed=1)
    return file.getvalue().splitlines()


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in line)


@pytest.mark.parametrize("width", [20, 33, 80, 110, 111, 140, 141, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    wide = numbered(east="漢字" * 9, face="😀" * 40, **{f"field_{n}": "ein langer Text " * 9 for n in range(30)})
    lines = printed(wide, rows=3, width=width)
    assert len(lines) == 4
    assert all(columns(line) in (width - 1, width) and line.endswith("…") for line in lines[:3])
    assert [columns(line) <= width for line in lines] == [True] * 4


def test_a_line_that_just_fits_is_whole() -> None:
    (whole, _) = printed(numbered(), rows=1, width=500)
    assert printed(numbered(), rows=1, width=len(whole))[0] == whole
    assert printed(numbered(), rows=1, width=len(whole) - 1)[0] == whole[:-2] + "…"


def test_a_long_text_does_not_hide_the_fields_after_it() -> None:
    (line, _) = printed(numbered(body="x" * 5_000, last="here"), rows=1, width=400)
    assert "last=here" in line
    assert f"body={'x' * 59}…" in line


def test_events_stay_on_their_line() -> None:
    (line, _) = printed(numbered(text="two\nlines\tand \x1b[31mred"), rows=1, width=400)
    assert r"text=two\nlines\tand \x1b[31mred" in line


def test_the_terminal_says_how_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert max(map(len, printed(rich(), rows=10))) == 50


def test_tables_are_counted_on_the_screen() -> None:
    file = io.StringIO()
    with sd.ConsoleAdapter(file=file) as adapter:
        adapter.write_table("users", users_table())
        adapter.write_table("users", users_table())
    assert file.getvalue().splitlines() == ["no events", "users: 10 rows (user_id, plan, since, score)"]


@pytest.mark.parametrize("options", [{"rows": -1}, {"rows": 1.5}, {"width": 3}, {"width": "wide"}])
def test_options_of_the_screen(options: Any) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.ConsoleAdapter(**options)
    assert raised.value.code == "INVALID_OPTION"


# A function


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_callback_gets_every_event_in_order(n_jobs: int) -> None:
    events: list[sd.Event] = []
    adapter = sd.CallbackAdapter(events.append)
    sd.generate(uneven(), users=300, adapter=adapter, batch_size=32, n_jobs=n_jobs, seed=2)
    frame = kept(uneven(), users=300, seed=2)
    assert [event.id for event in events] == frame["event_id"].to_list()
    assert [event.name for event in events] == frame["event"].to_list()
    assert [event.payload.get("gift") for event in events] == frame["gift"].to_list()
    rare = next(event for event in events if event.name == "rare")
    assert rare.payload == {"when": rare.timestamp, "more": {"a": 3}}


def test_a_callback_gets_dicts() -> None:
    rows: list[dict[str, Any]] = []
    sd.generate(rich(), users=20, adapter=sd.CallbackAdapter(rows.append, receives="dict"), seed=3)
    frame = kept(rich(), users=20, seed=3)
    assert rows == [
        {name: value for name, value in row.items() if value is not None} for row in frame.iter_rows(named=True)
    ]
    assert list(rows[0]) == frame.columns[:8]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_callback_gets_batches_in_order(n_jobs: int) -> None:
    batches: list[pl.DataFrame] = []
    run(sd.CallbackAdapter(batches.append, receives="batch"), users=300, batch_size=32, n_jobs=n_jobs)
    assert [batch["value"][0] for batch in batches] == list(range(0, 300, 32))
    assert_frame_equal(pl.concat(batches), kept(numbered(), users=300, seed=1))


@pytest.mark.parametrize("receives", ["event", "dict", "batch"])
def test_a_callback_that_raises(receives: Any) -> None:
    def broken(argument: object) -> None:
        raise KeyError("boom")

    with pytest.raises(sd.SynodeError) as raised:
        run(sd.CallbackAdapter(broken, receives=receives))
    assert raised.value.code == "OUTPUT_ERROR"
    assert isinstance(raised.value.__cause__, KeyError)
    assert "KeyError: 'boom'" in raised.value.message


async def waiting(event: sd.Event) -> None: ...


@pytest.mark.parametrize("make", [lambda: sd.CallbackAdapter(3), lambda: sd.CallbackAdapter(waiting)])
def test_callbacks_that_cannot_be(make: Any) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        make()
    assert raised.value.code == "INVALID_OPTION"


# Several


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_all_get_the_same_batches_in_order(tmp_path: Path, n_jobs: int) -> None:
    memory, log = sd.InMemoryAdapter(), []
    parts = [
        memory,
        sd.ParquetAdapter(tmp_path / "shards"),
        sd.CSVAdapter(tmp_path / "events.csv"),
        Noting("noting", log),
    ]
    run(sd.CompositeAdapter(parts), users=300, batch_size=64, n_jobs=n_jobs)
    frame = kept(numbered(), users=300, seed=1)
    assert_frame_equal(memory.events, frame)
    assert_frame_equal(pl.scan_parquet(tmp_path / "shards" / "*.parquet").collect(), frame)
    assert pl.read_csv(tmp_path / "events.csv")["event_id"].to_list() == frame["event_id"].to_list()
    assert log == ["noting open", *["noting write"] * 5, "noting close"]


@pytest.mark.parametrize(
    ("fails_at", "expected"),
    [
        ("open", "a open, b open, a discard, a close"),
        (
            "write",
            "a open, b open, c open, a write, b write, a discard, b discard, c discard, a close, b close, c close",
        ),
        ("close", "a open, b open, c open, a write, b write, c write, a close, b close, c close"),
    ],
)
def test_one_that_fails_does_not_keep_the_others_from_being_closed(fails_at: str, expected: str) -> None:
    log: list[str] = []
    adapter = sd.CompositeAdapter(
        [Noting("a", log), Noting("b", log, fails_at=fails_at), Noting("c", log)],
    )
    with pytest.raises(sd.SynodeError, match=f"b cannot {fails_at}"):
        run(adapter)
    assert log == expected.split(", ")


def test_all_that_fail_are_told_of() -> None:
    parts = [Noting(name, [], fails_at="close") for name in "abc"]
    with pytest.raises(sd.SynodeError, match="a cannot close") as raised:
        run(sd.CompositeAdapter(parts))
    assert raised.value.__notes__ == ["Also: [OUTPUT_ERROR] b cannot close", "Also: [OUTPUT_ERROR] c cannot close"]


def test_a_failed_run_leaves_nothing_at_any_of_them(tmp_path: Path) -> None:
    parts = [sd.CSVAdapter(tmp_path / "events.csv"), sd.NDJSONAdapter(tmp_path / "events.ndjson")]
    with pytest.raises(sd.SynodeError, match="unlucky"):
        sd.generate(failing(ValueError("unlucky")), users=50, batch_size=10, adapter=sd.CompositeAdapter(parts))
    assert list(tmp_path.iterdir()) == []


def test_tables_go_to_those_that_have_a_place_for_them() -> None:
    memory, log = sd.InMemoryAdapter(), []
    run(sd.CompositeAdapter([memory, Noting("noting", log)]), star_schema=True)
    assert memory.tables["users"].height == 5
    assert log == ["noting open", "noting write", "noting close"]


@pytest.mark.parametrize("several", [False, True])
def test_tables_without_a_place_are_refused_before_the_run(several: bool) -> None:
    log: list[str] = []
    noting = Noting("noting", log)
    with pytest.raises(sd.SynodeError, match="no place for tables") as raised:
        run(sd.CompositeAdapter([noting]) if several else noting, star_schema=True)
    assert raised.value.code == "OUTPUT_ERROR"
    assert log == []
    with pytest.raises(sd.SynodeError, match="no place for tables"):
        noting.write_table("users", users_table())


@pytest.mark.parametrize("adapters", [[], [3], sd.InMemoryAdapter(), [sd.InMemoryAdapter()] * 2])
def test_what_cannot_be_several(adapters: Any) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.CompositeAdapter(adapters)
    assert raised.value.code == "INVALID_OPTION"
