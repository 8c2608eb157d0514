"""A panel to look at events: pictures, what they show, and filters."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import Any, Final

import ipywidgets as widgets
import polars as pl

from synode_df import checks
from synode_df.analysis.events_frame import Events
from synode_df.errors import SynodeError
from synode_df.notebook.charts import Chart, StaticTwin
from synode_df.notebook.drawings import Drawing
from synode_df.notebook.event_log import EventLog, Filters
from synode_df.notebook.pictures import CONTROLS, PICTURES, Choices
from synode_df.notebook.static import table_html

ALL: Final = "(all)"
NONE: Final = "(none)"
_USUAL_STEPS: Final = 6
_LABEL: Final = {"description_width": "110px"}


def explore(
    events: Events,
    users: pl.DataFrame | None = None,
    *,
    steps: Sequence[str] | None = None,
    picture: str = "Funnel",
) -> ExplorePanel:
    """Look at events in a notebook: a funnel, paths, time, sessions, one user, each with filters.

    Parameters
    ----------
    events : polars.DataFrame or polars.LazyFrame
        Events, generated or loaded: `user_id`, `event`, `timestamp`, and if they have any `session_id`, `journey_id`.
    users : polars.DataFrame, optional
        `user_id` and attributes to break down and filter by, such as `report.users`. Without it, the columns of the
        events that take few values serve: of each user, the first value.
    steps : sequence of str, optional
        The steps of the funnel; up to six names in the order in which users come to them, if not given.
    picture : str, default "Funnel"
        What to show first: "Funnel", "Paths", "Events over time", "Hour and weekday", "Session length", "Time between
        events", "Users by attribute" or "One user".

    Returns
    -------
    ExplorePanel
        A widget. Static pages and terminals show the numbers behind the picture instead.

    Raises
    ------
    SynodeError
        `INVALID_FRAME`, `COLUMN_NOT_FOUND`, `NOT_IN_EVENTS` for unknown steps, `INVALID_OPTION` for an unknown picture,
        `MISSING_LIBRARY` without Plotly.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", bounce_chance=0.5)])])
    >>> panel = sd.explore(sd.generate_df(visit, users=100, seed=7))
    >>> panel.frame["users"].to_list()
    [100, 53]
    >>> panel.control("Picture").value = "Paths"
    >>> panel.frame["count"].to_list()
    [53, 47, 53]
    """
    return ExplorePanel(events, users, steps=steps, picture=picture)


class ExplorePanel(StaticTwin):
    """What `explore` gives.

    Attributes
    ----------
    chart : Chart
        The chart; `chart.figure` is its Plotly figure.
    message : str
        Why a picture cannot be drawn with the present controls; empty if all is well.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view")])])
    >>> panel = sd.explore(sd.generate_df(visit, users=3, seed=7), picture="Hour and weekday")
    >>> panel.frame["events"].sum()
    6
    """

    def __init__(
        self, events: Events, users: pl.DataFrame | None, *, steps: Sequence[str] | None, picture: str
    ) -> None:
        checks.one_of(picture, PICTURES, name="picture", code="INVALID_OPTION", path="explore > picture")
        self._log = EventLog(events, users)
        self._controls = _controls(self._log, steps, picture)
        self._status = widgets.HTML()
        self._table = widgets.HTML(layout={"max_height": "300px", "overflow": "auto", "display": "none"})
        self.chart = Chart()
        self.message = ""
        self._redraw(raising=True)
        from synode_df.notebook.page_helper import PageHelper  # after the chart, which says what it misses

        numbers = self.control("Show the numbers")
        super().__init__([self._arranged(), self._status, self.chart, numbers, self._table, PageHelper()])
        for name, control in self._controls.items():
            if name == "Next user":
                control.on_click(self._show_next_user)
            else:
                control.observe(self._changed, "value")

    @property
    def frame(self) -> pl.DataFrame:
        """The numbers behind the picture: what the analysis of the same name gives."""
        return self._drawing.frame

    @property
    def _drawing(self) -> Drawing:
        if self.chart.drawing is None:
            raise AssertionError("the first picture is drawn when the panel is made")
        return self.chart.drawing

    @property
    def filters(self) -> Filters:
        """What the filters say."""
        chosen = self.control("Events").value
        attribute = _or_none(self.control("Where").value)
        return Filters(
            events=None if set(chosen) == set(self._log.names) else frozenset(chosen),
            first_day=self._day("From", 0),
            last_day=self._day("To", 1),
            journey=_or_none(self.control("Journey").value),
            attribute=attribute,
            value=None if attribute is None else self.control("Is").value,
        )

    @property
    def users(self) -> pl.DataFrame:
        """The attributes that the panel tells users apart by: `user_id` as in the events, one column each.

        Numbers come in ranges; of attributes with many values, the most frequent are kept and the rest is "(other)".
        """
        return self._log.users.with_columns(self._log.user_ids.alias("user_id"))

    def control(self, name: str) -> Any:
        """A control by its label, to read or to set its value.

        Parameters
        ----------
        name : str
            "Picture", "Events", "From", "To", "Journey", "Where", "Is", "Break down by", "Steps", "Within", "Every",
            "Start from", "Moves", "Names", "User", "Next user" or "Show the numbers".

        Returns
        -------
        ipywidgets.Widget

        Raises
        ------
        SynodeError
            `INVALID_OPTION` for another name.
        """
        checks.one_of(name, self._controls, name="control", code="INVALID_OPTION", path="explore > control")
        return self._controls[name]

    def save(self, path: str | os.PathLike[str], *, width: int = 900, height: int | None = None) -> Path:
        """Save the picture as HTML that needs no network, or as PNG, SVG or PDF: see `docs/analysis.md`."""
        return self.chart.save(path, width=width, height=height)

    def static_html(self) -> str:
        """The numbers behind the picture, as a table."""
        return table_html(self.frame, caption=self._drawing.title, bar=_height(self.frame))

    def __repr__(self) -> str:
        return f"explore: {self._drawing.title}\n{self.frame}"

    def _arranged(self) -> widgets.Widget:
        def box(*names: str) -> widgets.VBox:
            return widgets.VBox([self.control(name) for name in names], layout={"min_width": "300px"})

        self._view = box(
            "Picture", "Steps", "Within", "Start from", "Moves", "Names", "Every", "User", "Next user", "Break down by"
        )
        filters = box("Events"), box("From", "To", "Journey", "Where", "Is")
        return widgets.HBox([self._view, *filters], layout={"flex_flow": "row wrap"})

    def _day(self, name: str, place: int) -> date | None:
        """A day, or None where it keeps everything."""
        day: date | None = self.control(name).value
        days = self._log.days()
        return None if days is None or day == days[place] else day

    def _choices(self) -> Choices:
        return Choices(
            steps=_read_names(self.control("Steps").value),
            within=self.control("Within").value.strip() or None,
            by=_or_none(self.control("Break down by").value),
            start=_or_none(self.control("Start from").value),
            moves=self.control("Moves").value,
            names=self.control("Names").value,
            every=self.control("Every").value,
            user=self.control("User").value.strip(),
        )

    def _changed(self, change: dict[str, Any]) -> None:
        if change["owner"] is self.control("Where"):
            attribute = _or_none(change["new"])
            self.control("Is").options = () if attribute is None else self._log.values(attribute)
        self._redraw()

    def _show_next_user(self, button: object) -> None:
        """The next of those with events, in the order of the events."""
        del button
        ids = self._log.user_ids.head(self._log.active).cast(pl.String)
        if ids.len():
            at = ids.index_of(self.control("User").value.strip())
            self.control("User").value = ids[0 if at is None else (at + 1) % ids.len()]

    def _redraw(self, *, raising: bool = False) -> None:
        picture, filters = self.control("Picture").value, self.filters
        for name in {name for names in CONTROLS.values() for name in names}:
            self.control(name).layout.display = None if name in CONTROLS[picture] else "none"
        try:
            self.chart.draw(PICTURES[picture](self._log, filters, self._choices()))
            self.message = ""
        except SynodeError as error:
            if raising:
                raise
            self.message = error.format()
        self._tell(filters)

    def _tell(self, filters: Filters) -> None:
        """What stands above and below the picture."""
        if self.message:
            self._status.value = f'<pre role="alert" style="margin:0">{escape(self.message)}</pre>'
        else:
            rows = self._log.filtered(filters)
            users = rows.select(pl.col("user_id").rle_id().max() + 1).item() or 0
            part = "" if rows.height == self._log.rows.height else f", of {self._log.rows.height:,}"
            self._status.value = f'<div role="status">{rows.height:,} events of {users:,} users{part}</div>'
        shown = self.control("Show the numbers").value
        self._table.layout.display = None if shown else "none"
        self._table.value = self.static_html() if shown else ""


def _or_none(value: str) -> str | None:
    return None if value in (ALL, NONE) else value


def _read_names(text: str) -> tuple[str, ...]:
    """Names between commas; one that holds a comma stands in quotes."""
    return tuple(name.strip() for line in csv.reader([text], skipinitialspace=True) for name in line if name.strip())


def _written(names: Sequence[str]) -> str:
    return ", ".join('"{}"'.format(name.replace('"', '""')) if {",", '"'} & {*name} else name for name in names)


def _height(frame: pl.DataFrame) -> str | None:
    return next((name for name in ("users", "count", "events") if name in frame.columns), None)


def _controls(log: EventLog, steps: Sequence[str] | None, picture: str) -> dict[str, widgets.Widget]:
    """All controls, by label."""
    names, days = log.names, log.days() or (None, None)
    usual = log.usual_order()
    attributes = [NONE, *log.attributes]
    first_user = str(log.user_ids[0]) if log.rows.height else ""
    wide = {"width": "320px"}

    def choice(label: str, options: Sequence[str], value: str | None = None) -> widgets.Dropdown:
        return widgets.Dropdown(
            options=options, value=value or options[0], description=label, style=_LABEL, layout=wide
        )

    def text(label: str, value: str, hint: str) -> widgets.Text:
        return widgets.Text(
            value=value, placeholder=hint, description=label, continuous_update=False, style=_LABEL, layout=wide
        )

    def number(label: str, value: int, most: int) -> widgets.IntSlider:
        return widgets.IntSlider(
            value=value, min=1, max=most, description=label, continuous_update=False, style=_LABEL, layout=wide
        )

    def day(label: str, value: date | None) -> widgets.DatePicker:
        return widgets.DatePicker(value=value, description=label, style=_LABEL, layout=wide)

    return {
        "Picture": choice("Picture", list(PICTURES), picture),
        "Steps": text("Steps", _written(usual[:_USUAL_STEPS] if steps is None else steps), "view, cart, buy"),
        "Within": text("Within", "", "any time, or 30m, 7d"),
        "Start from": choice("Start from", [NONE, *names]),
        "Moves": number("Moves", 4, 10),
        "Names": number("Names", 8, 30),
        "Every": choice("Every", ["15m", "1h", "6h", "1d", "1w"], "1d"),
        "User": text("User", first_user, "a user_id"),
        "Next user": widgets.Button(description="Next user", tooltip="Show the next user of the events"),
        "Break down by": choice("Break down by", attributes),
        "Events": widgets.SelectMultiple(
            options=names, value=names, rows=8, description="Events", style=_LABEL, layout=wide
        ),
        "From": day("From", days[0]),
        "To": day("To", days[1]),
        "Journey": choice("Journey", [ALL, *log.journeys]),
        "Where": choice("Where", attributes),
        "Is": widgets.Dropdown(options=(), description="Is", style=_LABEL, layout=wide),
        "Show the numbers": widgets.Checkbox(value=False, description="Show the numbers", indent=False),
    }
