"""Charts: drawings from frames, redrawn in place, saved, readable by everybody."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest

import synode_df as sd
from synode_df.notebook import drawings
from synode_df.notebook.charts import Chart
from synode_df.notebook.drawings import Drawing
from synode_df.notebook.static import table_html
from synode_df.notebook.theme import NEUTRAL, PALETTE

USERS = pl.DataFrame({"device": ["mobile", "desktop", "mobile"], "plan": ["a", "a", None], "users": [6, 3, 1]})
CELLS = pl.DataFrame({"hour": [0, 1, 0], "day": ["Mon", "Mon", "Tue"], "events": [5, 6, 7]})
FLOWS = pl.DataFrame({"step": [1, 1, 2], "from": ["a", "a", "b"], "to": ["b", "c", "a"], "users": [3, 2, 1]})
BINS = pl.DataFrame({"low": [0.0, 1.0], "high": [1.0, 3.0], "users": [2, 8]})
TIMES = pl.DataFrame(
    {"time": pl.Series([0, 5_000_000], dtype=pl.Datetime("us", "UTC")), "event": ["a", "b"], "note": [None, "<b>"]}
)

EVERY: dict[str, Drawing] = {
    "bars": drawings.bars(USERS, x="device", y="users", group="plan", title="Users"),
    "histogram": drawings.histogram(BINS, low="low", high="high", y="users", title="Users"),
    "lines": drawings.lines(TIMES.with_columns(n=pl.lit(1)), x="time", y="n", title="Events"),
    "heatmap": drawings.heatmap(CELLS, x="hour", y="day", value="events", title="Events"),
    "sankey": drawings.sankey(FLOWS, stage="step", source="from", target="to", value="users", title="Paths"),
    "timeline": drawings.timeline(TIMES, time="time", lane="event", hover=["note"], title="One user"),
}


def shown(chart: Chart) -> tuple[list[dict[str, object]], dict[str, object]]:
    state = chart.figure.to_plotly_json()
    traces = [{key: value for key, value in trace.items() if key != "uid"} for trace in state["data"]]
    return traces, {key: value for key, value in state["layout"].items() if key != "template"}


def same(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return one == other


@pytest.mark.parametrize("first", EVERY)
@pytest.mark.parametrize("second", EVERY)
def test_a_chart_that_follows_another_in_place_is_as_if_drawn_alone(first: str, second: str) -> None:
    chart = Chart(EVERY[first])
    figure = chart.figure
    chart.draw(EVERY[second])
    assert (chart.figure is figure) == ((first == "sankey") == (second == "sankey"))
    assert chart.children[-1] is chart.figure
    assert same(shown(chart), shown(Chart(EVERY[second])))
    assert chart.frame is EVERY[second].frame


def test_axes_say_their_type_for_a_browser_keeps_that_of_the_chart_before() -> None:
    types = {name: (each.layout["xaxis"]["type"], each.layout["yaxis"]["type"]) for name, each in EVERY.items()}
    assert types == {
        "bars": ("category", "linear"),
        "histogram": ("linear", "linear"),
        "lines": ("date", "linear"),
        "heatmap": ("category", "category"),
        "sankey": ("linear", "linear"),
        "timeline": ("date", "category"),
    }


def test_bars_hold_the_numbers_of_their_frame() -> None:
    first, second = EVERY["bars"].traces
    assert (first["name"], list(first["x"]), first["y"].tolist()) == ("a", ["mobile", "desktop"], [6, 3])
    assert (second["name"], list(second["x"]), second["y"].tolist()) == ("(none)", ["mobile"], [1])


def test_histogram_bars_are_as_wide_as_their_bins() -> None:
    (trace,) = EVERY["histogram"].traces
    assert (trace["x"].tolist(), trace["width"].tolist(), trace["y"].tolist()) == ([0, 1], [1, 2], [2, 8])


def test_heatmap_leaves_missing_cells_empty() -> None:
    (trace,) = EVERY["heatmap"].traces
    assert trace["z"] == [[5, 6], [7, None]]
    assert list(drawings.values_of(pl.Series([1.5, None, float("nan"), float("inf")]))) == [1.5, None, None, None]


def test_sankey_has_a_node_for_each_name_at_each_stage() -> None:
    (trace,) = EVERY["sankey"].traces
    labels = trace["node"]["label"]
    bands = [
        (labels[start], labels[end], value)
        for start, end, value in zip(
            trace["link"]["source"], trace["link"]["target"], trace["link"]["value"], strict=True
        )
    ]
    assert bands == [("a", "b", 3), ("a", "c", 2), ("b", "a", 1)]
    assert labels.count("a") == 2


def test_timeline_shows_notes_and_times_of_the_frame() -> None:
    (trace,) = EVERY["timeline"].traces
    assert trace["text"] == ["", "note: &lt;b&gt;"]
    assert trace["x"].tolist()[1].second == 5


@pytest.mark.parametrize("make", ["bars", "histogram", "lines", "heatmap", "sankey", "timeline"])
def test_empty_frames_make_empty_charts(make: str) -> None:
    empty = {
        "bars": lambda: drawings.bars(USERS.clear(), x="device", y="users", group="plan", title=""),
        "histogram": lambda: drawings.histogram(BINS.clear(), low="low", high="high", y="users", title=""),
        "lines": lambda: drawings.lines(TIMES.clear(), x="time", y="event", title=""),
        "heatmap": lambda: drawings.heatmap(CELLS.clear(), x="hour", y="day", value="events", title=""),
        "sankey": lambda: drawings.sankey(
            FLOWS.clear(), stage="step", source="from", target="to", value="users", title=""
        ),
        "timeline": lambda: drawings.timeline(TIMES.clear(), time="time", lane="event", hover=["note"], title=""),
    }[make]()
    assert len(Chart(empty).figure.data) == 1


def test_saved_html_has_everything_inside(tmp_path) -> None:
    path = Chart(EVERY["bars"]).save(tmp_path / "users.html")
    page = path.read_text(encoding="utf-8")
    assert "plotly.js v" in page and "Users" in page and "<td>desktop</td>" in page
    head = page.replace(page[page.index("plotly.js v") : page.rindex("Plotly.newPlot")], "")
    assert 'src="http' not in head and 'href="http' not in head


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("a.svg", b"<svg"), ("a.pdf", b"%PDF")])
def test_saved_pictures(name: str, start: bytes, tmp_path) -> None:
    try:
        path = Chart(EVERY["bars"]).save(tmp_path / name)
    except sd.SynodeError as error:
        assert error.code == "MISSING_LIBRARY"
        pytest.skip("no Chrome or Chromium here")
    assert path.read_bytes().startswith(start)


def test_other_formats_and_places_are_refused(tmp_path) -> None:
    chart = Chart(EVERY["bars"])
    with pytest.raises(sd.SynodeError) as error:
        chart.save(tmp_path / "a.docx")
    assert error.value.code == "INVALID_OPTION" and ".svg" in error.value.format()
    with pytest.raises(sd.SynodeError) as error:
        chart.save(tmp_path / "no folder" / "a.html")
    assert error.value.code == "OUTPUT_ERROR"
    with pytest.raises(sd.SynodeError) as error:
        Chart().save(tmp_path / "a.html")
    assert error.value.code == "INVALID_OPTION"


def test_a_missing_browser_is_named(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "no-browser"))
    with pytest.raises(sd.SynodeError) as error:
        Chart(EVERY["bars"]).save(tmp_path / "a.png")
    assert error.value.code == "MISSING_LIBRARY" and "Chromium" in error.value.format()


def test_static_pages_and_terminals_show_the_numbers() -> None:
    chart = Chart(EVERY["bars"])
    bundle = chart._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "<td>desktop</td>" in bundle["text/html"] and "desktop" in bundle["text/plain"]
    assert "&lt;b&gt;" in table_html(TIMES, caption="Times")
    assert "49,999 rows more" in table_html(pl.DataFrame({"a": range(50_000)}), caption="", rows=1)
    assert "100.0%" in table_html(USERS, caption="Users", bar="users")


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def linear(colour: str) -> np.ndarray:
    share = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


# Machado, Oliveira and Fernandes (2009), severity 1: what dichromats see, in linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def cie_lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    x, y, z = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_differ_for_every_kind_of_colour_vision(sight: str) -> None:
    seen = [cie_lab(np.clip(np.array(SIGHT[sight]) @ linear(colour), 0, 1)) for colour in PALETTE]
    # 10 is several times what an eye can just tell apart in CIE Lab.
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 10


def test_texts_and_outlines_stand_out_on_light_and_on_dark_pages() -> None:
    for page in ("#ffffff", "#111111"):
        assert contrast(NEUTRAL, page) > 4
        assert all(contrast(colour, page) > 3 for colour in PALETTE[:4])
