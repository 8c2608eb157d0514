"""Drawings as files: HTML that needs no network, PNG, SVG, PDF."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import Any, Final

from synode_df.errors import SynodeError, told
from synode_df.extras import import_extra
from synode_df.notebook.drawings import Drawing
from synode_df.notebook.static import table_html
from synode_df.notebook.theme import page_style

IMAGES: Final = (".png", ".svg", ".pdf")
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --jp-content-font-color1: #222 }}
body {{ font-family: system-ui, sans-serif; margin: 1rem; background: #fff; color: #222 }}
table {{ border-collapse: collapse }}
caption {{ text-align: left; font-weight: bold }}
td, th {{ padding: .1rem .6rem }}
@media (prefers-color-scheme: dark) {{
  :root {{ --jp-content-font-color1: #ddd }}
  body {{ background: #111; color: #ddd }}
}}
</style>
{style}
</head>
<body>
<main aria-label="{title}">{chart}</main>
<details><summary>The numbers</summary>{table}</details>
</body>
</html>
"""


def save_drawing(
    drawing: Drawing, path: str | os.PathLike[str], *, width: int = 900, height: int | None = None
) -> Path:
    """Write a drawing to a file whose ending says the format.

    Parameters
    ----------
    drawing : Drawing
        What to save.
    path : str or path
        `.html`: an interactive page with everything it needs inside (5 MB), light or dark as the reader prefers, the
        numbers below the chart. `.png`, `.svg` or `.pdf`: a picture on white; it takes kaleido and a Chrome or
        Chromium that is installed.
    width, height : int, optional
        Size of a picture in pixels; the height is the drawing's own if not given.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    SynodeError
        `INVALID_OPTION` for another ending, `MISSING_LIBRARY` without Plotly, kaleido or a browser,
        `OUTPUT_ERROR` where the file cannot be written.
    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind not in {".html", *IMAGES}:
        raise SynodeError(
            "INVALID_OPTION",
            "A chart cannot be saved in this format",
            path=str(target),
            expected="a name that ends in .html, .png, .svg or .pdf",
            received=repr(target.suffix),
            suggestion=f'use "{target.stem or "chart"}.html"',
        )
    content = _page(drawing) if kind == ".html" else _image(drawing, kind[1:], width, height)
    try:
        target.write_bytes(content)
    except OSError as error:
        raise SynodeError(
            "OUTPUT_ERROR",
            "The chart cannot be written",
            path=str(target),
            expected="a folder that exists and a file that can be written",
            received=told(error),
            suggestion="make the folder first, or choose another place",
        ) from error
    return target


def _figure(drawing: Drawing, **layout: Any) -> Any:
    plotly = import_extra("plotly.graph_objects", extra="notebook", path="charts")
    return plotly.Figure(data=list(drawing.traces), layout=drawing.layout | layout)


def _page(drawing: Drawing) -> bytes:
    chart = _figure(drawing).to_html(full_html=False, include_plotlyjs=True, config={"displaylogo": False})
    return _PAGE.format(
        title=escape(drawing.title, quote=True),
        style=page_style(),
        chart=chart,
        table=table_html(drawing.frame, caption=drawing.title, rows=1_000),
    ).encode()


def _image(drawing: Drawing, kind: str, width: int, height: int | None) -> bytes:
    import_extra("kaleido", extra="notebook", path="pictures of charts")
    ink = {"family": "sans-serif", "size": 13, "color": "#222222"}
    figure = _figure(drawing, font=ink, paper_bgcolor="#ffffff", plot_bgcolor="#ffffff")
    try:
        return bytes(figure.to_image(format=kind, width=width, height=height or drawing.layout["height"]))
    except Exception as error:
        raise SynodeError(
            "MISSING_LIBRARY",
            "The browser that draws pictures cannot be started",
            path=f"save as .{kind}",
            expected="Chrome or Chromium, which kaleido drives",
            received=told(error),
            suggestion='install Chromium (on Debian: apt install chromium), or save as ".html"',
        ) from error
