"""The one interface of all field generators."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import polars as pl

from synode_df.fields.columns import AnyColumn
from synode_df.fields.declaration import Declaration
from synode_df.fields.rows import Rows


class FieldGenerator(Declaration):
    """An immutable description of a random column.

    Made by `weighted`, `one_of`, `chance`, `uniform`, `integer`, `normal`, `lognormal`, `exponential`, `poisson`,
    `sequence`, `pick` and `fake`; drawn by the engines. Subclass it to add a kind of your own: a frozen dataclass
    with a `draw` method that gives each row a value depending on that row alone.

    Examples
    --------
    >>> import synode_df as sd
    >>> isinstance(sd.weighted({"mobile": 0.7, "desktop": 0.3}), sd.FieldGenerator)
    True
    """

    @abstractmethod
    def draw(self, rows: Rows) -> AnyColumn:
        """Values for some rows.

        Parameters
        ----------
        rows : Rows
            The rows' random numbers, indices and surroundings; there may be none at all.

        Returns
        -------
        Column
            One value a row, of a type that does not depend on the rows.
        """

    def expressions(self) -> Iterator[pl.Expr]:
        """The expressions among the generator's parameters."""
        yield from ()

    def datasets(self) -> Iterator[str]:
        """Ids of the datasets that it picks from."""
        yield from ()
