"""pandera models of the frames that synode_df makes. Imported when first asked for: pandera takes its time."""

from __future__ import annotations

from typing import Annotated

import pandera.polars as pa
import polars as pl
from pandera import dtypes
from pandera.engines import polars_engine


@polars_engine.Engine.register_dtype
@dtypes.immutable
class Label(polars_engine.DataType):
    """Text from a short list: an `Enum` of any categories, or `String` after a round trip through a file."""

    type = pl.Enum

    def check(self, pandera_dtype: dtypes.DataType, data_container: object = None) -> bool:  # noqa: ARG002 - pandera's signature
        """Whether a column's type will do."""
        own = getattr(pandera_dtype, "type", pandera_dtype)
        return own in (pl.Enum, pl.String, pl.Categorical)

    def __str__(self) -> str:
        return "Label"


class EventsFrame(pa.DataFrameModel):
    """The columns that every events frame has; payload fields follow.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> sd.EventsFrame.validate(sd.generate_df(visit, users=3)).height
    3
    """

    event_id: str = pa.Field(unique=True)
    user_id: str
    session_id: str
    event: Label
    timestamp: Annotated[pl.Datetime, "us", "UTC"]
    journey_id: Label
    adventure_id: Label
    action_id: Label
    persona_id: Label | None


class UsersFrame(pa.DataFrameModel):
    """`report.users`: the population; attributes follow.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> report = sd.generate(visit, users=3, adapter=sd.InMemoryAdapter())
    >>> sd.UsersFrame.validate(report.users).height
    3
    """

    user_index: int = pa.Field(unique=True, ge=0)
    user_id: str = pa.Field(unique=True)
    persona_id: Label | None


class InvalidFrame(pa.DataFrameModel):
    """`report.invalid`: events that were dropped; the columns of the events frame follow."""

    user_index: int = pa.Field(ge=0)
    failed_check: str
    event_id: str
    user_id: str
    session_id: str
    event: Label
    timestamp: Annotated[pl.Datetime, "us", "UTC"]
    journey_id: Label
    adventure_id: Label
    action_id: Label
    persona_id: Label | None


class FailingCases(pa.DataFrameModel):
    """`SynodeValidationError.cases`; column and value are null for checks of whole rows."""

    event: str
    column: str = pa.Field(nullable=True)
    check: str
    value: str = pa.Field(nullable=True)
    user_index: int = pa.Field(ge=0)


class ExpectedShares(pa.DataFrameModel):
    """What `expected_funnel` gives: shares of all users."""

    journey_id: str
    step: str = pa.Field(isin=["journey", "adventure", "action", "completed"])
    adventure_id: str = pa.Field(nullable=True)
    action_id: str = pa.Field(nullable=True)
    reached: float = pa.Field(in_range={"min_value": -1e-9, "max_value": 1 + 1e-9})
    entered: float = pa.Field(in_range={"min_value": -1e-9, "max_value": 1 + 1e-9})
    exact: bool

    @pa.dataframe_check
    @classmethod
    def nobody_enters_without_reaching(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """`entered <= reached`."""
        return data.lazyframe.select(pl.col("entered") <= pl.col("reached") + 1e-9)


class FindingsFrame(pa.DataFrameModel):
    """What `check` gives."""

    code: str
    path: str
    message: str


class JourneyCounts(pa.DataFrameModel):
    """`report.telemetry.journeys`.

    `users = skipped + late + bounced + started`, and `started = stopped + cut + completed`.
    """

    journey_id: str = pa.Field(unique=True)
    users: int = pa.Field(ge=0)
    skipped: int = pa.Field(ge=0)
    late: int = pa.Field(ge=0)
    bounced: int = pa.Field(ge=0)
    started: int = pa.Field(ge=0)
    stopped: int = pa.Field(ge=0)
    cut: int = pa.Field(ge=0)
    completed: int = pa.Field(ge=0)
    events: int = pa.Field(ge=0)

    @pa.dataframe_check
    @classmethod
    def every_user_went_one_way(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """The two sums."""
        met = pl.sum_horizontal("skipped", "late", "bounced", "started") == pl.col("users")
        return data.lazyframe.select(met & (pl.sum_horizontal("stopped", "cut", "completed") == pl.col("started")))


class _StepCounts(pa.DataFrameModel):
    journey_id: str
    adventure_id: str
    reached: int = pa.Field(ge=0)
    cut: int = pa.Field(ge=0)
    bounced: int = pa.Field(ge=0)
    entered: int = pa.Field(ge=0)
    skipped: int = pa.Field(ge=0)
    events: int = pa.Field(ge=0)

    @pa.dataframe_check
    @classmethod
    def everyone_who_arrived_went_one_way(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """`reached = cut + bounced + entered`."""
        return data.lazyframe.select(pl.sum_horizontal("cut", "bounced", "entered") == pl.col("reached"))


class AdventureCounts(_StepCounts):
    """`report.telemetry.adventures`."""


class ActionCounts(_StepCounts):
    """`report.telemetry.actions`."""

    action_id: str
    executor: str = pa.Field(isin=["columnar", "callback", "handler"])
    reason: str = pa.Field(nullable=True)


class EventNameCounts(pa.DataFrameModel):
    """`report.telemetry.event_names`."""

    event: str = pa.Field(unique=True)
    events: int = pa.Field(ge=0)


class ValidationFailures(pa.DataFrameModel):
    """`report.telemetry.validation`; column is null for checks of whole rows."""

    event: str
    column: str = pa.Field(nullable=True)
    check: str
    failures: int = pa.Field(gt=0)


class BatchTimings(pa.DataFrameModel):
    """`report.telemetry.batches`."""

    first_user: int = pa.Field(ge=0, unique=True)
    users: int = pa.Field(gt=0)
    events: int = pa.Field(ge=0)
    seconds: float = pa.Field(ge=0)
    cpu_seconds: float = pa.Field(ge=0)
    peak_memory: int = pa.Field(ge=0, nullable=True)
