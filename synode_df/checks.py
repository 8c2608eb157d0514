"""Checks of single arguments, each knowing the argument's name and its path in the declaration."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable

from synode_df.errors import SynodeError, did_you_mean, shown


def identifier(value: object, *, what: str, path: str | None = None) -> str:
    """`value` if it is a non-empty string, else `INVALID_ID`."""
    if isinstance(value, str) and value and is_unicode(value):
        return value
    raise SynodeError(
        "INVALID_ID",
        f"{what} needs an id",
        path=path or what,
        expected="a non-empty string of whole characters",
        received=shown(value),
        suggestion=f'give it a short name as first argument, such as {what}("checkout", ...)',
    )


def is_unicode(text: str) -> bool:
    """Whether text can be written as UTF-8: a lone surrogate, half of a character, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def optional_text(value: object, *, what: str, path: str) -> str | None:
    """`value` if it is a string or None, else `INVALID_NAME`."""
    if value is None or isinstance(value, str):
        return value
    raise SynodeError(
        "INVALID_NAME",
        f"The {what} must be text",
        path=path,
        expected="a string or None",
        received=shown(value),
        suggestion="put the text in quotes",
    )


def unique(ids: Iterable[str], *, what: str, path: str | None = None) -> None:
    """Raise `DUPLICATE_ID` where an id stands twice."""
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise SynodeError(
                "DUPLICATE_ID",
                f"Two {what} carry the same id",
                path=path,
                expected=f"{what} with different ids: the id is the address of their random draws",
                received=f"{shown(each)} twice",
                suggestion=f'rename one of them, for example "{each[:40]}_2"',
            )
        seen.add(each)


def one_of(value: object, options: Iterable[str], *, name: str, code: str, path: str | None = None) -> str:
    """`value` if it is one of `options`, else an error with the given code."""
    known = list(options)
    if isinstance(value, str) and value in known:
        return value
    raise SynodeError(
        code,
        f"Unknown {name}",
        path=path,
        expected=" or ".join(repr(option) for option in known),
        received=shown(value),
        suggestion=did_you_mean(value, known),
    )


def boolean(value: object, *, name: str, code: str, path: str | None = None) -> bool:
    """`value` if it is True or False, else an error with the given code."""
    if isinstance(value, bool):
        return value
    raise SynodeError(
        code,
        f"{name} must be True or False",
        path=path,
        expected="True or False",
        received=shown(value),
        suggestion=f"write {name}=True or leave it out",
    )


def is_number(value: object) -> bool:
    """Whether `value` is a real number that a float can hold (a bool is not)."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def probability(
    value: object,
    *,
    name: str,
    path: str | None = None,
    code: str = "INVALID_PROBABILITY",
) -> float:
    """`value` as a float if it is in [0, 1], else an error with the given code."""
    if is_number(value) and 0 <= float(value) <= 1:  # type: ignore[arg-type]  # is_number says so
        return float(value)  # type: ignore[arg-type]  # as above
    words = name.replace("_", " ").capitalize()
    if is_number(value) and 1 < float(value) <= 100:  # type: ignore[arg-type]  # as above
        fix = "use a fraction such as 0.3, not a percentage such as 30"
    elif isinstance(value, str):
        fix = "drop the quotes: a number such as 0.3, or a Polars expression such as pl.col('chance')"
    else:
        fix = "use a fraction such as 0.3, or a Polars expression that gives one"
    raise SynodeError(
        code,
        f"{words} must be between 0 and 1",
        path=path,
        expected=f"0 <= {name} <= 1",
        received=shown(value),
        suggestion=fix,
    )


def finite(
    value: object,
    *,
    name: str,
    path: str | None = None,
    above: float | None = None,
    at_least: float | None = None,
) -> float:
    """`value` as a float if it is finite and within the bounds, else `INVALID_PARAMETER`."""
    bound = f" > {above:g}" if above is not None else f" >= {at_least:g}" if at_least is not None else ""
    if is_number(value):
        number = float(value)  # type: ignore[arg-type]  # is_number says so
        if math.isfinite(number) and (above is None or number > above) and (at_least is None or number >= at_least):
            return number
    raise SynodeError(
        "INVALID_PARAMETER",
        f"`{name}` must be a finite number{bound}",
        path=path,
        expected=f"a number{bound}",
        received=shown(value),
        suggestion=f"give a plain number, such as {name}={(above or at_least or 0) + 1:g}",
    )


def whole(
    value: object,
    *,
    name: str,
    path: str | None = None,
    at_least: int | None = None,
    at_most: int | None = None,
    code: str = "INVALID_PARAMETER",
) -> int:
    """`value` as an int if it is whole and within the bounds, else an error with the given code."""
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        number = int(value)
        if (at_least is None or number >= at_least) and (at_most is None or number <= at_most):
            return number
    low = "" if at_least is None else f"{at_least:,} <= "
    high = "" if at_most is None else f" <= {at_most:,}"
    raise SynodeError(
        code,
        f"`{name}` must be a whole number{' in range' if low or high else ''}",
        path=path,
        expected=f"{low}{name}{high}, a whole number",
        received=shown(value),
        suggestion=f"give an int, such as {name}={max(at_least or 0, min(at_most or 10, 10))}",
    )
