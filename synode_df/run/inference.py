"""Schemas that declarations imply: a first `event_schema` to start from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from synode_df.engine.scenario import Scenario
from synode_df.fields.values import is_callback
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import PersonaMixture
from synode_df.monitoring.domains import ANYTHING, NEVER_NULL, Domain, domain_of, union
from synode_df.run.options import declarations, types_of

if TYPE_CHECKING:
    import pandera.polars as pa

_ALWAYS_THERE = ("user_id", "user_index", "session_id", "timestamp")


def infer_schema(
    journeys: Journey | Iterable[Journey],
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    *,
    preloaded_datasets: Iterable[Dataset] = (),
) -> dict[str, pa.DataFrameSchema]:
    """The schemas that declarations imply: types, ranges, allowed values and nullability, by event name.

    Parameters
    ----------
    journeys, persona, datasets, preloaded_datasets
        As for `generate`.

    Returns
    -------
    dict of str to pandera.polars.DataFrameSchema
        A schema for each event name, for `event_schema=`; generated data always passes it. What handlers emit is
        not known beforehand: a name that an action with a handler carries is left out, and where a handler gives
        its events the name of another action, take that name out yourself.

    Raises
    ------
    SynodeError
        Whatever is wrong with the declarations.

    Notes
    -----
    Bounds come from the parameters of generators and from the rows of datasets, never from samples. Where a value
    comes from a function or from arithmetic only its type is known.

    Examples
    --------
    >>> import synode_df as sd
    >>> order = sd.Action("order", fields={"quantity": sd.integer(1, 3), "plan": sd.one_of(["free", "pro"])})
    >>> schemas = sd.infer_schema(sd.Journey("buy", [sd.Adventure("pay", [order])]))
    >>> schemas["order"].columns["quantity"].checks
    [<Check in_range: in_range(1, 3)>]
    >>> schemas["order"].columns["plan"].checks
    [<Check isin: isin(['free', 'pro'])>]
    """
    import pandera.polars as pa

    declared = declarations(journeys, persona=persona, datasets=datasets, preloaded_datasets=preloaded_datasets, seed=0)
    scenario = declared.scenario()
    types = types_of(scenario)
    names = _Names(scenario)
    fields: dict[str, dict[str, list[tuple[Domain, pl.DataType]]]] = {}
    emitters: dict[str, int] = {}
    by_handlers = set()
    for journey in scenario.journeys:
        for adventure, action in journey.actions():
            if action.handler is not None:
                by_handlers.add(action.event_name)
                continue
            own = fields.setdefault(action.event_name, {})
            emitters[action.event_name] = emitters.get(action.event_name, 0) + 1
            dtypes = types.fields[journey.id, adventure.id, action.id]
            for name, domain in names.fields(journey, adventure, action).items():
                own.setdefault(name, []).append((domain, dtypes[name]))
    return {
        event: pa.DataFrameSchema(
            {
                name: _column(
                    sources, types.events.schema.get(name, pl.Null()), everywhere=len(sources) == emitters[event]
                )
                for name, sources in own.items()
            }
        )
        for event, own in fields.items()
        if event not in by_handlers
    }


class _Names:
    """What the names that expressions read can hold, at each action."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        everything = [value for persona, _ in scenario.personas for value in persona.attributes.values()]
        for journey in scenario.journeys:
            for _, action in journey.actions():
                everything += [*action.fields.values(), *action.remember.values(), action.handler]
        # Functions may set any name.
        self._known = not any(is_callback(value) for value in everything)
        self._attributes: dict[str, list[Domain]] = {}
        for persona, _ in scenario.personas:
            own: dict[str, Domain] = {}
            for name, value in persona.drawing_order():
                own[name] = domain_of(value, scenario.tables, partial(_of_attribute, own))
            for name, domain in own.items():
                self._attributes.setdefault(name, []).append(domain)
        self._remembered: dict[str, list[Domain]] = {}
        for journey in scenario.journeys:
            for _, action in journey.actions():
                for name, value in action.remember.items():
                    reads_state = isinstance(value, pl.Expr)
                    domain = ANYTHING if reads_state else domain_of(value, scenario.tables, lambda _: ANYTHING)
                    self._remembered.setdefault(name, []).append(domain)

    def fields(self, journey: Journey, adventure: Adventure, action: Action) -> dict[str, Domain]:
        """The domain of each field of an action."""
        own: dict[str, Domain] = {}
        set_before = surely_remembered(journey, adventure, action)

        def resolve(name: str) -> Domain:
            always = _always(name)
            return always or own.get(name) or self._of_state(name, surely=name in set_before)

        for name, value in action.fields.items():
            own[name] = domain_of(value, self._scenario.tables, resolve)
        return own

    def _of_state(self, name: str, *, surely: bool) -> Domain:
        if not self._known:
            return ANYTHING
        attributes = self._attributes.get(name, [])
        everyone = len(attributes) == max(1, len(self._scenario.personas))
        domain = union([*self._remembered.get(name, []), *attributes])
        return domain if surely or everyone else replace(domain, nullable=True)


def _of_attribute(earlier: dict[str, Domain], name: str) -> Domain:
    """What an attribute's expression can read: attributes before it."""
    return _always(name) or earlier.get(name, ANYTHING)


def _always(name: str) -> Domain | None:
    """What every user has."""
    return NEVER_NULL if name in _ALWAYS_THERE else None


def surely_remembered(
    journey: Journey, adventure: Adventure | None, action: Action | None, *, own: bool = True
) -> set[str]:
    """Names that a journey surely has in the state of who comes to a place in it.

    Parameters
    ----------
    journey : Journey
        The journey.
    adventure : Adventure or None
        Where in it; None for its end.
    action : Action or None
        Where in the adventure; None for its door.
    own : bool, default True
        Whether with what this action remembers itself.
    """
    found: set[str] = set()
    for earlier in journey.adventures:
        here = adventure is not None and earlier.id == adventure.id
        if here and action is None:
            return found
        for step in earlier.actions:
            last = here and action is not None and step.id == action.id
            if last and not own:
                return found
            lasting = (None,) if adventure is None else (None, "journey", "adventure") if here else (None, "journey")
            if last or ((here or earlier.on_bounce == "stop") and step.remember_scope in lasting):
                found.update(step.remember)
            else:
                found.difference_update(step.remember)  # a scoped value may hide a lasting one, and then end
            if last:
                return found
    return found


def _column(sources: list[tuple[Domain, pl.DataType]], frame: pl.DataType, *, everywhere: bool) -> pa.Column:
    import pandera.polars as pa

    domain = union([each for each, _ in sources])
    dtype = None if any(own == pl.Null for _, own in sources) else frame
    checks: list[Any] = []
    if dtype is not None and domain.values:
        number = float if dtype.is_float() else None
        if dtype.is_numeric() or dtype == pl.String:
            values = sorted(number(each) if number else each for each in domain.values)  # type: ignore[arg-type, type-var]  # of one type
            checks.append(pa.Check.isin(values))
    elif dtype is not None and dtype.is_numeric():
        if domain.low is not None and domain.high is not None:
            checks.append(pa.Check.in_range(domain.low, domain.high))
        elif domain.low is not None:
            checks.append(pa.Check.ge(domain.low))
        elif domain.high is not None:
            checks.append(pa.Check.le(domain.high))
    elif dtype == pl.String and domain.prefix:
        checks.append(pa.Check.str_startswith(domain.prefix))
    return pa.Column(dtype, checks, nullable=domain.nullable or not everywhere)
