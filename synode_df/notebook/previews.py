"""`preview`: look at a declaration, and try what happens when it is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, overload

import polars as pl

from synode_df import checks
from synode_df.durations import Duration
from synode_df.errors import SynodeError, shown
from synode_df.extras import import_extra
from synode_df.fields.base import FieldGenerator
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import Persona, PersonaMixture, checked_personas
from synode_df.model.validation import checked_datasets

if TYPE_CHECKING:
    from synode_df.notebook.dataset_preview import DatasetPreview
    from synode_df.notebook.journey_preview import JourneyPreview
    from synode_df.notebook.persona_preview import PersonaPreview

MOST_USERS: Final = 100_000
MOST_SEED: Final = 2**53
"""Browsers count exactly up to here."""


@overload
def preview(
    declared: Persona | Iterable[tuple[Persona, float]],
    *,
    datasets: Iterable[Dataset] = (),
    users: int = 1_000,
    seed: int = 0,
) -> PersonaPreview: ...


@overload
def preview(declared: Dataset, *, datasets: Iterable[Dataset] = (), seed: int = 0) -> DatasetPreview: ...


@overload
def preview(
    declared: Journey | Iterable[Journey],
    *,
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    users: int = 1_000,
    seed: int = 0,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    duration: Duration | None = None,
) -> JourneyPreview: ...


def preview(
    declared: Any,
    *,
    persona: PersonaMixture | None = None,
    datasets: Iterable[Dataset] = (),
    users: int = 1_000,
    seed: int = 0,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    duration: Duration | None = None,
) -> PersonaPreview | JourneyPreview | DatasetPreview:
    """Look at a persona, journeys or a dataset in a notebook, and try what changes would do.

    Parameters
    ----------
    declared : Persona, list of (Persona, float), Journey, sequence of Journey, or Dataset
        What to look at. It is not changed.
    persona : Persona or list of (Persona, float), optional
        For journeys: who the users are.
    datasets : sequence of Dataset, optional
        Those that it picks from.
    users : int, default 1000
        How many users to draw or to simulate, 1 to 100,000.
    seed : int, default 0
        The seed, 0 to 2**53: what is shown are the first users of a run with the same seed.
    start_date, end_date, duration
        For journeys: the window, as for `generate`.

    Returns
    -------
    PersonaPreview, JourneyPreview or DatasetPreview
        A widget that shows itself. `panel.persona` and `panel.journey` (`panel.journeys` for several) are new
        declarations as edited, `panel.code` is the Python that makes them, `panel.frame` is what the charts draw.

    Raises
    ------
    SynodeError
        `INVALID_PREVIEW` for anything else; `MISSING_LIBRARY` without Plotly or anywidget; `INVALID_USERS`,
        `INVALID_OPTION`, and whatever drawing what was declared raises.

    Examples
    --------
    >>> import synode_df as sd
    >>> shopper = sd.Persona("shopper", {"device": sd.weighted({"mobile": 0.7, "desktop": 0.3})})
    >>> panel = sd.preview(shopper, users=100)
    >>> panel.frame.select("attribute", "value", "share").rows()
    [('device', 'mobile', 0.74), ('device', 'desktop', 0.26)]
    """
    kind, members = _recognised(declared)
    tables = checked_datasets(datasets, ())
    checks.whole(users, name="users", path="preview", at_least=1, at_most=MOST_USERS, code="INVALID_USERS")
    checks.whole(seed, name="seed", path="preview", at_least=0, at_most=MOST_SEED, code="INVALID_OPTION")
    for module in ("ipywidgets", "anywidget", "plotly.graph_objects"):
        import_extra(module, extra="notebook", path="preview")
    if kind is Dataset:
        from synode_df.notebook.dataset_preview import DatasetPreview

        return DatasetPreview(members[0], datasets=tables, seed=seed)
    if kind is Persona:
        from synode_df.notebook.persona_preview import PersonaPreview

        return PersonaPreview(checked_personas(members), datasets=tables, users=users, seed=seed)
    from synode_df.notebook.journey_preview import JourneyPreview

    window = {"start_date": start_date, "end_date": end_date, "duration": duration}
    return JourneyPreview(members, persona=persona, datasets=tables, users=users, seed=seed, window=window)


def _recognised(declared: Any) -> tuple[type, list[Any]]:
    """What kind of thing is to be shown, and its members."""
    if isinstance(declared, Persona):
        return Persona, [(declared, 1.0)]
    if isinstance(declared, Journey | Dataset):
        return type(declared), [declared]
    if isinstance(declared, list | tuple):
        if declared and all(isinstance(each, Journey) for each in declared):
            return Journey, list(declared)
        pairs = [isinstance(each, list | tuple) and len(each) == 2 for each in declared]
        if declared and all(pairs) and any(isinstance(each[0], Persona) for each in declared):
            return Persona, list(declared)
    raise SynodeError(
        "INVALID_PREVIEW",
        "There is no preview of this",
        path="preview",
        expected="a Persona, a list of (Persona, weight), a Journey or a list of them, or a Dataset",
        received=shown(declared, 80),
        suggestion=_instead(declared),
    )


def _instead(declared: Any) -> str:
    """What the caller may have meant."""
    match declared:
        case pl.DataFrame() | pl.LazyFrame():
            return 'events: explore(events); rows of a dataset: preview(Dataset.from_frame("plans", frame))'
        case FieldGenerator():
            return 'give it an attribute: preview(Persona("sample", {"value": ...}))'
        case Action() | Adventure():
            word = "an adventure and a journey" if isinstance(declared, Action) else "a journey"
            return f"put it into {word}, and preview the journey"
        case Mapping():
            return 'put attributes into a persona: preview(Persona("shopper", {...}))'
        case list() | tuple() if any(isinstance(each, Persona) for each in declared):
            return "give each persona of a mixture its weight: preview([(shopper, 0.9), (bot, 0.1)])"
        case list() | tuple() if any(isinstance(each, Dataset) for each in declared):
            return "preview one dataset, and pass those that it picks from: preview(dataset, datasets=[...])"
        case type():
            return "preview an instance, not the class"
    return "declare one first: Persona(...), Journey(...) or Dataset(...)"
