"""Running the code of Faker's own providers on columns instead of single values.

A provider's method is called on a stand-in of the provider. Where Faker would draw one element of a table, the
stand-in draws a column of them and hands the code a *placeholder*: a string with a mark in it, which the code may
join, format and return like any other. What comes back is split at the marks, and the columns are put in their place.
Where the code does anything else with a placeholder (looks into it, compares it, computes with it), it cannot be done
to a column: `NotColumnarError` says so, and Faker is called for each row instead.

So formats, weights, locales and overrides are those of the installed Faker, whatever its release.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

import numpy as np
import polars as pl

from synode_df.fields.columns import Positions
from synode_df.fields.fake.tables import series_of, table
from synode_df.fields.fake.texts import Branch, Choice, Concat, Literal, Node, NotColumnarError, first_word, mapped
from synode_df.randomness import Draws, child_place

# A mark has in it what code may look for in a text: if the code changes any of that, the mark is no longer whole.
_BAIT: Final = "Xx ?#%!@$^&*+=/|-_.,:;'{}é"
_MARK: Final = re.compile(f"\ue000{re.escape(_BAIT)}([0-9]+)\ue001")
_DAMAGED: Final = re.compile("[\ue000\ue001]|(?i:xx)[^0-9]{0,30}[0-9]")
_TOKEN: Final = re.compile(r"\{\{\s*(\w+)(:\s*\w+?)?\s*\}\}")
_MASKS: Final[Mapping[str, Sequence[str]]] = {
    "#": tuple("0123456789"),
    "%": tuple("123456789"),
    "$": tuple("23456789"),
    "!": (*"0123456789", *[""] * 10),
    "@": (*"123456789", *[""] * 9),
}
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _refused(*_: object, **__: object) -> NoReturn:
    raise NotColumnarError("looks into a drawn text")


class Placeholder(str):
    """A text that differs from row to row, as far as Faker's code may touch it."""

    __slots__ = ("maker", "node")

    node: Node
    maker: Interpreter

    __len__ = __getitem__ = __iter__ = __contains__ = __mul__ = __rmul__ = __lt__ = __gt__ = __le__ = __ge__ = _refused
    __eq__ = __ne__ = _refused
    __hash__ = str.__hash__
    rsplit = strip = lstrip = rstrip = find = index = count = startswith = endswith = encode = _refused
    capitalize = title = swapcase = casefold = translate = zfill = partition = rpartition = splitlines = _refused
    isalpha = isdigit = isupper = islower = isnumeric = isdecimal = isascii = isspace = _refused
    center = ljust = rjust = removeprefix = removesuffix = expandtabs = _refused

    def __str__(self) -> str:
        return str.__str__(self)

    def __add__(self, other: str) -> Placeholder:
        return self.maker.text(Concat((self.node, self.maker.resolved(other))))

    def __radd__(self, other: str) -> Placeholder:
        return self.maker.text(Concat((self.maker.resolved(other), self.node)))

    def lower(self) -> Placeholder:
        return self.maker.text(mapped(self.node, str.lower, "lower"))

    def upper(self) -> Placeholder:
        return self.maker.text(mapped(self.node, str.upper, "upper"))

    def split(self, sep: str | None = None, maxsplit: int = -1) -> FirstWord:  # type: ignore[override]
        if sep != " " or maxsplit != -1:
            _refused()
        return FirstWord(self)

    def replace(self, old: str, new: str, count: Any = -1, /) -> Placeholder:
        if len(old) != 1 or count != -1 or _DAMAGED.search(new):
            _refused()
        return self.maker.text(mapped(self.node, lambda value: value.replace(old, new), ("replace", old, new)))


class FirstWord:
    """The words of a drawn text, of which Faker's code takes the first."""

    def __init__(self, text: Placeholder) -> None:
        self._text = text

    def pop(self, place: int) -> Placeholder:
        if place != 0:
            _refused()
        maker = self._text.maker
        return maker.text(first_word(self._text.node, len(maker.draws)))

    __getitem__ = pop
    __iter__ = __len__ = _refused


