"""Running populations."""

from synode_df.run.funnel import expected_funnel
from synode_df.run.generate import generate, generate_df
from synode_df.run.inference import infer_schema
from synode_df.run.linter import check
from synode_df.run.pool import WorkerPool
from synode_df.run.report import Report
from synode_df.run.single import dry_run, hydrate, replay, sample

__all__ = [
    "Report",
    "WorkerPool",
    "check",
    "dry_run",
    "expected_funnel",
    "generate",
    "generate_df",
    "hydrate",
    "infer_schema",
    "replay",
    "sample",
]
