"""`unique=True`: values of Faker of which no two users of a population get the same.

A user's value depends on the seed, the user's index and locale, and the locales that the population can have: not on
other users, so that it is the same in every batch, slice and worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.errors import SynodeError, shown
from synode_df.fields.fake.columnar import outline
from synode_df.fields.fake.conduct import Conduct
from synode_df.fields.fake.interpreter import Interpreter
from synode_df.fields.fake.numbers import Values
from synode_df.fields.fake.spaces import Family, chances, families, permuted, table_key
from synode_df.fields.fake.texts import NotColumnarError, to_column
from synode_df.fields.rows import Rows
from synode_df.randomness import Draws, child_place, place_key
from synode_df.randomness.addresses import row_keys

_FEW: Final = 300_000
_TRIES: Final = 24
_MOST_TURNS: Final = 20
_PLACE: Final = place_key("unique")


@dataclass(frozen=True)
class Call:
    """A method of Faker and its arguments."""

    fake: Any

    @property
    def parts(self) -> tuple[str, Sequence[object], Mapping[str, object]]:
        """Method, arguments, arguments by name."""
        return self.fake.method, self.fake.args, self.fake.kwargs


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """What the users of one locale draw from: a list of few values, or families of many.

    Locales that can give the same texts in the same ways share the space of the first of them.
    """

    locale: str
    home: str
    values: pl.Series | None
    families: tuple[Family, ...]
    rivals: tuple[tuple[Family, ...], ...] = ()

    @property
    def size(self) -> int:
        """How many values there are at least."""
        if self.values is not None:
            return len(self.values)
        return max(each.size // (2 if own else 1) for each, own in zip(self.families, self.rivals, strict=True))


def draw_distinct(call: Call, rows: Rows, codes: NDArray[np.uint32], locales: Sequence[str]) -> pl.Series:
    """Distinct values for some rows, of which each has one of some locales.

    Raises
    ------
    SynodeError
        `FAKER_ERROR` where there are fewer values than rows, or where distinct values cannot be promised.
    """
    declared = rows.surroundings.possible_locales()
    if declared is None:
        raise SynodeError(
            "FAKER_ERROR",
            "Distinct values need locales that are known beforehand",
            path=rows.path,
            expected="a persona whose locale is a constant, weighted({...}) or one_of([...])",
            received="a locale that is computed for each user",
            suggestion="draw the locale with weighted or one_of, or leave out unique=True",
        )
    spaces = _spaces(call, tuple(sorted({*declared, *locales})), rows.path)
    found = pl.Series([None] * len(rows), dtype=pl.String)
    if not len(rows):
        return found
    key = child_place(rows.draws.place, str(table_key(rows.draws.keys, rows.index)))
    order: list[NDArray[np.intp]] = []
    parts: list[pl.Series] = []
    for code in np.unique(codes).tolist():
        positions = np.flatnonzero(codes == code)
        space = next(space for space in spaces if space.locale == locales[code])
        order.append(positions)
        parts.append(_of_space(call, space, rows, positions, key))
    back = np.argsort(np.concatenate(order), kind="stable")
    return pl.concat(parts).gather(pl.Series(back.astype(np.uint32)))


@lru_cache(maxsize=256)
def _spaces(call: Call, locales: tuple[str, ...], path: str) -> tuple[Space, ...]:
    """The spaces of some locales; a value that several have belongs to the first of them."""
    taken: set[str] = set()
    spaces: list[Space] = []
    for locale in locales:
        found = _families(call, locale, path)
        same = next((space for space in spaces if _same(space.families, found)), None)
        if same is not None:
            spaces.append(replace(same, locale=locale))
            continue
        values = None
        if sum(family.size for family in found) <= _FEW and all(
            piece.lengths for family in found for piece in family.pieces
        ):
            listed = [value for family in found for value in _all_texts(call, family, locale).to_list()]
            own = [value for value in dict.fromkeys(listed) if value not in taken]
            taken.update(own)
            values = pl.Series(own, dtype=pl.String)
        rivals = []
        for number, family in enumerate(found if values is None else ()):
            earlier = (*(each for space in spaces for each in space.families), *found[:number])
            rivals.append(tuple(each for each in earlier if not family.apart(each)))
        spaces.append(Space(locale, locale, values, found, tuple(rivals)))
    return tuple(spaces)


@lru_cache(maxsize=256)
def _families(call: Call, locale: str, path: str) -> tuple[Family, ...]:
    method, args, kwargs = call.parts
    try:
        if not isinstance(method, str):
            raise NotColumnarError("a function")
        made = outline(call.fake.generator(locale, path), method, args, kwargs, _PLACE)
        if isinstance(made, Values):
            raise NotColumnarError("no texts")
        return tuple(sorted(families(made), key=lambda family: -family.size))
    except NotColumnarError as error:
        raise SynodeError(
            "FAKER_ERROR",
            "Distinct values cannot be promised for this method",
            path=path,
            expected="a method whose texts are put together from tables or masks, such as email or bothify",
            received=f"{call.fake!r} in {locale}",
            suggestion='use a mask, such as fake("bothify", "??-######", unique=True), or sequence("N-{}")',
        ) from error


def _all_texts(call: Call, family: Family, locale: str) -> pl.Series:
    keys = row_keys(0, "all", np.arange(family.size))
    return _texts(call, family, locale, keys, np.arange(family.size, dtype=np.uint64))


def _texts(call: Call, family: Family, locale: str, keys: NDArray[np.uint64], numbers: NDArray[np.uint64]) -> pl.Series:
    """The texts of a family with some numbers, from Faker's own code."""
    method, args, kwargs = call.parts
    conduct = Conduct(given=family.outcomes(numbers))
    maker = Interpreter(call.fake.generator(locale, "fake"), Draws(keys, _PLACE), conduct, allowed=family.allowed)
    made = maker.run(method, args, kwargs)
    if isinstance(made, Values):
        raise NotColumnarError("no texts")
    return to_column(made, len(keys)).series()