class Records:
    """A drawn record (a tuple of texts), of which Faker's code picks one part."""

    def __init__(self, maker: Interpreter, records: Sequence[Sequence[str]], codes: Any, key: object) -> None:
        self._maker = maker
        self._records = records
        self._codes = codes
        self._key = key

    def __getitem__(self, part: int) -> Placeholder:
        if not isinstance(part, int):
            _refused()
        column = [record[part] for record in self._records]
        values = series_of(self._records, (id(self._records), part), column)
        return self._maker.text(Choice(values, self._codes))

    __iter__ = __len__ = __eq__ = _refused
    __hash__ = None  # type: ignore[assignment]  # it can be neither compared nor kept in a set


class Interpreter:
    """Draws texts for some rows at one place, by running provider code.

    Parameters
    ----------
    generator : faker.Generator
        Faker's generator of a locale.
    draws : Draws
        The rows' random numbers.
    explore : bool
        Whether to follow every branch, also those that no row takes: finds out what can be done to columns.
    """

    def __init__(self, generator: Any, draws: Draws, *, explore: bool) -> None:
        self.generator = generator
        self.draws = draws
        self.explore = explore
        self._count = 0
        self._nodes: list[Node] = []

    def run(self, method: str, args: Sequence[object] = (), kwargs: Mapping[str, object] | None = None) -> Node:
        """The texts that a method of Faker gives.

        Raises
        ------
        NotColumnarError
            Where its code does something that cannot be done to a column.
        """
        try:
            return self.resolved(self._call(method, args, kwargs or {}))
        except NotColumnarError:
            raise
        except Exception as error:  # whatever the provider's code makes of a placeholder
            raise NotColumnarError(f"{type(error).__name__}: {error}") from error

    def _call(self, method: str, args: Sequence[object], kwargs: Mapping[str, object]) -> Any:
        bound = getattr(self.generator, method)
        provider = getattr(bound, "__self__", None)
        if provider is None or not hasattr(type(provider), method):
            raise NotColumnarError(f"{method} is not a provider's method")
        return getattr(self._stand_in(provider), method)(*args, **kwargs)

    def changed(self, text: object, change: Callable[[str], str], name: object) -> Placeholder:
        """A text after a change that works character by character."""
        return self.text(mapped(self.resolved(text), change, name))

    def _stand_in(self, provider: Any) -> Any:
        """An object that behaves as the provider does, but draws columns."""
        stand_in = _stand_in_class(type(provider))
        made: Any = object.__new__(stand_in)
        made.__dict__.update(provider.__dict__)
        made.__dict__["generator"] = _Generator(self)
        made.__dict__["_interpreter"] = self
        return made

    def text(self, node: Node) -> Placeholder:
        """A placeholder for a text."""
        made = Placeholder(f"\ue000{_BAIT}{len(self._nodes)}\ue001")
        made.node, made.maker = node, self
        self._nodes.append(node)
        return made

    def resolved(self, text: object) -> Node:
        """The tree of a text that may have placeholders in it."""
        if isinstance(text, Placeholder) and text.maker is self:
            return text.node
        if not isinstance(text, str) or isinstance(text, Placeholder):
            raise NotColumnarError(f"gives {type(text).__name__}")
        pieces = _MARK.split(text)
        parts: list[Node] = []
        for number, piece in enumerate(pieces):
            if number % 2:
                parts.append(self._nodes[int(piece)])
            elif piece:
                if _DAMAGED.search(piece):
                    raise NotColumnarError("changes a drawn text")
                parts.append(Literal(piece))
        if not parts:
            return Literal("")
        return parts[0] if len(parts) == 1 else Concat(tuple(parts))

    def _next(self) -> Draws:
        self._count += 1
        return self.draws.at(str(self._count))

    def element(self, elements: Any, *, weighting: bool) -> Placeholder | Records:
        """One element of a table for each row, as Faker's `random_element`."""
        values, cumulative = table(elements, weighting=weighting)
        draws = self._next()
        if cumulative is None:
            codes = draws.below(len(values)).astype(np.uint32)
        else:
            codes = np.searchsorted(cumulative, draws.uniform(), side="right").astype(np.uint32)
        if isinstance(values, pl.Series):
            return self.text(Choice(values, codes))
        return Records(self, values, codes, id(elements))

    def number(self, low: int, high: int, step: int) -> Placeholder:
        """A whole number for each row, as text."""
        numbers = range(low, high + 1, step)
        if not 0 < len(numbers) <= 100_000:
            raise NotColumnarError("draws a number of a wide range")
        values = series_of(None, ("range", low, high, step), [str(number) for number in numbers])
        return self.text(Choice(values, self._next().below(len(numbers)).astype(np.uint32)))

    def parsed(self, text: str) -> Placeholder:
        """A format with its tokens replaced, as Faker's `parse`."""
        return self.text(self._each_literal(self.resolved(text), lambda inner, literal: inner.tokens(literal)))

    def masked(self, text: str, masks: Mapping[str, Sequence[str]]) -> Placeholder:
        """A mask with its signs replaced, as Faker's `numerify`, `lexify` and `bothify`."""
        return self.text(self._each_literal(self.resolved(text), lambda inner, literal: inner.signs(literal, masks)))

    def _each_literal(self, node: Node, change: Callable[[Interpreter, str], Node]) -> Node:
        """A text whose literals are formats: each is worked out for the rows that have it."""
        if isinstance(node, Literal):
            return change(self, node.text)
        if isinstance(node, Concat):
            return Concat(tuple(self._each_literal(part, change) for part in node.parts))
        self._count += 1
        if isinstance(node, Branch):
            branches = [
                (name, positions, self._inner(positions, name)._each_literal(part, change))
                for name, positions, part in node.parts
            ]
            return Branch(tuple(branches))
        formats = node.values.to_list()
        if not any(set("{#%$!@?^").intersection(value) for value in formats):
            return node
        codes = range(len(formats)) if self.explore else np.unique(node.codes).tolist()
        parts = []
        for code in codes:
            positions = np.flatnonzero(node.codes == code)
            inner = self._inner(positions, formats[code])
            parts.append((formats[code], positions, change(inner, formats[code])))
        return Branch(tuple(parts))

    def _inner(self, positions: Positions, name: str) -> Interpreter:
        """The same at a place inside this one, for some of the rows."""
        place = child_place(self.draws.place, f"{self._count} {name}")
        return Interpreter(self.generator, Draws(self.draws.keys[positions], place), explore=self.explore)

    def tokens(self, text: str) -> Node:
        """A literal format with its tokens replaced."""
        parts: list[Node] = []
        end = 0
        for token in _TOKEN.finditer(text):
            if token[2]:
                raise NotColumnarError("a token with arguments")
            if token.start() > end:
                parts.append(Literal(text[end : token.start()]))
            parts.append(self.resolved(self._call(token[1], (), {})))
            end = token.end()
        if end < len(text) or not parts:
            parts.append(Literal(text[end:]))
        return parts[0] if len(parts) == 1 else Concat(tuple(parts))

    def signs(self, text: str, masks: Mapping[str, Sequence[str]]) -> Node:
        """A literal mask with its signs replaced; digits next to each other are drawn as one number."""
        parts: list[Node] = []
        rest = text
        while rest:
            sign = rest[0]
            if sign == "#" and "#" in masks:
                width = min(len(rest) - len(rest.lstrip("#")), 4)
                values = series_of(None, ("digits", width), [f"{n:0{width}d}" for n in range(10**width)])
                parts.append(Choice(values, self._next().below(10**width).astype(np.uint32)))
            elif sign in masks:
                width = 1
                values = series_of(None, ("mask", *masks[sign]), masks[sign])
                parts.append(Choice(values, self._next().below(len(values)).astype(np.uint32)))
            else:
                width = next((at for at, each in enumerate(rest) if each in masks), len(rest))
                parts.append(Literal(rest[:width]))
            rest = rest[width:]
        return parts[0] if len(parts) == 1 else Concat(tuple(parts)) if parts else Literal("")


