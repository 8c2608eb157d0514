"""`fake`: a column of Faker's values."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import polars as pl

from synode_df.errors import SynodeError, shown
from synode_df.fields.base import FieldGenerator
from synode_df.fields.columns import AnyColumn, Column, Positions, PythonColumn, full_column
from synode_df.fields.declaration import FrozenMapping, code
from synode_df.fields.dtypes import python_dtype, typed_series
from synode_df.fields.fake.columnar import column_dtype, draw_column
from synode_df.fields.fake.distinct import Call, draw_distinct
from synode_df.fields.fake.instances import AddressedFaker, check_locale, faker_for, put_random
from synode_df.fields.fake.numbers import Values
from synode_df.fields.fake.texts import to_column
from synode_df.fields.rows import Rows
from synode_df.randomness import AddressedRandom, Draws


@dataclass(frozen=True, eq=False, repr=False)
class Fake(FieldGenerator):
    """Values from a method of Faker: drawn from its tables as a column, or made by calling it for each row."""

    method: str | Callable[..., Any]
    args: tuple[object, ...] = ()
    kwargs: FrozenMapping[object] = field(default_factory=FrozenMapping)
    unique: bool = False
    provider: type | None = None
    _factory: ClassVar[str] = "fake"

    def __post_init__(self) -> None:
        if not callable(self.method) and not (isinstance(self.method, str) and self.method.isidentifier()):
            raise SynodeError(
                "FAKER_ERROR",
                "fake takes the name of a Faker method, or a function of a Faker instance",
                path="fake",
                expected='a name such as "email", or a function such as lambda faker: faker.name()',
                received=shown(self.method),
                suggestion='write fake("email")',
            )
        if not isinstance(self.unique, bool):
            raise SynodeError(
                "FAKER_ERROR",
                "`unique` says whether all users get different values",
                path="fake",
                expected="True or False",
                received=shown(self.unique),
                suggestion='write fake("email", unique=True)',
            )
        if self.provider is not None and not _is_provider(self.provider):
            raise SynodeError(
                "FAKER_ERROR",
                "`provider` must be a class of Faker providers",
                path="fake",
                expected="a class derived from faker.providers.BaseProvider",
                received=shown(self.provider),
                suggestion='write fake("cuisine", provider=FoodProvider), without parentheses behind the class',
            )

    def draw(self, rows: Rows) -> AnyColumn:
        locales = rows.surroundings.locales()
        codes = np.zeros(len(rows), dtype=np.uint32) if locales.codes is None else locales.codes
        names = locales.to_list() if locales.codes is None else locales.values.to_list()
        if locales.codes is None:
            distinct = {name: code for code, name in enumerate(dict.fromkeys(names))}
            codes = np.array([distinct[name] for name in names], dtype=np.uint32)
            names = list(distinct)
        if self.unique:
            spelled = [check_locale(str(name), rows.path) for name in names]
            return Column(draw_distinct(Call(self), rows, codes, spelled))
        parts: list[tuple[Positions, AnyColumn]] = [(np.empty(0, dtype=np.intp), self._none(rows.path))]
        for number in np.unique(codes).tolist():
            positions = np.flatnonzero(codes == number)
            draws = Draws(rows.draws.keys[positions], rows.draws.place)
            parts.append((positions, self._column(str(names[number]), draws, rows.path)))
        return full_column(parts, len(rows))

    def executor(self, locale: str = "en_US") -> str:
        """Who makes the values for users of a locale.

        Returns
        -------
        {"columnar", "row-wise"}
            Whether Faker's own tables are drawn from as columns, or Faker is called for each user.
        """
        return "columnar" if _is_columnar(self, check_locale(locale, "fake")) else "row-wise"

    def generator(self, locale: str, path: str) -> Any:
        """Faker's generator of a locale, with the provider that was asked for."""
        return faker_for(locale, path, self.provider).factories[0]

    def _none(self, path: str) -> AnyColumn:
        """A column without rows, of the right type."""
        dtype = self._dtype(path)
        return PythonColumn([]) if dtype is None else Column(pl.Series([], dtype=dtype))

    def _column(self, locale: str, draws: Draws, path: str) -> AnyColumn:
        if len(draws) and _is_columnar(self, check_locale(locale, path)):
            generator = self.generator(locale, path)
            drawn = draw_column(generator, draws.at("columns"), str(self.method), self.args, self.kwargs)
            return Column(drawn.series) if isinstance(drawn, Values) else to_column(drawn, len(draws))
        dtype = self._dtype(path)
        stream = AddressedRandom()
        values = []
        started = time.perf_counter()
        for address in draws.bits().tolist():
            stream.restart(address)
            values.append(self._value(locale, stream, path))
        _tell_if_slow(self._name(), time.perf_counter() - started)
        return PythonColumn(values) if dtype is None else Column(typed_series(values, path, dtype=dtype))

    def _dtype(self, path: str) -> pl.DataType | None:
        """The type of the method's values, known from one of them; None for lists and dicts, whose parts may vary."""
        return _dtype_of(self, path)

    def _value(self, locale: str, stream: AddressedRandom, path: str) -> object:
        try:
            if callable(self.method):
                faker = faker_for(locale, path, self.provider)
                put_random(faker, stream)
                return self.method(faker, *self.args, **self.kwargs)
            return getattr(AddressedFaker(locale, stream, path, self.provider), self.method)(*self.args, **self.kwargs)
        except SynodeError:
            raise
        except Exception as error:
            raise SynodeError(
                "FAKER_ERROR",
                f"Faker could not make a value: {type(error).__name__}: {error}",
                path=path,
                expected=f"arguments that Faker's {self._name()} takes",
                received=shown(self),
                suggestion="check the arguments against Faker's documentation of the method",
            ) from error

    def _name(self) -> str:
        return self.method if isinstance(self.method, str) else getattr(self.method, "__qualname__", "function")

    def __repr__(self) -> str:
        method = repr(self.method) if isinstance(self.method, str) else self._name()
        options = [code(arg) for arg in self.args] + [f"{name}={code(value)}" for name, value in self.kwargs.items()]
        options += ["unique=True"] if self.unique else []
        options += [f"provider={self.provider.__qualname__}"] if self.provider else []
        return f"fake({', '.join([method, *options])})"


