"""The command line: `python -m synode_df`."""

from synode_df.cli.main import main

__all__ = ["main"]
