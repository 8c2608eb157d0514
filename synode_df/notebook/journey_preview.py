"""The preview of journeys: a diagram, the funnel, and a slider for each bounce chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape
from typing import Any, Final

import ipywidgets as widgets
import polars as pl

from synode_df.analysis.step_shares import step_shares
from synode_df.errors import SynodeError
from synode_df.fields.probabilities import Probability
from synode_df.model.dataset import Dataset
from synode_df.model.journey import Journey
from synode_df.model.persona import PersonaMixture
from synode_df.model.source import source_of, value_source
from synode_df.notebook.charts import Chart, StaticTwin
from synode_df.notebook.code_box import CodeBox
from synode_df.notebook.controls import SHARE_STEP, is_a_move, share_slider, shown_value
from synode_df.notebook.diagram import cut_to_width, journey_svg
from synode_df.notebook.drawings import Drawing, bars
from synode_df.notebook.journey_edits import (
    StepPath,
    bounce_chances,
    with_bounce_chances,
    without_unknown_requirements,
)
from synode_df.notebook.page_helper import PageHelper
from synode_df.notebook.parameters import tidy
from synode_df.notebook.people import hydrated
from synode_df.notebook.static import table_html
from synode_df.notebook.toolbar import LEFT, RIGHT, Toolbar, refusal_html

_ROOM_FOR_STEPS: Final = 128


class JourneyPreview(StaticTwin):
    """A panel for one journey or several.

    Attributes
    ----------
    journeys : tuple of Journey
        The journeys as edited: new ones, those that were given stay as they are.
    code : str
        The Python that declares them.
    frame : polars.DataFrame
        The share of users at each step, expected and simulated: see `step_shares`.
    """

    def __init__(
        self,
        journeys: Sequence[Journey],
        *,
        persona: PersonaMixture | None,
        datasets: Iterable[Dataset],
        users: int,
        seed: int,
        window: dict[str, Any],
    ) -> None:
        self._given = tuple(journeys)
        self._persona = persona
        self._window = window
        self._declared_datasets = tuple(datasets)
        self._datasets = hydrated(self._declared_datasets, seed)
        self._quiet = False
        self._sliders: dict[StepPath, widgets.FloatSlider] = {}
        self._declared: dict[StepPath, float] = {}
        self._toolbar = Toolbar(users=users, seed=seed)
        self._status = widgets.HTML()
        self._diagram = widgets.HTML()
        self._note = widgets.HTML()
        self._chart = Chart()
        self._chart.layout = RIGHT
        self._code_box = CodeBox(label="Python of these journeys")
        controls = [self._line(*step) for journey in self._given for step in bounce_chances(journey)]
        self._draw()
        super().__init__(self._laid_out(controls))
        self._toolbar.size.observe(lambda _: self._edited(), "value")
        self._toolbar.seed.observe(self._seeded, "value")
        self._toolbar.reset.on_click(lambda _: self.reset())

    @property
    def journey(self) -> Journey:
        """The journey as edited; of several, the first."""
        return self.journeys[0]

    @property
    def code(self) -> str:
        """The Python that declares the journeys as edited."""
        return str(self._code_box.code)

    def reset(self) -> None:
        """Back to the journeys that were given."""
        self._quiet = True
        for path, slider in self._sliders.items():
            slider.value = self._declared[path]
        self._quiet = False
        self._edited()

    def static_html(self) -> str:
        """The diagram, the funnel and the code, without widgets."""
        funnel = table_html(self.frame, caption="Share of users at each step", bar="simulated")
        return f"{self._diagram.value}{funnel}<pre>{escape(self.code)}</pre>"

    def __repr__(self) -> str:
        return "\n".join(str(journey) for journey in self.journeys)

    def _line(self, path: StepPath, chance: Probability) -> widgets.Widget:
        """A slider for a number, words for an expression."""
        label, tip = shown_value(path[-1]), f"bounce chance of {' > '.join(path)}"
        indent = f"0 0 0 {1.2 * (len(path) - 1):.1f}em"
        if isinstance(chance, pl.Expr):
            words = f"<span>{escape(label)}: <code>{escape(value_source(chance))}</code></span>"
            return widgets.HTML(words, layout=widgets.Layout(padding=indent))
        self._declared[path] = chance
        slider = share_slider(label, chance, tip=tip)
        slider.observe(lambda _: self._edited(), "value")
        self._sliders[path] = slider
        return widgets.Box([slider], layout=widgets.Layout(padding=indent, display="block", min_height="32px"))

    def _seeded(self, change: Any) -> None:
        self._datasets = hydrated(self._declared_datasets, change["new"])
        self._edited()

    def _edited(self) -> None:
        if self._quiet:
            return
        try:
            self._draw()
        except SynodeError as error:
            self._status.value = refusal_html(error)
        else:
            self._status.value = ""

    def _draw(self) -> None:
        moved = {
            path: tidy(slider.value, SHARE_STEP)
            for path, slider in self._sliders.items()
            if is_a_move(slider.value, self._declared[path])
        }
        journeys = tuple(with_bounce_chances(journey, moved) for journey in self._given)
        frame = step_shares(
            without_unknown_requirements(journeys),
            users=self._toolbar.size.value,
            persona=self._persona,
            datasets=self._datasets,
            seed=self._toolbar.seed.value,
            **self._window,
        )
        self.journeys, self.frame = journeys, frame
        self._diagram.value = journey_svg(journeys, frame)
        self._note.value = _note(frame)
        self._chart.draw(_funnel(_long(frame, several=len(journeys) > 1)))
        self._code_box.code = source_of(*journeys).text

    def _laid_out(self, controls: list[widgets.Widget]) -> list[widgets.Widget]:
        title = " + ".join(journey.name or journey.id for journey in self._given)
        most = {**LEFT, "max_height": "640px", "overflow": "hidden auto"}
        left = widgets.VBox([widgets.HTML("<b>Bounce chances</b>"), *controls], layout=most)
        return [
            PageHelper(),
            widgets.HTML(f"<h3>Journey {escape(title)}</h3>"),
            self._toolbar.box,
            self._status,
            self._diagram,
            widgets.HBox([left, self._chart]),
            self._note,
            self._code_box,
        ]


def _note(frame: pl.DataFrame) -> str:
    """Of which journeys the expected share is missing, and why; empty for none."""
    unknown = frame.filter(pl.col("expected").is_null())["journey_id"].unique(maintain_order=True)
    if not unknown.len():
        return ""
    why = "handlers and functions may do anything, other chances may depend on what users went through"
    return f"<p>Simulated only, since the declaration does not tell: {escape(', '.join(unknown))} ({why}).</p>"


def _long(frame: pl.DataFrame, *, several: bool) -> pl.DataFrame:
    """One row for each bar of the funnel, of the expected shares those that are known: `step`, `label`, `share`."""
    place = pl.concat_str(["journey_id", "step", "adventure_id", "action_id"], separator="/", ignore_nulls=True)
    kind = pl.col("step")
    ends = pl.when(kind == "journey").then(pl.lit("enter")).otherwise(pl.lit("complete"))
    inside = pl.when(kind == "adventure").then("adventure_id").otherwise(pl.lit("• ") + pl.col("action_id"))
    of_journey = kind.is_in(["journey", "completed"])
    journey = pl.concat_str("journey_id", pl.lit(": "), ends) if several else ends
    labels = pl.when(of_journey).then(journey).otherwise(inside)
    long = frame.with_columns(place.alias("step"), labels.alias("label")).unpivot(
        on=["simulated", "expected"], index=["step", "label"], variable_name="share of users", value_name="share"
    )
    return long.filter(pl.col("share").is_not_null() | (pl.col("share of users") == "simulated")).fill_null(0.0)


def _funnel(long: pl.DataFrame) -> Drawing:
    """The bars of the funnel, the first step on top."""
    title = "Share of users at each step"
    drawing = bars(long, x="step", y="share", group="share of users", title=title, percent=True, lying=True)
    steps = long.unique("step", maintain_order=True, keep="first")
    height = 110 + 30 * steps.height
    labels = [cut_to_width(label, _ROOM_FOR_STEPS, 13) for label in steps["label"]]
    layout = {
        **drawing.layout,
        "height": height,
        "margin": {"l": 150, "r": 30, "t": 70, "b": 40},
        "title": {**drawing.layout["title"], "yref": "container", "y": 1 - 14 / height, "yanchor": "top"},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom"},
        "xaxis": {
            **drawing.layout["xaxis"],
            "range": [0, 1],
            "autorange": False,
            "nticks": 5,
            "tickangle": 0,
            "title": {"text": ""},
        },
        "yaxis": {
            **drawing.layout["yaxis"],
            "automargin": False,
            "tickmode": "array",
            "tickvals": steps["step"].to_list(),
            "ticktext": labels,
            "title": {"text": ""},
        },
    }
    traces = tuple({**trace, "hovertemplate": "%{x:.1%}<extra>%{fullData.name}</extra>"} for trace in drawing.traces)
    return replace(drawing, layout=layout, traces=traces, kind="journey funnel")
