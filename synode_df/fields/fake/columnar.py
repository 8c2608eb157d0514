"""Whether a method of Faker can be drawn as a column, found out once for each method, arguments and locale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from synode_df.fields.fake.conduct import Conduct
from synode_df.fields.fake.interpreter import Interpreter
from synode_df.fields.fake.numbers import Values
from synode_df.fields.fake.single_row import SingleRow
from synode_df.fields.fake.texts import Node, NotColumnarError, to_column
from synode_df.randomness import Draws
from synode_df.randomness.addresses import row_keys

_ROWS_COMPARED: Final = 64


def draw_column(
    generator: Any, draws: Draws, method: str, args: Sequence[object], kwargs: Mapping[str, object]
) -> Node | Values:
    """A method's values for some rows."""
    return Interpreter(generator, draws, Conduct()).run(method, args, kwargs)


def outline(
    generator: Any, method: str, args: Sequence[object], kwargs: Mapping[str, object], place: int
) -> Node | Values:
    """A method's values for no rows at all, with every way that its code can go.

    Raises
    ------
    NotColumnarError
        Where one of them cannot be done to a column.
    """
    nobody = Draws(np.empty(0, dtype=np.uint64), place)
    return Interpreter(generator, nobody, Conduct(explore=True)).run(method, args, kwargs)


def column_dtype(
    generator: Any, method: str, args: Sequence[object], kwargs: Mapping[str, object]
) -> pl.DataType | None:
    """The type of a method's column, or None if it cannot be drawn as a column.

    Every way that the method's code can go is tried without rows. Then columns are compared with what the same code
    makes of the same draws one row at a time, with plain values: whatever a release of Faker does that we do not
    foresee, it must give the same values that way.
    """
    try:
        shape = outline(generator, method, args, kwargs, 0)
        draws = Draws(row_keys(0, "compared", np.arange(_ROWS_COMPARED)), 0)
        drawn = draw_column(generator, draws, method, args, kwargs)
        series = drawn.series if isinstance(drawn, Values) else to_column(drawn, len(draws)).series()
        if isinstance(shape, Values) and shape.series.dtype != series.dtype:
            return None
        for number, value in enumerate(series.to_list()):
            one = Draws(draws.keys[number : number + 1], draws.place)
            plain = SingleRow(generator, one, Conduct()).call(method, args, kwargs)
            if plain != value or type(plain) is not type(value):
                return None
    except NotColumnarError:
        return None
    except Exception:  # noqa: BLE001 - Faker's code, with whatever arguments the user gave: Faker itself will tell
        return None
    return series.dtype
