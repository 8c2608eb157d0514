"""Declarations as HTML tables for notebook cells: static, escaped, no scripts, readable in any theme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import polars as pl

from synode_df.durations import TimeSpan, format_duration
from synode_df.errors import shown
from synode_df.model.source import value_source

STEP_HEADS: Final = ("step", "after", "bounces", "what happens")
_MOST_ROWS: Final = 200
_LONGEST: Final = 240
_LEFT: Final = ' style="text-align:left"'


def table_html(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A titled table.

    Parameters
    ----------
    title : str
        What it shows; escaped.
    heads : sequence of str
        Names of columns.
    rows : iterable of sequence of str
        Cells, HTML each: made by `text_cell`, `code_cell` or `step_cell`.
    """
    listed = list(rows)
    more = f"<p>and {len(listed) - _MOST_ROWS:,} more</p>" if len(listed) > _MOST_ROWS else ""
    head = "".join(f"<th{_LEFT}>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in listed[:_MOST_ROWS])
    return (
        f"<div><p><b>{escape(title)}</b></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}</div>"
    )


def text_cell(text: str) -> str:
    """A cell of plain text."""
    return f"<td{_LEFT}>{escape(text)}</td>"


def code_cell(value: object) -> str:
    """A cell with a field value as the Python that makes it."""
    text = value_source(value)
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"<td{_LEFT}><code>{escape(cut)}</code></td>"


def step_row(
    text: str, *, depth: int, time_span: TimeSpan | None, bounce_chance: float | pl.Expr, what: str
) -> list[str]:
    """The cells of a step: its name indented by how deep it lies, how long, how likely to leave, what happens."""
    if isinstance(bounce_chance, pl.Expr):
        bounces = code_cell(bounce_chance)
    else:
        bounces = text_cell(f"{bounce_chance:.4g}" if bounce_chance else "")
    return [
        f'<td style="text-align:left;padding-left:{0.5 + 1.5 * depth:.1f}em">{escape(text)}</td>',
        text_cell("" if time_span is None else span_words(time_span)),
        bounces,
        text_cell(what),
    ]


def span_words(span: TimeSpan) -> str:
    """A time span in words."""
    low, high = format_duration(span.min), format_duration(span.max)
    words = low if low == high else f"{low} to {high}"
    return words if span.distribution == "uniform" else f"{words}, {span.distribution}"


def named(id: str, name: str | None) -> str:
    """An id with the name for people, where there is one."""
    return id if name is None else f"{id} ({shown(name, 80)[1:-1]})"
