"""Stand-ins of Faker's providers: their own code, over drawing methods that draw columns."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from synode_df.fields.fake.computed import computed_methods
from synode_df.fields.fake.drawing import Drawing
from synode_df.fields.fake.placeholders import refused
from synode_df.fields.fake.templates import MASKS
from synode_df.fields.fake.texts import NotColumnarError

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MOST_BITS: Final = 16


class _Stream:
    """What provider code sees as its `random.Random`."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing

    def randint(self, a: int, b: int) -> Any:
        return self._drawing.number(a, b - a + 1)

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> Any:
        numbers = range(start) if stop is None else range(start, stop, step)
        return self._drawing.number(numbers.start, len(numbers), step)

    def getrandbits(self, k: int) -> Any:
        if k <= _MOST_BITS:
            return self._drawing.number(0, 2**k)
        # Many bits are drawn sixteen at a time, the highest first.
        whole, rest = divmod(k, _MOST_BITS)
        value = self._drawing.number(0, 2**rest) if rest else 0
        for _ in range(whole):
            value = value * 2**_MOST_BITS + self._drawing.number(0, 2**_MOST_BITS)
        return value

    def choice(self, seq: Any) -> Any:
        return self._drawing.element(seq, weighting=False)

    def choices(self, population: Any, weights: Any = None, *, cum_weights: Any = None, k: int = 1) -> list[Any]:
        if cum_weights is not None:
            refused()
        return [self._drawing.element(population, weighting=False, weights=weights) for _ in range(k)]

    def random(self) -> Any:
        return self._drawing.fraction(0.0, 1.0)

    def uniform(self, a: float, b: float) -> Any:
        return self._drawing.fraction(a, b)

    def __getattr__(self, name: str) -> Any:
        raise NotColumnarError(f"draws by random.{name}")


class _Generator:
    """What provider code sees as its generator."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self.random = _Stream(drawing)

    def parse(self, text: str) -> Any:
        return self._drawing.parsed(text)

    def format(self, method: str, *args: object, **kwargs: object) -> Any:
        return self._drawing.call(method, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise NotColumnarError(f"looks into Faker's generator: {name}")
        return lambda *args, **kwargs: self._drawing.call(name, args, kwargs)


class _StandIn:
    """The drawing methods of Faker's BaseProvider, on columns."""

    _drawing: Drawing
    _provider: Any
    __use_weighting__: bool

    def __setattr__(self, name: str, value: object) -> None:
        # The networks of IP addresses are kept by their provider, under this name, since they take long to find.
        if name.startswith("_cached"):
            setattr(self._provider, name, value)
        object.__setattr__(self, name, value)

    def random_element(self, elements: Any = ("a", "b", "c")) -> Any:
        return self._drawing.element(elements, weighting=self.__use_weighting__)

    def random_elements(
        self,
        elements: Any = ("a", "b", "c"),
        length: int | None = None,
        unique: bool = False,
        use_weighting: bool | None = None,
    ) -> list[Any]:
        if unique:
            refused()
        weighting = self.__use_weighting__ if use_weighting is None else use_weighting
        number = self._drawing.number(1, len(elements)) if length is None else length
        return [self._drawing.element(elements, weighting=weighting) for _ in range(number)]

    def randomize_nb_elements(
        self, number: int = 10, le: bool = False, ge: bool = False, min: int | None = None, max: int | None = None
    ) -> Any:
        if le and ge:
            return number
        low, high = 100 if ge else 60, 100 if le else 140
        found = [int(number * percent / 100) for percent in range(low, high + 1)]
        found = [each if min is None or each >= min else min for each in found]
        found = [each if max is None or each <= max else max for each in found]
        return self._drawing.element(tuple(found), weighting=False)

    def numerify(self, text: str = "###") -> Any:
        return self._drawing.masked(text, MASKS)

    def lexify(self, text: str = "????", letters: str = _LETTERS) -> Any:
        return self._drawing.masked(text, {"?": tuple(letters)})

    def bothify(self, text: str = "## ??", letters: str = _LETTERS) -> Any:
        return self._drawing.masked(text, {**MASKS, "?": tuple(letters)})

    def hexify(self, text: str = "^^^^", upper: bool = False) -> Any:
        digits = "0123456789ABCDEF" if upper else "0123456789abcdef"
        return self._drawing.masked(text, {"^": tuple(digits)})

    def _to_ascii(self, string: str) -> Any:
        own = super()._to_ascii  # type: ignore[misc]  # internet providers have it
        return self._drawing.changed(string, own, ("ascii", type(self)))


_classes: dict[tuple[type, bool], type] = {}


def standin(provider: Any, drawing: Drawing) -> Any:
    """An object that behaves as a provider does, but draws what `drawing` gives."""
    kind, single = type(provider), drawing.single
    if (kind, single) not in _classes:
        own = {} if single else {**_redecorated_methods(kind), **computed_methods(kind)}
        _classes[kind, single] = type(f"Columns of {kind.__name__}", (_StandIn, kind), own)
    made: Any = object.__new__(_classes[kind, single])
    made.__dict__.update(provider.__dict__)
    made.__dict__["generator"] = _Generator(drawing)
    made.__dict__["_drawing"] = drawing
    made.__dict__["_provider"] = provider
    return made


def _redecorated_methods(provider: type) -> Mapping[str, Any]:
    """A provider's methods with Faker's text decorators, such that these change columns."""
    return {
        name: _redecorated(method)
        for name in dir(provider)
        if inspect.isfunction(method := getattr(provider, name)) and hasattr(method, "__wrapped__")
    }


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
        return self._drawing.changed(inner(self, *args, **kwargs), known[name], name)

    return call


def _inside(change: Callable[[str], str]) -> Callable[[str], str]:
    """A change to a part of a text, refused where it would see the edges: blanks are stripped from whole texts."""

    def changed(part: str) -> str:
        if part != part.strip() or (len(part) > 1 and "-" in (part[0], part[-1])):
            raise NotColumnarError("strips a part of a text")
        return change(part)

    return changed
