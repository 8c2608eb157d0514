"""Connections through SQLAlchemy: any database that it has a dialect for, row after row."""

from __future__ import annotations

from typing import Any, Final

import polars as pl
import sqlalchemy as sa

from synode_df.output.sink_types import SinkTypes
from synode_df.output.tables import TableConnection

FAILURES: Final = (sa.exc.SQLAlchemyError,)

# Polars' own `write_database` goes through pandas and pyarrow, which this saves.


class SQLAlchemyConnection(TableConnection):
    """A connection by SQLAlchemy's address."""

    def __init__(self, uri: str) -> None:
        self._engine = sa.create_engine(uri, poolclass=sa.NullPool)
        self._database = self._engine.connect()
        sqlite = self._engine.dialect.name == "sqlite"
        self.types = SinkTypes(decimals=not sqlite, times=True)
        if sqlite:  # Python's driver begins with the first row only, when the table is made and stays
            self._database.exec_driver_sql("BEGIN")

    def filled(self, table: tuple[str | None, str]) -> bool:
        """Whether there is such a table with rows in it."""
        schema, name = table
        if not sa.inspect(self._database).has_table(name, schema=schema):
            return False
        first = sa.select(sa.literal(1)).select_from(_table(table, {})).limit(1)
        return self._database.execute(first).first() is not None

    def drop(self, table: tuple[str | None, str]) -> None:
        """Remove a table, if it is there."""
        self._database.execute(sa.schema.DropTable(_table(table, {}), if_exists=True))

    def append(self, table: tuple[str | None, str], frame: pl.DataFrame) -> None:
        """Add rows to a table, which is made if it is not there."""
        target = _table(table, frame.schema)
        self._database.execute(sa.schema.CreateTable(target, if_not_exists=True))
        if frame.height:
            self._database.execute(sa.insert(target), frame.to_dicts())

    def commit(self) -> None:
        """Make it so."""
        self._database.commit()

    def close(self) -> None:
        """End the connection; what is not committed is rolled back."""
        self._database.close()
        self._engine.dispose()


def _table(table: tuple[str | None, str], schema: dict[str, pl.DataType] | pl.Schema) -> sa.Table:
    # Always in quotes: no dialect's list of reserved words is complete.
    columns = [sa.Column(sa.quoted_name(name, True), _column_type(dtype)) for name, dtype in schema.items()]
    place, name = (None if part is None else sa.quoted_name(part, True) for part in table)
    return sa.Table(name or "", sa.MetaData(), *columns, schema=place)


def _column_type(dtype: pl.DataType) -> sa.types.TypeEngine[Any]:
    match dtype:
        case pl.Boolean():
            return sa.Boolean()
        case pl.Datetime():
            return sa.DateTime(timezone=dtype.time_zone is not None)
        case pl.Date():
            return sa.Date()
        case pl.Time():
            return sa.Time()
        case pl.Binary():
            return sa.LargeBinary()
        case pl.Decimal():
            return sa.Numeric(dtype.precision, dtype.scale)
    if dtype.is_integer():
        return sa.BigInteger()
    return sa.Double() if dtype.is_float() else sa.Text()
