"""Previews in a real kernel: a slider is moved as a browser does it, and the panel answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.util import run_sync

pytestmark = pytest.mark.filterwarnings("ignore")

CELLS = [
    """import synode_df as sd
shopper = sd.Persona("shopper", {"device": sd.weighted({"mobile": 0.6, "desktop": 0.3, "tablet": 0.1})})
panel = sd.preview(shopper)
panel""",
    "print(panel.persona.attributes['device'], [round(float(x), 3) for x in panel._charts.figure.data[0].x])",
    """visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", bounce_chance=0.5)])])
trip = sd.preview(visit)
trip""",
    "print(trip.journey.adventures[0].actions[0].bounce_chance, trip.frame['expected'].to_list())",
    "sd.preview(sd.Dataset('plans', 3, {'plan': sd.sequence('P-{}')}))",
    "shopper",
    "visit",
]


class Kernel:
    """A notebook that is run cell by cell, with the browser's side of its widgets."""

    def __init__(self) -> None:
        self.notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
        self.client = NotebookClient(self.notebook, timeout=120, kernel_name="python3")

    def run(self, number: int) -> list[Any]:
        cell = self.notebook.cells[number]
        self.client.execute_cell(cell, number)
        return cell.outputs

    def text(self, number: int) -> str:
        return "".join(output.get("text", "") for output in self.run(number))

    def model(self, tooltip: str) -> str:
        """The id of the newest widget with a tooltip."""
        return [id for id, state in self.client.widget_state.items() if state.get("tooltip") == tooltip][-1]

    def state(self, tooltip: str) -> dict[str, Any]:
        """What the browser was told of a widget."""
        return self.client.widget_state[self.model(tooltip)]

    def move(self, tooltip: str, value: float) -> None:
        """Send what a browser sends when a slider is dragged, and take in what it gets back."""
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        kc = self.client.kc
        message = kc.session.msg("comm_msg", {"comm_id": self.model(tooltip), "data": data})
        kc.shell_channel.send(message)
        while True:
            answer = run_sync(kc.iopub_channel.get_msg)(timeout=60)
            if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            content = answer["content"]
            if answer["msg_type"] == "comm_msg" and content["data"]["method"] == "update":
                self.client.widget_state[content["comm_id"]].update(content["data"]["state"])
            elif answer["msg_type"] == "status" and content["execution_state"] == "idle":
                return


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    with kernel.client.setup_kernel():
        yield kernel


def test_a_moved_slider_moves_the_chart_and_the_persona(kernel: Kernel) -> None:
    (output,) = kernel.run(0)
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(output.data)
    assert "<script" not in output.data["text/html"]
    before = kernel.text(1)
    assert before.startswith("weighted({'mobile': 0.6, 'desktop': 0.3, 'tablet': 0.1}) ")
    kernel.move("device: share of mobile", 0.2)
    after = kernel.text(1)
    assert after.startswith("weighted({'mobile': 0.2, 'desktop': 0.6, 'tablet': 0.2}) ")
    assert after.split(") ")[1] != before.split(") ")[1]


def test_the_other_sliders_are_told_in_the_browser(kernel: Kernel) -> None:
    kernel.run(0)
    shown = {name: kernel.state(f"device: share of {name}") for name in ("mobile", "desktop", "tablet")}
    assert {name: state["value"] for name, state in shown.items()} == {"mobile": 0.6, "desktop": 0.3, "tablet": 0.1}
    assert all(state["description"] == name for name, state in shown.items())
    kernel.move("device: share of tablet", 0.7)
    told = {name: kernel.state(f"device: share of {name}")["value"] for name in shown}
    assert told["mobile"] == pytest.approx(0.2)
    assert told["desktop"] == pytest.approx(0.1)


def test_a_moved_bounce_chance_moves_the_journey(kernel: Kernel) -> None:
    kernel.run(2)
    assert kernel.text(3).strip() == "0.5 [1.0, 1.0, 0.5, 0.5]"
    kernel.move("bounce chance of visit > look > land", 0.25)
    assert kernel.text(3).strip() == "0.25 [1.0, 1.0, 0.75, 0.75]"


def test_datasets_and_declarations_show_themselves(kernel: Kernel) -> None:
    kernel.run(0)
    kernel.run(2)
    for number, words in ((4, "plan"), (5, "Persona shopper"), (6, "Journey visit")):
        (output,) = kernel.run(number)
        assert words in output.data["text/html"]
        assert output.data["text/plain"]
