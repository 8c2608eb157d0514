"""What all declarations share: frozen, comparable, hashable, printed as the code that makes them."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import math
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, ClassVar, NoReturn, TypeVar

import polars as pl

from synode_df.errors import shown
from synode_df.fields.expression_source import expression_source, expression_text

V = TypeVar("V")


class FrozenMapping(dict[str, V]):
    """A dict that keeps its order and cannot be changed."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("declarations are frozen: make a new one instead")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # unlike a dict it cannot change
        return hash(canonical(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


def canonical(value: object) -> object:
    """A hashable stand-in that is equal for equal declarations (a `pl.Expr` cannot be compared with `==`)."""
    if isinstance(value, Declaration):
        return (type(value).__qualname__, *((name, canonical(part)) for name, part in value.parts()))
    if isinstance(value, pl.Expr):
        return ("expression", expression_text(value))
    if isinstance(value, pl.DataFrame):
        rows = value.hash_rows(seed=0).to_numpy().tobytes()
        return ("frame", str(value.schema), hashlib.blake2b(rows, digest_size=16).hexdigest())
    if isinstance(value, Mapping):
        return ("mapping", *((key, canonical(part)) for key, part in value.items()))
    if isinstance(value, list | tuple):
        return ("sequence", *(canonical(part) for part in value))
    try:
        hash(value)
    except TypeError:
        return ("repr", repr(value))
    if isinstance(value, float) and math.isnan(value):
        return ("float", "nan")  # no NaN equals another one
    # 1 == True == 1.0 in Python, but they make different columns.
    return (type(value).__name__, value)


def code(value: object) -> str:
    """A value as source text, as far as that can be."""
    if isinstance(value, pl.Expr):
        return expression_source(value) or str(value)
    if isinstance(value, Declaration):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {code(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        inside = ", ".join(code(part) for part in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
    if isinstance(value, Enum):
        return f"{type(value).__qualname__}.{value.name}"
    if callable(value):
        return getattr(value, "__qualname__", shown(value))
    return repr(value)


class Declaration:
    """Base of frozen dataclasses that users write.

    Equality compares what was declared; the repr is the call that declares it, default options left out.
    """

    _factory: ClassVar[str] = ""
    _unpacked: ClassVar[str] = ""

    def parts(self) -> Iterator[tuple[str, object]]:
        """Names and values of what was declared."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            yield field.name, getattr(self, field.name)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return canonical(self) == canonical(other)

    def __hash__(self) -> int:
        return hash(canonical(self))

    def __repr__(self) -> str:
        written: list[str] = []
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # as above
            value = getattr(self, field.name)
            if field.name == self._unpacked:
                items = value.items() if isinstance(value, Mapping) else ()
                written += [f"{key}={code(part)}" for key, part in items] or (
                    [code(part) for part in value] if isinstance(value, tuple) else []
                )
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                written.append(code(value))
            else:
                default = field.default
                if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
                    default = field.default_factory()
                if canonical(value) != canonical(default):
                    written.append(f"{field.name}={code(value)}")
        return f"{self._factory or type(self).__name__}({', '.join(written)})"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
