"""Tables of a database: all of a run in one transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Self

import polars as pl

from synode_df import checks
from synode_df.errors import SynodeError, shown
from synode_df.output.failures import already_there
from synode_df.output.sink_types import SinkTypes
from synode_df.output.spool import Spool
from synode_df.output.spooling import EVENTS, SpoolingAdapter

TableMode = Literal["create", "overwrite", "append"]


class TableConnection(ABC):
    """A connection to a database with a transaction that has begun; what is not committed does not happen.

    A table's name is a pair: its schema, or None, and its own name.
    """

    types: SinkTypes

    @abstractmethod
    def filled(self, table: tuple[str | None, str]) -> bool:
        """Whether there is such a table with rows in it."""

    @abstractmethod
    def drop(self, table: tuple[str | None, str]) -> None:
        """Remove a table, if it is there."""

    @abstractmethod
    def append(self, table: tuple[str | None, str], frame: pl.DataFrame) -> None:
        """Add rows to a table, which is made if it is not there."""

    @abstractmethod
    def commit(self) -> None:
        """Make it so."""

    @abstractmethod
    def close(self) -> None:
        """End the connection."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class TableAdapter(SpoolingAdapter):
    """Writes events to a table of a database when the run has ended, in one transaction.

    Parameters
    ----------
    table : str
        The events' table, `"events"` or `"schema.events"`.
    mode : {"create", "overwrite", "append"}
        Refuse a table that has rows, replace it, or add to it.
    """

    def __init__(self, table: str, *, mode: TableMode = "create") -> None:
        kind = type(self).__name__
        self._table = _checked_name(table, kind)
        self._mode = checks.one_of(
            mode, ("create", "overwrite", "append"), name="mode", code="INVALID_OPTION", path=kind
        )

    def table_name(self, name: str) -> str:
        """Where a table lands: beside `analytics.events`, the users are in `analytics.events_users`.

        Parameters
        ----------
        name : str
            The table's name, such as `"users"`.
        """
        return ".".join(part for part in self._place(name) if part is not None)

    def _place(self, name: str) -> tuple[str | None, str]:
        schema, table = self._table
        return schema, table if name == EVENTS else f"{table}_{name}"

    @abstractmethod
    def _connect(self) -> TableConnection:
        """A new connection; called when the run begins and when it ends, so that none waits through it."""

    def _prepare(self) -> None:
        self._claim(EVENTS)

    def _claim(self, table: str) -> None:
        if self._mode == "create":
            with self._connect() as connection:
                self._refuse(connection, table)

    def _refuse(self, connection: TableConnection, table: str) -> None:
        if self._mode == "create" and connection.filled(self._place(table)):
            kind = type(self).__name__
            raise already_there(
                kind,
                f"{self.table_name(table)} in {self._shown_target()}",
                what="table",
                suggestion=f'choose another table, or {kind}(..., mode="overwrite") or mode="append"',
            )

    def _land(self, spools: Mapping[str, Spool]) -> None:
        with self._connect() as connection:
            for name, spool in spools.items():
                self._refuse(connection, name)  # somebody else may have put something there meanwhile
                if self._mode == "overwrite":
                    connection.drop(self._place(name))
                for frame in spool.batches(connection.types):
                    connection.append(self._place(name), frame)
            connection.commit()


def quoted(table: tuple[str | None, str]) -> str:
    """A table's name as SQL has it, whatever characters it has."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in table if part is not None)


def _checked_name(table: object, kind: str) -> tuple[str | None, str]:
    if isinstance(table, str):
        schema, dot, name = table.rpartition(".")
        if name and (schema or not dot) and "." not in schema and "\x00" not in table:
            return schema or None, name
    raise SynodeError(
        "INVALID_OPTION",
        "`table` must name a table",
        path=kind,
        expected="a name, or a schema and a name with a dot between them",
        received=shown(table),
        suggestion='table="events", or table="analytics.events"',
    )