class _Generator:
    """What provider code sees as its generator: formats and methods, but no stream of random numbers."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter

    def parse(self, text: str) -> Placeholder:
        return self._interpreter.parsed(text)

    def format(self, method: str, *args: object, **kwargs: object) -> Any:
        return self._interpreter._call(method, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "random" or name.startswith("_"):
            raise NotColumnarError("draws from the stream of random numbers")
        return lambda *args, **kwargs: self._interpreter._call(name, args, kwargs)


class _StandIn:
    """The drawing methods of Faker's BaseProvider, on columns."""

    _interpreter: Interpreter
    __use_weighting__: bool

    def random_element(self, elements: Any = ("a", "b", "c")) -> Placeholder | Records:
        return self._interpreter.element(elements, weighting=self.__use_weighting__)

    def random_int(self, min: int = 0, max: int = 9999, step: int = 1) -> Placeholder:
        return self._interpreter.number(min, max, step)

    def random_digit(self) -> Placeholder:
        return self._interpreter.number(0, 9, 1)

    def random_digit_not_null(self) -> Placeholder:
        return self._interpreter.number(1, 9, 1)

    def random_digit_above_two(self) -> Placeholder:
        return self._interpreter.number(2, 9, 1)

    def random_letter(self) -> Placeholder | Records:
        return self._interpreter.element(_LETTERS, weighting=False)

    def random_lowercase_letter(self) -> Placeholder | Records:
        return self._interpreter.element(_LETTERS[:26], weighting=False)

    def random_uppercase_letter(self) -> Placeholder | Records:
        return self._interpreter.element(_LETTERS[26:], weighting=False)

    def numerify(self, text: str = "###") -> Placeholder:
        return self._interpreter.masked(text, _MASKS)

    def lexify(self, text: str = "????", letters: str = _LETTERS) -> Placeholder:
        return self._interpreter.masked(text, {"?": tuple(letters)})

    def bothify(self, text: str = "## ??", letters: str = _LETTERS) -> Placeholder:
        return self._interpreter.masked(text, {**_MASKS, "?": tuple(letters)})

    def hexify(self, text: str = "^^^^", upper: bool = False) -> Placeholder:
        digits = "0123456789ABCDEF" if upper else "0123456789abcdef"
        return self._interpreter.masked(text, {"^": tuple(digits)})

    def _to_ascii(self, string: str) -> Placeholder:
        own = super()._to_ascii  # type: ignore[misc]  # internet providers have it
        return self._interpreter.changed(string, own, ("ascii", type(self)))

    random_elements = random_choices = random_sample = random_number = randomize_nb_elements = _refused
    random_digit_or_empty = random_digit_not_null_or_empty = enum = _refused


