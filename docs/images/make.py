"""Make the pictures of the README again, with what this project itself draws: `make images`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

import synode_df as sd
from synode_df.cli import shop
from synode_df.notebook.drawings import bars
from synode_df.notebook.saving import save_drawing

IMAGES: Final = Path(__file__).parent


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


if __name__ == "__main__":
    funnel()
