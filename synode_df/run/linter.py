"""What is legal in a scenario but surely not meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import polars as pl

from synode_df.engine.scenario import Scenario
from synode_df.errors import SynodeError, shown
from synode_df.fields.choices import Weighted
from synode_df.fields.expressions import names_read
from synode_df.fields.values import datasets_in, expressions_in, is_callback
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import PersonaMixture
from synode_df.run.funnel import expected_funnel, mean_of
from synode_df.run.inference import surely_remembered
from synode_df.run.options import declarations

_RARE: Final = 0.001
_MOST_CUT: Final = 0.5
_NEARLY: Final = 0.1

Finding = tuple[str, str, str]


def check(
    journeys: Journey | Iterable[Journey],
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    *,
    preloaded_datasets: Iterable[Dataset] = (),
    **window: Any,
) -> pl.DataFrame:
    """What is legal but surely not meant, with the arithmetic.

    Parameters
    ----------
    journeys, persona, datasets, preloaded_datasets
        As for `generate`.
    **window
        `start_date`, `end_date`, `duration`, as for `generate`.

    Returns
    -------
    polars.DataFrame
        One row for each finding, none where all is well: `code`, `path`, `message`.

        `UNREACHABLE`: nobody comes to a step or journey. `RARELY_COMPLETED`: fewer than one user in a thousand ends a
        journey. `MOSTLY_CUT`: the window ends before most come through. `UNUSED_ATTRIBUTE`, `UNUSED_DATASET`: never
        read, never picked from. `ODD_WEIGHTS`: weights that nearly sum to 1 or 100. `MAYBE_UNSET`: a remembered value
        that some path does not set before it is read.

    Raises
    ------
    SynodeError
        What is not legal either.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", bounce_chance=1), sd.Action("view")])])
    >>> sd.check(visit)["path"].to_list()
    ["Journey 'visit' > Adventure 'look' > Action 'land'"]
    """
    tables = [*datasets, *preloaded_datasets]
    scenario = declarations(journeys, persona=persona, datasets=tables, seed=0, **window).scenario()
    found = [
        *_reach(scenario, persona, tables, window),
        *_unset(scenario),
        *_unused(scenario, tables),
        *_weights(scenario),
    ]
    return pl.DataFrame(found, schema={"code": pl.String, "path": pl.String, "message": pl.String}, orient="row")


def _reach(scenario: Scenario, persona: Any, tables: list[Dataset], window: dict[str, Any]) -> Iterator[Finding]:
    never: set[str] = set()
    before: set[str] = set()
    for journey in scenario.journeys:
        path = f"Journey {shown(journey.id, 60)}"
        # A handler may mark any journey as complete.
        late = [] if _has_functions(scenario) else [id for id in journey.requires if id not in before]
        before.add(journey.id)
        if late:
            never.add(journey.id)
            yield "UNREACHABLE", path, f"it requires {shown(late[0])}, which comes after it; journeys run in order"
            continue
        blocked = [required for required in journey.requires if required in never]
        if blocked:
            never.add(journey.id)
            yield "UNREACHABLE", path, f"it requires {shown(blocked[0])}, which nobody completes"
            continue
        try:
            funnel = expected_funnel(journey, persona, datasets=tables, **window)
        except SynodeError:  # it reads what an earlier journey remembers, and cannot be followed alone
            continue
        exact = bool(funnel["exact"].all())
        about = "" if exact else "about "
        completed = funnel["entered"][-1]
        empty = funnel.filter(pl.col("entered") <= 0).head(1)
        if empty.height and empty["step"][0] != "completed":
            row = empty.row(0, named=True)
            place = path + "".join(
                f" > {word} {shown(row[key], 60)}"
                for word, key in (("Adventure", "adventure_id"), ("Action", "action_id"))
                if row[key] is not None
            )
            share = f"{about}{row['reached']:.2%} of users come to it"
            yield "UNREACHABLE", place, f"{share}, nobody gets past its bounce chance or the end of the window"
        elif completed < _RARE:
            yield "RARELY_COMPLETED", path, f"{_product(journey)} = {about}{completed:.4%} of users complete it"
        if completed <= 0 and exact:
            never.add(journey.id)
        yield from _cut(journey, scenario, path)


def _product(journey: Journey) -> str:
    """The chances to stay, written out."""
    chances = [journey.bounce_chance]
    for adventure in journey.adventures:
        if adventure.on_bounce == "stop":
            chances += [adventure.bounce_chance, *(action.bounce_chance for action in adventure.actions)]
    parts = ["(1 - expression)" if isinstance(each, pl.Expr) else f"{1 - each:.4g}" for each in chances]
    written = [part for part in parts if part != "1"]
    return " x ".join(written[:12]) + (" x ..." if len(written) > 12 else "") or "the time that it takes"


def _cut(journey: Journey, scenario: Scenario, path: str) -> Iterator[Finding]:
    spans = [span for adventure in journey.adventures for span in (adventure.time_span, *_spans(adventure)) if span]
    needed, window = sum(map(mean_of, spans)), scenario.end - scenario.start
    if needed / window > _MOST_CUT:
        day = 86_400_000_000
        length = f"{needed / day:.2f} days on average, {needed / window:.0%} of a window of {window / day:.2f} days"
        yield "MOSTLY_CUT", path, f"it takes {length}: of users who arrive at any time in it, most are cut off"


def _spans(adventure: Adventure) -> list[Any]:
    return [action.time_span for action in adventure.actions]


def _steps(scenario: Scenario) -> Iterator[tuple[Journey, Adventure, Action]]:
    for journey in scenario.journeys:
        for adventure, action in journey.actions():
            yield journey, adventure, action


def _path(journey: Journey, adventure: Adventure, action: Action) -> str:
    return f"Journey {shown(journey.id, 60)} > Adventure {shown(adventure.id, 60)} > Action {shown(action.id, 60)}"


def _has_functions(scenario: Scenario) -> bool:
    """Whether Python of the user runs, which may read and set anything."""
    values = [value for persona, _ in scenario.personas for value in persona.attributes.values()]
    for _, _, action in _steps(scenario):
        values += [action.handler, *action.fields.values(), *action.remember.values()]
    return any(value is not None and is_callback(value) for value in values)


def _unset(scenario: Scenario) -> Iterator[Finding]:
    if _has_functions(scenario):
        return
    attributes = set(scenario.attribute_names())
    remembered = {name for _, _, action in _steps(scenario) for name in action.remember} - attributes
    for journey, adventure, action in _steps(scenario):
        there = surely_remembered(journey, adventure, action)
        built: set[str] = set()
        for name, value in action.fields.items():
            for expression in expressions_in(value):
                for read in names_read(expression):
                    if read in remembered - there - built:
                        who = "users who skipped the action that remembers it, or for whom its scope has ended"
                        place = f"{_path(journey, adventure, action)} > Field {shown(name, 60)}"
                        yield "MAYBE_UNSET", place, f"{shown(read)} is null for {who}"
            built.add(name)


def _unused(scenario: Scenario, tables: list[Dataset]) -> Iterator[Finding]:
    if _has_functions(scenario):
        return
    read: set[str] = {"locale"}
    picked: set[str] = set()
    values = [
        value for dataset in tables for value in (getattr(dataset, "fields", None) and dataset.fields.values()) or ()
    ]
    values += [value for persona, _ in scenario.personas for value in persona.attributes.values()]
    for journey in scenario.journeys:
        values.append(journey.bounce_chance)
        values += [adventure.bounce_chance for adventure in journey.adventures]
    for _, _, action in _steps(scenario):
        values += [action.bounce_chance, *action.fields.values(), *action.remember.values()]
    for value in values:
        picked.update(datasets_in(value))
        for expression in expressions_in(value):
            read.update(names_read(expression))
    for persona, _ in scenario.personas:
        for name in persona.attributes:
            if name not in read:
                message = "no journey reads it; it is only in report.users"
                yield "UNUSED_ATTRIBUTE", f"Persona {shown(persona.id, 60)} > Attribute {shown(name, 60)}", message
    for dataset in tables:
        if dataset.id not in picked:
            yield "UNUSED_DATASET", f"Dataset {shown(dataset.id, 60)}", "nothing picks from it"


def _weights(scenario: Scenario) -> Iterator[Finding]:
    places = [
        (f"Persona {shown(persona.id, 60)} > Attribute {shown(name, 60)}", value)
        for persona, _ in scenario.personas
        for name, value in persona.attributes.items()
    ]
    for journey, adventure, action in _steps(scenario):
        path = _path(journey, adventure, action)
        for name, value in {**action.remember, **action.fields}.items():
            places.append((f"{path} > Field {shown(name, 60)}", value))
    for path, value in places:
        if not isinstance(value, Weighted):
            continue
        total = float(sum(weight for _, weight in value.weights))
        for whole in (1.0, 100.0):
            if 1e-9 < abs(total - whole) / whole < _NEARLY and len(value.weights) > 1:
                terms = " + ".join(f"{weight:g}" for _, weight in value.weights)
                first, weight = value.weights[0]
                often = f"{shown(first, 40)} comes {weight / total:.2%} of the time, not {weight / whole:.2%}"
                yield "ODD_WEIGHTS", path, f"{terms} = {total:g}, not {whole:g}: {often}"
