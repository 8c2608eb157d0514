"""What Faker's code gets in the place of one drawn value: stand-ins for whole columns of texts, numbers and records.

A placeholder is a string with a mark in it, which the code may join, format and return like any other. What would
look into it (a comparison, a length, a test) is answered if all rows have the same answer; else `ForkError` has the
code run again for the rows of each answer on its own.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from synode_df.fields.columns import Positions
from synode_df.fields.fake import cutting, texts
from synode_df.fields.fake.forks import answer, equal, fork
from synode_df.fields.fake.tables import text_series
from synode_df.fields.fake.texts import Choice, Draw, Literal, Node, NotColumnarError

# A mark has in it what code may look for in a text: if the code changes any of that, the mark is no longer whole.
_BAIT: Final = "Xx ?#%!@$^&*+=/|-_.,:;'{}é"
_CASES: Final = "|".join(map(re.escape, (_BAIT, _BAIT.upper(), _BAIT.lower())))
MARK: Final = re.compile(f"\ue000({_CASES})([0-9]+)\ue001")
DAMAGED: Final = re.compile("[\ue000\ue001]|(?i:xx)[^0-9]{0,30}[0-9]")


class Maker(Protocol):
    """Who makes placeholders, and knows the trees behind their marks."""

    def mark(self, thing: Any) -> int:
        """The number by which a tree is known from now on."""
        ...

    def text(self, node: Node) -> Text:
        """A placeholder for a text."""
        ...

    def resolved(self, text: object) -> Node:
        """The tree of a text that may have marks in it."""
        ...

    def decided(self, answers: NDArray[np.bool_]) -> bool:
        """The answer to a question that each row answers, if it is the same for all; else a fork."""
        ...


def case_of(bait: str) -> Callable[[str], str] | None:
    """What was done to the whole text around a mark, as its letters show."""
    return None if bait == _BAIT else str.upper if bait == _BAIT.upper() else str.lower


def marked(number: int) -> str:
    """The mark for a number."""
    return f"\ue000{_BAIT}{number}\ue001"


def refused(*_: object, **__: object) -> NoReturn:
    """For what cannot be done to a column."""
    raise NotColumnarError("looks into a drawn text")


def _whole(name: str) -> Callable[..., Text]:
    """A method of str that gives a text, done to whole values."""

    def method(self: Text, *arguments: Any) -> Text:
        if any(isinstance(each, str) and MARK.search(each) for each in arguments):
            refused()
        change = operator.methodcaller(name, *arguments)
        return self.maker.text(texts.mapped(self.node, change, (name, *arguments), whole=True))

    return method


def _asked(name: str) -> Callable[..., Any]:
    """A method of str that tells something about a text."""

    def method(self: Text, *arguments: Any) -> Any:
        if any(isinstance(each, str) and MARK.search(each) for each in arguments):
            refused()
        return answer(self.node, lambda value: getattr(value, name)(*arguments))

    return method


class Text(str):
    """A text that differs from row to row, as far as Faker's code may touch it."""

    __slots__ = ("maker", "node")

    node: Node
    maker: Maker

    def __new__(cls, maker: Maker, node: Node) -> Text:
        made = str.__new__(cls, marked(maker.mark(node)))
        made.node, made.maker = node, maker
        return made

    __lt__, __gt__, __le__, __ge__ = map(_asked, ("__lt__", "__gt__", "__le__", "__ge__"))
    __contains__ = _asked("__contains__")
    __len__, find, index, count = map(_asked, ("__len__", "find", "index", "count"))
    startswith, endswith = map(_asked, ("startswith", "endswith"))
    isalpha, isdigit, isupper = map(_asked, ("isalpha", "isdigit", "isupper"))
    islower, isnumeric, isdecimal = map(_asked, ("islower", "isnumeric", "isdecimal"))
    isascii, isspace, isalnum = map(_asked, ("isascii", "isspace", "isalnum"))
    strip, lstrip, rstrip, capitalize = map(_whole, ("strip", "lstrip", "rstrip", "capitalize"))
    title, swapcase, casefold, zfill = map(_whole, ("title", "swapcase", "casefold", "zfill"))
    center, ljust, rjust = map(_whole, ("center", "ljust", "rjust"))
    removeprefix, removesuffix = map(_whole, ("removeprefix", "removesuffix"))
    __mul__ = __rmul__ = __mod__ = rsplit = splitlines = partition = rpartition = refused
    encode = translate = expandtabs = format_map = refused

    def __hash__(self) -> int:
        return hash(answer(self.node, str))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str) and MARK.search(other):
            refused()
        return isinstance(other, str) and equal(self.node, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __bool__(self) -> bool:
        return bool(answer(self.node, bool))

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, spec: str) -> str:
        if not spec or spec == "s":
            return self
        return self.maker.text(texts.mapped(self.node, lambda value: format(value, spec), ("format", spec), whole=True))

    def __rmod__(self, template: str) -> str:
        if template.count("%") != 1 or template.count("%s") != 1:
            refused()
        before, after = template.split("%s")
        return self.maker.text(texts.joined((Literal(before), self.node, Literal(after))))

    def __add__(self, other: str) -> Text:
        return self.maker.text(texts.joined((self.node, self.maker.resolved(other))))

    def __radd__(self, other: str) -> Text:
        return self.maker.text(texts.joined((self.maker.resolved(other), self.node)))

    def __iter__(self) -> Iterator[Any]:
        return iter([self[at] for at in range(len(self))])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(self.node, Literal | Choice):
            return self.maker.text(texts.mapped(self.node, operator.itemgetter(key), ("item", str(key)), whole=True))
        if isinstance(key, slice) and key.step is None and (key.start or 0) >= 0:
            if key.stop is None or key.stop >= 0:
                return self.maker.text(cutting.cut(self.node, key.start, key.stop))
        elif isinstance(key, int) and key >= 0:
            return self.maker.text(cutting.cut(self.node, key, key + 1))
        return refused()

    def lower(self) -> Text:
        return self.maker.text(texts.mapped(self.node, str.lower, "lower"))

    def upper(self) -> Text:
        return self.maker.text(texts.mapped(self.node, str.upper, "upper"))

    def split(self, sep: str | None = None, maxsplit: int = -1) -> Words:  # type: ignore[override]
        if sep != " " or maxsplit != -1:
            refused()
        return Words(self)

    def replace(self, old: str, new: str, count: Any = -1, /) -> Text:
        if count != -1 or MARK.search(old) or DAMAGED.search(new):
            refused()
        return self.maker.text(
            texts.mapped(self.node, lambda value: value.replace(old, new), ("replace", old, new), whole=len(old) != 1)
        )

    def __int__(self) -> int:
        return int(answer(self.node, int))

    def __float__(self) -> float:
        return float(answer(self.node, float))


