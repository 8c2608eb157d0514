"""Distributions where no widgets run: for each attribute a small table with bars."""

from __future__ import annotations

from typing import Final

import polars as pl

from synode_df.notebook.static import table_html

_MOST_ROWS: Final = 12


def distribution_tables(frame: pl.DataFrame) -> str:
    """What `persona_distribution` gives, as one small table for each attribute, side by side.

    Parameters
    ----------
    frame : polars.DataFrame
        From `persona_distribution` or `attribute_distribution`; neighbouring bins of numbers are taken together where
        there are more than twelve.

    Returns
    -------
    str
        HTML without scripts; names and values are escaped.

    Examples
    --------
    >>> import polars as pl
    >>> from synode_df.analysis import attribute_distribution
    >>> distribution_tables(attribute_distribution(pl.DataFrame({"a": ["<b>", "c"]}))).count("&lt;b&gt;")
    1
    """
    parts = []
    for (name,), rows in frame.partition_by("attribute", maintain_order=True, as_dict=True).items():
        bins = rows.drop_nulls("low")
        per_row = -(-bins.height // _MOST_ROWS) or 1
        coarse = bins.group_by(pl.int_range(pl.len()) // per_row, maintain_order=True).agg(
            pl.format("{} to {}", _shown(pl.col("low").min()), _shown(pl.col("high").max())).alias("value"),
            pl.col("share").sum(),
        )
        others = rows.filter(pl.col("low").is_null()).select(pl.col("value").fill_null("(none)"), "share")
        table = pl.concat([coarse.select("value", "share"), others])
        parts.append(f"<div>{table_html(table, caption=str(name), bar='share')}</div>")
    style = "display:flex;flex-wrap:wrap;gap:1em 2em;align-items:flex-start;line-height:1.4"
    return f'<div style="{style}">{"".join(parts)}</div>'


def framed(table: str) -> str:
    """A table in a widget: lines as close as in other tables, and a scroll bar of its own where it is too wide."""
    return f'<div style="line-height:1.4;overflow-x:auto">{table}</div>'


def _shown(value: pl.Expr) -> pl.Expr:
    return value.round_sig_figs(4).cast(pl.String)
