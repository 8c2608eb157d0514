"""What is legal in a scenario but surely not meant."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import polars as pl

from synode_df.durations import Duration
from synode_df.engine.scenario import Scenario
from synode_df.errors import shown
from synode_df.fields.choices import Weighted
from synode_df.fields.expressions import names_read
from synode_df.fields.fake import Fake
from synode_df.fields.values import datasets_in, expressions_in, is_callback
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import PersonaMixture
from synode_df.run.expectation import NotExactError, Row, Walk, computed, has_functions
from synode_df.run.findings import Findings
from synode_df.run.funnel import simulated
from synode_df.run.inference import surely_remembered
from synode_df.run.options import declarations, types_of

_RARE: Final = 0.001
_MOST_CUT: Final = 0.5
_NEARLY: Final = 0.1
_PERCENT: Final = 5
"""From here on a weight beside fractions looks like a percentage."""
_NOBODY: Final = 1e-12
_SIMULATED: Final = 50_000
_SURELY: Final = 0.02
"""Of a simulated step's users some would go on if any could."""

Finding = tuple[str, str, str]


def check(
    journeys: Journey | Iterable[Journey],
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    *,
    preloaded_datasets: Iterable[Dataset] = (),
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    duration: Duration | None = None,
) -> Findings:
    """What is legal but surely not meant, with the arithmetic.

    Parameters
    ----------
    journeys, persona, datasets, preloaded_datasets
        As for `generate`.
    start_date, end_date, duration
        The window, as for `generate`.

    Returns
    -------
    polars.DataFrame
        One row for each finding, none where all is well: `code`, `path`, `message`. It shows whole sentences.

        `UNREACHABLE`: nobody comes to a step or journey. `RARELY_COMPLETED`: fewer than one user in a thousand ends a
        journey. `MOSTLY_CUT`: the window ends before most come through. `UNUSED_ATTRIBUTE`, `UNUSED_DATASET`: never
        read, never picked from. `ODD_WEIGHTS`: weights that nearly sum to 1 or 100, or fractions beside percentages.
        `MAYBE_UNSET`: a remembered value that some path does not set before it is read.

    Raises
    ------
    SynodeError
        What is not legal either.

    Notes
    -----
    Handlers and callables of journeys are not called: shares are those of a journey in which they do nothing.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", bounce_chance=1), sd.Action("view")])])
    >>> sd.check(visit)
    1 finding
    UNREACHABLE  Journey 'visit' > Adventure 'look' > Action 'land'
        100.00% of users come to it, nobody gets past its bounce chance or the end of the window
    """
    scenario = declarations(
        journeys,
        persona=persona,
        datasets=datasets,
        preloaded_datasets=preloaded_datasets,
        start_date=start_date,
        end_date=end_date,
        duration=duration,
        seed=0,
    )
    tables, ready = scenario.datasets, scenario.scenario()
    types_of(ready)  # raises for what no user could run, such as unknown names
    found = [*_reach(ready), *_unset(ready), *_unused(ready, tables), *_weights(ready, tables)]
    return Findings(list(dict.fromkeys(found)))


def _reach(scenario: Scenario) -> Iterator[Finding]:
    """Steps that nobody takes, and journeys that hardly anybody completes."""
    has_code = has_functions(scenario)
    try:
        walk = computed(scenario, functions_do_nothing=True)
    except NotExactError:  # chances read the state, or what has no finite distribution
        walk = None
    shares = _shares(scenario, walk, simulate=not has_code)
    about = "" if shares is not None and shares[1] and not has_code else "about "
    never: set[str] = set()
    before: set[str] = set()
    for journey in scenario.journeys:
        path = f"Journey {shown(journey.id, 60)}"
        # A handler may mark any journey as complete.
        late = [] if has_code else [id for id in journey.requires if id not in before]
        blocked = [] if has_code else [id for id in journey.requires if id in never]
        before.add(journey.id)
        if late or blocked:
            never.add(journey.id)
            why = "which comes after it; journeys run in order" if late else "which nobody completes"
            yield "UNREACHABLE", path, f"it requires {shown([*late, *blocked][0])}, {why}"
            continue
        if shares is None:
            continue
        rows = {row[1:4]: row[4:] for row in shares[0] if row[0] == journey.id}
        enough = 0.0 if shares[1] else _SURELY
        empty = [step for step, (reached, entered) in rows.items() if reached > enough and entered <= _NOBODY]
        for kind, adventure, action in empty:
            if kind != "completed":
                place = path + (f" > Adventure {shown(adventure, 60)}" if adventure else "")
                place += f" > Action {shown(action, 60)}" if action else ""
                share = f"{about}{rows[kind, adventure, action][0]:.2%} of users come to it"
                yield "UNREACHABLE", place, f"{share}, nobody gets past its bounce chance or the end of the window"
        completed = rows["completed", None, None][1]
        came = rows["journey", None, None][0]
        if completed <= _NOBODY and shares[1]:
            never.add(journey.id)
        elif completed < _RARE and not empty and came > enough:
            yield (
                "RARELY_COMPLETED",
                path,
                f"{_product(journey, came, completed)} = {about}{completed:.4%} of users complete it",
            )
        if walk is not None and not empty:
            yield from _cut(walk, journey, scenario, path)