def _same(some: Sequence[Family], others: Sequence[Family]) -> bool:
    return len(some) == len(others) and all(one.same(other) for one, other in zip(some, others, strict=True))


def _of_space(call: Call, space: Space, rows: Rows, positions: NDArray[np.intp], key: int) -> pl.Series:
    index = rows.index[positions].astype(np.uint64)
    if space.values is not None:
        if len(index) and int(index.max()) >= len(space.values):
            raise _too_small(call, space, len(space.values), rows, int(index.max()))
        numbers = permuted(index, len(space.values), child_place(key, space.home))
        return space.values.gather(pl.Series(numbers.astype(np.uint32)))
    own = list(space.families)
    draws = Draws(rows.draws.keys[positions], child_place(rows.draws.place, "family"))
    sums = chances(own)
    texts = np.empty(len(index), dtype=object)
    waiting = np.arange(len(index))
    tried = np.zeros((len(own), len(index)), dtype=np.uint64)
    for attempt in range(_TRIES + len(own)):
        if attempt < _TRIES:
            unit = Draws(draws.keys[waiting], draws.place).uniform(attempt)
            which = np.searchsorted(sums, unit, side="right")
        else:  # the families one after the other, the largest first
            which = np.full(len(waiting), attempt - _TRIES)
        left = []
        for number in np.unique(which).tolist():
            members = waiting[which == number]
            family = own[number]
            start, fits = _numbers(index[members], tried[number, members], family.size, bool(space.rivals[number]))
            left.append(members[~fits])
            members, start = members[fits], start[fits]
            if not len(members):
                continue
            tried[number, members] += np.uint64(1)
            drawn = permuted(start, family.size, child_place(key, f"{space.home} {family.key}"))
            made = _texts(call, family, space.home, draws.keys[members], drawn)
            free = np.ones(len(members), dtype=np.bool_)
            for other in space.rivals[number]:
                free &= ~other.can_make(made)
            texts[members[free]] = np.array(made.to_list(), dtype=object)[free]
            left.append(members[~free])
        waiting = np.sort(np.concatenate(left)) if left else np.empty(0, dtype=np.intp)
        if not len(waiting):
            return pl.Series(texts.tolist(), dtype=pl.String)
    raise _too_small(call, space, space.size, rows, int(index[waiting].max()))


def _numbers(
    index: NDArray[np.uint64], turns: NDArray[np.uint64], size: int, rivalled: bool
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """The number of a family that belongs to each row at its n-th turn, and which rows have one.

    Half of the numbers are for first turns, a quarter for second ones, and so on: whose value belongs to another family
    has another turn, and no number belongs to two rows.
    """
    if not rivalled:
        return index, (index < np.uint64(size)) & (turns == 0)
    spans = np.array([size >> (turn + 1) for turn in range(_MOST_TURNS)], dtype=np.uint64)
    offsets = np.cumsum(spans) - spans
    turn = np.minimum(turns, np.uint64(_MOST_TURNS - 1)).astype(np.intp)
    return offsets[turn] + index, (index < spans[turn]) & (turns < _MOST_TURNS)


def _too_small(call: Call, space: Space, size: int, rows: Rows, index: int) -> SynodeError:
    return SynodeError(
        "FAKER_ERROR",
        f"There are not enough different values in {space.locale} for so many rows",
        path=rows.path,
        expected=f"at most about {size:,} rows, of which each gets a value of its own",
        received=f"row {index:,} and {shown(call.fake)}",
        suggestion='use a method with more values, or a mask such as fake("bothify", "??-######", unique=True)',
    )