class Words:
    """The words of a drawn text, of which Faker's code takes the first, or all."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def pop(self, place: int) -> Text:
        if place != 0:
            refused()
        return self._text.maker.text(cutting.first_word(self._text.node))

    __getitem__ = pop

    def __iter__(self) -> Iterator[Text]:
        return iter([self._text.maker.text(word) for word in cutting.words(self._text.node)])

    def __len__(self) -> int:
        return len(cutting.words(self._text.node))


class Records:
    """A drawn record (a tuple), of which Faker's code picks parts."""

    def __init__(self, maker: Maker, records: Sequence[Sequence[object]], draw: Draw) -> None:
        self._maker = maker
        self._records = records
        self._draw = draw

    def take(self, positions: Positions, maker: Maker) -> Records:
        """The records of some of the rows."""
        return Records(maker, self._records, replace(self._draw, codes=self._draw.codes[positions]))

    def __getitem__(self, part: int) -> Any:
        column = [record[part] for record in self._records]
        if not isinstance(part, int) or not all(type(value) is str for value in column):
            fork(self._draw, [repr(self._records[code]) for code in self._draw.possible().tolist()])
        return self._maker.text(Choice(text_series(column), self._draw))  # type: ignore[arg-type]  # checked above

    def __iter__(self) -> Iterator[Any]:
        return iter([self[part] for part in range(len(self))])

    def __len__(self) -> int:
        return len(self._records[0])

    def __eq__(self, other: object) -> NoReturn:
        refused()

    __hash__ = None  # type: ignore[assignment]  # it can be neither compared nor kept in a set
