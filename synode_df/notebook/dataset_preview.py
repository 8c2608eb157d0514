"""The preview of a dataset: its columns, how they come out, some rows."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, Final

import ipywidgets as widgets
import polars as pl

from synode_df.analysis.persona_distribution import attribute_distribution
from synode_df.errors import SynodeError
from synode_df.model.dataset import Dataset
from synode_df.model.source import value_source
from synode_df.notebook.charts import Chart, StaticTwin
from synode_df.notebook.page_helper import PageHelper
from synode_df.notebook.panels import stacked_drawings
from synode_df.notebook.people import rows_of
from synode_df.notebook.persona_preview import attribute_drawing
from synode_df.notebook.static import table_html
from synode_df.notebook.static_distributions import distribution_tables, framed
from synode_df.notebook.toolbar import refusal_html, seed_box

_SHOWN_ROWS: Final = 10
_HEIGHT: Final = 200
_LEAST_HEIGHT: Final = 120
_BAR: Final = 18
_MOST_VALUES, _FEW_VALUES = 20, 5


class DatasetPreview(StaticTwin):
    """A panel for a dataset.

    Attributes
    ----------
    rows : polars.DataFrame
        The dataset's rows, those of a run with the same seed.
    columns : polars.DataFrame
        One row a column: `column`, `dtype`, `declared_as`, `distinct`, `nulls`.
    frame : polars.DataFrame
        What the charts draw: see `attribute_distribution`.
    """

    def __init__(self, dataset: Dataset, *, datasets: Iterable[Dataset], seed: int) -> None:
        self.dataset = dataset
        self._others = [each for each in datasets if each.id != dataset.id]
        self._seed = seed_box(seed)
        self._status = widgets.HTML()
        self._columns = widgets.HTML()
        self._sample = widgets.HTML()
        self._charts = Chart()
        self._draw(seed)
        self._seed.observe(self._seeded, "value")
        super().__init__(
            [
                PageHelper(),
                widgets.HTML(f"<h3>Dataset {escape(dataset.id)}, {dataset.rows:,} rows</h3>"),
                *([self._seed] if dataset.frame is None else []),
                self._status,
                self._columns,
                self._charts,
                self._sample,
            ]
        )

    def static_html(self) -> str:
        """Columns, distributions and some rows, as tables."""
        return f"{self._columns.value}{distribution_tables(self.frame)}{self._sample.value}"

    def __repr__(self) -> str:
        return f"{self.dataset}\n{self.rows.head(_SHOWN_ROWS)}"

    def _seeded(self, change: Any) -> None:
        try:
            self._draw(change["new"])
        except SynodeError as error:
            self._status.value = refusal_html(error)
        else:
            self._status.value = ""

    def _draw(self, seed: int) -> None:
        self.rows = rows_of(self.dataset, self._others, seed)
        self.columns = _described(self.dataset, self.rows)
        spread = [
            attribute_distribution(self.rows.select(column.name), top=_most_values(column))
            for column in self.rows.iter_columns()
        ]
        self.frame = pl.concat(spread)
        self._columns.value = framed(table_html(self.columns, caption="Columns", rows=self.columns.height))
        sample = table_html(self.rows.head(_SHOWN_ROWS), caption=f"The first of {self.rows.height:,} rows")
        self._sample.value = framed(sample)
        drawings = [
            attribute_drawing(name, self.frame.filter(pl.col("attribute") == name)) for name in self.rows.columns
        ]
        heights = [
            _HEIGHT if drawing.kind == "histogram" else max(_LEAST_HEIGHT, 60 + _BAR * drawing.frame.height)
            for drawing in drawings
        ]
        self._charts.draw(stacked_drawings(drawings, heights, frame=self.frame, title="Columns"))


def _most_values(column: pl.Series) -> int:
    """How many bars a column gets: few where nearly every row has a value of its own."""
    return _FEW_VALUES if column.n_unique() > max(_MOST_VALUES, column.len() // 2) else _MOST_VALUES


def _described(dataset: Dataset, rows: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "column": rows.columns,
            "dtype": [str(dtype) for dtype in rows.dtypes],
            "declared_as": [value_source(dataset.fields[n]) if n in dataset.fields else None for n in rows.columns],
            "distinct": [column.n_unique() for column in rows.iter_columns()],
            "nulls": [column.null_count() for column in rows.iter_columns()],
        },
        schema={
            "column": pl.String,
            "dtype": pl.String,
            "declared_as": pl.String,
            "distinct": pl.UInt32,
            "nulls": pl.UInt32,
        },
    )
