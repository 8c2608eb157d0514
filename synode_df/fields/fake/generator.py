"""`fake`: a column of Faker's values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import polars as pl

from synode_df.errors import SynodeError, shown
from synode_df.fields.base import FieldGenerator
from synode_df.fields.columns import AnyColumn, Column, PythonColumn
from synode_df.fields.declaration import FrozenMapping
from synode_df.fields.dtypes import python_dtype, typed_series
from synode_df.fields.fake.instances import AddressedFaker, faker_for, put_random
from synode_df.fields.rows import Rows
from synode_df.randomness import AddressedRandom


@dataclass(frozen=True, eq=False, repr=False)
class Fake(FieldGenerator):
    """Values from a method of Faker, called for each row with random numbers from the row's address."""

    method: str | Callable[..., Any]
    args: tuple[object, ...] = ()
    kwargs: FrozenMapping[object] = field(default_factory=FrozenMapping)
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

    def draw(self, rows: Rows) -> AnyColumn:
        dtype = self._dtype(rows.path)
        locales = rows.surroundings.locales().to_list()
        stream = AddressedRandom()
        values = []
        for locale, address in zip(locales, rows.draws.bits().tolist(), strict=True):
            stream.restart(address)
            values.append(self._value(str(locale), stream, rows.path))
        if dtype is None:
            return PythonColumn(values)
        return Column(typed_series(values, rows.path, dtype=dtype))

    def _dtype(self, path: str) -> pl.DataType | None:
        """The type of the method's values, known from one of them; None for lists and dicts, whose parts may vary."""
        return _dtype_of(self, path)

    def _value(self, locale: str, stream: AddressedRandom, path: str) -> object:
        try:
            if callable(self.method):
                faker = faker_for(locale, path)
                put_random(faker, stream)
                return self.method(faker, *self.args, **self.kwargs)
            return getattr(AddressedFaker(locale, stream, path), self.method)(*self.args, **self.kwargs)
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
        options = [repr(arg) for arg in self.args] + [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"fake({', '.join([method, *options])})"


@lru_cache(maxsize=1_024)
def _dtype_of(fake: Fake, path: str) -> pl.DataType | None:
    value = fake._value("en_US", AddressedRandom(), path)
    dtype = python_dtype(value, path)
    return None if isinstance(dtype, pl.List | pl.Struct | pl.Null) else dtype


def fake(method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> Fake:
    """A value from Faker, in the locale of the user's persona (attribute `locale`, else `en_US`).

    Parameters
    ----------
    method : str or callable
        The name of a method of `faker.Faker`, such as `"email"`, or a function of a Faker instance.
    *args, **kwargs
        Arguments of the method.

    Returns
    -------
    FieldGenerator
        A column of the type of the method's values, `String` for most.

    Raises
    ------
    SynodeError
        `FAKER_ERROR`: an unknown method or locale, or arguments that the method refuses.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.sample(sd.fake("random_int", 1, 6), rows=3, seed=1).dtype
    Int64
    >>> sd.fake("bothify", text="??-###")
    fake('bothify', text='??-###')
    """
    return Fake(method, args, FrozenMapping(kwargs))
