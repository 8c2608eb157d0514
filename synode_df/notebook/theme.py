"""How charts look: colours that colour-blind readers can tell apart, on light and on dark pages."""

from __future__ import annotations

from typing import Any, Final

PALETTE: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's colours, those that stand out most on white and on black first."""

SEQUENCE: Final = "Cividis"
"""Plotly's colour scale from few to many: readable with every kind of colour vision."""

NEUTRAL: Final = "#767676"
"""A grey with a contrast above 4 on white as well as on JupyterLab's dark background."""

FAINT: Final = "rgba(128,128,128,0.25)"
"""Grid lines."""

_TEXTS: Final = (
    "xtick",
    "ytick",
    "xtitle",
    "ytitle",
    "gtitle",
    "legendtext",
    "bartext",
    "node-label",
    "annotation-text",
)
_INK: Final = "var(--jp-content-font-color1, var(--vscode-editor-foreground, {fallback}))"


def colour(number: int) -> str:
    """The colour of the nth group; they come again after the last.

    Examples
    --------
    >>> colour(0), colour(6) == colour(0)
    ('#0072B2', True)
    """
    return PALETTE[number % len(PALETTE)]


def faded(number: int, opacity: float = 0.4) -> str:
    """The nth colour, see-through.

    Examples
    --------
    >>> faded(0)
    'rgba(0,114,178,0.4)'
    """
    red, green, blue = (int(colour(number)[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def page_style(fallback: str = NEUTRAL) -> str:
    """CSS that gives a chart's texts the colour of the page around it: JupyterLab, Notebook 7 and VS Code name it.

    Parameters
    ----------
    fallback : str, default NEUTRAL
        The colour on other pages.

    Returns
    -------
    str
        A `<style>` element.
    """
    selectors = ",".join(f".js-plotly-plot .{name}, .js-plotly-plot .{name} text" for name in _TEXTS)
    selectors += ",.js-plotly-plot [class$=tick] text,.js-plotly-plot [class$=cbtitle]"  # x2tick, hcbtitle
    ink = _INK.format(fallback=fallback)
    return (
        f"<style>{selectors}{{fill:{ink} !important}}.js-plotly-plot .node-label{{text-shadow:none !important}}</style>"
    )


def base_layout(*, title: str, x_title: str = "", y_title: str = "", height: int = 420) -> dict[str, Any]:
    """The layout that every chart starts from: see-through, so that it is at home on any page.

    Parameters
    ----------
    title, x_title, y_title : str
        What stands above the chart and beside its axes.
    height : int, default 420
        Height in pixels; the width is that of the page.

    Returns
    -------
    dict
        A Plotly layout. It names every property that any chart sets, so that one chart can follow another in the
        same figure and leave nothing behind.
    """
    axis: dict[str, Any] = {
        "type": "linear",  # never left to Plotly, which would keep the type of the chart before
        "visible": True,
        "autorange": True,
        "showgrid": True,
        "gridcolor": FAINT,
        "zerolinecolor": FAINT,
        "linecolor": NEUTRAL,
        "tickformat": "",
        "ticksuffix": "",
        "automargin": True,
        "categoryorder": "trace",
        "rangemode": "normal",
    }
    return {
        "title": {"text": title, "font": {"size": 16}, "x": 0, "xanchor": "left", "xref": "paper"},
        "height": height,
        "autosize": True,
        "margin": {"l": 60, "r": 20, "t": 50, "b": 50},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": NEUTRAL},
        "colorway": list(PALETTE),
        "xaxis": axis | {"title": {"text": x_title}},
        "yaxis": axis | {"title": {"text": y_title}},
        "barmode": "group",
        "bargap": 0.2,
        "showlegend": False,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        "hovermode": "closest",
    }
