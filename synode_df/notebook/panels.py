"""Several drawings in one figure, one below the other: Plotly sends itself to the browser with each figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from synode_df.notebook.diagram import cut_to_width
from synode_df.notebook.drawings import Drawing
from synode_df.notebook.theme import base_layout

_TOP, _BOTTOM, _LEFT, _RIGHT = 28, 26, 120, 16
_ROOM_FOR_LABELS: Final = _LEFT - 28


def stacked_drawings(
    drawings: Sequence[Drawing], heights: Sequence[int], *, frame: pl.DataFrame, title: str
) -> Drawing:
    """One drawing of several.

    Parameters
    ----------
    drawings : sequence of Drawing
        With one pair of axes each.
    heights : sequence of int
        How high each is, with its title and the labels of its axis, in pixels.
    frame : polars.DataFrame
        The numbers of them all.
    title : str
        What they are together, for those who do not see it.

    Returns
    -------
    Drawing
    """
    height = max(1, sum(heights))
    layout = base_layout(title="", height=height)
    layout["margin"] = {"l": _LEFT, "r": _RIGHT, "t": 0, "b": 0}
    layout["annotations"] = []
    layout["meta"] = {"title": title}
    layout["bargap"] = 0.15
    traces: list[dict[str, Any]] = []
    top = 0
    for number, (drawing, own) in enumerate(zip(drawings, heights, strict=True), start=1):
        name = "" if number == 1 else str(number)
        ends = [1 - (top + own - _BOTTOM) / height, 1 - (top + _TOP) / height]
        x = {**drawing.layout["xaxis"], "anchor": f"y{name}", "automargin": False, "title": {"text": ""}}
        y = {
            **drawing.layout["yaxis"],
            "anchor": f"x{name}",
            "automargin": False,
            "title": {"text": ""},
            "domain": ends,
        }
        layout[f"xaxis{name}"], layout[f"yaxis{name}"] = {**x, "nticks": 5, "tickangle": 0}, {**y, "nticks": 5}
        traces += [{**trace, "xaxis": f"x{name}", "yaxis": f"y{name}"} for trace in drawing.traces]
        if y["type"] == "category":
            labels = list(dict.fromkeys(label for trace in drawing.traces for label in trace["y"]))
            short = [cut_to_width(label, _ROOM_FOR_LABELS, 13) for label in labels]
            layout[f"yaxis{name}"] |= {"tickmode": "array", "tickvals": labels, "ticktext": short}
        layout["annotations"].append(
            {
                "text": _escaped(drawing.title),
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "y": 1 - (top + 2) / height,
                "yref": "paper",
                "yanchor": "top",
                "showarrow": False,
                "font": {"size": 14},
            }
        )
        top += own
    kinds = ", ".join(drawing.kind for drawing in drawings)
    return Drawing(frame, tuple(traces), layout, f"panels: {kinds}")


def _escaped(text: str) -> str:
    """Text that Plotly does not take for markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
