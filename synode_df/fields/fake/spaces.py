"""The values that a method of Faker can give, counted and numbered, so that no two users need get the same.

What a method can give is the union of some *families*: one for each way that its code can go, a product of tables. A
family's values are numbered; a keyed permutation of the numbers gives each user index a number of its own, so that two
users of one family differ if different numbers give different texts. That is made sure by *reading* texts: a family
is used only if each of its tables can be told from a text of it (by fixed lengths, or by what follows), and tables
whose borders cannot be told are multiplied out into one. A text that an earlier family could give too is left to
that family.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.fields.fake.texts import Branch, Choice, Codes, Computed, Concat, Literal, Node, NotColumnarError
from synode_df.randomness.addresses import child_place, hashed_key, mix_in_place, mixed

_MOST_FAMILIES: Final = 400
_MOST_MULTIPLIED: Final = 2_000_000
_LARGEST: Final = 2**60
_ROUNDS: Final = 6
_FEW_TEXTS: Final = 500


@dataclass(frozen=True, slots=True, eq=False)
class Digit:
    """One place of a family's number: some draws, and the outcomes of each that it counts through together."""

    places: tuple[int, ...]
    codes: tuple[Codes, ...]

    def __len__(self) -> int:
        return len(self.codes[0])


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A part of a family's texts: a literal, a table of texts, or (without texts) something computed."""

    literal: str | None = None
    texts: pl.Series | None = None
    digit: Digit | None = None
    lengths: tuple[int, int] | None = None

    @classmethod
    def of_literal(cls, text: str) -> Piece:
        """The same text always."""
        return cls(text, lengths=(len(text), len(text)))

    @classmethod
    def of_table(cls, texts: pl.Series, digit: Digit) -> Piece:
        """One of some different texts for each value of a digit."""
        sizes = texts.str.len_chars()
        return cls(None, texts, digit, (int(sizes.min()), int(sizes.max())))  # type: ignore[arg-type]  # of integers

    @property
    def fixed(self) -> bool:
        """Whether all texts have the same length."""
        return self.lengths is not None and self.lengths[0] == self.lengths[1]


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Texts of one way that a method's code can go."""

    key: int
    allowed: Mapping[int, Codes]
    chance: float
    pieces: tuple[Piece, ...]
    size: int

    def outcomes(self, numbers: NDArray[np.uint64]) -> dict[int, Codes]:
        """The outcomes of the draws behind some numbers of the family."""
        found: dict[int, Codes] = {}
        rest = numbers.copy()
        left = self.size
        for piece in self.pieces:
            if piece.digit is None or left < len(piece.digit):
                continue
            count = len(piece.digit)
            left //= count
            value = (rest % np.uint64(count)).astype(np.intp)
            rest //= np.uint64(count)
            found.update({at: codes[value] for at, codes in zip(piece.digit.places, piece.digit.codes, strict=True)})
        return found

    def can_make(self, texts: pl.Series) -> NDArray[np.bool_]:
        """Which texts the family may give (yes, where that is not known)."""
        if len(texts) <= _FEW_TEXTS:
            return np.array([_reads(self, text) for text in texts.to_list()], dtype=np.bool_)
        groups = texts.str.extract_groups(self._pattern()).struct.unnest()
        fits = pl.Series([True]).new_from_index(0, len(texts))
        tables = [piece.texts for piece in self.pieces if piece.texts is not None]
        for name, table in zip(groups.columns, tables, strict=True):
            fits &= groups[name].is_in(table.implode()).fill_null(value=False)
        if not groups.width:
            fits = texts.str.contains(self._pattern())
        return fits.to_numpy()

    def _pattern(self) -> str:
        written = []
        for number, piece in enumerate(self.pieces):
            if piece.literal is not None:
                written.append(re.escape(piece.literal).replace("\\ ", " ").replace("\\\n", "\n"))
            elif piece.texts is None:
                written.append("(?:.*)")
            else:
                after = self.pieces[number + 1].literal if number + 1 < len(self.pieces) else None
                lengths = piece.lengths or (0, 0)
                inside = f".{{{lengths[0]}}}" if piece.fixed else f"[^{_in_class(after[0])}]*" if after else ".*"
                written.append(f"(?P<p{number}>{inside})")
        return f"(?s)^{''.join(written)}$"

    def apart(self, other: Family) -> bool:
        """Whether the texts of two families surely differ: in length, or in what stands at some place of them."""
        own, others = self._lengths(), other._lengths()
        if own[1] < others[0] or others[1] < own[0]:
            return True
        pairs = [
            *zip(_characters(self, backwards=False), _characters(other, backwards=False), strict=False),
            *zip(_characters(self, backwards=True), _characters(other, backwards=True), strict=False),
        ]
        return any(not one & two for one, two in pairs)

    def same(self, other: Family) -> bool:
        """Whether two families have the same texts, put together in the same way."""
        if self.size != other.size or len(self.pieces) != len(other.pieces):
            return False
        return all(
            one.literal == two.literal
            and (one.texts is None) == (two.texts is None)
            and (one.texts is None or two.texts is None or one.texts.equals(two.texts))
            for one, two in zip(self.pieces, other.pieces, strict=True)
        )

    def _lengths(self) -> tuple[float, float]:
        known = [piece.lengths for piece in self.pieces]
        low = sum(each[0] for each in known if each)
        return low, float("inf") if None in known else sum(each[1] for each in known if each)


