"""Where rows stand while their values are drawn: columns by name, datasets, contexts for callables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl

from synode_df.engine.evaluation import evaluate
from synode_df.errors import SynodeError, did_you_mean, shown, told
from synode_df.fields.columns import AnyColumn, Column, constant_column
from synode_df.fields.tables import Table
from synode_df.model.validation import dataset_not_found
from synode_df.randomness import Draws

Arguments = Callable[[Draws, str], Iterable[tuple[Any, ...]]]
"""For draws at a place and its path: the arguments of a callable for each row."""


class NamedColumns:
    """Rows whose names are columns in a mapping, which may grow while values are drawn."""

    def __init__(
        self,
        columns: Mapping[str, AnyColumn],
        *,
        rows: int,
        tables: Mapping[str, Table],
        arguments: Arguments,
        locale: str = "en_US",
        locales: tuple[str, ...] | None = ("en_US",),
    ) -> None:
        self._columns = columns
        self._rows = rows
        self._tables = tables
        self._arguments = arguments
        self._locale = locale
        self._locales = locales

    def lookup(self, name: str, path: str) -> AnyColumn:
        """A column by name, or `UNKNOWN_NAME`."""
        if name not in self._columns:
            raise unknown_name(name, self._columns, path)
        return self._columns[name]

    def known(self) -> Iterable[str]:
        """The names that can be looked up."""
        return self._columns

    def evaluate(self, expression: pl.Expr, path: str) -> AnyColumn:
        """An expression's value for every row."""
        return evaluate(expression, lambda name: self.lookup(name, path), self._rows, path)

    def call(self, function: Callable[..., Any], draws: Draws, path: str) -> list[object]:
        """A callable's value for every row."""
        return [called(function, arguments, path) for arguments in self._arguments(draws, path)]

    def table(self, dataset: str, path: str) -> Table:
        """A dataset of the run."""
        if dataset not in self._tables:
            raise dataset_not_found(dataset, list(self._tables), path)
        return self._tables[dataset]

    def possible_locales(self) -> tuple[str, ...] | None:
        """The locales that users of the population can have, or None if that is not known beforehand."""
        return self._locales

    def locales(self) -> Column:
        """The locale of every row's user."""
        column = self._columns.get("locale")
        if column is None:
            return constant_column(pl.Series([self._locale]), self._rows)
        typed = column if isinstance(column, Column) else Column(pl.Series(column.to_list(), dtype=pl.String))
        return Column(typed.values.cast(pl.String).fill_null(self._locale), typed.codes)


def called(function: Callable[..., Any], arguments: tuple[Any, ...], path: str) -> object:
    """A callable field value's result, or `CALLABLE_ERROR`."""
    context = arguments[0]
    try:
        value = function(*arguments)
    except SynodeError as error:
        if error.path is not None:
            raise
        raise error.within(path, replay=replay_line(context)) from error.__cause__
    except Exception as error:
        raise SynodeError(
            "CALLABLE_ERROR",
            f"A callable field value raised {told(error)}",
            path=path,
            expected="a value",
            received=f"{type(error).__name__} from {getattr(function, '__qualname__', shown(function))}",
            suggestion="see the original error above this one",
            replay=replay_line(context),
        ) from error
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise SynodeError(
            "INVALID_FIELD",
            "A field value cannot be async",
            path=path,
            expected="a plain function",
            received=f"async {getattr(function, '__qualname__', shown(function))}",
            suggestion="do the waiting in an async handler, and ctx.set what comes of it",
        )
    return value


def replay_line(context: Any) -> str:
    """The call that reproduces a context's user alone."""
    return (
        f"synode_df.replay(journeys, user={context.user_index}, seed={context.seed}, ...)  "
        "# with the run's persona, datasets and window"
    )


def unknown_name(name: str, known: Iterable[str], path: str, *, user: int | None = None) -> SynodeError:
    """The error for a name that nothing provides."""
    names = list(known)
    who = "" if user is None else f" for user {user}"
    return SynodeError(
        "UNKNOWN_NAME",
        f"Nothing provides the name {shown(name)}{who}",
        path=path,
        expected="an earlier field of the action, a remembered or set value, a persona attribute, "
        "user_id, user_index, session_id or timestamp",
        received=f"pl.col({shown(name)})",
        suggestion=did_you_mean(name, names),
    )
