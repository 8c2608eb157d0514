"""The preview of a persona: a control and a chart for each attribute, and what comes of moving them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

import ipywidgets as widgets
import polars as pl

from synode_df.analysis.attribute_pairs import attribute_pairs
from synode_df.analysis.persona_distribution import attribute_distribution
from synode_df.errors import SynodeError
from synode_df.fields.choices import Chance, OneOf, Weighted
from synode_df.fields.dtypes import typed_series
from synode_df.fields.values import FieldValue
from synode_df.model.dataset import Dataset
from synode_df.model.persona import Persona, PersonaMixture
from synode_df.model.source import source_of
from synode_df.notebook.charts import Chart, StaticTwin
from synode_df.notebook.code_box import CodeBox
from synode_df.notebook.controls import LINE, Control, SharesControl, control_for
from synode_df.notebook.drawings import Drawing, bars, heatmap, histogram
from synode_df.notebook.page_helper import PageHelper
from synode_df.notebook.panels import stacked_drawings
from synode_df.notebook.people import draw_people, hydrated
from synode_df.notebook.static import table_html
from synode_df.notebook.static_distributions import distribution_tables, framed
from synode_df.notebook.toolbar import LEFT, RIGHT, Toolbar, refusal_html

_LEAST_HEIGHT: Final = 170
_HEADING: Final = 30
_SHOWN_USERS: Final = 8
_MOST_VALUES: Final = 20
_FEW_VALUES: Final = 6
_BAR: Final = 16
_PERSONA: Final = "persona_id"


class PersonaPreview(StaticTwin):
    """A panel for a persona, or for a mixture of personas.

    Attributes
    ----------
    persona : Persona or list of (Persona, float)
        The persona as edited: a new one, the one that was given stays as it is.
    code : str
        The Python that declares it.
    users : polars.DataFrame
        The sample of users, the first of a run with the same seed.
    frame : polars.DataFrame
        What the charts draw: see `persona_distribution`.
    """

    def __init__(
        self, personas: Sequence[tuple[Persona, float]], *, datasets: Iterable[Dataset], users: int, seed: int
    ) -> None:
        self._given = tuple(personas)
        self._declared_datasets = tuple(datasets)
        self._datasets = hydrated(self._declared_datasets, seed)
        self._heights: dict[str, int] = {}
        self._controls = {
            (place, name): control_for(name if len(personas) == 1 else f"{persona.id} {name}", value, self)
            for place, (persona, _) in enumerate(personas)
            for name, value in persona.attributes.items()
        }
        self._mixture = SharesControl(_mixture_of(personas), _PERSONA, self) if len(personas) > 1 else None
        self._toolbar = Toolbar(users=users, seed=seed)
        self._status = widgets.HTML()
        self._charts = Chart()
        self._charts.layout = RIGHT
        self._pair_chart = Chart()
        self._table = widgets.HTML()
        self._code_box = CodeBox(label="Python of this persona")
        self._draw()
        options = ["", *self._comparable()]
        self._x, self._y = (
            widgets.Dropdown(options=options, value="", description=words, tooltip=tip)
            for words, tip in (("Compare", "First attribute to compare"), ("with", "Second attribute to compare"))
        )
        super().__init__(self._laid_out())
        self._toolbar.size.observe(lambda _: self.edited(), "value")
        self._toolbar.seed.observe(self._seeded, "value")
        self._toolbar.reset.on_click(lambda _: self.reset())
        for menu in (self._x, self._y):
            menu.observe(lambda _: self._draw_pair(), "value")

    @property
    def code(self) -> str:
        """The Python that declares the persona as edited."""
        return str(self._code_box.code)

    def reset(self) -> None:
        """Back to the persona that was given."""
        for control in self._all_controls():
            control.reset()
        self.edited()

    def edited(self) -> None:
        """Draw what the controls say."""
        try:
            self._draw()
        except SynodeError as error:
            self.refused(error)
        else:
            self._status.value = ""
            self._draw_pair()

    def refused(self, error: SynodeError) -> None:
        """Say why an edit cannot be; everything else stays as it was."""
        self._status.value = refusal_html(error)

    def static_html(self) -> str:
        """The code, the distributions and a few users, as tables."""
        return f"<pre>{escape(self.code)}</pre>{distribution_tables(self.frame)}{self._table.value}"

    def __repr__(self) -> str:
        return self.code

    def _all_controls(self) -> list[Control]:
        return [*([self._mixture] if self._mixture is not None else []), *self._controls.values()]

    def _as_edited(self) -> PersonaMixture:
        edited = []
        for place, (persona, weight) in enumerate(self._given):
            attributes = {name: self._controls[place, name].value for name in persona.attributes}
            edited.append((Persona(persona.id, attributes, name=persona.name), weight))
        if self._mixture is None:
            return edited[0][0]
        return [
            (persona, weight) for (persona, _), (_, weight) in zip(edited, self._mixture.value.weights, strict=True)
        ]

    def _seeded(self, change: Any) -> None:
        self._datasets = hydrated(self._declared_datasets, change["new"])
        self.edited()

    def _draw(self) -> None:
        persona = self._as_edited()
        people = draw_people(
            persona, users=self._toolbar.size.value, datasets=self._datasets, seed=self._toolbar.seed.value
        )
        parts = [
            attribute_distribution(people.select(name), top=self._most_values(name)) for name in people.columns[1:]
        ]
        frame = self._in_declared_order(pl.concat([attribute_distribution(pl.DataFrame()), *parts]))
        self.persona, self.users, self.frame = persona, people, frame
        names = people.columns[1:]
        if not self._heights:
            self._heights = {name: self._height(name) for name in names}
        if names:
            drawings = [attribute_drawing(name, frame.filter(pl.col("attribute") == name)) for name in names]
            heights = [self._heights[name] for name in names]
            self._charts.draw(stacked_drawings(drawings, heights, frame=frame, title="Attributes"))
        sample = table_html(people.head(_SHOWN_USERS), caption=f"The first of {people.height:,} users")
        self._table.value = framed(sample)
        self._code_box.code = _code_of(persona)

    def _draw_pair(self) -> None:
        """The chart of two attributes, once two are chosen."""
        x, y = self._x.value, self._y.value
        if not (x and y):
            return
        pairs = attribute_pairs(self.users, x, y, top=_MOST_VALUES)
        self._pair_chart.draw(heatmap(pairs, x="x", y="y", value="share", title=f"{x} and {y}", x_title=x, y_title=y))

    def _in_declared_order(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows with values where they were declared, so that bars do not change places while sliders move."""
        orders = [
            pl.DataFrame({"value": pl.Series(texts, dtype=pl.String), "place": range(len(texts))}).with_columns(
                pl.lit(name).alias("attribute")
            )
            for (_, name), control in self._controls.items()
            if (texts := declared_texts(control.value))
        ]
        if not orders:
            return frame
        places = pl.concat(orders).unique(["attribute", "value"], keep="first", maintain_order=True)
        rows = frame.with_row_index("row").join(places, on=["attribute", "value"], how="left", maintain_order="left")
        first = pl.col("row").min().over("attribute")
        return rows.sort(first, pl.col("place").fill_null(2**31), "row").select(frame.columns)

    def _comparable(self) -> list[str]:
        kinds = self.frame.group_by("attribute", maintain_order=True).agg(
            (pl.col("kind") == "category").any() & (pl.col("value") != "(other)").all()
        )
        numbers = [name for name in self.users.columns[1:] if self.users[name].n_unique() <= _MOST_VALUES]
        return [name for name, fits in kinds.iter_rows() if fits or name in numbers]

    def _most_values(self, name: str) -> int:
        """How many bars an attribute gets: all that have sliders, the most frequent of what cannot be moved."""
        movable = any(isinstance(control, SharesControl) for _, control in self._owners(name))
        return _MOST_VALUES if movable or name == _PERSONA else _FEW_VALUES

    def _height(self, name: str) -> int:
        """How high an attribute's row is, for its controls as for its bars."""
        bars = self.frame.filter((pl.col("attribute") == name) & (pl.col("kind") == "category")).height
        return max(_LEAST_HEIGHT, self._lines(name) * LINE + _HEADING + 20, bars * _BAR + 60)

    def _lines(self, name: str) -> int:
        if name == _PERSONA and self._mixture is not None:
            return self._mixture.lines
        owners = self._owners(name)
        return sum(control.lines for _, control in owners) + (len(owners) if self._mixture is not None else 0)

    def _owners(self, name: str) -> list[tuple[str, Control]]:
        return [(self._given[place][0].id, control) for (place, own), control in self._controls.items() if own == name]

    def _cell(self, name: str) -> widgets.Widget:
        """The controls of an attribute, as high as its chart."""
        parts: list[widgets.Widget] = [widgets.HTML(f"<b>{escape(name)}</b>")]
        if name == _PERSONA and self._mixture is not None:
            parts.append(self._mixture.box)
        for persona, control in self._owners(name):
            if self._mixture is not None:
                parts.append(widgets.HTML(f"<i>{escape(persona)}</i>"))
            parts.append(control.box)
        height = f"{self._heights[name]}px"
        return widgets.VBox(
            parts, layout=widgets.Layout(height=height, min_height=height, overflow="hidden auto", padding="0 8px 0 0")
        )

    def _laid_out(self) -> list[widgets.Widget]:
        title = " + ".join(persona.name or persona.id for persona, _ in self._given)
        names = self.users.columns[1:]
        left = widgets.VBox([self._cell(name) for name in names], layout=LEFT)
        body = widgets.HBox([left, self._charts]) if names else widgets.HTML("<p>No attributes.</p>")
        compare = widgets.HBox([self._x, self._y], layout=widgets.Layout(flex_flow="row wrap"))
        return [
            PageHelper(),
            widgets.HTML(f"<h3>Persona {escape(title)}</h3>"),
            self._toolbar.box,
            self._status,
            body,
            *([compare, self._pair_chart] if names else []),
            self._table,
            self._code_box,
        ]


