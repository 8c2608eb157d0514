"""What a declaration is, as text that is the same in every process: to tell whether a run is the one it was."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import re
import types
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from synode_df.fields.declaration import Declaration
from synode_df.fields.expression_source import expression_text

_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")


def fingerprint(value: object) -> str:
    """A hash of a declaration, a frame, or whatever else was declared.

    Functions are told apart by their code, their defaults and what they close over, not by where they stand: a cell
    of a notebook that is run again gives the same function.

    Returns
    -------
    str
        `"sha256:"` and 64 hexadecimal digits.
    """
    text = json.dumps(_stable(value, 0), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _stable(value: object, depth: int) -> Any:
    """JSON values that are equal for equal declarations."""
    if depth > 50:
        return type(value).__qualname__  # what contains itself
    deeper = depth + 1
    if isinstance(value, Declaration):
        return [type(value).__qualname__, *([name, _stable(part, deeper)] for name, part in value.parts())]
    if isinstance(value, pl.Expr):
        return ["expression", expression_text(value)]
    if isinstance(value, pl.DataFrame | pl.Series):
        return ["frame", _of_frame(value.to_frame() if isinstance(value, pl.Series) else value)]
    if isinstance(value, Mapping):
        return ["mapping", *([_stable(key, deeper), _stable(part, deeper)] for key, part in value.items())]
    if isinstance(value, list | tuple):
        return ["sequence", *(_stable(part, deeper) for part in value)]
    if isinstance(value, set | frozenset):
        return ["set", *sorted(json.dumps(_stable(part, deeper)) for part in value)]
    if isinstance(value, functools.partial):
        return ["partial", _stable(value.func, deeper), _stable(value.args, deeper), _stable(value.keywords, deeper)]
    if isinstance(value, types.MethodType):
        return ["method", _stable(value.__func__, deeper), _stable(value.__self__, deeper)]
    if isinstance(value, types.FunctionType):
        return ["function", *_of_function(value, deeper)]
    if isinstance(value, types.CodeType):
        return ["code", *_of_code(value, deeper)]
    return [type(value).__qualname__, _ADDRESS.sub("", repr(value))]


def _of_frame(frame: pl.DataFrame) -> str:
    buffer = io.BytesIO()
    frame.rechunk().write_ipc(buffer, compression="uncompressed")
    return hashlib.sha256(buffer.getbuffer()).hexdigest()


def _of_function(function: types.FunctionType, depth: int) -> list[Any]:
    closed = [_cell(cell, depth) for cell in function.__closure__ or ()]
    return [
        *_of_code(function.__code__, depth),
        _stable(function.__defaults__, depth),
        _stable(function.__kwdefaults__, depth),
        closed,
    ]


def _cell(cell: types.CellType, depth: int) -> Any:
    try:
        return _stable(cell.cell_contents, depth)
    except ValueError:
        return "empty"


def _of_code(code: types.CodeType, depth: int) -> list[Any]:
    return [
        code.co_code.hex(),
        list(code.co_names),
        list(code.co_varnames),
        [_stable(constant, depth) for constant in code.co_consts],
    ]
