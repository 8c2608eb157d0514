"""Drawings: what a chart shows, as plain data, made from a frame. Nothing here imports Plotly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.notebook.theme import FAINT, NEUTRAL, SEQUENCE, base_layout, colour, faded

END = "(end)"
_OUTLINE = {"color": NEUTRAL, "width": 1}  # light colours are hard to see on white without it


@dataclass(frozen=True, eq=False)
class Drawing:
    """A picture of a frame.

    Attributes
    ----------
    frame : polars.DataFrame
        The numbers shown.
    traces : tuple of dict
        Plotly's traces, each with its `type`.
    layout : dict
        Plotly's layout.
    kind : str
        The function that made it: drawings of one kind set the same properties.
    """

    frame: pl.DataFrame
    traces: tuple[dict[str, Any], ...]
    layout: dict[str, Any]
    kind: str

    @property
    def title(self) -> str:
        """What stands above the picture."""
        return str(self.layout["title"]["text"])


def values_of(series: pl.Series) -> list[Any] | NDArray[Any]:
    """A column as Plotly takes it: numbers as arrays, which travel as bytes, times without their zone, else text."""
    if series.dtype.is_numeric():
        # JSON, in which changes travel, has no word for NaN.
        missing = series.null_count() or (series.dtype.is_float() and not series.is_finite().all())
        return [_number(value) for value in series.to_list()] if missing else series.to_numpy()
    if isinstance(series.dtype, pl.Datetime):
        return series.dt.replace_time_zone(None).to_numpy()
    if isinstance(series.dtype, pl.Date):
        return series.to_numpy()
    return series.cast(pl.String).fill_null("(none)").to_list()


def _axis_type(dtype: pl.DataType) -> str:
    return "linear" if dtype.is_numeric() else "date" if dtype.is_temporal() else "category"


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def bars(
    frame: pl.DataFrame,
    *,
    x: str | pl.Expr,
    y: str,
    title: str,
    group: str | None = None,
    text: pl.Expr | None = None,
    x_title: str = "",
    y_title: str = "",
    percent: bool = False,
    stacked: bool = False,
    lying: bool = False,
) -> Drawing:
    """A bar for each row, side by side for each group.

    Parameters
    ----------
    frame : polars.DataFrame
        The numbers.
    x : str or polars.Expr
        What the bars are: a column, or labels made of some.
    y : str
        The column that says how high they are.
    title, x_title, y_title : str
        What stands above the chart and beside its axes; the axes are named by their columns if not given.
    group : str, optional
        A column: one colour for each of its values, in the order they come.
    text : polars.Expr, optional
        Texts to write above the bars.
    percent : bool, default False
        Whether heights are shares, shown in per cent.
    stacked : bool, default False
        Whether groups stand on top of each other rather than side by side.
    lying : bool, default False
        Whether bars lie on their side, the first on top: for long names.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> import polars as pl
    >>> users = pl.DataFrame({"device": ["mobile", "desktop"], "users": [6, 3]})
    >>> bars(users, x="device", y="users", title="Users by device").title
    'Users by device'
    """
    label = pl.col(x) if isinstance(x, str) else x
    layout = base_layout(title=title, x_title=x_title or (x if isinstance(x, str) else ""), y_title=y_title or y)
    layout["barmode"] = "stack" if stacked else "group"
    layout["yaxis"] |= {"rangemode": "tozero"} | ({"tickformat": ".0%"} if percent else {})
    layout["xaxis"]["type"] = _axis_type(frame.select(label).dtypes[0])
    traces = []
    for number, (name, part) in enumerate(_groups(frame, group)):
        traces.append(
            {
                "type": "bar",
                "name": name,
                "x": values_of(part.select(label).to_series()),
                "y": values_of(part[y]),
                "text": None if text is None else values_of(part.select(text).to_series()),
                "textposition": "none" if text is None else "outside",
                "cliponaxis": False,
                "marker": {"color": colour(number), "line": _OUTLINE},
                "hovertemplate": f"%{{x}}<br>%{{y{':.1%' if percent else ':,'}}}<extra>{name}</extra>",
            }
        )
    layout["showlegend"] = group is not None
    if lying:
        return Drawing(frame, tuple(map(_lying, traces)), _lying_layout(layout), "lying bars")
    return Drawing(frame, tuple(traces), layout, "bars")


def _lying(trace: dict[str, Any]) -> dict[str, Any]:
    hover = trace["hovertemplate"].replace("%{x}", "%{_}").replace("%{y", "%{x").replace("%{_}", "%{y}")
    return {**trace, "x": trace["y"], "y": trace["x"], "orientation": "h", "hovertemplate": hover}


def _lying_layout(layout: dict[str, Any]) -> dict[str, Any]:
    return {**layout, "xaxis": layout["yaxis"], "yaxis": {**layout["xaxis"], "autorange": "reversed"}}


def histogram(
    frame: pl.DataFrame,
    *,
    low: str,
    high: str,
    y: str,
    title: str,
    group: str | None = None,
    x_title: str = "",
    y_title: str = "",
    logarithmic: bool = False,
    percent: bool = False,
) -> Drawing:
    """A bar for each bin, as wide as the bin.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a bin.
    low, high, y : str
        Columns: the bin's bounds, and how high its bar is.
    title, x_title, y_title : str
        As for `bars`.
    group : str, optional
        A column: one colour for each of its values, see-through where they overlap.
    logarithmic : bool, default False
        Whether the horizontal axis is logarithmic.
    percent : bool, default False
        Whether heights are shares.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> import polars as pl
    >>> bins = pl.DataFrame({"low": [0.0, 1.0], "high": [1.0, 2.0], "users": [3, 4]})
    >>> histogram(bins, low="low", high="high", y="users", title="Orders").traces[0]["width"].tolist()
    [1.0, 1.0]
    """
    layout = base_layout(title=title, x_title=x_title or low, y_title=y_title or y)
    layout |= {"barmode": "overlay", "bargap": 0, "showlegend": group is not None}
    layout["yaxis"] |= {"rangemode": "tozero"} | ({"tickformat": ".0%"} if percent else {})
    layout["xaxis"]["type"] = "log" if logarithmic else "linear"
    traces = []
    for number, (name, part) in enumerate(_groups(frame, group)):
        start, end = part[low].cast(pl.Float64).to_numpy(), part[high].cast(pl.Float64).to_numpy()
        traces.append(
            {
                "type": "bar",
                "name": name,
                "x": start,
                "y": values_of(part[y]),
                "width": end - start,
                "offset": 0,
                "customdata": end,
                "marker": {"color": faded(number, 0.6 if group else 1), "line": _OUTLINE},
                "hovertemplate": f"%{{x:,.3~g}} to %{{customdata:,.3~g}}<br>%{{y{':.1%' if percent else ':,'}}}"
                f"<extra>{name}</extra>",
            }
        )
    return Drawing(frame, tuple(traces), layout, "histogram")


def lines(
    frame: pl.DataFrame, *, x: str, y: str, title: str, group: str | None = None, x_title: str = "", y_title: str = ""
) -> Drawing:
    """A line through the rows, one for each group.

    Parameters
    ----------
    frame : polars.DataFrame
        The numbers, in the order of `x`.
    x, y : str
        Columns.
    title, x_title, y_title : str
        As for `bars`.
    group : str, optional
        A column: a line for each of its values.

    Returns
    -------
    Drawing
    """
    layout = base_layout(title=title, x_title=x_title or x, y_title=y_title or y)
    layout["yaxis"]["rangemode"] = "tozero"
    layout["xaxis"]["type"] = _axis_type(frame.schema[x])
    layout |= {"showlegend": group is not None, "hovermode": "x unified"}
    dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")  # not by colour alone
    traces = tuple(
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": values_of(part[x]),
            "y": values_of(part[y]),
            "line": {"color": colour(number), "width": 2, "dash": dashes[number % len(dashes)]},
        }
        for number, (name, part) in enumerate(_groups(frame, group))
    )
    return Drawing(frame, traces, layout, "lines")


def heatmap(
    frame: pl.DataFrame, *, x: str, y: str, value: str, title: str, x_title: str = "", y_title: str = ""
) -> Drawing:
    """A coloured cell for each row.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a cell, in the order in which columns and rows shall come; missing cells stay empty.
    x, y, value : str
        Columns: where the cell is, and its number.
    title, x_title, y_title : str
        As for `bars`.

    Returns
    -------
    Drawing
    """
    layout = base_layout(title=title, x_title=x_title or x, y_title=y_title or y)
    layout["xaxis"] |= {"type": "category", "showgrid": False}
    layout["yaxis"] |= {"type": "category", "showgrid": False, "autorange": "reversed"}
    columns, rows = frame[x].unique(maintain_order=True), frame[y].unique(maintain_order=True)
    cells = np.full((len(rows), len(columns)), np.nan)
    if frame.height:
        at_x = frame[x].replace_strict(columns, range(len(columns)), return_dtype=pl.Int64).to_numpy()
        at_y = frame[y].replace_strict(rows, range(len(rows)), return_dtype=pl.Int64).to_numpy()
        cells[at_y, at_x] = frame[value].cast(pl.Float64).to_numpy()
    trace = {
        "type": "heatmap",
        "x": columns.cast(pl.String).to_list(),
        "y": rows.cast(pl.String).to_list(),
        "z": [[_number(cell) for cell in row] for row in cells.tolist()],
        "colorscale": SEQUENCE,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"title": {"text": value}},
        "hovertemplate": f"%{{y}}, %{{x}}<br>%{{z:,}} {value}<extra></extra>",
    }
    return Drawing(frame, (trace,), layout, "heatmap")


def sankey(frame: pl.DataFrame, *, stage: str, source: str, target: str, value: str, title: str) -> Drawing:
    """Flows from the left to the right, a band for each row.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a band.
    stage, source, target, value : str
        Columns: how far to the right a band starts (whole numbers; one name at two stages is two nodes), what it
        joins, and how wide it is.
    title : str
        What stands above the chart.

    Returns
    -------
    Drawing
        A target that is null is drawn as "(end)".
    """
    starts = frame.select(pl.col(stage).alias("stage"), pl.col(source).cast(pl.String).alias("name"))
    ends = frame.select((pl.col(stage) + 1).alias("stage"), pl.col(target).cast(pl.String).fill_null(END).alias("name"))
    nodes = pl.concat([starts, ends]).unique(maintain_order=True).with_row_index("node")
    number = {(row["stage"], row["name"]): row["node"] for row in nodes.iter_rows(named=True)}
    names = {name: place for place, name in enumerate(nodes["name"].unique(maintain_order=True))}
    bands = [
        (at, str(start), END if end is None else str(end))
        for at, start, end in frame.select(stage, source, target).rows()
    ]
    layout = base_layout(title=title, height=480)
    layout["xaxis"]["visible"] = layout["yaxis"]["visible"] = False
    trace = {
        "type": "sankey",
        "node": {
            "label": nodes["name"].to_list(),
            "color": [NEUTRAL if name == END else colour(names[name]) for name in nodes["name"]],
            "pad": 14,
            "align": "left",
            "line": _OUTLINE,
        },
        "link": {
            "source": [number[at, start] for at, start, _ in bands],
            "target": [number[at + 1, end] for at, _, end in bands],
            "value": values_of(frame[value]),
            "color": [faded(names[start]) for _, start, _ in bands],
        },
    }
    return Drawing(frame, (trace,), layout, "sankey")


def timeline(
    frame: pl.DataFrame, *, time: str, lane: str, title: str, group: str | None = None, hover: Sequence[str] = ()
) -> Drawing:
    """A mark for each row, at its time, in its lane.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a mark.
    time, lane : str
        Columns: when, and in which lane.
    title : str
        What stands above the chart.
    group : str, optional
        A column: one colour and one symbol for each of its values.
    hover : sequence of str, default ()
        Columns shown under the pointer.

    Returns
    -------
    Drawing
    """
    layout = base_layout(title=title, x_title=time, y_title=lane)
    layout["yaxis"] |= {"type": "category", "autorange": "reversed"}
    layout["xaxis"]["type"] = "date"
    layout["showlegend"] = group is not None
    symbols = ("circle", "square", "diamond", "triangle-up", "x", "cross")
    traces = []
    for number, (name, part) in enumerate(_groups(frame, group)):
        notes = [
            "<br>".join(f"{column}: {escape(str(value))}" for column, value in row.items() if value is not None)
            for row in part.select(hover).iter_rows(named=True)
        ]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+lines",
                "name": name,
                "x": values_of(part[time]),
                "y": values_of(part[lane]),
                "text": notes or [""] * part.height,
                "line": {"color": FAINT, "width": 1},
                "marker": {"color": colour(number), "size": 11, "symbol": symbols[number % 6], "line": _OUTLINE},
                "hovertemplate": f"%{{y}}<br>%{{x}}<br>%{{text}}<extra>{name}</extra>",
            }
        )
    return Drawing(frame, tuple(traces), layout, "timeline")


def _groups(frame: pl.DataFrame, group: str | None) -> list[tuple[str, pl.DataFrame]]:
    """The parts of a frame, in the order their names come; at least one, so that an empty chart has its axes."""
    if group is None or not frame.height:
        return [("", frame)]
    return [
        ("(none)" if name is None else str(name), part)
        for (name,), part in frame.partition_by(group, maintain_order=True, as_dict=True).items()
    ]
