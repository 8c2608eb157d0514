"""Distributions as tables, for where no widgets run."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from synode_df.analysis import attribute_distribution
from synode_df.notebook.static_distributions import distribution_tables


def test_each_attribute_has_a_table_of_a_few_rows_whose_shares_sum_to_one() -> None:
    people = pl.DataFrame(
        {
            "age": np.linspace(18, 90, 500),
            "device": ["mobile", "desktop"] * 250,
            "gap": [None, *range(499)],
            "<b>": [f"<i>{n}" for n in range(500)],
        }
    )
    html = distribution_tables(attribute_distribution(people))
    tables = re.findall(r"<table>.*?</table>", html)
    assert len(tables) == 4
    for table in tables:
        shares = [float(share) for share in re.findall(r'">([\d.]+)</td></tr>', table)]
        assert 2 <= len(shares) <= 21
        assert abs(sum(shares) - 1) < 0.01
    assert "18.0 to 25.2" in tables[0]
    assert "(none)" in tables[2]
    assert "<b>" not in html
    assert "<i>" not in html


def test_no_users_and_no_attributes() -> None:
    assert "<table>" not in distribution_tables(attribute_distribution(pl.DataFrame()))
    empty = attribute_distribution(pl.DataFrame(schema={"a": pl.Float64, "b": pl.String}))
    assert distribution_tables(empty).startswith("<div")
