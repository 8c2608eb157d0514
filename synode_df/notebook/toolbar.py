"""What previews have in common: the size and seed of their sample, a reset button, two columns, refusals in words."""

from __future__ import annotations

from html import escape
from typing import Final

import ipywidgets as widgets

from synode_df.errors import SynodeError

LEFT: Final = {"flex": "0 0 40%", "min_width": "280px"}
"""Layout of a panel's controls."""

RIGHT: Final = {"flex": "1 1 0", "min_width": "0", "overflow": "hidden"}
"""Layout of a panel's charts."""

_SIZES: Final = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)


class Toolbar:
    """How many users, which seed, and back to the beginning.

    Attributes
    ----------
    size, seed, reset : ipywidgets.Widget
        A slider over numbers of users, a box for the seed, a button.
    box : ipywidgets.Widget
        All three.
    """

    def __init__(self, *, users: int, seed: int) -> None:
        self.size = widgets.SelectionSlider(
            options=[(f"{size:,}", size) for size in sorted({*_SIZES, users})],
            value=users,
            description="Users",
            tooltip="How many users to draw",
            continuous_update=False,
        )
        self.seed = seed_box(seed)
        self.reset = widgets.Button(description="Reset", tooltip="Back to what was declared", icon="undo")
        self.box = widgets.HBox([self.size, self.seed, self.reset], layout=widgets.Layout(flex_flow="row wrap"))


def seed_box(seed: int) -> widgets.BoundedIntText:
    """A box for the seed."""
    return widgets.BoundedIntText(
        value=seed, min=0, max=2**53, description="Seed", tooltip="The seed: the same seed gives the same sample"
    )


def refusal_html(error: SynodeError) -> str:
    """Why an edit cannot be, as a message that screen readers read out."""
    fix = f" ({escape(error.suggestion)})" if error.suggestion else ""
    return f'<p role="alert">⚠ {escape(error.message)}{fix}</p>'
