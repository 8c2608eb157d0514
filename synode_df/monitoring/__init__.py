"""What happened in a run."""

from synode_df.monitoring.telemetry import Telemetry

__all__ = ["Telemetry"]
