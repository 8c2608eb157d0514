"""Polars expressions as the Python that makes them.

Polars prints an expression for people, not for Python. Its serialised tree is translated here and the translation is
built again beside its text: text is only given where what it builds serialises to the same tree, so it cannot be wrong.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

import polars as pl

_OPERATORS: Final[Mapping[str, tuple[str, str, int]]] = {
    "Or": ("|", "__or__", 2),
    "Xor": ("^", "__xor__", 3),
    "And": ("&", "__and__", 4),
    "Eq": ("==", "__eq__", 1),
    "NotEq": ("!=", "__ne__", 1),
    "Lt": ("<", "__lt__", 1),
    "LtEq": ("<=", "__le__", 1),
    "Gt": (">", "__gt__", 1),
    "GtEq": (">=", "__ge__", 1),
    "Plus": ("+", "__add__", 5),
    "Minus": ("-", "__sub__", 5),
    "Multiply": ("*", "__mul__", 6),
    "TrueDivide": ("/", "__truediv__", 6),
    "FloorDivide": ("//", "__floordiv__", 6),
    "Modulus": ("%", "__mod__", 6),
}
"""Serialised operators: sign, method, how strongly it binds."""

_TIGHTEST: Final = 9
_FAMILIES: Final = {"Boolean": "", "StringExpr": "str", "TemporalExpr": "dt", "ListExpr": "list"}
_METHODS: Final = {
    "Lowercase": "to_lowercase",
    "Uppercase": "to_uppercase",
    "Negate": "neg",
    "WeekDay": "weekday",
}


class _NotWrittenError(Exception):
    """A part of an expression that is not translated."""


class _Part(NamedTuple):
    """Source text, how strongly its outermost operator binds, and what it builds."""

    text: str
    binds: int
    builds: Any

    def inside(self, binds: int) -> str:
        """The text as an operand of something that binds so strongly."""
        return self.text if self.binds >= binds else f"({self.text})"

    def call(self, method: str, *arguments: _Part, **options: object) -> _Part:
        """A method of this part, called."""
        target = self.builds
        for name in method.split("."):
            target = getattr(target, name)
        written = [argument.text for argument in arguments] + [f"{name}={value!r}" for name, value in options.items()]
        built = target(*(argument.builds for argument in arguments), **options)
        return _Part(f"{self.inside(_TIGHTEST)}.{method}({', '.join(written)})", _TIGHTEST, built)


def expression_text(expression: pl.Expr) -> str:
    """A stable text of an expression's tree."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return expression.meta.serialize(format="json")


def expression_source(expression: pl.Expr) -> str | None:
    """The Python that makes an expression, or None where it is not known how to write it.

    Parameters
    ----------
    expression : polars.Expr
        Any expression.

    Returns
    -------
    str or None
        Source that needs `pl` alone and builds the very same expression.

    Examples
    --------
    >>> import polars as pl
    >>> expression_source(pl.when(pl.col("device") == "mobile").then(0.6).otherwise(0.4))
    'pl.when(pl.col("device") == "mobile").then(0.6).otherwise(0.4)'
    """
    tree = expression_text(expression)
    try:
        part = _wrapped(_written(json.loads(tree)))
        return part.text if expression_text(part.builds) == tree else None
    except Exception:  # noqa: BLE001 - a guess that Polars refuses is a part that is not written
        return None


def text_source(text: str) -> str:
    """A string literal, in double quotes where that needs no more escapes."""
    written = repr(text)
    if written[0] == "'" and '"' not in text and "\\'" not in written:
        return f'"{written[1:-1]}"'
    return written


def _wrapped(part: _Part) -> _Part:
    """A part that is an expression by itself, literals too."""
    if isinstance(part.builds, pl.Expr):
        return part
    return _Part(f"pl.lit({part.text})", _TIGHTEST, pl.lit(part.builds))


def _written(node: Any) -> _Part:
    if not isinstance(node, dict) or len(node) != 1:
        raise _NotWrittenError
    ((kind, inside),) = node.items()
    match kind:
        case "Column":
            return _Part(f"pl.col({text_source(inside)})", _TIGHTEST, pl.col(inside))
        case "Literal":
            return _literal(inside)
        case "BinaryExpr":
            return _binary(inside)
        case "Ternary":
            return _ternary(inside)
        case "Alias":
            name = inside[1]
            return _wrapped(_written(inside[0])).call("alias", _Part(text_source(name), _TIGHTEST, name))
        case "Cast":
            dtype = inside["dtype"]["Literal"]
            kind_ = getattr(pl, dtype)
            return _wrapped(_written(inside["expr"])).call("cast", _Part(f"pl.{dtype}", _TIGHTEST, kind_))
        case "Function":
            return _function(inside["function"], [_written(part) for part in inside["input"]])
    raise _NotWrittenError


