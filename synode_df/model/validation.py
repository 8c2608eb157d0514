"""Checks that only show across declarations: ids, requires and datasets of a whole run."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Any

from synode_df import checks
from synode_df.errors import SynodeError, did_you_mean, shown
from synode_df.fields.values import FieldValue, datasets_in
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import Persona


def checked_journeys(journeys: Any) -> tuple[Journey, ...]:
    """One journey or several as a tuple with distinct ids, whose `requires` can all be met.

    Raises
    ------
    SynodeError
        `INVALID_JOURNEY`, `DUPLICATE_ID`, `UNKNOWN_JOURNEY`, `CIRCULAR_REQUIRES`.
    """
    listed = (journeys,) if isinstance(journeys, Journey) else journeys
    members = tuple(listed) if isinstance(listed, Iterable) and not isinstance(listed, str) else (listed,)
    for member in members or (None,):
        if not isinstance(member, Journey):
            raise SynodeError(
                "INVALID_JOURNEY",
                "Journeys must be Journey objects",
                path="journeys",
                expected="a Journey, or a list of them",
                received=shown(member, 80) if members else "no journey at all",
                suggestion='make one: Journey("purchase", adventures=[...])',
            )
    checks.unique((journey.id for journey in members), what="journeys", path="journeys")
    known = [journey.id for journey in members]
    for journey in members:
        for required in journey.requires:
            if required not in known:
                raise SynodeError(
                    "UNKNOWN_JOURNEY",
                    f"Journey {shown(journey.id, 60)} requires one that is not there",
                    path=f"Journey {shown(journey.id, 60)} > Requires",
                    expected="ids of journeys of the same run",
                    received=shown(required),
                    suggestion=did_you_mean(required, [each for each in known if each != journey.id])
                    or "pass that journey too, before this one",
                )
    _refuse_circles(members)
    return members


def _refuse_circles(journeys: tuple[Journey, ...]) -> None:
    try:
        TopologicalSorter({journey.id: journey.requires for journey in journeys}).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        first, second = circle[1], circle[0]  # each requires the one listed before it
        raise SynodeError(
            "CIRCULAR_REQUIRES",
            "Journeys require each other in a circle, so none of them can ever start",
            path=f"Journey {shown(first, 60)} > Requires",
            expected="requirements that lead back to a journey without any",
            received=" <- ".join(shown(each, 40) for each in circle),
            suggestion=f"take {shown(second, 40)} out of the requires of {shown(first, 40)}",
        ) from None


def checked_datasets(datasets: Iterable[Dataset], preloaded: Iterable[Dataset]) -> tuple[Dataset, ...]:
    """All datasets of a run, with distinct ids; preloaded ones first.

    Raises
    ------
    SynodeError
        `INVALID_DATASET`, `DUPLICATE_ID`.
    """
    members: list[Dataset] = []
    for option, given in (("preloaded_datasets", preloaded), ("datasets", datasets)):
        listed = [given] if isinstance(given, Dataset) else given
        for dataset in listed if isinstance(listed, Iterable) else [listed]:
            if not isinstance(dataset, Dataset):
                raise SynodeError(
                    "INVALID_DATASET",
                    f"`{option}` must list datasets",
                    path=option,
                    expected="Dataset objects",
                    received=shown(dataset, 60),
                    suggestion='wrap a frame: Dataset.from_frame("plans", frame)',
                )
            if option == "preloaded_datasets" and dataset.frame is None:
                raise SynodeError(
                    "INVALID_DATASET",
                    f"Dataset {shown(dataset.id, 60)} has no rows yet",
                    path=option,
                    expected="datasets made by Dataset.from_frame or Dataset.from_file",
                    received=shown(dataset, 60),
                    suggestion="pass it in `datasets`, which are generated before the run",
                )
            members.append(dataset)
    checks.unique((dataset.id for dataset in members), what="datasets", path="datasets")
    return tuple(members)


def check_picks(journeys: Iterable[Journey], personas: Iterable[Persona], datasets: Iterable[Dataset]) -> None:
    """Raise `DATASET_NOT_FOUND` where something picks from a dataset that is not in the run."""
    members = list(datasets)
    known = [dataset.id for dataset in members]
    for persona in personas:
        _check_values(persona.attributes.items(), f"Persona {shown(persona.id, 60)}", known)
    for position, dataset in enumerate(members):
        _check_values(dataset.fields.items(), f"Dataset {shown(dataset.id, 60)}", known[:position])
    for journey in journeys:
        for adventure, action in journey.actions():
            path = (
                f"Journey {shown(journey.id, 60)} > Adventure {shown(adventure.id, 60)} > Action {shown(action.id, 60)}"
            )
            _check_values([*action.remember.items(), *action.fields.items()], path, known)


def _check_values(values: Iterable[tuple[str, FieldValue]], path: str, known: Collection[str]) -> None:
    for name, value in values:
        for dataset in datasets_in(value):
            if dataset not in known:
                raise dataset_not_found(dataset, known, f"{path} > Field {shown(name, 60)}")


def dataset_not_found(dataset: str, known: Collection[str], path: str | None) -> SynodeError:
    """The error for a dataset that is not in the run."""
    return SynodeError(
        "DATASET_NOT_FOUND",
        f"There is no dataset {shown(dataset)} here",
        path=path,
        expected="the id of a dataset of the run (in a dataset's own fields: of one listed before it)",
        received=shown(dataset),
        suggestion=did_you_mean(dataset, known) or "pass it: datasets=[...] or preloaded_datasets=[...]",
    )


def validate_config(journey: Journey | Iterable[Journey], all_journeys: Iterable[Journey] | None = None) -> None:
    """Check a journey together with the others of its run.

    What a declaration can tell alone is checked when it is made; this finds what only shows across them.

    Parameters
    ----------
    journey : Journey or sequence of Journey
        What to check.
    all_journeys : sequence of Journey, optional
        Every journey of the run; `journey` alone if not given.

    Raises
    ------
    SynodeError
        `DUPLICATE_ID`, `UNKNOWN_JOURNEY`, `CIRCULAR_REQUIRES`, `INVALID_JOURNEY`.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land")])])
    >>> again = sd.Journey("again", [sd.Adventure("look", [sd.Action("land")])], requires=["vist"])
    >>> sd.validate_config(again, [visit, again])
    Traceback (most recent call last):
    ...
    synode_df.errors.SynodeError: [UNKNOWN_JOURNEY] Journey 'again' requires one that is not there
      Path: Journey 'again' > Requires
      Expected: ids of journeys of the same run
      Received: 'vist'
      Fix: Did you mean 'visit'?
    """
    own = [journey] if isinstance(journey, Journey) else list(journey)
    others = [] if all_journeys is None else list(all_journeys)
    checked_journeys([*(each for each in own if not any(each is other for other in others)), *others])
