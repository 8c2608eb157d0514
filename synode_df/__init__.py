"""synode_df: synthetic behavioural event data, declared in Python, generated as Polars DataFrames."""

import logging as _logging
from typing import TYPE_CHECKING

from synode_df.analysis import (
    activity,
    breakdown,
    distribution,
    funnel,
    gaps,
    hourly,
    paths,
    persona_distribution,
    sessions,
    user_timeline,
)
from synode_df.durations import SuppressionPeriod, TimeSpan
from synode_df.engine import DatasetHandle, Engine, SynodeContext
from synode_df.errors import GenerationInterrupted, SynodeError, SynodeValidationError, SynodeWarning
from synode_df.fields import (
    FieldGenerator,
    chance,
    exponential,
    fake,
    integer,
    lognormal,
    normal,
    one_of,
    pick,
    poisson,
    sequence,
    uniform,
    weighted,
)
from synode_df.model import Action, Adventure, Dataset, DatasetRow, Event, Journey, Persona, validate_config
from synode_df.monitoring import Telemetry
from synode_df.notebook.previews import preview
from synode_df.output import (
    CallbackAdapter,
    CompositeAdapter,
    ConsoleAdapter,
    CSVAdapter,
    DatabaseAdapter,
    DeltaLakeAdapter,
    DuckDBAdapter,
    HTTPAdapter,
    InMemoryAdapter,
    NDJSONAdapter,
    OutputAdapter,
    ParquetAdapter,
    scan,
    to_frame,
    verify,
)
from synode_df.run import (
    Report,
    WorkerPool,
    check,
    dry_run,
    expected_funnel,
    generate,
    generate_df,
    hydrate,
    infer_schema,
    replay,
    sample,
)
from synode_df.version import DATA_VERSION, __version__

if TYPE_CHECKING:
    from synode_df.monitoring.models import EventsFrame, UsersFrame
    from synode_df.notebook.explore import explore

__all__ = [
    "Action",
    "Adventure",
    "CSVAdapter",
    "CallbackAdapter",
    "CompositeAdapter",
    "ConsoleAdapter",
    "DATA_VERSION",
    "DatabaseAdapter",
    "Dataset",
    "DatasetHandle",
    "DatasetRow",
    "DeltaLakeAdapter",
    "DuckDBAdapter",
    "Engine",
    "Event",
    "EventsFrame",
    "FieldGenerator",
    "GenerationInterrupted",
    "HTTPAdapter",
    "InMemoryAdapter",
    "Journey",
    "NDJSONAdapter",
    "OutputAdapter",
    "ParquetAdapter",
    "Persona",
    "Report",
    "SuppressionPeriod",
    "SynodeContext",
    "SynodeError",
    "SynodeValidationError",
    "SynodeWarning",
    "Telemetry",
    "TimeSpan",
    "UsersFrame",
    "WorkerPool",
    "__version__",
    "activity",
    "breakdown",
    "chance",
    "check",
    "distribution",
    "dry_run",
    "expected_funnel",
    "explore",
    "exponential",
    "fake",
    "funnel",
    "gaps",
    "generate",
    "generate_df",
    "hourly",
    "hydrate",
    "infer_schema",
    "integer",
    "lognormal",
    "normal",
    "one_of",
    "paths",
    "persona_distribution",
    "pick",
    "poisson",
    "preview",
    "replay",
    "sample",
    "scan",
    "sequence",
    "sessions",
    "to_frame",
    "uniform",
    "user_timeline",
    "validate_config",
    "verify",
    "weighted",
]

_logging.getLogger(__name__).addHandler(_logging.NullHandler())

_LAZY = {
    "EventsFrame": "synode_df.monitoring.models",
    "UsersFrame": "synode_df.monitoring.models",
    "explore": "synode_df.notebook.explore",
}


def __getattr__(name: str) -> object:
    """What needs slow libraries, imported when first asked for: pandera, ipywidgets."""
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