def _shares(scenario: Scenario, walk: Walk | None, *, simulate: bool) -> tuple[list[Row], bool] | None:
    """The funnel, and whether it is exact; None where it takes calling functions of the user to know it."""
    window = scenario.end - scenario.start
    if walk is not None and walk.longest <= window:
        return walk.shares(window), True
    return (simulated(scenario, _SIMULATED), False) if simulate else None


def _product(journey: Journey, came: float, completed: float) -> str:
    """The chances to stay, written out, and what they leave to the window."""
    chances = [journey.bounce_chance]
    for adventure in journey.adventures:
        if adventure.on_bounce == "stop":
            chances += [adventure.bounce_chance, *(action.bounce_chance for action in adventure.actions)]
    parts = ["(1 - expression)" if isinstance(each, pl.Expr) else f"{1 - each:.4g}" for each in chances]
    written = [part for part in parts if part != "1"]
    factors = written[:12] + (["..."] if len(written) > 12 else [])
    if came < 1 - _NOBODY:
        factors.insert(0, f"{came:.4g} who come to it")
    numbers = [float(each) for each in chances if not isinstance(each, pl.Expr)]
    if len(numbers) == len(chances):
        in_time = completed / max(came * math.prod(1 - each for each in numbers), 1e-300)
        if in_time < 0.9995:
            factors.append(f"{in_time:.4g} in time")
    return " x ".join(factors)


def _cut(walk: Walk, journey: Journey, scenario: Scenario, path: str) -> Iterator[Finding]:
    through = walk.steps[journey.id, "completed", None, None][1]
    if through.mass.sum() <= _NOBODY:
        return
    day, window = 86_400_000_000, scenario.end - scenario.start
    needed = through.moment.sum() / through.mass.sum()
    if needed / window > _MOST_CUT:
        length = f"{needed / day:.2f} days after arrival on average, {needed / window:.0%} of a window of"
        yield (
            "MOSTLY_CUT",
            path,
            f"it ends {length} {window / day:.2f} days: of users who arrive at any time in it, most are cut off",
        )


def _steps(scenario: Scenario) -> Iterator[tuple[Journey, Adventure, Action]]:
    for journey in scenario.journeys:
        for adventure, action in journey.actions():
            yield journey, adventure, action


def _path(journey: Journey, adventure: Adventure, action: Action) -> str:
    return f"Journey {shown(journey.id, 60)} > Adventure {shown(adventure.id, 60)} > Action {shown(action.id, 60)}"


