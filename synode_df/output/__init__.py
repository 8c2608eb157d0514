"""Destinations of events."""

from synode_df.output.base import OutputAdapter
from synode_df.output.callback import CallbackAdapter
from synode_df.output.composite import CompositeAdapter
from synode_df.output.console import ConsoleAdapter
from synode_df.output.csv import CSVAdapter
from synode_df.output.database import DatabaseAdapter
from synode_df.output.delta import DeltaLakeAdapter
from synode_df.output.duckdb import DuckDBAdapter
from synode_df.output.http import HTTPAdapter
from synode_df.output.layouts import to_frame
from synode_df.output.memory import InMemoryAdapter
from synode_df.output.ndjson import NDJSONAdapter
from synode_df.output.parquet import ParquetAdapter
from synode_df.output.scan import scan, verify

__all__ = [
    "CSVAdapter",
    "CallbackAdapter",
    "CompositeAdapter",
    "ConsoleAdapter",
    "DatabaseAdapter",
    "DeltaLakeAdapter",
    "DuckDBAdapter",
    "HTTPAdapter",
    "InMemoryAdapter",
    "NDJSONAdapter",
    "OutputAdapter",
    "ParquetAdapter",
    "scan",
    "to_frame",
    "verify",
]
