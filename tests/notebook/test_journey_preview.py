"""`preview(journey)` and `preview(dataset)`: diagram, funnel, bounce chances, with the real widgets."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import ipywidgets as widgets
import polars as pl
import pytest

import synode_df as sd
from synode_df.analysis.step_shares import step_shares
from synode_df.notebook.diagram import journey_svg
from tests.notebook.test_persona_preview import ODD, click_reset, inside, slider

SHOPPER = sd.Persona("shopper", {"device": sd.weighted({"mobile": 0.6, "desktop": 0.4})})
VISIT = sd.Journey(
    "visit",
    [
        sd.Adventure(
            "browse",
            [sd.Action("land"), sd.Action("view", time_span=("5s", "3m"), bounce_chance=0.2)],
            on_bounce="skip",
            bounce_chance=0.1,
        ),
        sd.Adventure(
            "buy",
            [sd.Action("order", fields={"n": sd.integer(1, 3)}, remember={"p": 1}, name="Order it")],
            time_span="1h",
            bounce_chance=pl.when(pl.col("device") == "mobile").then(0.6).otherwise(0.4),
        ),
    ],
    bounce_chance=0.05,
    suppression_period=("1d", "1w"),
)
AGAIN = sd.Journey("again", [sd.Adventure("return", [sd.Action("come", handler=lambda ctx: [])])], requires="visit")


def bars_of(panel: Any, name: str) -> list[float]:
    (trace,) = (trace for trace in panel._chart.figure.data if trace.name == name)
    return list(map(float, trace.x))


@pytest.fixture
def panel() -> Any:
    return sd.preview(VISIT, persona=SHOPPER, seed=7)


def test_the_funnel_draws_expected_and_simulated_shares(panel: Any) -> None:
    expected = sd.expected_funnel(VISIT, SHOPPER)
    assert bars_of(panel, "expected") == expected["entered"].to_list()
    assert panel._note.value == ""
    assert panel.frame.equals(step_shares(VISIT, persona=SHOPPER, seed=7))
    assert bars_of(panel, "simulated") == panel.frame["simulated"].to_list()
    report = sd.generate(VISIT, users=1_000, persona=SHOPPER, seed=7, adapter=sd.InMemoryAdapter())
    entered = report.telemetry.actions["entered"].to_list()
    assert panel.frame.filter(pl.col("step") == "action")["simulated"].to_list() == [n / 1_000 for n in entered]
    for exact, counted in zip(bars_of(panel, "expected"), bars_of(panel, "simulated"), strict=True):
        assert counted == pytest.approx(exact, abs=0.05)


def test_moving_a_bounce_chance_moves_funnel_diagram_journey_and_code(panel: Any) -> None:
    before = panel._diagram.value
    slider(panel, "bounce chance of visit > browse > view").value = 0.75
    adventure = panel.journey.adventures[0]
    assert adventure.actions[1].bounce_chance == 0.75
    assert adventure.actions[0] == VISIT.adventures[0].actions[0]
    assert panel.journey.adventures[1] == VISIT.adventures[1]
    assert bars_of(panel, "expected") == sd.expected_funnel(panel.journey, SHOPPER)["entered"].to_list()
    assert panel._diagram.value != before
    assert "bounces 75 %" in panel._diagram.value
    namespace: dict[str, Any] = {}
    exec(panel.code, namespace)
    assert namespace["visit"] == panel.journey
    assert VISIT.adventures[0].actions[1].bounce_chance == 0.2


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_extreme_bounce_chances(panel: Any, chance: float) -> None:
    slider(panel, "bounce chance of visit").value = chance
    assert panel.journey.bounce_chance == chance
    assert bars_of(panel, "simulated")[0] == 1 - chance
    assert bars_of(panel, "expected")[0] == pytest.approx(1 - chance)


def test_reset_gives_the_journey_back(panel: Any) -> None:
    before = bars_of(panel, "simulated")
    for path in ("visit", "visit > browse", "visit > buy > order"):
        slider(panel, f"bounce chance of {path}").value = 0.9
    click_reset(panel)
    assert panel.journey == VISIT
    assert bars_of(panel, "simulated") == before


def test_expressions_are_shown_instead_of_a_slider(panel: Any) -> None:
    sliders = [each.tooltip for each in inside(panel) if isinstance(each, widgets.FloatSlider)]
    assert sliders == [
        "bounce chance of visit",
        "bounce chance of visit > browse",
        "bounce chance of visit > browse > land",
        "bounce chance of visit > browse > view",
        "bounce chance of visit > buy > order",
    ]
    words = " ".join(each.value for each in inside(panel) if isinstance(each, widgets.HTML))
    assert "buy: <code>pl.when(pl.col(&quot;device&quot;) == &quot;mobile&quot;)" in words


def test_rounding_by_the_browser_is_no_edit() -> None:
    journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", bounce_chance=1 / 3)])])
    panel = sd.preview(journey, users=10)
    slider(panel, "bounce chance of j > a > x").value = 0.333
    assert panel.journey == journey


def test_several_journeys_with_what_they_require() -> None:
    panel = sd.preview([VISIT, AGAIN], persona=SHOPPER, users=300)
    assert panel.journeys == (VISIT, AGAIN)
    again = panel.frame.filter(pl.col("journey_id") == "again")
    assert again["expected"].null_count() == 4  # handlers may do anything
    run = sd.generate([VISIT, AGAIN], users=300, persona=SHOPPER, seed=0, adapter=sd.InMemoryAdapter())
    tally = run.telemetry.tally.journey("again")
    assert tally.late > 0  # those whose suppression period ends behind the window
    assert again["simulated"].to_list() == [tally.started / 300] * 4
    assert "does not tell: again (" in panel._note.value
    visit = panel.frame.filter(pl.col("journey_id") == "visit")
    assert visit["expected"].to_list() == sd.expected_funnel(VISIT, SHOPPER)["entered"].to_list()
    assert "again requires visit" in panel._diagram.value
    slider(panel, "bounce chance of visit").value = 1.0
    again = panel.frame.filter(pl.col("journey_id") == "again")
    assert again["simulated"].to_list() == [0.0] * 4  # nobody may come


def test_a_journey_alone_that_requires_another() -> None:
    panel = sd.preview(AGAIN, users=100)
    assert panel.journey.requires == ("visit",)
    assert panel.frame["simulated"].to_list() == [1.0] * 4


def test_every_slider_has_its_own_label(panel: Any) -> None:
    tooltips = [each.tooltip for each in inside(panel) if isinstance(each, widgets.FloatSlider)]
    assert len(set(tooltips)) == len(tooltips) == 5
    assert all(each.description for each in inside(panel) if isinstance(each, widgets.FloatSlider))


def test_the_diagram_is_static_escaped_and_whole() -> None:
    svg = journey_svg([VISIT, AGAIN], step_shares([VISIT, AGAIN], persona=SHOPPER))
    root = ET.fromstring(svg)
    texts = [text.text or "".join(text.itertext()) for text in root.iter() if text.tag.endswith("}text")]
    joined = " | ".join(texts)
    for words in ("visit", "browse", "land", "after 5s to 3m", "bounces 20 %", "bounces 5 % at the door", "after 1h"):
        assert words in joined
    assert "then away 1d to 1w" in joined
    assert "Order it (order)" in joined
    tags = {element.tag.split("}")[1] for element in root.iter()}
    assert tags <= {"svg", "rect", "line", "text", "title", "path"}
    for element in root.iter():
        if element.tag.endswith("}rect"):
            assert 0 <= float(element.get("x") or 0) <= 960 - float(element.get("width") or 0)


@pytest.mark.parametrize("name", [*ODD, "<script>alert(1)</script>", "&amp;"])
def test_odd_names_are_drawn(name: str) -> None:
    journey = sd.Journey(name, [sd.Adventure(name, [sd.Action(name, bounce_chance=0.5)], name=name)], name=name)
    panel = sd.preview(journey, users=10)
    root = ET.fromstring(panel._diagram.value)
    assert name in (root.get("aria-label") or "")
    assert "<script" not in panel._repr_mimebundle_()["text/html"]
    slider(panel, f"bounce chance of {name} > {name}").value = 0.25
    assert panel.journey.adventures[0].bounce_chance == 0.25
    namespace: dict[str, Any] = {}
    exec(panel.code, namespace)
    assert panel.journey in namespace.values()


def test_the_panel_has_a_static_form(panel: Any) -> None:
    bundle = panel._repr_mimebundle_()
    assert "<svg" in bundle["text/html"]
    assert "Share of users at each step" in bundle["text/html"]
    assert bundle["text/plain"] == str(VISIT)


PRODUCTS = sd.Dataset(
    "products",
    50,
    {
        "sku": sd.sequence("S-{}"),
        "price": sd.lognormal(40, 0.6),
        "plan": sd.pick("plans", "plan"),
        "kind": sd.weighted({"book": 1, None: 1}),
    },
)
PLANS = sd.Dataset("plans", 3, {"plan": sd.sequence("P-{}")})


def test_a_dataset_shows_columns_distributions_and_rows() -> None:
    panel = sd.preview(PRODUCTS, datasets=[PLANS], seed=7)
    assert panel.rows.equals(sd.hydrate(PRODUCTS, datasets=[PLANS], seed=7))
    assert panel.columns.select("column", "dtype", "declared_as").rows()[1] == (
        "price",
        "Float64",
        "sd.lognormal(40, 0.6)",
    )
    assert panel.columns["nulls"].to_list() == list(panel.rows.null_count().row(0))
    assert panel.frame["attribute"].unique(maintain_order=True).to_list() == panel.rows.columns
    assert len(panel._charts.figure.data) == 4
    assert "S-1" in panel._sample.value
    (seed,) = (each for each in inside(panel) if isinstance(each, widgets.BoundedIntText))
    seed.value = 8
    assert panel.rows.equals(sd.hydrate(PRODUCTS, datasets=[PLANS], seed=8))
    assert "lognormal" in panel._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize(
    "dataset",
    [
        sd.Dataset("empty", 0, {"a": sd.uniform(0, 1), "b": sd.one_of(["x"])}),
        sd.Dataset.from_frame("frame", pl.DataFrame({"a": [1, None], "b": [[1], []], "c": [{"k": 1}, None]})),
        sd.Dataset.from_frame("none", pl.DataFrame({"a": [None, None]})),
        sd.Dataset("<b>", 2, {"<i>": "x", "שלום 🎉": 1}),
    ],
    ids=lambda dataset: dataset.id,
)
def test_odd_datasets_are_shown(dataset: sd.Dataset) -> None:
    panel = sd.preview(dataset)
    assert panel.rows.height == dataset.rows
    assert panel.columns.height == panel.rows.width
    assert "<i>" not in panel._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        (sd.weighted({"a": 1}), "give it an attribute"),
        (sd.Action("x"), "put it into an adventure and a journey"),
        (VISIT.adventures[0], "put it into a journey"),
        (pl.DataFrame(), "explore(events)"),
        ({"a": 1}, "put attributes into a persona"),
        ([SHOPPER], "give each persona of a mixture its weight"),
        ([PLANS, PRODUCTS], "preview one dataset"),
        (sd.Persona, "preview an instance"),
        ([], "declare one first"),
        ("shopper", "declare one first"),
        (None, "declare one first"),
    ],
    ids=str,
)
def test_anything_else_is_refused_with_what_was_meant(given: Any, fix: str) -> None:
    with pytest.raises(sd.SynodeError) as caught:
        sd.preview(given)
    assert caught.value.code == "INVALID_PREVIEW"
    assert fix in (caught.value.suggestion or "")


@pytest.mark.parametrize("users", [0, -1, 1_000_000, "many", 2.5])
def test_users_out_of_bounds(users: Any) -> None:
    with pytest.raises(sd.SynodeError) as caught:
        sd.preview(SHOPPER, users=users)
    assert caught.value.code == "INVALID_USERS"


@pytest.mark.parametrize("seed", [-1, 2**53 + 1, None, 1.5])
def test_seeds_that_a_browser_cannot_hold(seed: Any) -> None:
    with pytest.raises(sd.SynodeError) as caught:
        sd.preview(SHOPPER, seed=seed)
    assert caught.value.code == "INVALID_OPTION"


def test_errors_of_the_declaration_come_through() -> None:
    with pytest.raises(sd.SynodeError) as caught:
        sd.preview(sd.Persona("p", {"plan": sd.pick("planz")}), datasets=[PLANS])
    assert caught.value.code == "DATASET_NOT_FOUND"
    with pytest.raises(sd.SynodeError) as caught:
        sd.preview([(SHOPPER, -1.0), (sd.Persona("q", {}), 1.0)])
    assert caught.value.code == "INVALID_WEIGHTS"
