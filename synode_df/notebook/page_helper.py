"""What widgets leave to the page: names of sliders for screen readers, charts as wide as their place."""

from __future__ import annotations

from pathlib import Path

import anywidget


class PageHelper(anywidget.AnyWidget):
    """An invisible part of a panel, which looks after the sliders and charts around it."""

    _esm = Path(__file__).parent / "page_helper.js"
