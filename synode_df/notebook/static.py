"""Frames as plain HTML: what static pages, screen readers and saved notebooks show in place of a chart."""

from __future__ import annotations

from html import escape
from typing import Final

import polars as pl

_MOST_ROWS: Final = 50
_BAR: Final = "background:linear-gradient(to right,rgba(0,114,178,.35) {share:.1f}%,transparent {share:.1f}%)"


def table_html(frame: pl.DataFrame, *, caption: str, bar: str | None = None, rows: int = _MOST_ROWS) -> str:
    """A frame as a table without scripts.

    Parameters
    ----------
    frame : polars.DataFrame
        What to show.
    caption : str
        What it is.
    bar : str, optional
        A column of numbers that are shown as bars too, the largest as wide as its cell.
    rows : int, default 50
        How many rows to show; how many there are stands below.

    Returns
    -------
    str
        A `<table>`; texts are escaped.

    Examples
    --------
    >>> import polars as pl
    >>> table_html(pl.DataFrame({"step": ["<land>"]}), caption="Funnel").count("&lt;land&gt;")
    1
    """
    shown = frame.head(rows)
    largest = _largest(shown, bar)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in frame.columns)
    body = "".join(
        "<tr>" + "".join(_cell(value, largest if name == bar else None) for name, value in row.items()) + "</tr>"
        for row in shown.iter_rows(named=True)
    )
    left = frame.height - shown.height
    more = f"<p>and {left:,} rows more</p>" if left > 0 else ""
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
    )


def _largest(frame: pl.DataFrame, bar: str | None) -> float | None:
    if bar is None or not frame.height:
        return None
    return float(frame[bar].cast(pl.Float64).max() or 0) or None  # type: ignore[arg-type]  # a number, cast above


def _cell(value: object, largest: float | None) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td>{escape(str(value))}</td>"
    style = "text-align:right"
    if largest is not None:
        style += ";min-width:10em;" + _BAR.format(share=min(100.0, max(0.0, 100 * value / largest)))
    return f'<td style="{style}">{value:,}</td>' if isinstance(value, int) else f'<td style="{style}">{value:,.4g}</td>'
