"""Layouts of an events frame: payload fields as columns, in one struct, or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import polars as pl

from synode_df import checks
from synode_df.model.event import RESERVED_FIELDS
from synode_df.output.sink_types import JSON

Layout = Literal["columns", "struct", "json"]
Sort = Literal["user", "time"]
LAYOUTS: Final = ("columns", "struct", "json")
SORTS: Final = ("user", "time")


def to_frame(events: pl.DataFrame, *, layout: Layout = "columns", sort: Sort = "user") -> pl.DataFrame:
    """An events frame in another layout or order.

    Parameters
    ----------
    events : polars.DataFrame
        What `generate_df` gave, with payload fields as columns, sorted by user.
    layout : {"columns", "struct", "json"}, default "columns"
        Payload fields as columns; as one struct column `payload`; or as one JSON text column `payload` in which
        each event has only the fields that it fills.
    sort : {"user", "time"}, default "user"
        By user and then time, as they come, or by time over all users.

    Returns
    -------
    polars.DataFrame
        `event_id, user_id, session_id, event, timestamp, journey_id, adventure_id, action_id`, `persona_id` for
        mixtures, then the payload.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", fields={"path": "/"})])])
    >>> events = sd.generate_df(visit, users=2)
    >>> sd.to_frame(events, layout="json")["payload"].to_list()
    ['{"path":"/"}', '{"path":"/"}']
    """
    checks.one_of(layout, LAYOUTS, name="layout", code="INVALID_OPTION", path="to_frame")
    checks.one_of(sort, SORTS, name="sort", code="INVALID_OPTION", path="to_frame")
    ordered = events.sort("timestamp", maintain_order=True) if sort == "time" else events
    if layout == "columns":
        return ordered
    fixed = [name for name in ordered.columns if name in RESERVED_FIELDS]
    fields = [name for name in ordered.columns if name not in RESERVED_FIELDS]
    if layout == "struct":
        payload = pl.struct(fields) if fields else pl.lit(None, dtype=pl.Struct({}))
        return ordered.select(*fixed, payload.alias("payload"))
    payload = json_objects({name: ordered.schema[name] for name in fields})
    return ordered.select(*fixed, payload.alias("payload"))


def json_objects(schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """Each row as a JSON object of those columns that are not null."""
    if not schema:
        return pl.lit("{}")
    members = [
        pl.when(pl.col(name).is_not_null()).then(
            # The object's own braces go; what stays is the member, `"name":value`.
            pl.struct(JSON.taken(name, dtype)).struct.json_encode().str.slice(1).str.strip_suffix("}")
        )
        for name, dtype in schema.items()
    ]
    return pl.concat_str(pl.lit("{"), pl.concat_str(members, separator=",", ignore_nulls=True), pl.lit("}"))
