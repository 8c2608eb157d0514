"""`preview(persona)`: controls, charts and the edited persona, with the real widgets."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import numpy as np
import polars as pl
import pytest

import synode_df as sd
from synode_df.analysis import persona_distribution

SHOPPER = sd.Persona(
    "shopper",
    {
        "device": sd.weighted({"mobile": 60, "desktop": 30, "tablet": 10}),
        "member": sd.chance(0.35),
        "age": sd.normal(40, 12, min=18, decimals=0),
        "spend": sd.lognormal(40, 0.6),
        "visits": sd.poisson(2.5),
        "wait": sd.exponential(10),
        "dice": sd.integer(1, 6),
        "score": sd.uniform(0, 1),
        "source": sd.one_of(["ads", "mail"]),
        "email": sd.fake("email"),
        "senior": pl.col("age") > 60,
        "called": lambda ctx: ctx.random.randint(0, 3),
        "plan": sd.pick("plans", "plan"),
        "country": "NO",
    },
)
PLANS = sd.Dataset("plans", 3, {"plan": sd.sequence("P-{}")})


def inside(widget: Any) -> list[Any]:
    """A widget and all that it holds."""
    return [widget, *(found for child in getattr(widget, "children", ()) for found in inside(child))]


def slider(panel: Any, tooltip: str) -> Any:
    kinds = (widgets.FloatSlider, widgets.IntSlider, widgets.FloatRangeSlider, widgets.IntRangeSlider)
    (found,) = (each for each in inside(panel) if isinstance(each, kinds) and each.tooltip == tooltip)
    return found


def box(panel: Any, tooltip: str) -> Any:
    (found,) = (
        each
        for each in inside(panel)
        if isinstance(each, widgets.FloatText | widgets.IntText) and each.tooltip == tooltip
    )
    return found


def click_reset(panel: Any) -> None:
    (button,) = (each for each in inside(panel) if isinstance(each, widgets.Button))
    button.click()


def bars_of(panel: Any, attribute: str) -> dict[str, float]:
    """The bars of one attribute, as the figure in the browser has them."""
    place = panel.users.columns[1:].index(attribute)
    trace = panel._charts.figure.data[place]
    names, heights = (trace.y, trace.x) if trace.orientation == "h" else (trace.x, trace.y)
    return dict(zip(map(str, names), map(float, heights), strict=True))


@pytest.fixture
def panel() -> Any:
    return sd.preview(SHOPPER, datasets=[PLANS], seed=7)


def test_charts_draw_the_headless_frame_and_the_first_users_of_a_run(panel: Any) -> None:
    frame = persona_distribution(SHOPPER, users=1_000, datasets=[PLANS], seed=7)
    device = frame.filter(pl.col("attribute") == "device")
    assert bars_of(panel, "device") == dict(device.select("value", "share").iter_rows())
    report = sd.generate(
        sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])]),
        users=1_000,
        persona=SHOPPER,
        datasets=[PLANS],
        seed=7,
        adapter=sd.InMemoryAdapter(),
    )
    assert panel.users.equals(report.users.drop("user_index"))
    assert set(frame["attribute"]) == set(SHOPPER.attributes)


def test_every_attribute_is_shown_with_a_chart(panel: Any) -> None:
    words = " ".join(each.value for each in inside(panel) if isinstance(each, widgets.HTML))
    for name in SHOPPER.attributes:
        assert f"<b>{name}</b>" in words
        assert bars_of(panel, name)
    for code in ("sd.fake", "pl.col", "lambda", "sd.pick"):
        assert code in words


def test_moving_a_weight_moves_its_chart_and_gives_a_new_persona(panel: Any) -> None:
    before = bars_of(panel, "device")
    age = bars_of(panel, "age")
    slider(panel, "device: share of mobile").value = 0.2
    assert panel.persona.attributes["device"] == sd.weighted({"mobile": 20, "desktop": 60, "tablet": 20})
    after = bars_of(panel, "device")
    assert after["mobile"] == pytest.approx(0.2, abs=0.05)
    assert after != before
    assert bars_of(panel, "age") == age
    assert list(after) == ["mobile", "desktop", "tablet"]
    assert SHOPPER.attributes["device"] == sd.weighted({"mobile": 60, "desktop": 30, "tablet": 10})


def test_linked_sliders_sum_to_one_and_do_not_fight(panel: Any) -> None:
    sliders = [slider(panel, f"device: share of {name}") for name in ("mobile", "desktop", "tablet")]
    said: list[float] = []
    sliders[0].observe(lambda change: said.append(change["new"]), "value")
    for share in (0.0, 1.0, 0.3, 0.301, 0.999):
        sliders[0].value = share
        assert sum(each.value for each in sliders) == pytest.approx(1, abs=0.001)
        assert sliders[1].value == pytest.approx(3 * sliders[2].value, abs=0.002)
        weights = dict(panel.persona.attributes["device"].weights)
        assert sum(weights.values()) == pytest.approx(100)
    assert said == [0.0, 1.0, 0.3, 0.301, 0.999]
    sliders[2].value = 1.0
    assert [each.value for each in sliders] == [0, 0, 1]
    assert panel.persona.attributes["device"] == sd.weighted({"mobile": 0, "desktop": 0, "tablet": 100})
    assert bars_of(panel, "device") == {"tablet": 1.0}


@pytest.mark.parametrize(
    ("tooltip", "value", "attribute", "expected"),
    [
        ("member: chance of being true", 1.0, "member", sd.chance(1.0)),
        ("member: chance of being true", 0.0, "member", sd.chance(0.0)),
        ("age: mean", 55.0, "age", sd.normal(55.0, 12, min=18, decimals=0)),
        ("age: sd", 0.0, "age", sd.normal(40, 0.0, min=18, decimals=0)),
        ("age: min", 30.0, "age", sd.normal(40, 12, min=30.0, decimals=0)),
        ("spend: sigma", 1.2, "spend", sd.lognormal(40, 1.2)),
        ("visits: mean", 5.0, "visits", sd.poisson(5.0)),
        ("wait: mean", 3.0, "wait", sd.exponential(3.0)),
        ("dice: lowest and highest value", (1, 10), "dice", sd.integer(1, 10)),
        ("score: lowest and highest value", (0.25, 0.5), "score", sd.uniform(0.25, 0.5)),
        ("source: share of ads", 0.75, "source", sd.weighted({"ads": 0.75, "mail": 0.25})),
    ],
)
def test_each_kind_of_slider_edits(panel: Any, tooltip: str, value: Any, attribute: str, expected: Any) -> None:
    before = bars_of(panel, attribute)
    slider(panel, tooltip).value = value
    assert panel.persona.attributes[attribute] == expected
    assert bars_of(panel, attribute) != before
    assert {n: v for n, v in panel.persona.attributes.items() if n != attribute} == {
        n: v for n, v in SHOPPER.attributes.items() if n != attribute
    }


def test_sliders_rounded_by_the_browser_are_no_edits() -> None:
    persona = sd.Persona(
        "p", {"a": sd.one_of(["x", "y", "z"]), "b": sd.chance(0.12345), "c": sd.lognormal(3.14159, 0.6)}
    )
    panel = sd.preview(persona, users=10)
    for tooltip, shown in (("a: share of x", 0.333), ("b: chance of being true", 0.123), ("c: median", 3.1)):
        slider(panel, tooltip).value = shown
    assert panel.persona == persona


def test_a_number_can_be_typed_beyond_the_slider(panel: Any) -> None:
    box(panel, "spend: median, exactly").value = 100_000
    assert panel.persona.attributes["spend"] == sd.lognormal(100_000.0, 0.6)
    assert slider(panel, "spend: median").value == 100_000


def test_what_reads_an_edited_attribute_is_drawn_again(panel: Any) -> None:
    box(panel, "age: mean, exactly").value = 70
    assert bars_of(panel, "senior")["true"] > 0.7


def test_an_impossible_edit_is_refused_in_words_and_changes_nothing(panel: Any) -> None:
    before = bars_of(panel, "age")
    box(panel, "age: min, exactly").value = 500
    assert "The bounds cut away nearly the whole distribution" in panel._status.value
    assert panel.persona == SHOPPER
    assert bars_of(panel, "age") == before
    box(panel, "age: min, exactly").value = 20
    assert panel._status.value == ""
    assert panel.persona.attributes["age"] == sd.normal(40, 12, min=20.0, decimals=0)


def test_code_makes_the_edited_persona(panel: Any) -> None:
    slider(panel, "device: share of mobile").value = 0.5
    slider(panel, "member: chance of being true").value = 0.6
    namespace = {"lambda_": SHOPPER.attributes["called"]}
    exec(panel.code, namespace)
    assert namespace["shopper"] == panel.persona
    assert panel._code_box.code == panel.code


def test_reset_gives_the_persona_back(panel: Any) -> None:
    before = bars_of(panel, "device"), bars_of(panel, "dice")
    slider(panel, "device: share of mobile").value = 1.0
    slider(panel, "dice: lowest and highest value").value = (3, 4)
    click_reset(panel)
    assert panel.persona == SHOPPER
    assert (bars_of(panel, "device"), bars_of(panel, "dice")) == before
    assert slider(panel, "device: share of mobile").value == pytest.approx(0.6)
    slider(panel, "device: share of tablet").value = 0.4
    assert panel.persona.attributes["device"] == sd.weighted({"mobile": 40, "desktop": 20, "tablet": 40})


def test_seed_and_sample_size_draw_other_users(panel: Any) -> None:
    first = panel.users
    (seed,) = (each for each in inside(panel) if isinstance(each, widgets.BoundedIntText))
    seed.value = 8
    assert not panel.users.equals(first)
    seed.value = 7
    assert panel.users.equals(first)
    (size,) = (each for each in inside(panel) if isinstance(each, widgets.SelectionSlider))
    size.value = 300
    assert panel.users.equals(first.head(300))


def test_two_attributes_are_compared_on_demand(panel: Any) -> None:
    assert panel._pair_chart.figure is None
    x, y = (each for each in inside(panel) if isinstance(each, widgets.Dropdown))
    assert "email" not in x.options
    x.value, y.value = "device", "member"
    shown = panel._pair_chart.figure.data[0]
    both = panel.users.filter((pl.col("device") == "mobile") & pl.col("member")).height / 1_000
    assert shown.z[list(shown.y).index("true")][list(shown.x).index("mobile")] == pytest.approx(both)
    slider(panel, "member: chance of being true").value = 1.0
    shown = panel._pair_chart.figure.data[0]
    assert list(shown.y) == ["true"]
    assert np.nansum(shown.z) == pytest.approx(1)


def test_every_control_is_labelled(panel: Any) -> None:
    controls = [
        each
        for each in inside(panel)
        if isinstance(each, widgets.widget_description.DescriptionWidget) and not isinstance(each, widgets.HTML)
    ]
    assert len(controls) > 20
    assert all(each.description for each in controls)
    tooltips = [each.tooltip for each in controls]
    assert all(tooltips)
    assert len(set(tooltips)) == len(tooltips)


def test_the_panel_has_a_static_form(panel: Any) -> None:
    bundle = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "device" in bundle["text/html"]
    assert "mobile" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert bundle["text/plain"] == panel.code


ODD = ["it's", 'say "hi"', "emoji 🎉", "שלום", "<b>bold</b>", "a%{x}", "\u202eback", " ", "$x$"]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_shown_and_edited(name: str) -> None:
    persona = sd.Persona(name, {name: sd.weighted({name: 1, "other": 1}), f"{name}2": sd.uniform(0, 1)})
    panel = sd.preview(persona, users=100)
    sliders = [each for each in inside(panel) if isinstance(each, widgets.FloatSlider)]
    sliders[0].value = 0.9
    assert panel.persona.attributes[name] == sd.weighted({name: 1.8, "other": 0.2})
    assert bars_of(panel, name)[name] > 0.6
    assert "<b>bold</b></b>" not in "".join(each.value for each in inside(panel) if isinstance(each, widgets.HTML))
    namespace: dict[str, Any] = {}
    exec(panel.code, namespace)
    assert panel.persona in namespace.values()


def test_of_many_categories_the_heaviest_have_sliders_and_the_rest_one_together() -> None:
    persona = sd.Persona("p", {"city": sd.weighted({f"city {n}": 200 - n for n in range(200)})})
    panel = sd.preview(persona)
    sliders = [each for each in inside(panel) if isinstance(each, widgets.FloatSlider)]
    assert len(sliders) == 12
    assert [each.description for each in sliders[:2]] == ["city 0", "city 1"]
    rest = slider(panel, "city: share of 189 others")
    rest.value = 0.0
    edited = dict(panel.persona.attributes["city"].weights)
    assert len(edited) == 200
    assert sum(edited.values()) == pytest.approx(20_100)
    assert edited["city 0"] > 0
    assert edited["city 199"] == 0
    rest.value = 0.5
    edited = dict(panel.persona.attributes["city"].weights)
    assert sum(edited[f"city {n}"] for n in range(11, 200)) == pytest.approx(10_050, rel=1e-4)
    assert len(bars_of(panel, "city")) <= 21


def test_weights_of_zero_but_for_one() -> None:
    panel = sd.preview(sd.Persona("p", {"x": sd.weighted({"a": 0, "b": 5, "c": 0})}))
    assert bars_of(panel, "x") == {"b": 1.0}
    slider(panel, "x: share of b").value = 0.5
    assert panel.persona.attributes["x"] == sd.weighted({"a": 1.25, "b": 2.5, "c": 1.25})


def test_a_persona_without_attributes() -> None:
    panel = sd.preview(sd.Persona("nobody", {}), users=10)
    assert panel.persona == sd.Persona("nobody", {})
    assert panel.users.columns == ["user_id"]
    assert "No attributes" in " ".join(each.value for each in inside(panel) if isinstance(each, widgets.HTML))


def test_a_mixture_of_personas_has_sliders_for_its_weights() -> None:
    bot = sd.Persona("bot", {"device": sd.weighted({"mobile": 1, "server": 9}), "speed": sd.uniform(0, 1)})
    human = sd.Persona("human", {"device": sd.weighted({"mobile": 6, "desktop": 4})})
    panel = sd.preview([(human, 0.9), (bot, 0.1)])
    assert bars_of(panel, "persona_id")["human"] == pytest.approx(0.9, abs=0.05)
    slider(panel, "persona_id: share of bot").value = 0.5
    slider(panel, "bot device: share of server").value = 0.0
    edited = sd.Persona("bot", {"device": sd.weighted({"mobile": 10, "server": 0}), "speed": sd.uniform(0, 1)})
    assert panel.persona == [(human, 0.5), (edited, 0.5)]
    assert "server" not in bars_of(panel, "device")
    namespace: dict[str, Any] = {}
    exec(panel.code, namespace)
    assert namespace["persona"] == panel.persona
    assert sd.generate_df(
        sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])]), users=3, seed=1, persona=panel.persona
    ).height


@pytest.mark.parametrize(
    "value",
    [
        sd.uniform(0, 1e300),
        sd.integer(-(2**60), -(2**60) + 5),
        sd.weighted({"a": 1e300, "b": 1e300}),
        sd.weighted({"only": 3}),
        sd.one_of([[1], [2], [1]]),
        sd.one_of([None, None]),
        sd.weighted({None: 1, 2.5: 1}),
        sd.normal(0, 0),
        sd.poisson(1e6),
        sd.chance(pl.col("user_index") / 1_000),
        sd.uniform(3, 3),
        [1, 2],
        None,
        {"a": 1},
        b"raw",
    ],
    ids=repr,
)
def test_extreme_declarations_are_shown(value: Any) -> None:
    panel = sd.preview(sd.Persona("p", {"x": value}), users=100)
    assert panel.persona == sd.Persona("p", {"x": value})
    for each in inside(panel):
        if isinstance(each, widgets.FloatSlider):
            each.value = each.max
            assert panel._status.value == "" or "⚠" in panel._status.value