def _mixture_of(personas: Sequence[tuple[Persona, float]]) -> Weighted:
    return Weighted(tuple((persona.id, weight) for persona, weight in personas))


def _code_of(persona: PersonaMixture) -> str:
    if isinstance(persona, Persona):
        return source_of(persona).text
    pairs = list(persona)
    source = source_of(*(each for each, _ in pairs))
    names = ", ".join(f"({name}, {weight!r})" for name, (_, weight) in zip(source.names, pairs, strict=True))
    return f"{source.text}\npersona = [{names}]"


def declared_texts(value: FieldValue) -> list[str | None]:
    """The values that a choice is declared with, as the texts that stand beside their bars; none for all else."""
    if isinstance(value, Chance):
        return ["true", "false"]
    if isinstance(value, Weighted):
        values = [each for each, _ in value.weights]
    elif isinstance(value, OneOf):
        values = list(value.values)
    else:
        return []
    series = typed_series(values, "preview")
    if series.dtype.is_nested() or series.dtype.is_numeric():
        return []
    return series.cast(pl.String).to_list() if series.dtype != pl.Binary else []


def attribute_drawing(name: str, rows: pl.DataFrame) -> Drawing:
    """The chart of one attribute."""
    if rows.height and rows["kind"][0] == "number":
        missing = rows.filter(pl.col("low").is_null())["share"].sum()
        title = f"{name} ({missing:.1%} none)" if missing else name
        found = rows.drop_nulls("low")
        return histogram(found, low="low", high="high", y="share", title=title, percent=True)
    return bars(rows, x="value", y="share", title=name, percent=True, lying=True)