def _literal(inside: Any) -> _Part:
    family, value = next(iter(inside.items()))
    kind, value = next(iter(value.items()))
    if family == "Dyn" and kind in ("Int", "Float"):
        return _Part(repr(value), _TIGHTEST if value >= 0 else 7, value)
    if family == "Scalar" and kind in ("String", "Boolean", "Null"):
        value = None if kind == "Null" else value
        return _Part(_constant_source(value), _TIGHTEST, value)
    if family == "Scalar" and kind == "List":
        listed = _evaluated({"Literal": inside})
        if all(isinstance(each, str | int | float | bool) for each in listed):
            return _Part(f"[{', '.join(map(_constant_source, listed))}]", _TIGHTEST, listed)
    if family == "Scalar" and re.fullmatch(r"U?Int\d+|Float\d+", kind):
        dtype = getattr(pl, kind)
        return _Part(f"pl.lit({value!r}, dtype=pl.{kind})", _TIGHTEST, pl.lit(value, dtype=dtype))
    raise _NotWrittenError


def _evaluated(literal: Any) -> list[Any]:
    """The list that a literal holds, which is serialised as an Arrow buffer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expression = pl.Expr.deserialize(io.BytesIO(json.dumps(literal).encode()), format="json")
    listed: list[Any] = pl.select(expression).to_series()[0].to_list()
    return listed


def _constant_source(value: object) -> str:
    return text_source(value) if isinstance(value, str) else repr(value)


def _binary(inside: Any) -> _Part:
    sign, method, binds = _OPERATORS[inside["op"]]
    left, right = _written(inside["left"]), _written(inside["right"])
    if not isinstance(left.builds, pl.Expr):
        left = _wrapped(left)
    built = getattr(left.builds, method)(right.builds)
    # Comparisons chain in Python, and everything else groups to the left.
    return _Part(f"{left.inside(binds + (binds == 1))} {sign} {right.inside(binds + 1)}", binds, built)


def _ternary(inside: Any) -> _Part:
    """`pl.when(...).then(...)`, with further cases in the same chain."""
    chain: Any = pl
    text = "pl"
    while True:
        predicate, truthy = _wrapped(_written(inside["predicate"])), _value(_written(inside["truthy"]))
        chain = chain.when(predicate.builds).then(truthy.builds)
        text += f".when({predicate.text}).then({truthy.text})"
        otherwise = inside["falsy"]
        if not (isinstance(otherwise, dict) and "Ternary" in otherwise):
            break
        inside = otherwise["Ternary"]
    last = _value(_written(otherwise))
    return _Part(f"{text}.otherwise({last.text})", _TIGHTEST, chain.otherwise(last.builds))


def _value(part: _Part) -> _Part:
    """A part where text would be read as the name of a column."""
    return _wrapped(part) if isinstance(part.builds, str) else part


def _function(function: Any, inputs: list[_Part]) -> _Part:
    first, rest = _wrapped(inputs[0]), inputs[1:]
    if isinstance(function, str):
        return _method(first, "", function, rest)
    ((kind, options),) = function.items()
    if kind == "Pow" and options == "Sqrt":
        return first.call("sqrt")
    if kind in _FAMILIES and isinstance(options, str):
        if options == "Not":
            return _Part(f"~{first.inside(8)}", 8, ~first.builds)
        return _method(first, _FAMILIES[kind], options, rest)
    if isinstance(options, dict) and len(options) == 1 and kind in (*_FAMILIES, "StructExpr"):
        ((kind, options),) = options.items()
    special = _SPECIAL.get(kind)
    if special is None:
        raise _NotWrittenError
    return special(first, rest, options)


def _method(first: _Part, family: str, name: str, arguments: list[_Part]) -> _Part:
    """A method whose name is that of the function in the tree: `IsNull` is `is_null`."""
    guess = _METHODS.get(name) or re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return first.call(f"{family}.{guess}" if family else guess, *map(_value, arguments))


def _clip(first: _Part, rest: list[_Part], options: Any) -> _Part:
    if options["has_min"] and options["has_max"]:
        return first.call("clip", *rest)
    name = "lower_bound" if options["has_min"] else "upper_bound"
    built = first.builds.clip(**{name: rest[0].builds})
    return _Part(f"{first.inside(_TIGHTEST)}.clip({name}={rest[0].text})", _TIGHTEST, built)


def _format(first: _Part, rest: list[_Part], options: Any) -> _Part:
    raw, cuts = options["format"].encode(), [0, *options["insertions"], None]  # cuts count bytes
    text = "{}".join(raw[start:end].decode() for start, end in pairwise(cuts))
    members = [first, *map(_value, rest)]
    written = ", ".join([text_source(text), *(part.text for part in members)])
    return _Part(f"pl.format({written})", _TIGHTEST, pl.format(text, *(part.builds for part in members)))


_SPECIAL: Final[Mapping[str, Callable[[_Part, list[_Part], Any], _Part]]] = {
    "Clip": _clip,
    "Format": _format,
    "Pow": lambda first, rest, _: _Part(
        f"{first.inside(_TIGHTEST)} ** {rest[0].inside(8)}", 8, first.builds ** rest[0].builds
    ),
    "Round": lambda first, _, options: first.call(
        "round", _Part(repr(options["decimals"]), _TIGHTEST, options["decimals"])
    ),
    "IsIn": lambda first, rest, _: first.call("is_in", *rest),
    "IsBetween": lambda first, rest, _: first.call("is_between", *map(_value, rest)),
    "Contains": lambda first, rest, options: first.call(
        "str.contains", *rest, **({"literal": True} if options["literal"] else {})
    ),
    "FieldByName": lambda first, _, name: first.call("struct.field", _Part(text_source(name), _TIGHTEST, name)),
}
