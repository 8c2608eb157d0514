"""Panels used as a person would: sliders are moved, and the charts' data follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import SCREENSHOTS
from tests.browser.jupyter import Jupyter, errors
from tests.browser.watching import Watch

CHARTS = """[...document.querySelectorAll('.js-plotly-plot')].map(plot => plot._fullData.map(trace => ({
  name: trace.name, x: Array.from(trace.x || []), y: Array.from(trace.y || []) })))"""
CONTROL = re.compile(r"^\s*- (slider|combobox|listbox|textbox|spinbutton|checkbox|button|radio)(?! \")", re.MULTILINE)


def charts(watch: Watch) -> list[Any]:
    """The data of all charts of the page."""
    return list(watch.page.evaluate(CHARTS))


def changed(watch: Watch, before: list[Any]) -> list[Any]:
    """The data after it has changed."""
    for _ in range(100):
        watch.page.wait_for_timeout(100)
        now = charts(watch)
        if now != before:
            return now
    raise AssertionError("the charts' data has not changed")


def slider(watch: Watch, label: str) -> Any:
    """The handle of the slider with this label."""
    return watch.page.get_by_role("slider", name=label, exact=True).first


def move(watch: Watch, label: str, key: str, times: int) -> None:
    """Move a slider by its keys."""
    handle = slider(watch, label)
    handle.scroll_into_view_if_needed()
    handle.focus()
    for _ in range(times):
        watch.page.keyboard.press(key)


def shares_of(data: list[Any], value: str) -> list[float]:
    """The heights of the bars with this name, over all charts."""
    found = []
    for chart in data:
        for trace in chart:
            for names, heights in ((trace["x"], trace["y"]), (trace["y"], trace["x"])):
                found += [height for name, height in zip(names, heights, strict=False) if name == value]
    return found


def opened(jupyter: Jupyter, watch: Watch, name: str) -> list[Any]:
    """Run a notebook and show its panel; the data of the charts."""
    assert errors(jupyter.run(watch, name)) == []
    watch.page.locator(".js-plotly-plot").last.scroll_into_view_if_needed()
    for _ in range(100):
        if any(trace for chart in charts(watch) for trace in chart):
            break
        watch.page.wait_for_timeout(100)
    return charts(watch)


def leave(jupyter: Jupyter, watch: Watch, name: str) -> None:
    """Pictures of the panel, wide and narrow; nothing may have gone wrong."""
    for width in (1200, 800):
        watch.page.set_viewport_size({"width": width, "height": 1600})
        watch.page.locator(".js-plotly-plot").last.scroll_into_view_if_needed()
        watch.page.wait_for_timeout(500)
        watch.screenshot(SCREENSHOTS / f"{jupyter.kind}-panel-of-{name[:2]}-{width}.png")
    assert watch.wrong == []
    jupyter.close(watch)


def total(data: list[Any]) -> float:
    """All heights of all charts together."""
    numbers = [value for chart in data for trace in chart for axis in ("x", "y") for value in trace[axis]]
    return sum(value for value in numbers if isinstance(value, int | float))


def test_a_weight_s_slider_moves_the_persona_s_chart(jupyter: Jupyter, open_page: Callable[..., Watch]) -> None:
    watch = open_page()
    before = opened(jupyter, watch, "02_personas_and_datasets.ipynb")
    move(watch, "pays_by: share of card", "PageDown", 3)
    after = changed(watch, before)
    assert shares_of(after, "card") < shares_of(before, "card")
    assert shares_of(after, "cash") > shares_of(before, "cash"), "the other weights make room"
    leave(jupyter, watch, "02_personas_and_datasets.ipynb")


def test_a_bounce_chance_s_slider_moves_the_funnel(jupyter: Jupyter, open_page: Callable[..., Watch]) -> None:
    watch = open_page()
    before = opened(jupyter, watch, "03_journeys.ipynb")
    move(watch, "bounce chance of sign_up > form > card", "PageUp", 3)
    after = changed(watch, before)
    assert total(after) < total(before)
    leave(jupyter, watch, "03_journeys.ipynb")


def test_another_picture_shows_another_frame(jupyter: Jupyter, open_page: Callable[..., Watch]) -> None:
    watch = open_page()
    before = opened(jupyter, watch, "01_first_events.ipynb")
    (((funnel,),),) = [before]
    assert funnel["y"][0] == 20_000
    watch.page.get_by_role("combobox", name="Picture", exact=True).select_option("Events over time")
    assert len(changed(watch, before)[0]) >= 1
    other = charts(watch)
    watch.page.get_by_role("combobox", name="Picture", exact=True).select_option("Funnel")
    assert changed(watch, other) == before
    leave(jupyter, watch, "01_first_events.ipynb")


@pytest.mark.parametrize("name", ["01_first_events.ipynb", "02_personas_and_datasets.ipynb", "03_journeys.ipynb"])
def test_every_control_has_a_label_and_texts_can_be_read_in_the_dark(
    name: str, lab: Jupyter, open_page: Callable[..., Watch]
) -> None:
    watch = open_page(dark=True)
    assert errors(lab.run(watch, name)) == []
    panels = watch.page.locator(".jp-OutputArea-output .jupyter-widgets.widget-vbox:not(.jupyter-widgets *)")
    assert panels.count() >= 1
    for number in range(panels.count()):
        panel = panels.nth(number)
        panel.scroll_into_view_if_needed()
        watch.page.wait_for_timeout(500)
        unnamed = [found[0].strip() for found in CONTROL.finditer(panel.aria_snapshot())]
        assert unnamed == [], panel.aria_snapshot()
        watch.screenshot(SCREENSHOTS / f"dark-{name[:2]}-{number}.png")
    assert watch.page.evaluate(DARK) == []
    assert watch.wrong == []
    lab.close(watch)


DARK = """() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3)
      .map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = light(getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor);
  return [...document.querySelectorAll('.js-plotly-plot text, .jupyter-widgets label')]
    .filter(node => node.textContent.trim() && node.getClientRects().length)
    .map(node => {
      const style = getComputedStyle(node);
      const ink = light(node.tagName === 'text' ? style.fill : style.color);
      return [node.textContent, (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05)];
    })
    .filter(([, contrast]) => contrast < 3);
}"""