def _unset(scenario: Scenario) -> Iterator[Finding]:
    if has_functions(scenario):
        return
    attributes = set(scenario.attribute_names())
    remembered = {name for _, _, action in _steps(scenario) for name in action.remember} - attributes
    after = _after_completion(scenario)

    def missing(values: Iterable[Any], there: set[str]) -> list[str]:
        reads = {name for value in values for each in expressions_in(value) for name in names_read(each)}
        return sorted((reads & remembered) - there)

    def told(name: str) -> str:
        return f"{shown(name)} is null for users who skipped the action that remembers it, or whose scope has ended"

    for journey in scenario.journeys:
        path = f"Journey {shown(journey.id, 60)}"
        before = {name for required in journey.requires for name in after[required]}
        for name in missing([journey.bounce_chance], before):
            yield "MAYBE_UNSET", f"{path} > Bounce chance", told(name)
        for adventure in journey.adventures:
            there = before | surely_remembered(journey, adventure, None)
            for name in missing([adventure.bounce_chance], there):
                yield "MAYBE_UNSET", f"{path} > Adventure {shown(adventure.id, 60)} > Bounce chance", told(name)
            for action in adventure.actions:
                place = _path(journey, adventure, action)
                there = before | surely_remembered(journey, adventure, action, own=False)
                for name in missing([action.bounce_chance], there):
                    yield "MAYBE_UNSET", f"{place} > Bounce chance", told(name)
                for values in (action.remember, action.fields):  # in this order, each reads those before it
                    for field, value in values.items():
                        for name in missing([value], there):
                            yield "MAYBE_UNSET", f"{place} > Field {shown(field, 60)}", told(name)
                        there |= {field}


def _after_completion(scenario: Scenario) -> dict[str, set[str]]:
    """Names that everyone has in the state who has completed a journey."""
    found: dict[str, set[str]] = {}
    for journey in scenario.journeys:
        own = surely_remembered(journey, None, None)
        found[journey.id] = own | {name for required in journey.requires for name in found.get(required, ())}
    return found


def _unused(scenario: Scenario, tables: Iterable[Dataset]) -> Iterator[Finding]:
    if has_functions(scenario):
        return
    read: set[str] = {"locale"}
    picked: set[str] = set()
    values = [value for dataset in tables for value in dataset.fields.values()]
    if any(is_callback(value) for value in values):  # its rows may look at other datasets
        picked.update(dataset.id for dataset in tables)
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
        for name, value in persona.attributes.items():
            if name not in read and not isinstance(value, Fake):
                message = "no journey reads it; it is only in report.users"
                yield "UNUSED_ATTRIBUTE", f"Persona {shown(persona.id, 60)} > Attribute {shown(name, 60)}", message
    for dataset in tables:
        if dataset.id not in picked:
            yield "UNUSED_DATASET", f"Dataset {shown(dataset.id, 60)}", "nothing picks from it"


def _weights(scenario: Scenario, tables: Iterable[Dataset]) -> Iterator[Finding]:
    places: list[tuple[str, Any]] = [
        (f"Persona {shown(persona.id, 60)} > Attribute {shown(name, 60)}", value)
        for persona, _ in scenario.personas
        for name, value in persona.attributes.items()
    ]
    for journey, adventure, action in _steps(scenario):
        path = _path(journey, adventure, action)
        places += [
            (f"{path} > Field {shown(name, 60)}", value) for name, value in {**action.remember, **action.fields}.items()
        ]
    for dataset in tables:
        places += [
            (f"Dataset {shown(dataset.id, 60)} > Field {shown(name, 60)}", value)
            for name, value in dataset.fields.items()
        ]
    drawn = [
        (path, [(shown(each, 40), float(weight)) for each, weight in value.weights])
        for path, value in places
        if isinstance(value, Weighted)
    ]
    drawn.append(("persona", [(shown(persona.id, 40), weight) for persona, weight in scenario.personas]))
    for path, weights in drawn:
        yield from _odd(path, weights)


def _odd(path: str, weights: list[tuple[str, float]]) -> Iterator[Finding]:
    total = math.fsum(weight for _, weight in weights)
    terms = " + ".join(f"{weight:g}" for _, weight in weights[:12]) + (" + ..." if len(weights) > 12 else "")
    if len(weights) < 2:
        return
    for whole in (1.0, 100.0):
        if 1e-9 < abs(total - whole) / whole < _NEARLY:
            first, weight = weights[0]
            often = f"{first} comes {weight / total:.2%} of the time, not {weight / whole:.2%}"
            yield "ODD_WEIGHTS", path, f"{terms} = {total:g}, not {whole:g}: {often}"
            return
    small = [(name, weight) for name, weight in weights if 0 < weight < 1]
    if small and abs(total - 100) > 1e-6 and max(weight for _, weight in weights) >= _PERCENT:
        name, weight = small[0]
        meant = f"{name} comes {weight / total:.2%} of the time, not {weight:.0%}"
        yield "ODD_WEIGHTS", path, f"{terms} = {total:g}: fractions stand beside percentages; {meant}"
