"""How the attributes of a persona come out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from synode_df import checks
from synode_df.analysis.distribution import distribution
from synode_df.engine.population import draw_population
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import PersonaMixture
from synode_df.run.options import checked_seed, declarations

KINDS: Final = ("category", "number")
_SCHEMA: Final = pl.Schema(
    {
        "attribute": pl.String(),
        "kind": pl.Enum(KINDS),
        "value": pl.String(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "users": pl.UInt32(),
        "share": pl.Float64(),
    }
)
_NOTHING: Final = Journey("nothing", [Adventure("nothing", [Action("nothing")])])


def persona_distribution(
    persona: PersonaMixture,
    *,
    users: int = 1_000,
    datasets: Iterable[Dataset] = (),
    seed: int | None = 0,
    bins: int = 30,
    top: int = 20,
) -> pl.DataFrame:
    """How often each value of each attribute comes, among some users drawn from a persona.

    Parameters
    ----------
    persona : Persona or list of (Persona, float)
        Who to draw from; of a mixture, `persona_id` is an attribute too.
    users : int, default 1000
        How many users to draw.
    datasets : sequence of Dataset, optional
        Those that attributes pick from.
    seed : int, optional
        The same seed gives the same users, those of a run with this seed. None draws one.
    bins : int, default 30
        How many bins to sort numbers into, at most.
    top : int, default 20
        How many values of other attributes to keep, the most frequent; the rest is one row "(other)".

    Returns
    -------
    polars.DataFrame
        `attribute` String, `kind` Enum: "number" for numbers, which come in bins from `low` to `high` (Float64), or
        "category" for all else, by `value` (String, null where a user has none), the most frequent first; `users`
        UInt32 and `share` Float64, of all users. Attributes stand in the order of their declaration.

    Raises
    ------
    SynodeError
        `INVALID_USERS`, `INVALID_OPTION`, and whatever drawing the attributes raises.

    Examples
    --------
    >>> import synode_df as sd
    >>> people = sd.Persona("people", {"device": sd.weighted({"mobile": 0.7, "desktop": 0.3})})
    >>> persona_distribution(people, users=100).select("attribute", "value", "users", "share")
    shape: (2, 4)
    ┌───────────┬─────────┬───────┬───────┐
    │ attribute ┆ value   ┆ users ┆ share │
    │ ---       ┆ ---     ┆ ---   ┆ ---   │
    │ str       ┆ str     ┆ u32   ┆ f64   │
    ╞═══════════╪═════════╪═══════╪═══════╡
    │ device    ┆ mobile  ┆ 74    ┆ 0.74  │
    │ device    ┆ desktop ┆ 26    ┆ 0.26  │
    └───────────┴─────────┴───────┴───────┘
    """
    checks.whole(users, name="users", path="persona_distribution", at_least=0, at_most=10_000_000, code="INVALID_USERS")
    checks.whole(top, name="top", path="persona_distribution", at_least=1, code="INVALID_OPTION")
    scenario = declarations(_NOTHING, persona=persona, datasets=datasets, seed=checked_seed(seed)).scenario()
    people = draw_population(scenario, np.arange(users, dtype=np.int64)).frame().drop("user_index", "user_id")
    return attribute_distribution(people, bins=bins, top=top)


def attribute_distribution(people: pl.DataFrame, *, bins: int = 30, top: int = 20) -> pl.DataFrame:
    """The same for a frame of users that is there already: one row a user, one column an attribute.

    Examples
    --------
    >>> import polars as pl
    >>> attribute_distribution(pl.DataFrame({"age": [30, 31, 31]}))["share"].round(2).to_list()
    [0.33, 0.67]
    """
    parts = [
        _numbers(column, bins) if column.dtype.is_numeric() else _categories(column, top)
        for column in people.iter_columns()
    ]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *parts], how="diagonal_relaxed").cast(_SCHEMA)


def _numbers(column: pl.Series, bins: int) -> pl.DataFrame:
    found = distribution(column.to_frame(), column.name, bins=bins)
    missing = column.len() - int(found["count"].sum())
    table = found.select(pl.lit(None, dtype=pl.String).alias("value"), "low", "high", pl.col("count").alias("users"))
    if missing:
        none = pl.DataFrame({"users": [missing]}, schema={"users": pl.UInt32})
        table = pl.concat([table, none], how="diagonal")
    return _labelled(table, column, "number")


def _categories(column: pl.Series, top: int) -> pl.DataFrame:
    values = _texts(column).alias("value").to_frame()
    counted = values.group_by("value").len("users").sort("users", "value", descending=[True, False], nulls_last=True)
    rest = counted.slice(top)
    if rest.height > 1:
        other = rest.select(pl.lit("(other)").alias("value"), pl.col("users").sum())
        counted = pl.concat([counted.head(top), other])
    return _labelled(counted, column, "category")


def _labelled(table: pl.DataFrame, column: pl.Series, kind: str) -> pl.DataFrame:
    return table.with_columns(
        pl.lit(column.name).alias("attribute"),
        pl.lit(kind, dtype=pl.Enum(KINDS)).alias("kind"),
        (pl.col("users") / max(1, column.len())).alias("share"),
    )


def _texts(column: pl.Series) -> pl.Series:
    if column.dtype.is_nested() or column.dtype == pl.Object:
        return pl.Series([None if value is None else str(value) for value in column.to_list()], dtype=pl.String)
    if column.dtype == pl.Binary:
        return column.bin.encode("hex")
    return column.cast(pl.String)