def is_distinct(value: object) -> bool:
    """Whether a field value is one of which no two users get the same."""
    return isinstance(value, Fake) and value.unique


def _is_provider(provider: object) -> bool:
    from faker.providers import BaseProvider

    return isinstance(provider, type) and issubclass(provider, BaseProvider)


_slow: dict[str, float] = {}


def _tell_if_slow(method: str, seconds: float) -> None:
    """A hint, once, when calling Faker row by row has taken more than a second."""
    before = _slow.get(method, 0.0)
    _slow[method] = before + seconds
    if before <= 1 < before + seconds:
        logging.getLogger("synode_df").warning(
            "fake(%r) has taken %.1f s so far: Faker is called for each user, since this method, or its arguments, "
            "cannot be drawn as a column",
            method,
            before + seconds,
        )


@lru_cache(maxsize=4_096)
def _columnar_dtype(fake: Fake, locale: str) -> pl.DataType | None:
    """The type of the method's column in a locale, or None where Faker must be called for each row."""
    generator = fake.generator(locale, "fake")
    if not isinstance(fake.method, str) or not hasattr(generator, fake.method):
        return None
    return column_dtype(generator, fake.method, fake.args, fake.kwargs)


def _is_columnar(fake: Fake, locale: str) -> bool:
    return _columnar_dtype(fake, locale) is not None


@lru_cache(maxsize=1_024)
def _dtype_of(fake: Fake, path: str) -> pl.DataType | None:
    drawn = _columnar_dtype(fake, "en_US")
    if drawn is not None:
        return drawn
    value = fake._value("en_US", AddressedRandom(), path)
    dtype = python_dtype(value, path)
    # Parts of lists and structs, and the digits of decimals, vary from value to value.
    return None if isinstance(dtype, pl.List | pl.Struct | pl.Null | pl.Decimal) else dtype


def fake(
    method: str | Callable[..., Any], *args: Any, unique: bool = False, provider: type | None = None, **kwargs: Any
) -> Fake:
    """A value from Faker, in the locale of the user's persona (attribute `locale`, else `en_US`).

    Parameters
    ----------
    method : str or callable
        The name of a method of `faker.Faker`, such as `"email"`, or a function of a Faker instance.
    *args, **kwargs
        Arguments of the method.
    unique : bool, default False
        Whether all users of the population (rows of the dataset) get different values. They are then drawn evenly from
        what the method can give: weights cannot hold where nothing comes twice.
    provider : type, optional
        A class of Faker providers of your own that has the method.

    Returns
    -------
    FieldGenerator
        A column of the type of the method's values, `String` for most.

    Raises
    ------
    SynodeError
        `FAKER_ERROR`: an unknown method or locale, arguments that the method refuses, or with `unique` fewer values
        than users, or a method whose values cannot be promised to differ.

    Notes
    -----
    What Faker takes for today is 2026-01-01, so that a seed gives the same data on any day. A `unique` of Faker's own
    method, such as that of `words`, is reached by a function: `fake(lambda faker: faker.words(unique=True))`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.fake("random_int", 1, 6), rows=3, seed=1).dtype
    Int64
    >>> sd.fake("bothify", text="??-###")
    fake('bothify', text='??-###')
    >>> codes = sd.sample(sd.fake("bothify", "?##", unique=True), rows=5_200, seed=1)
    >>> codes.n_unique()
    5200
    """
    return Fake(method, args, FrozenMapping(kwargs), unique, provider)
