"""Event schemas: what a user gives as `event_schema`, checked against the declarations before the first user."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import polars as pl

from synode_df import checks
from synode_df.engine.assemble import joint_dtype
from synode_df.engine.columnar import Types
from synode_df.engine.scenario import Scenario
from synode_df.errors import SynodeError, SynodeWarning, did_you_mean, shown, told
from synode_df.model.event import EVENT_COLUMNS

SchemaMode = Literal["strict", "warn", "skip"]
SCHEMA_MODES: Final = ("strict", "warn", "skip")

EventSchema = Any
"""A pandera `DataFrameModel` or `DataFrameSchema` for Polars, or a mapping from event name to one."""

_WITHIN_A_BATCH: Final = {"user_id", "session_id"}


@dataclass(frozen=True)
class ColumnRule:
    """One column of a schema, as far as it concerns one event.

    Attributes
    ----------
    name : str
        The column.
    schema : pandera.polars.Column
        Its type and checks.
    own : polars.DataType or None
        The event's own type of it, where declarations fix that.
    nullable : bool
        Whether it may be null.
    optional : bool
        Whether it may be missing.
    """

    name: str
    schema: Any
    own: pl.DataType | None
    nullable: bool
    optional: bool


@dataclass(frozen=True)
class Rule:
    """What the events of one name must fulfil.

    Attributes
    ----------
    event : str
        The name.
    columns : tuple of ColumnRule
        What columns must fulfil.
    patterns : tuple of pandera.polars.Column
        The same for columns whose names match, where handlers may give an event any field.
    frame_checks : tuple of pandera.Check
        Checks of whole rows.
    unique : tuple of str
        Columns that together are unique within a user.
    strict : bool
        Whether other fields are refused.
    coerce : bool
        Whether values need only be convertible.
    """

    event: str
    columns: tuple[ColumnRule, ...]
    patterns: tuple[Any, ...] = ()
    frame_checks: tuple[Any, ...] = ()
    unique: tuple[str, ...] = ()
    strict: bool = False
    coerce: bool = False


@dataclass
class EventSchemas:
    """The schemas of a run.

    Attributes
    ----------
    mode : {"strict", "warn", "skip"}
        What happens to events that fail.
    schemas : dict of str to pandera.polars.DataFrameSchema
        By event name; the one for all events has the name "".
    fields : dict of str to dict of str to polars.DataType
        The fields that each event has by its declarations.
    open : bool
        Whether there are handlers: these may give any event any field.
    persona_ids : bool
        Whether there is a column `persona_id`.
    seed : int
        The run's, for the line that replays a user.
    tried : set of (str, int)
        Checks that were tried on single events: event name, number of the check.
    """

    mode: SchemaMode
    schemas: dict[str, Any]
    fields: dict[str, dict[str, pl.DataType]]
    open: bool
    persona_ids: bool
    seed: int
    tried: set[tuple[str, int]] = field(default_factory=set)
    _rules: dict[str, Rule | None] = field(default_factory=dict)

    @classmethod
    def of(cls, event_schema: EventSchema, mode: object, scenario: Scenario, types: Types) -> EventSchemas | None:
        """The schemas of a run, or None without any.

        Raises
        ------
        SynodeError
            `INVALID_OPTION` for an unknown mode; `INVALID_SCHEMA` for what is no pandera schema for Polars, or
            cannot fit its event.
        """
        checks.one_of(mode, SCHEMA_MODES, name="schema_mode", code="INVALID_OPTION", path="schema_mode")
        if event_schema is None:
            return None
        if isinstance(event_schema, Mapping):
            given = {
                checks.identifier(name, what="Event", path="event_schema"): checked_schema(
                    schema, f"event_schema > Event {shown(name, 60)}"
                )
                for name, schema in event_schema.items()
            }
        else:
            given = {"": checked_schema(event_schema, "event_schema")}
        fields: dict[str, dict[str, pl.DataType]] = {}
        has_handlers = False
        for journey in scenario.journeys:
            for adventure, action in journey.actions():
                if action.handler is not None:
                    has_handlers = True
                    continue
                own = fields.setdefault(action.event_name, {})
                for name, dtype in types.fields[journey.id, adventure.id, action.id].items():
                    own[name] = joint_dtype(name, [(own.get(name, pl.Null()), ""), (dtype, "")])
        made = cls(mode, given, fields, has_handlers, scenario.mixed, scenario.seed)  # type: ignore[arg-type]
        made._check()
        return made

    def rule(self, event: str) -> Rule | None:
        """What the events of a name must fulfil, or None."""
        if event not in self._rules:
            self._rules[event] = self._made(event)
        return self._rules[event]

    def fixed(self) -> list[str]:
        """The columns that every event has."""
        return [*EVENT_COLUMNS, "persona_id"] if self.persona_ids else list(EVENT_COLUMNS)

    def warn_of_unknown(self, emitted: Mapping[str, int] | None = None) -> None:
        """Warn of schemas for events that nothing emits: before a run without handlers, else after it."""
        known = self.fields if emitted is None else emitted
        if self.open and emitted is None:
            return
        for event in self.schemas:
            if event and event not in known and (emitted is None or event not in self.fields):
                hint = did_you_mean(event, [*self.fields, *known])
                warnings.warn(
                    f"event_schema has a schema for the event {shown(event)}, which "
                    f"{'no journey emits' if emitted is None else 'was not emitted'}. {hint or ''}".rstrip(),
                    SynodeWarning,
                    stacklevel=4,
                )

    def _check(self) -> None:
        """Raise `INVALID_SCHEMA` for a schema that its event cannot fit, whatever is drawn."""
        for event, schema in self.schemas.items():
            if self.open or (event and event not in self.fields):
                continue
            known = self.fields[event] if event else {name for own in self.fields.values() for name in own}
            have = [*known, *self.fixed()]
            for name, column in schema.columns.items():
                found = any(re.search(name, each) for each in have) if column.regex else name in have
                if found or not column.required:
                    continue
                raise _invalid(
                    f"The schema checks a column that {f'the event {shown(event)} never' if event else 'no event'} has",
                    f"event_schema > {f'Event {shown(event)} > ' if event else ''}Column {shown(name)}",
                    expected="columns that the event has",
                    received=shown(name),
                    suggestion=did_you_mean(name, have) or "leave the column out",
                )

    def _made(self, event: str) -> Rule | None:
        alone = self.schemas.get("")
        schema = self.schemas.get(event) if alone is None else alone
        if schema is None:
            return None
        own = self.fields.get(event, {})
        fixed = self.fixed()
        columns = []
        for name, column in schema.columns.items():
            names = [name] if not column.regex else [each for each in [*own, *fixed] if re.search(name, each)]
            for each in names:
                # In a schema for all events a field binds the events that have it.
                absent = alone is not None and each not in own and each not in fixed
                loose = absent or not column.required
                columns.append(ColumnRule(each, column, own.get(each), column.nullable or loose, loose))
        return Rule(
            event,
            tuple(columns),
            patterns=tuple(column for column in schema.columns.values() if column.regex and self.open),
            frame_checks=tuple(schema.checks),
            unique=tuple(schema.unique or ()),
            strict=schema.strict is True,
            coerce=bool(schema.coerce),
        )


def checked_schema(schema: Any, path: str) -> Any:
    """The schema object, if it is pandera's for Polars and only checks, or `INVALID_SCHEMA`."""
    import pandera.polars as pa

    kind = schema if inspect.isclass(schema) else type(schema)
    bases = [f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__]
    if isinstance(schema, type) and issubclass(schema, pa.DataFrameModel):
        made = _schema_of(schema, path)
    elif isinstance(schema, pa.DataFrameSchema):
        made = schema
    else:
        raise _invalid(
            "An event schema must be a pandera schema for Polars",
            path,
            expected="a pandera.polars DataFrameModel or DataFrameSchema",
            received=shown(schema, 80),
            suggestion=_instead(schema, bases),
        )
    for name, column in made.columns.items():
        if column.regex:
            _check_pattern(name, path)
    for what, fix in _beyond_events(made):
        raise _invalid(
            f"An event schema checks single events and cannot change them: it has {what}",
            path,
            expected="types, nullability and checks",
            received=what,
            suggestion=fix,
        )
    alone = [name for name, column in made.columns.items() if column.unique]
    together = list(made.unique or ())
    if alone or (together and not _WITHIN_A_BATCH & set(together)):
        raise _invalid(
            "Uniqueness over all users cannot be seen in one batch of them",
            path,
            expected="checks of single events, or uniqueness within a user: unique=['user_id', ...]",
            received=f"unique {', '.join(map(repr, alone or together))}",
            suggestion="apply that schema to the finished frame: schema.validate(events)",
        )
    return made