_classes: dict[type, type] = {}


def _stand_in_class(provider: type) -> type:
    """A class that is a provider, but draws columns, and whose text decorators change columns."""
    if provider not in _classes:
        decorated = {
            name: _redecorated(method)
            for name in dir(provider)
            if hasattr(method := getattr(provider, name), "__wrapped__") and inspect.isfunction(method)
        }
        _classes[provider] = type(f"Columns of {provider.__name__}", (_StandIn, provider), decorated)
    return _classes[provider]


def _redecorated(method: Any) -> Any:
    """A method whose decorators change what it gives: Faker's own ones are done to columns, others refused."""
    from faker.utils import text

    known: dict[str, Callable[[str], str]] = {
        "lowercase.<locals>.wrapper": str.lower,
        "slugify.<locals>.wrapper": _inside(text.slugify),
        "slugify_domain.<locals>.wrapper": _inside(lambda value: text.slugify(value, allow_dots=True)),
        "slugify_unicode.<locals>.wrapper": _inside(lambda value: text.slugify(value, allow_unicode=True)),
    }
    name = method.__code__.co_qualname
    inner = method.__wrapped__
    if hasattr(inner, "__wrapped__"):
        inner = _redecorated(inner)

    def call(self: _StandIn, *args: Any, **kwargs: Any) -> Any:
        if name not in known:
            raise NotColumnarError(f"an unknown decorator, {name}")
        return self._interpreter.changed(inner(self, *args, **kwargs), known[name], name)

    return call


def _inside(change: Callable[[str], str]) -> Callable[[str], str]:
    """A change to a part of a text, refused where it would see the edges: blanks are stripped from whole texts."""

    def changed(part: str) -> str:
        if part != part.strip() or (len(part) > 1 and "-" in (part[0], part[-1])):
            raise NotColumnarError("strips a part of a text")
        return change(part)

    return changed
