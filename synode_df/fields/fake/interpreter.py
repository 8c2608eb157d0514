"""Running the code of Faker's own providers on columns instead of single values.

A provider's method is called on a stand-in of the provider. Where Faker would draw one element of a table, the
stand-in draws a column of them and hands the code a placeholder. What comes back is split at the placeholders' marks,
and the columns are put in their place. Where the code goes different ways for different rows, it is run again for the
rows of each way. What cannot be done to a column at all raises `NotColumnarError`, and Faker is called for each row.

The same code can be run for one row, with plain values instead of placeholders (`single_row.py`): both must give the
same text, which is how a method is checked before its columns are used.

So formats, weights, locales and overrides are those of the installed Faker, whatever its release.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.fields.fake import formats, texts
from synode_df.fields.fake.conduct import Conduct, Known
from synode_df.fields.fake.forks import ForkError, Group, fork
from synode_df.fields.fake.numbers import Days, Moments, Number, Table, Values
from synode_df.fields.fake.placeholders import DAMAGED, MARK, Records, Text, case_of
from synode_df.fields.fake.standins import standin
from synode_df.fields.fake.tables import cumulative, table, text_series
from synode_df.fields.fake.texts import Branch, Choice, Codes, Draw, Literal, Node, NotColumnarError, Part
from synode_df.randomness import Draws, child_place

_MOST_RUNS: Final = 1_500
_MOST_WAYS_OUT: Final = 40
_DEEPEST: Final = 24
_MOST_DRAWS: Final = 8_000
LARGEST: Final = 2**52


class Interpreter:
    """Draws texts for some rows at one place, by running provider code.

    Parameters
    ----------
    generator : faker.Generator
        Faker's generator of a locale.
    draws : Draws
        The rows' random numbers.
    conduct : Conduct
        How to run.
    rows : ndarray of intp, optional
        Which rows of the whole run these are.
    allowed : mapping of int to codes
        The outcomes that a draw can have, by its place, for these rows.
    """

    single = False

    def __init__(
        self,
        generator: Any,
        draws: Draws,
        conduct: Conduct,
        *,
        rows: NDArray[np.intp] | None = None,
        allowed: Mapping[int, Codes] | None = None,
    ) -> None:
        self.generator = generator
        self.draws = draws
        self.conduct = conduct
        self._rows = np.arange(len(draws)) if rows is None else rows
        self._allowed = allowed or {}
        self._count = 0
        self._questions = 0
        self._marked: list[Node | Number] = []
        self._drawn: list[Draw] = []

    def run(
        self, method: str, args: Sequence[object] = (), kwargs: Mapping[str, object] | None = None
    ) -> Node | Values:
        """What a method of Faker gives for the rows.

        Raises
        ------
        NotColumnarError
            Where its code does something that cannot be done to a column.
        """
        return _result(self, self.call(method, args, kwargs or {}))

    def call(self, method: str, args: Sequence[object], kwargs: Mapping[str, object]) -> Any:
        """A method's value, from the code of the provider that has it, at a place of its own."""
        if any(isinstance(each, Text | Number | Records) for each in (*args, *kwargs.values())):
            raise NotColumnarError("hands on a drawn value")
        self._count += 1
        place = child_place(self.draws.place, f"{self._count} {method}")
        # Code that is run again for some of the rows finds there what was called before its ways parted.
        name = (place, repr((args, kwargs)))
        known = self.conduct.known.get(name)
        if known is not None and not any(allowed in known.places for allowed in self._allowed):
            positions = np.searchsorted(known.rows, self._rows)
            if not len(positions) or np.array_equal(known.rows.take(positions, mode="clip"), self._rows):
                return self._taken(known.value, positions)
        inner = self._like(Draws(self.draws.keys, place), self._rows, self._allowed)
        start = len(self.conduct.places)
        value = inner._forked(lambda maker: maker._entered(method, args, kwargs))
        places = frozenset(self.conduct.places[start:])
        if not any(allowed in places for allowed in self._allowed):
            self.conduct.known[name] = Known(self._rows, value, places)
        return self._taken(value, None)

    def _taken(self, value: Any, positions: NDArray[np.intp] | None) -> Any:
        """A value of an inner run, in this one: of all of its rows, or of some."""
        if isinstance(value, Number):
            if positions is None:
                return Number(self, value.numbers, value.table)
            known = value.table
            table = known and replace(known, draw=replace(known.draw, codes=known.draw.codes[positions]))
            return Number(self, value.numbers[positions], table)
        if isinstance(value, Text):
            return self.text(value.node if positions is None else texts.at(value.node, positions))
        if isinstance(value, Records | Moments | Days | Values) and positions is not None:
            return value.take(positions, self)
        return value

    def _like(self, draws: Draws, rows: NDArray[np.intp], allowed: Mapping[int, Codes]) -> Interpreter:
        return type(self)(self.generator, draws, self.conduct, rows=rows, allowed=allowed)

    def _entered(self, method: str, args: Sequence[object], kwargs: Mapping[str, object]) -> Any:
        bound = getattr(self.generator, method)
        provider = getattr(bound, "__self__", None)
        if provider is None or not hasattr(type(provider), method):
            raise NotColumnarError(f"{method} is not a provider's method")
        value = getattr(standin(provider, self), method)(*args, **kwargs)
        if isinstance(value, str) and not isinstance(value, Text | Number):
            return self.text(self.resolved(value))
        return value

    def _forked(self, run: Callable[[Interpreter], Any]) -> Any:
        """What code gives, run once for each way that it goes."""
        self.conduct.runs += 1
        if self._spent():
            raise NotColumnarError("goes too many ways")
        try:
            return run(self)
        except ForkError as error:
            ways = error
        except Exception as error:  # whatever the provider's code makes of a placeholder
            if self._spent():
                raise
            ways = self._way_out(error)
        parts: list[tuple[Group, float, Any, Interpreter]] = []
        for group, chance in ways.groups:
            codes, positions = group
            if not len(codes) or not (len(positions) or self.conduct.explore):
                continue
            draws = Draws(self.draws.keys[positions], self.draws.place)
            inner = self._like(draws, self._rows[positions], {**self._allowed, ways.place: codes})
            parts.append((group, chance, inner._forked(run), inner))
        return self._joined(ways.place, parts)

    def _spent(self) -> bool:
        """Whether the code has gone too many ways already."""
        too_much = self.conduct.runs > _MOST_RUNS or self.conduct.draws > _MOST_DRAWS
        return too_much or len(self._allowed) > _DEEPEST

    def _way_out(self, error: Exception) -> ForkError:
        """When code fails on a placeholder, let it have plain values of the first draw with few of them."""
        self.conduct.ways_out += 1
        for draw in self._drawn if self.conduct.ways_out < _MOST_WAYS_OUT else ():
            try:
                fork(draw, range(len(draw.possible())))
            except ForkError as ways:
                return ways
            except NotColumnarError:
                continue
        if isinstance(error, NotColumnarError):
            raise error
        raise NotColumnarError(f"{type(error).__name__}: {error}") from error

    def _joined(self, place: int, parts: list[tuple[Group, float, Any, Interpreter]]) -> Any:
        """The values of different ways, as one."""
        values = [value for _, _, value, _ in parts]
        if values and all(isinstance(value, bool) for value in values):
            yes = np.zeros(len(self.draws), dtype=np.bool_)
            for (_, positions), _, value, _ in parts:
                yes[positions] = value
            return Values(pl.Series(yes))
        if values and all(isinstance(value, int | Number) and not isinstance(value, bool) for value in values):
            kind = np.result_type(*(each.numbers if isinstance(each, Number) else np.int64 for each in values))
            numbers = np.zeros(len(self.draws), dtype=kind)
            for (_, positions), _, value, _ in parts:
                numbers[positions] = value.numbers if isinstance(value, Number) else value
            return Number(self, numbers)
        if all(isinstance(value, str) and not isinstance(value, Number) for value in values):
            made = [
                Part(codes, positions, chance, maker.resolved(value))
                for (codes, positions), chance, value, maker in parts
            ]
            return self.text(made[0].node if len(made) == 1 and self._covers(made[0]) else Branch(place, tuple(made)))
        values = [each.values() if isinstance(each, Moments | Days) else each for each in values]
        if values and all(isinstance(value, Values) for value in values):
            series = pl.concat([value.series for value in values])
            order = np.argsort(np.concatenate([positions for (_, positions), _, _, _ in parts]), kind="stable")
            return Values(series.gather(pl.Series(order.astype(np.uint32))))
        if values and all(value is None or value is values[0] for value in values):
            return values[0]
        raise NotColumnarError("gives other things in other ways")

    def _covers(self, part: Part) -> bool:
        return not self.conduct.explore and len(part.positions) == len(self.draws)

    def decided(self, answers: NDArray[np.bool_]) -> bool:
        """The answer to a question that each row answers, if it is the same for all; else a fork."""
        self._questions += 1
        place = child_place(self.draws.place, f"question {self._questions}")
        self.conduct.places.append(place)
        known = self._allowed.get(place)
        if known is not None:
            return bool(known[0])
        yes, no = np.flatnonzero(answers), np.flatnonzero(~answers)
        if not self.conduct.explore and not (len(yes) and len(no)):
            return len(yes) > 0
        groups = [((np.array([code], dtype=np.uint32), rows), 0.5) for code, rows in ((0, no), (1, yes))]
        raise ForkError(place, groups)

    def mark(self, thing: Node | Number) -> int:
        """The number by which a tree is known from now on."""
        self._marked.append(thing)
        return len(self._marked) - 1

    def text(self, node: Node) -> Any:
        """A placeholder for a text, or the text itself where it is the same for all rows."""
        return node.text if isinstance(node, Literal) else Text(self, node)

    def resolved(self, text: object) -> Node:
        """The tree of a text that may have placeholders in it."""
        if isinstance(text, Text) and text.maker is self:
            return text.node
        if not isinstance(text, str) or isinstance(text, Text | Number):
            raise NotColumnarError(f"gives {type(text).__name__}")
        parts: list[Node] = []
        pieces = MARK.split(text)
        for plain, bait, number in zip(pieces[::3], (*pieces[1::3], ""), (*pieces[2::3], ""), strict=True):
            if DAMAGED.search(plain):
                raise NotColumnarError("changes a drawn text")
            parts.append(Literal(plain))
            if number:
                thing = self._marked[int(number)]
                node = thing.node() if isinstance(thing, Number) else thing
                change = case_of(bait)
                parts.append(node if change is None else texts.mapped(node, change, change.__name__))
        return texts.joined(tuple(parts))

    def changed(self, text: object, change: Callable[[str], str], name: object) -> Any:
        """A text after a change that works character by character."""
        return self.text(texts.mapped(self.resolved(text), change, name))

    def draw(self, size: int, weights: NDArray[np.float64] | None = None) -> Draw:
        """One of some outcomes for each row, at the next place."""
        self._count += 1
        self.conduct.draws += 1
        if self.conduct.draws > _MOST_DRAWS:
            raise NotColumnarError("draws without end")
        place = child_place(self.draws.place, str(self._count))
        allowed = self._allowed.get(place)
        given = self.conduct.given.get(place)
        if given is not None:
            codes = given[self._rows]
        elif allowed is not None and len(allowed) == 1:
            codes = np.full(len(self.draws), allowed[0], dtype=np.uint32)
        else:
            draws = Draws(self.draws.keys, place)
            if weights is None:
                codes = draws.below(size).astype(np.uint32)
            else:
                codes = np.searchsorted(weights, draws.uniform(), side="right").astype(np.uint32)
        made = Draw(place, size, codes, allowed, weights)
        self.conduct.places.append(place)
        if allowed is None or len(allowed) > 1:
            self._drawn.append(made)
        return made

    def element(self, elements: Any, *, weighting: bool, weights: Sequence[float] | None = None) -> Any:
        """One element of a table for each row, as Faker's `random_element`."""
        values, sums, kind = table(elements, weighting=weighting)
        if weights is not None:
            sums = cumulative(weights)
        draw = self.draw(len(values), sums)
        possible = draw.possible()
        if len(possible) == 1 or (
            draw.allowed is not None and len({id(values[code]) for code in possible.tolist()}) == 1
        ):
            return values[possible[0]]
        if kind == "text" and not any("\ue000" in value for value in values):
            return self.text(Choice(text_series(values), draw))
        if kind == "record":
            return Records(self, values, draw)
        if kind == "number":
            numbers = np.array(values, dtype=np.int64)
            return Number(self, numbers[draw.codes], Table(numbers, ("values", *values), draw))
        return fork(draw, range(len(draw.possible())))

    def number(self, low: int, count: int, step: int = 1) -> Any:
        """One of `low`, `low + step`, ... for each row."""
        if not 0 < count < LARGEST:
            raise NotColumnarError("draws a number of no range, or a very wide one")
        if count == 1:
            return low
        if count > 100_000:
            self._count += 1
            codes = Draws(self.draws.keys, child_place(self.draws.place, str(self._count))).below(count)
            return Number(self, low + step * codes)
        draw = self.draw(count)
        if draw.allowed is not None and len(draw.allowed) == 1:
            return low + step * int(draw.allowed[0])
        numbers = low + step * np.arange(count, dtype=np.int64)
        return Number(self, numbers[draw.codes], Table(numbers, ("range", low, step, count), draw))

    def fraction(self, low: float, high: float) -> Any:
        """A decimal number for each row, as `low + (high - low) * random()`."""
        self._count += 1
        unit = Draws(self.draws.keys, child_place(self.draws.place, str(self._count))).uniform()
        return Number(self, low + (high - low) * unit)

    def parsed(self, text: str) -> Any:
        """A format with its tokens replaced, as Faker's `parse`."""
        return self.text(formats.parsed(self, text))

    def masked(self, text: str, masks: Mapping[str, Sequence[str]]) -> Any:
        """A mask with its signs replaced, as Faker's `numerify`, `lexify` and `bothify`."""
        return self.text(formats.masked(self, text, masks))


def _result(maker: Interpreter, value: Any) -> Node | Values:
    if isinstance(value, Values):
        return value
    if isinstance(value, Moments | Days):
        return value.values()
    if isinstance(value, Number):
        return Values(pl.Series(value.numbers))
    if isinstance(value, bool):
        return Values(pl.Series([value]).new_from_index(0, len(maker.draws)))
    if isinstance(value, int | float):
        return Values(
            pl.Series([value], dtype=pl.Int64 if isinstance(value, int) else pl.Float64).new_from_index(
                0, len(maker.draws)
            )
        )
    return maker.resolved(value)
