"""Charts in a notebook: a Plotly figure that is redrawn in place."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import Any, Final

import ipywidgets as widgets
import numpy as np
import polars as pl

from synode_df.errors import SynodeError
from synode_df.extras import import_extra
from synode_df.notebook.drawings import Drawing
from synode_df.notebook.saving import save_drawing
from synode_df.notebook.static import table_html
from synode_df.notebook.theme import page_style

_WITHOUT_AXES: Final = ("sankey",)


class StaticTwin(widgets.VBox):
    """A widget that static pages show as a table and terminals as text, rather than as nothing."""

    def static_html(self) -> str:
        """What stands in its place where no widgets run: what it says of itself, if it has nothing better."""
        return f"<pre>{escape(repr(self))}</pre>"

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**options) or {}
        return {**bundle, "text/plain": repr(self), "text/html": self.static_html()}


class Chart(StaticTwin):
    """A chart: shows a drawing, and then the next one in the same place, without flicker.

    Parameters
    ----------
    drawing : Drawing, optional
        What to show first. Plotly is imported with the first drawing, which takes a second.

    Attributes
    ----------
    drawing : Drawing or None
        What is shown.
    figure : plotly.graph_objects.FigureWidget or None
        The figure, from the first drawing on; a new one where a chart with axes follows one without, such as a
        sankey, or the other way round. Each sends Plotly's own 5 MB to the browser: make few and redraw them.

    Raises
    ------
    SynodeError
        `MISSING_LIBRARY` without Plotly or anywidget.

    Examples
    --------
    >>> import polars as pl
    >>> from synode_df.notebook.drawings import bars
    >>> users = pl.DataFrame({"device": ["mobile", "desktop"], "users": [6, 3]})
    >>> chart = Chart(bars(users, x="device", y="users", title="Users"))
    >>> chart.draw(bars(users.head(1), x="device", y="users", title="Users"))
    >>> list(chart.figure.data[0].x)
    ['mobile']
    """

    def __init__(self, drawing: Drawing | None = None) -> None:
        self._style = widgets.HTML(page_style())
        super().__init__([self._style])
        self.drawing: Drawing | None = None
        self.figure: Any = None
        if drawing is not None:
            self.draw(drawing)

    @property
    def frame(self) -> pl.DataFrame | None:
        """The numbers shown."""
        return None if self.drawing is None else self.drawing.frame

    def draw(self, drawing: Drawing) -> None:
        """Show another drawing in place of the present one."""
        before = self.drawing
        if before is None or (before.kind in _WITHOUT_AXES) != (drawing.kind in _WITHOUT_AXES):
            # Axes that a chart without axes has hidden do not come back in a browser, nor does a figure taken away.
            previous, self.figure = self.figure, _new_figure(drawing)
            self.children = (self._style, self.figure)
            if previous is not None:
                previous.close()
        else:
            _redraw(self.figure, drawing, before=before)
        self.drawing = drawing

    def save(self, path: str | os.PathLike[str], *, width: int = 900, height: int | None = None) -> Path:
        """Save what is shown: see `save_drawing` for formats and errors."""
        return save_drawing(_shown(self.drawing), path, width=width, height=height)

    def static_html(self) -> str:
        """The numbers shown, as a table."""
        return "" if self.drawing is None else table_html(self.drawing.frame, caption=self.drawing.title)

    def __repr__(self) -> str:
        return "Chart()" if self.drawing is None else f"Chart: {self.drawing.title}\n{self.drawing.frame}"


def _shown(drawing: Drawing | None) -> Drawing:
    if drawing is None:
        raise SynodeError(
            "INVALID_OPTION",
            "An empty chart cannot be saved",
            path="Chart.save",
            expected="a chart that shows something",
            received="a chart without a drawing",
            suggestion="call chart.draw(...) first",
        )
    return drawing


def _new_figure(drawing: Drawing) -> Any:
    import_extra("anywidget", extra="notebook", path="charts")
    plotly = import_extra("plotly.graph_objects", extra="notebook", path="charts")
    figure = plotly.FigureWidget(data=list(drawing.traces), layout=drawing.layout)
    figure._config = {"displaylogo": False, "responsive": True}
    return figure


def _redraw(figure: Any, drawing: Drawing, *, before: Drawing) -> None:
    """Update what differs from the drawing before, or put new traces in place of those that set other properties."""
    news = _news(before.layout, drawing.layout)
    if before.kind != drawing.kind or len(before.traces) != len(drawing.traces):
        figure.data = ()  # first, for a browser cannot draw the old traces on axes made for the new
        figure.layout.update(news)
        figure.add_traces(list(drawing.traces))
        return
    with figure.batch_update():
        for trace, old, new in zip(figure.data, before.traces, drawing.traces, strict=True):
            trace.update(_news(old, new))
        figure.layout.update(news)


def _news(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What a dict says that another did not: Plotly takes a millisecond for each property, changed or not."""
    return {name: value for name, value in new.items() if name not in old or not _same(old[name], value)}


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, np.ndarray) or isinstance(new, np.ndarray):
        return type(old) is type(new) and bool(np.array_equal(old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(value, new[name]) for name, value in old.items())
    return bool(old == new)