def _instead(schema: Any, bases: list[str]) -> str:
    if any(base.startswith("pydantic.") for base in bases):
        return "that is a pydantic model: write class Order(pandera.polars.DataFrameModel) with the same annotations"
    if any(base.startswith("pandera.") and "Column" in base for base in bases):
        return "put the column in a schema: pandera.polars.DataFrameSchema({name: column})"
    if any(base.startswith("pandera.") for base in bases):
        return "that schema is for pandas or another library: import pandera.polars as pa, and use pa.DataFrameSchema"
    if isinstance(schema, pl.Schema | list | tuple | set):
        return "write {event name: schema}, each schema made by pandera.polars.DataFrameSchema({...})"
    return "import pandera.polars as pa, and use pa.DataFrameSchema({...}) or a subclass of pa.DataFrameModel"


def _schema_of(model: Any, path: str) -> Any:
    try:
        return model.to_schema()
    except Exception as error:
        raise _invalid(
            f"The model is none that pandera can read: {' '.join(told(error).split())[:240]}",
            path,
            expected="a class whose annotations are types: `price: float = pa.Field(gt=0)`",
            received=shown(model, 80),
            suggestion="see pandera's error above this one",
        ) from error


def _check_pattern(pattern: str, path: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise _invalid(
            f"The pattern of a column is no regular expression: {error}",
            path,
            expected="a regular expression, or a column without regex=True",
            received=shown(pattern),
            suggestion="escape brackets and the like: re.escape(name)",
        ) from error


def _beyond_events(schema: Any) -> Iterator[tuple[str, str]]:
    """What of a schema would change data, or is about whole frames, each with what to do instead."""
    declared = "change the declaration so that the data comes out right, or apply the schema to the frame"
    whole = "apply that schema to the finished frame: schema.validate(events)"
    if getattr(schema, "parsers", None):
        yield "parsers", declared
    if schema.add_missing_columns:
        yield "add_missing_columns", declared
    if schema.strict == "filter":
        yield "strict='filter'", "write strict=True to refuse other fields, or select columns of the finished frame"
    if schema.drop_invalid_rows:
        yield "drop_invalid_rows", "leave it out, and run with schema_mode='skip'"
    if schema.ordered:
        yield "ordered=True", whole
    if schema.dtype is not None:
        yield "a dtype for the whole frame", "give each column its own: pa.Column(float)"
    for name, column in schema.columns.items():
        if getattr(column, "parsers", None):
            yield f"a parser of {shown(name)}", declared
        if getattr(column, "default", None) is not None:
            yield f"a default for {shown(name)}", declared
        if getattr(column, "drop_invalid_rows", False):
            yield f"drop_invalid_rows for {shown(name)}", "leave it out, and run with schema_mode='skip'"
        if any(check.groupby is not None for check in column.checks):
            yield f"a check of {shown(name)} by groups", whole


def _invalid(message: str, path: str, *, expected: str, received: str, suggestion: str | None) -> SynodeError:
    return SynodeError(
        "INVALID_SCHEMA", message, path=path, expected=expected, received=received, suggestion=suggestion
    )
