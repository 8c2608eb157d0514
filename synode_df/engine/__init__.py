"""Two executors of one meaning: the reference engine and the columnar engine."""

from synode_df.engine.context import SynodeContext
from synode_df.engine.datasets import DatasetHandle
from synode_df.engine.reference import Engine

__all__ = ["DatasetHandle", "Engine", "SynodeContext"]
