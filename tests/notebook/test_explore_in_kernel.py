"""explore in a real kernel: a message from the page moves a control, and messages with the new numbers go back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

SETUP = """
import json

import ipywidgets
import numpy as np
import plotly.graph_objects as go

import synode_df as sd
from synode_df.cli import shop

memory = sd.InMemoryAdapter()
report = sd.generate(shop.journeys(), users=300, persona=shop.shopper(), datasets=shop.datasets(), adapter=memory,
                     seed=7, progress=False)
panel = sd.explore(memory.events, report.users, steps=["landed", "product_viewed", "order_completed"])
panel
"""
ASK = """
events = memory.events
expected = {expected}
print(json.dumps({{
    "frame": [list(map(str, row)) for row in panel.frame.rows()],
    "expected": [list(map(str, row)) for row in expected.rows()],
    "figures": sum(isinstance(each, go.FigureWidget) for each in ipywidgets.widgets.widget._instances.values()),
    "shown": list(map(float, np.ravel(panel.chart.figure.data[0].{shown}))),
}}))
"""


class Page(NotebookClient):
    """A notebook's page: what it shows of widgets, and what it sends when somebody uses them."""

    sent_to_page: list[dict[str, Any]]

    def handle_comm_msg(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        super().handle_comm_msg(outs, msg, cell_index)
        self.sent_to_page.append(msg["content"])

    def model(self, label: str) -> str:
        (found,) = [id for id, state in self.widget_state.items() if state.get("description") == label]
        return found

    def use(self, label: str, **state: object) -> None:
        """What the browser sends when a control is used."""
        content = {"comm_id": self.model(label), "data": {"method": "update", "state": state, "buffer_paths": []}}
        self.kc.shell_channel.send(self.kc.session.msg("comm_msg", content))

    def run(self, source: str) -> Any:
        cell = nbformat.v4.new_code_cell(source)
        self.nb.cells.append(cell)
        self.sent_to_page = []
        return self.execute_cell(cell, len(self.nb.cells) - 1)

    def ask(self, expected: str, shown: str) -> dict[str, Any]:
        cell = self.run(ASK.format(expected=expected, shown=shown))
        return json.loads("".join(output["text"] for output in cell.outputs if output.output_type == "stream"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    page = Page(nbformat.v4.new_notebook(), timeout=120, kernel_name="python3")
    page.resources = {"metadata": {"path": str(tmp_path_factory.mktemp("page"))}}
    with page.setup_kernel():
        page.cell = page.run(SETUP)
        yield page


pytestmark = pytest.mark.filterwarnings("ignore")  # of the client that drives the kernel


def test_the_panel_is_shown_as_a_widget_and_as_a_table(page: Page) -> None:
    (output,) = [each for each in page.cell.outputs if "data" in each]
    assert "application/vnd.jupyter.widget-view+json" in output.data
    assert "product_viewed" in output.data["text/html"] and "product_viewed" in output.data["text/plain"]


def test_a_control_used_in_the_page_changes_what_the_chart_shows(page: Page) -> None:
    page.use("Steps", value="landed, product_viewed")
    answer = page.ask('sd.funnel(events, ["landed", "product_viewed"])', "y")
    assert answer["frame"] == answer["expected"]
    assert answer["shown"] == [float(row[2]) for row in answer["expected"]]


def test_another_picture_comes_in_the_same_figure_unless_it_has_no_axes(page: Page) -> None:
    page.use("Picture", index=1)
    answer = page.ask("sd.paths(events, steps=4, top=8)", "link.value")
    assert answer["frame"] == answer["expected"] and answer["shown"]
    assert answer["shown"] == [float(row[3]) for row in answer["expected"]]
    assert answer["figures"] == 1
    for index in (2, 3, 4, 0):
        page.use("Picture", index=index)
    assert page.ask('sd.funnel(events, ["landed", "product_viewed"])', "y")["figures"] == 1


def test_the_numbers_themselves_travel_to_the_page_in_one_message(page: Page) -> None:
    page.run('panel.control("Picture").value = "Hour and weekday"')
    # Only what a cell does reaches this page; what a control does is asked for above.
    page.run('panel.control("Journey").value = "purchase"')
    states = [sent["data"].get("state", {}) for sent in page.sent_to_page]
    (update,) = [state["_py2js_update"] for state in states if state.get("_py2js_update")]
    answer = page.ask('sd.hourly(events.filter(events["journey_id"] == "purchase"))', "z")
    assert np.ravel(update["style_data"]["z"][0]).tolist() == [float(row[2]) for row in answer["expected"]]
