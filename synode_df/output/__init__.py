"""Destinations of events."""

from synode_df.output.base import OutputAdapter
from synode_df.output.console import ConsoleAdapter
from synode_df.output.layouts import to_frame
from synode_df.output.memory import InMemoryAdapter
from synode_df.output.parquet import ParquetAdapter

__all__ = ["ConsoleAdapter", "InMemoryAdapter", "OutputAdapter", "ParquetAdapter", "to_frame"]
