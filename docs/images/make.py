"""Make the pictures of the README again, with what this project itself draws: `make images`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import nbformat
import polars as pl
from playwright.sync_api import sync_playwright

import synode_df as sd
from synode_df.cli import shop
from synode_df.notebook.drawings import bars
from synode_df.notebook.saving import save_drawing

IMAGES: Final = Path(__file__).parent
sys.path.insert(0, str(IMAGES.parents[1]))

from tests.browser.conftest import ARGUMENTS  # noqa: E402 - the path is set above
from tests.browser.jupyter import Jupyter  # noqa: E402
from tests.browser.watching import Watch  # noqa: E402

CELL: Final = """
import synode_df as sd

shopper = sd.Persona(
    "shopper",
    {
        "device": sd.weighted({"mobile": 0.6, "desktop": 0.3, "tablet": 0.1}),
        "is_member": sd.chance(0.35),
        "age": sd.normal(38, 13, min=18, max=90, decimals=0),
    },
)
sd.preview(shopper, seed=7)
"""


def funnel() -> None:
    """The demo shop's funnel, by device."""
    kept = sd.InMemoryAdapter()
    report = sd.generate(
        shop.journeys(), users=100_000, persona=shop.shopper(), datasets=shop.datasets(), adapter=kept, seed=7
    )
    steps = sd.funnel(kept.events, shop.FUNNEL, by="device", users=report.users)
    shown = steps.with_columns(label=(pl.col("share_of_first") * 100).round(0).cast(pl.Int64).cast(pl.String) + "%")
    drawing = bars(
        shown,
        x="event",
        y="share_of_first",
        group="device",
        text="label",
        percent=True,
        title="The demo shop: how far 100,000 users come",
        x_title=" ",
        y_title="share of users",
    )
    save_drawing(drawing, IMAGES / "funnel.png", width=900, height=380)


def preview() -> None:
    """The panel of a persona, in JupyterLab."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        notebooks = Path(folder) / "notebooks"
        notebooks.mkdir()
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(CELL)],
            metadata={"kernelspec": kernel, "language_info": {"name": "python"}},
        )
        nbformat.write(notebook, notebooks / "preview.ipynb")
        server = Jupyter("lab", Path(folder) / "server", notebooks)
        server.start()
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            watch = Watch(browser.new_page(viewport={"width": 1250, "height": 1500}))
            server.run(watch, "preview.ipynb")
            top = watch.page.locator(".jp-OutputArea-output .jupyter-widgets.widget-vbox").first.bounding_box()
            charts = watch.page.locator(".js-plotly-plot").first.bounding_box()
            height = charts["y"] + charts["height"] - top["y"]
            watch.page.screenshot(path=IMAGES / "preview.png", clip={**top, "height": height})
            browser.close()
        finally:
            server.stop()


if __name__ == "__main__":
    funnel()
    preview()
