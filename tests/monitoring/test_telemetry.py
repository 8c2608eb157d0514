"""Telemetry: its frames, its JSON, and how a report shows itself."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import jsonschema
import pandera.polars as pa
import pytest

import synode_df as sd
from synode_df.monitoring import models

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
    assert set(seen) == {"div", "p", "b", "table", "thead", "tbody", "tr", "th", "td"}
    assert seen.count("b") == 1  # ids are text, whatever they look like
    for text in (f"{made.telemetry.events:,} events", "less_than(8)", f"{made.invalid.height:,} events dropped"):
        assert text in html
    assert "x.n" in str(made) and "events dropped" in str(made)


def test_print_fits_on_a_screen() -> None:
    many = [sd.Journey(f"j{i}", [sd.Adventure("a", [sd.Action("x")])]) for i in range(200)]
    text = str(sd.generate(many, users=3, adapter=sd.InMemoryAdapter()))
    assert len(text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 120