@lru_cache(maxsize=1_024)
def _reader(family: Family) -> tuple[re.Pattern[str], tuple[frozenset[str], ...]]:
    tables = tuple(frozenset(piece.texts.to_list()) for piece in family.pieces if piece.texts is not None)
    return re.compile(family._pattern()), tables


def _reads(family: Family, text: str) -> bool:
    """Whether a family may give one text: the same as `can_make`, without making tables ready for many."""
    pattern, tables = _reader(family)
    found = pattern.match(text)
    return found is not None and all(group in table for group, table in zip(found.groups(), tables, strict=True))


@lru_cache(maxsize=8_192)
def _characters(family: Family, *, backwards: bool) -> tuple[frozenset[str], ...]:
    """Which characters can stand at each place, from one end on, as long as all texts have that place there."""
    found: list[frozenset[str]] = []
    for piece in reversed(family.pieces) if backwards else family.pieces:
        if piece.lengths is None:
            break
        texts = pl.Series([piece.literal]) if piece.texts is None else piece.texts
        places = (-1 - at if backwards else at for at in range(piece.lengths[0]))
        found += [frozenset(texts.str.slice(place, 1).unique().to_list()) for place in places]
        if not piece.fixed:
            break
    return tuple(found)


def families(node: Node) -> list[Family]:
    """The families of a method, from an outline of it.

    Raises
    ------
    NotColumnarError
        Where there are too many, or none that can be told apart.
    """
    found = []
    for number, (allowed, chance, parts) in enumerate(_ways(node)):
        pieces = _readable(_pieces(parts))
        if pieces is None:
            continue
        size = 1
        for piece in pieces:
            if piece.digit is not None and size * len(piece.digit) < _LARGEST:
                size *= len(piece.digit)
        written = "".join(f"{place}{codes.tobytes().hex()}" for place, codes in sorted(allowed.items()))
        found.append(Family(hashed_key(f"{number}{written}".encode()), allowed, chance, pieces, size))
    if not found:
        raise NotColumnarError("values that cannot be told apart")
    return found


def _ways(node: Node) -> list[tuple[dict[int, Codes], float, list[Node]]]:
    """Each way of a text: what draws are confined to, its chance, and its parts."""
    if isinstance(node, Branch):
        ways = []
        for branch in node.parts:
            for allowed, chance, parts in _ways(branch.node):
                # A way inside a way confines the same draw further.
                ways.append(({node.place: branch.codes, **allowed}, chance * branch.chance, parts))
    elif isinstance(node, Concat):
        ways = [({}, 1.0, [])]
        for part in node.parts:
            own = _ways(part)
            ways = [({**a, **b}, c * d, [*e, *f]) for a, c, e in ways for b, d, f in own]
            if len(ways) > _MOST_FAMILIES:
                break
    else:
        ways = [({}, 1.0, [node])]
    if len(ways) > _MOST_FAMILIES:
        raise NotColumnarError("goes too many ways")
    return ways


