"""Which Polars expressions may be used: those that look at one row at a time."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from synode_df.errors import SynodeError, shown
from synode_df.fields.expression_source import expression_text

_ROW_WISE_NODES: Final = {"Column", "Literal", "BinaryExpr", "Ternary", "Cast", "Alias", "Function", "Eval"}
_CHANGING_LENGTH: Final = {"DropNulls", "DropNans", "Append"}
_NODE_NAMES: Final = {
    "Agg": "an aggregation",
    "Over": "a window (`over`)",
    "Rolling": "a rolling window",
    "Sort": "a sort",
    "SortBy": "a sort",
    "Filter": "a filter",
    "Slice": "a slice (`head`, `tail`, `slice`)",
    "Gather": "a gather",
    "Explode": "an explode",
    "Len": "the number of rows (`pl.len()`)",
    "Element": "`pl.element()` outside of a list",
    "AnonymousFunction": "a Python function",
    "Selector": "a selector of many columns",
}


def names_read(expression: pl.Expr) -> list[str]:
    """The names of the columns that an expression reads, each once."""
    return list(dict.fromkeys(expression.meta.root_names()))


def check_row_wise(expression: pl.Expr, path: str) -> None:
    """Raise `EXPRESSION_NOT_ROW_WISE` for an expression in which one row depends on others.

    Polars' own `is_row_separable` lets aggregations inside arithmetic and filters pass, so the tree is walked too.
    """
    tree = json.loads(expression_text(expression))
    offence = next(_offences(tree), None)
    if offence is None and not _separable(tree):
        offence = "a function over several rows (shift, rank, cumulative, sample, ...)"
    if offence is None:
        return
    if "Python" in offence:
        fix = "give the function itself as the field value: it is called with the user's context"
    elif "selector" in offence:
        fix = 'name each column: pl.col("price")'
    else:
        fix = "compute such values from the finished frame, after the run"
    raise SynodeError(
        "EXPRESSION_NOT_ROW_WISE",
        f"An expression may look at one user at a time, but this one has {offence}",
        path=path,
        expected="an expression whose value for a user depends on that user alone",
        received=shown(str(expression)),
        suggestion=fix,
    )


def _offences(node: Any, *, in_function: bool = False) -> Iterator[str]:
    """Words for each part of a serialised expression that is not row-wise."""
    if isinstance(node, str):
        if node in ("Len", "Element"):
            yield _NODE_NAMES[node]
        return
    if not isinstance(node, dict):
        return
    for kind, inside in node.items():
        if kind not in _ROW_WISE_NODES:
            yield _NODE_NAMES.get(kind, f"`{kind}`")
        elif kind == "Literal":
            if "Series" in inside and not in_function:
                yield "a Series of many rows"
        elif kind == "Eval":
            yield from _offences(inside["expr"])  # the evaluation runs within one row's list
        elif kind == "Function":
            function = inside["function"]
            name = function if isinstance(function, str) else next(iter(function), "")
            if name in _CHANGING_LENGTH:
                yield f"`{name}`, which changes the number of rows"
            for argument in inside["input"]:
                yield from _offences(argument, in_function=True)
        elif kind == "Alias":
            yield from _offences(inside[0])
        elif kind != "Column":
            for argument in inside.values():
                if isinstance(argument, dict) or argument in ("Len", "Element"):
                    yield from _offences(argument)


def _separable(tree: Any) -> bool:
    """Polars' own word on the expression, with per-row list evaluations replaced by their lists."""
    text = json.dumps(_without_evaluations(tree))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = pl.Expr.deserialize(io.BytesIO(text.encode()), format="json")
        return plain.meta.is_row_separable()


def _without_evaluations(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_evaluations(part) for part in node]
    if isinstance(node, dict):
        if set(node) == {"Eval"}:
            return _without_evaluations(node["Eval"]["expr"])
        return {key: _without_evaluations(part) for key, part in node.items()}
    return node
