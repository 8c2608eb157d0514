"""Running numbers, plain or in a template."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import polars as pl

from synode_df import checks
from synode_df.errors import SynodeError, shown
from synode_df.fields.base import FieldGenerator
from synode_df.fields.columns import Column
from synode_df.fields.rows import Rows


@dataclass(frozen=True, eq=False, repr=False)
class Sequence(FieldGenerator):
    """The number of the row, counted from `start` in steps of `step`, in a template."""

    template: str | None = None
    start: int = 1
    step: int = 1
    _factory: ClassVar[str] = "sequence"

    def __post_init__(self) -> None:
        checks.whole(self.start, name="start", path="sequence", at_least=-(2**60), at_most=2**60)
        checks.whole(self.step, name="step", path="sequence", at_least=-(2**30), at_most=2**30)
        if self.step == 0:
            checks.finite(self.step, name="step", path="sequence", above=0)
        if self.template is not None:
            self._parsed  # noqa: B018 - parsing is the check

    @cached_property
    def _parsed(self) -> tuple[str, str, str]:
        """Text before the number, its format, text behind it."""
        try:
            pieces = list(string.Formatter().parse(self.template or ""))
            numbers = [piece for piece in pieces if piece[1] is not None]
            if len(numbers) != 1 or numbers[0][1] not in ("", "0") or numbers[0][3]:
                raise ValueError("one {} is needed")
            spec = numbers[0][2] or ""
            if re.search(r"[0-9]{4}", spec):
                raise ValueError("a width of thousands")
            format(1, spec)
        except (ValueError, TypeError, AttributeError) as error:
            raise SynodeError(
                "INVALID_PARAMETER",
                "The template must have one place for the number",
                path="sequence",
                expected='text with one "{}", such as "SKU-{:05d}"',
                received=shown(self.template),
                suggestion='write "{}" where the number goes; double other braces: "{{" and "}}"',
            ) from error
        at = pieces.index(numbers[0])
        before = "".join(piece[0] for piece in pieces[: at + 1])
        return before, spec, "".join(piece[0] for piece in pieces[at + 1 :])

    def draw(self, rows: Rows) -> Column:
        numbers = self.start + rows.index * self.step
        if self.template is None:
            return Column(pl.Series(numbers))
        before, spec, after = self._parsed
        if spec in ("", "d"):
            digits = pl.Series(numbers).cast(pl.String)
        else:
            digits = pl.Series([format(number, spec) for number in numbers.tolist()], dtype=pl.String)
        return Column(before + digits + after)


def sequence(template: str | None = None, *, start: int = 1, step: int = 1) -> Sequence:
    """A running number: of the row in a dataset, of the user everywhere else.

    Parameters
    ----------
    template : str, optional
        Text with one `{}` for the number, with any format of `str.format`: `"SKU-{:05d}"`.
    start, step : int
        The first number and the distance to the next one.

    Returns
    -------
    FieldGenerator
        An `Int64` column, or a `String` column with a template.

    Raises
    ------
    SynodeError
        `INVALID_PARAMETER`.

    Notes
    -----
    A number depends on the row alone, so that it is the same in every batch. An action happens at most once per
    user, so a sequence in an action's fields is unique within that action.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.sequence("SKU-{:05d}"), rows=2).to_list()
    ['SKU-00001', 'SKU-00002']
    """
    return Sequence(template, start, step)