def _pieces(parts: Sequence[Node]) -> list[Piece]:
    """Parts as pieces; a draw that a text shows twice counts once."""
    pieces: list[Piece] = []
    seen: set[int] = set()
    for part in parts:
        if isinstance(part, Literal):
            if pieces and pieces[-1].literal is not None:
                pieces[-1] = Piece.of_literal(pieces[-1].literal + part.text)
            else:
                pieces.append(Piece.of_literal(part.text))
        elif isinstance(part, Choice) and part.draw.place not in seen:
            seen.add(part.draw.place)
            values = part.values.to_list()
            codes: dict[str, int] = {}
            for code in part.draw.possible().tolist():
                codes.setdefault(values[code], code)
            digit = Digit((part.draw.place,), (np.array(list(codes.values()), dtype=np.uint32),))
            pieces.append(Piece.of_table(pl.Series(list(codes), dtype=pl.String), digit))
        elif isinstance(part, Choice | Computed):
            pieces.append(Piece())
    return pieces


def _readable(pieces: list[Piece]) -> tuple[Piece, ...] | None:
    """Pieces that can be told from the text, or None."""
    made = list(pieces)
    number = 0
    while number < len(made):
        piece = made[number]
        rest = made[number + 1 :]
        if piece.fixed or not rest or all(each.fixed for each in rest):
            number += 1
        elif piece.texts is None or piece.digit is None:
            return None
        elif rest[0].literal:
            kept = np.flatnonzero(~piece.texts.str.contains(rest[0].literal[0], literal=True).to_numpy())
            if not len(kept):
                return None
            made[number] = _some(piece.texts, piece.digit, kept)
            number += 1
        else:
            product = _product(piece, rest[0])
            if product is None:
                return None
            made[number : number + 2] = [product]
    return tuple(made)


def _some(texts: pl.Series, digit: Digit, kept: NDArray[np.intp]) -> Piece:
    """A table with some of its texts."""
    codes = tuple(each[kept] for each in digit.codes)
    return Piece.of_table(texts.gather(pl.Series(kept.astype(np.uint32))), Digit(digit.places, codes))


def _product(one: Piece, other: Piece) -> Piece | None:
    """Two tables as one of all their pairs, a text that several pairs give taken once."""
    if one.texts is None or other.texts is None or one.digit is None or other.digit is None:
        return None
    first, second = len(one.texts), len(other.texts)
    if first * second > _MOST_MULTIPLIED:
        return None
    left, right = np.repeat(np.arange(first), second), np.tile(np.arange(second), first)
    gathered = [each.gather(pl.Series(at.astype(np.uint32))) for each, at in ((one.texts, left), (other.texts, right))]
    codes = (*(each[left] for each in one.digit.codes), *(each[right] for each in other.digit.codes))
    texts = gathered[0] + gathered[1]
    return _some(texts, Digit((*one.digit.places, *other.digit.places), codes), texts.arg_unique().sort().to_numpy())


def _in_class(character: str) -> str:
    return "\\" + character if character in r"\]^-[&~" else character


def table_key(keys: NDArray[np.uint64], index: NDArray[np.int64]) -> int:
    """What the keys of a table's rows are made from (the seed and the table), from one of them: `row_keys` undone."""
    value = int(keys[0])
    mask = 2**64 - 1
    value ^= (value >> 31) ^ (value >> 62)
    value = value * pow(0x94D0_49BB_1331_11EB, -1, 2**64) & mask
    value ^= (value >> 27) ^ (value >> 54)
    value = value * pow(0xBF58_476D_1CE4_E5B9, -1, 2**64) & mask
    value ^= (value >> 30) ^ (value >> 60)
    return (value - int(index[0]) * 0x9E37_79B9_7F4A_7C15) & mask


def permuted(numbers: NDArray[np.uint64], size: int, key: int) -> NDArray[np.uint64]:
    """A keyed permutation of 0 .. size - 1: a Feistel network on twice as many bits as needed, walked until inside."""
    half = np.uint64(max(1, ((size - 1).bit_length() + 1) // 2))
    low = np.uint64((1 << int(half)) - 1)
    values = numbers.copy()
    waiting = np.arange(len(values))
    while len(waiting):
        part = values[waiting]
        left, right = part >> half, part & low
        for turn in range(_ROUNDS):
            scrambled = mix_in_place(right ^ np.uint64(mixed(child_place(key, str(turn)))))
            left, right = right, (left ^ scrambled) & low
        values[waiting] = (left << half) | right
        waiting = waiting[values[waiting] >= np.uint64(size)]
    return values


def chances(listed: Sequence[Any]) -> NDArray[np.float64]:
    """Cumulative chances of families."""
    sums = np.cumsum(np.array([family.chance for family in listed]))
    return np.asarray(sums / sums[-1])
