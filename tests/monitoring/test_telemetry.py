"""Telemetry: its frames, its JSON, and how a report shows itself."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser
from random import Random

import jsonschema
import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from rich.console import Console

import synode_df as sd
from synode_df.monitoring import models
from tests.strategies import scenario

JOURNEYS = [
    sd.Journey(
        "<b>", [sd.Adventure("a", [sd.Action("x", fields={"n": sd.integer(0, 9)}), sd.Action("y", bounce_chance=0.5)])]
    ),
    sd.Journey("k", [sd.Adventure("a", [sd.Action("z", time_span="20d")])], requires="<b>"),
]
FEW = {"x": pa.DataFrameSchema({"n": pa.Column(int, pa.Check.lt(8))})}


def report(tmp_path, **options):
    file = tmp_path / "telemetry.json"
    made = sd.generate(
        JOURNEYS,
        users=500,
        adapter=sd.InMemoryAdapter(),
        seed=3,
        event_schema=FEW,
        schema_mode="skip",
        debug=True,
        telemetry_path=file,
        batch_size=200,
        **options,
    )
    return made, json.loads(file.read_text())


@pytest.mark.parametrize("how", [{}, {"lanes": 2}, {"n_jobs": 2}])
def test_json_fits_its_published_schema_and_frames_their_models(tmp_path, how) -> None:
    made, written = report(tmp_path, **how)
    schema = sd.Telemetry.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(written, schema)
    for name, model in (
        ("journeys", models.JourneyCounts),
        ("adventures", models.AdventureCounts),
        ("actions", models.ActionCounts),
        ("event_names", models.EventNameCounts),
        ("validation", models.ValidationFailures),
        ("batches", models.BatchTimings),
    ):
        frame = getattr(made.telemetry, name)
        assert frame.height > 0
        model.validate(frame)
        assert set(schema["properties"][name]["items"]["properties"]) == set(frame.columns)
    assert sum(batch["events"] for batch in written["batches"]) == written["events"]
    assert written["peak_memory"] > 2**20
    assert (written["worker_peak_memory"] or 0) > (2**20 if "n_jobs" in how else -1)
    assert "n_jobs" in how or written["worker_peak_memory"] is None
    assert written["dropped"] == made.invalid.height > 0
    with pytest.raises(pa.errors.SchemaError):
        models.JourneyCounts.validate(made.telemetry.journeys.with_columns(started=0))


def test_a_report_shows_itself(tmp_path) -> None:
    made, _ = report(tmp_path)
    html = made._repr_html_()
    seen: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: seen.append(tag)
    parser.feed(html)
    assert set(seen) == {"div", "p", "b", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert seen.count("b") == 1  # ids are text, whatever they look like
    for text in (f"{made.telemetry.events:,} events", "less_than(8)", f"{made.invalid.height:,} events dropped"):
        assert text in html
    assert "x.n" in str(made) and "events dropped" in str(made)


def test_rich_prints_tables_that_fit_a_terminal(tmp_path) -> None:
    made, _ = report(tmp_path)
    shown = io.StringIO()
    console = Console(file=shown, width=100)
    console.print(made)
    text = shown.getvalue()
    for part in ("Journeys", "Funnel", "<b>", "less_than(8)", f"{made.invalid.height:,} events dropped"):
        assert part in text
    funnel = text[text.index("Funnel") :]
    assert f"{made.telemetry.actions['entered'][1] / 500:.1%}" in funnel
    many = [sd.Journey(f"[j]{i}", [sd.Adventure("a", [sd.Action("x")])]) for i in range(200)]
    console.print(sd.generate(many, users=3, adapter=sd.InMemoryAdapter()))
    assert "and 188 more: see telemetry.journeys" in shown.getvalue()
    assert "[j]0" in shown.getvalue()
    assert len(shown.getvalue().splitlines()) < 80


def test_a_report_is_readable_where_python_shows_values(tmp_path) -> None:
    made, _ = report(tmp_path)
    assert repr(made) == str(made)
    assert repr(made.telemetry) == str(made.telemetry)
    assert "Scenario(" not in repr(made)


def test_who_skips_is_counted_where_they_skip() -> None:
    actions = [sd.Action("x", bounce_chance=0.3), sd.Action("y", bounce_chance=0.5), sd.Action("z")]
    adventures = [
        sd.Adventure("skipping", actions, bounce_chance=0.2, on_bounce="skip"),
        sd.Adventure("stopping", actions, bounce_chance=0.2),
    ]
    telemetry = sd.generate(sd.Journey("j", adventures), users=1_000, seed=1, adapter=sd.InMemoryAdapter()).telemetry
    skipping = telemetry.actions.filter(adventure_id="skipping")
    assert (skipping["reached"] + skipping["skipped"]).to_list() == [1_000] * 3
    last = skipping.row(-1, named=True)
    assert telemetry.adventures["skipped"].to_list() == [last["skipped"] + last["bounced"], 0]
    assert 600 < telemetry.adventures["skipped"][0] < 1_000
    assert telemetry.actions.filter(adventure_id="stopping")["skipped"].to_list() == [0, 0, 0]


KEPT = pa.DataFrameSchema({"event_id": pa.Column(str, pa.Check.str_matches(".*[0-9a-b]$"))})
"""A check that three of four events pass, whatever they are."""


@given(
    r=st.randoms(use_true_random=False),
    size=st.integers(1, 50),
    lanes=st.sampled_from([1, 3]),
    mode=st.sampled_from(["skip", "warn"]),
)
@pytest.mark.filterwarnings("ignore::synode_df.SynodeWarning")
def test_counters_agree_with_the_frame_to_the_row(r: Random, size: int, lanes: int, mode: str) -> None:
    journeys, options = scenario(r)
    adapter = sd.InMemoryAdapter()
    made = sd.generate(
        journeys,
        users=40,
        adapter=adapter,
        batch_size=size,
        lanes=lanes,
        event_schema=KEPT,
        schema_mode=mode,
        **options,
    )
    events, telemetry = adapter.events, made.telemetry
    assert (telemetry.users, telemetry.events, telemetry.dropped) == (40, events.height, made.invalid.height)
    for frame, keys in (
        (telemetry.journeys, ["journey_id"]),
        (telemetry.adventures, ["journey_id", "adventure_id"]),
        (telemetry.actions, ["journey_id", "adventure_id", "action_id"]),
        (telemetry.event_names, ["event"]),
    ):
        counted = events.group_by(pl.col(keys).cast(pl.String)).agg(pl.len().cast(pl.Int64).alias("events"))
        assert_frame_equal(frame.filter(pl.col("events") > 0).select(*keys, "events").sort(keys), counted.sort(keys))
        assert frame["events"].sum() == events.height
    failing = 0 if mode == "skip" else events.filter(~pl.col("event_id").str.contains("[0-9a-b]$")).height
    assert telemetry.validation["failures"].sum() == failing + made.invalid.height
    if events.width:
        sd.EventsFrame.validate(events)
    models.InvalidFrame.validate(made.invalid)
    sd.UsersFrame.validate(made.users)
    models.JourneyCounts.validate(telemetry.journeys)
    models.AdventureCounts.validate(telemetry.adventures)
    models.ActionCounts.validate(telemetry.actions)
    assert telemetry.batches["users"].sum() == 40
    assert telemetry.batches["events"].sum() == events.height


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"debug": "yes"}, "INVALID_OPTION"),
        ({"debug": True, "telemetry_path": 3}, "INVALID_OPTION"),
        ({"debug": True, "telemetry_path": None}, "INVALID_OPTION"),
        ({"debug": True, "telemetry_path": "a\0b"}, "INVALID_OPTION"),
        ({"debug": True, "telemetry_path": "/no/such/folder/x.json"}, "OUTPUT_ERROR"),
        ({"debug": True, "telemetry_path": "/"}, "OUTPUT_ERROR"),
    ],
)
def test_where_telemetry_cannot_go_is_known_before_the_first_user(options, code) -> None:
    adapter = sd.InMemoryAdapter()
    with pytest.raises(sd.SynodeError) as caught:
        sd.generate(JOURNEYS, users=5, adapter=adapter, **options)
    assert caught.value.code == code
    assert adapter.events.height == 0


def test_print_fits_on_a_screen() -> None:
    many = [sd.Journey(f"j{i}", [sd.Adventure("a", [sd.Action("x")])]) for i in range(200)]
    text = str(sd.generate(many, users=3, adapter=sd.InMemoryAdapter()))
    assert len(text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 120
