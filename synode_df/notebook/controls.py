"""One control for each attribute: what it is declared as, as sliders where it can be moved."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, Final, Protocol

import ipywidgets as widgets

from synode_df.errors import SynodeError
from synode_df.fields.base import FieldGenerator
from synode_df.fields.choices import Chance, OneOf, Weighted
from synode_df.fields.declaration import canonical
from synode_df.fields.values import FieldValue
from synode_df.model.source import value_source
from synode_df.notebook.parameters import Parameter, Parameters, parameters_of, tidy
from synode_df.notebook.shares import Shares

LINE: Final = 34
"""Height of one slider with the room around it, in pixels."""

SHARE_STEP: Final = 0.001
"""By how much sliders of shares and probabilities move."""

_MOST_SLIDERS: Final = 12
_LONGEST: Final = 160
_WIDE: Final = {"width": "auto"}
_LABEL: Final = {"description_width": "8.5em"}


class Listener(Protocol):
    """What is told of edits."""

    def edited(self) -> None:
        """A control has another value."""

    def refused(self, error: SynodeError) -> None:
        """A control was put where no declaration can be."""


class Control:
    """What stands beside an attribute's chart.

    Attributes
    ----------
    value : field value
        What the attribute is now declared as.
    box : ipywidgets.Widget
        What is shown.
    lines : int
        How many sliders high it is.
    """

    def __init__(self, value: FieldValue, listener: Listener) -> None:
        self.value = value
        self.box: widgets.Widget = widgets.HTML(_code_html(value))
        self.lines = 1 + len(value_source(value)) // 40 if len(value_source(value)) < _LONGEST else 5
        self._declared = value
        self._listener = listener
        self._quiet = False

    def reset(self) -> None:
        """Back to what was declared, without a word."""
        self.value = self._declared
        self._show_quietly()

    def _edit(self, make: Callable[[], FieldValue]) -> None:
        """Take another value, unless it is refused."""
        try:
            self.value = make()
        except SynodeError as error:
            self._listener.refused(error)
        else:
            self._show_quietly()
            self._listener.edited()

    def _show_quietly(self) -> None:
        """Show the value, and take what the sliders then say of themselves for no edit."""
        self._quiet = True
        try:
            self._show()
        finally:
            self._quiet = False

    def _show(self) -> None:
        """Put the sliders where the value is."""


class ChanceControl(Control):
    """A slider for a probability."""

    def __init__(self, value: Chance, probability: float, name: str, listener: Listener) -> None:
        super().__init__(value, listener)
        self._slider = share_slider("true", probability, tip=f"{name}: chance of being true")
        self._slider.observe(self._moved, "value")
        self.box, self.lines = widgets.VBox([self._slider]), 1

    def _moved(self, change: Any) -> None:
        if not self._quiet and is_a_move(change["new"], self.value.probability):
            self._edit(lambda: Chance(tidy(change["new"], SHARE_STEP)))

    def _show(self) -> None:
        self._slider.value = self.value.probability


class SharesControl(Control):
    """Linked sliders for the shares of values: moving one moves the others in proportion.

    Of many values the heaviest have sliders of their own, and the others one together.
    """

    def __init__(self, value: Weighted | OneOf, name: str, listener: Listener) -> None:
        super().__init__(value, listener)
        values, weights = _values_and_weights(value)
        self._values, self._total = values, _readable(sum(weights))
        order = sorted(range(len(values)), key=lambda place: (-weights[place], place))
        own = order if len(order) <= _MOST_SLIDERS else order[: _MOST_SLIDERS - 1]
        own = sorted(own)
        self._groups = [[place] for place in own]
        rest = [place for place in range(len(values)) if place not in set(own)]
        labels = [shown_value(values[place]) for place in own]
        if rest:
            self._groups.append(rest)
            labels.append(f"{len(rest)} others")
        self._weights = weights
        self._shares = Shares([sum(weights[place] for place in group) for group in self._groups])
        self._sliders = [
            share_slider(label, share, tip=f"{name}: share of {label}")
            for label, share in zip(labels, self._shares.values, strict=True)
        ]
        for number, slider in enumerate(self._sliders):
            slider.observe(lambda change, number=number: self._moved(number, change["new"]), "value")
        self.box, self.lines = widgets.VBox(self._sliders), len(self._sliders)

    def _moved(self, number: int, share: float) -> None:
        if self._quiet or not is_a_move(share, self._shares.values[number]):
            return
        self._shares.move(number, share)
        everything = [0.0] * len(self._values)
        for group, part in zip(self._groups, self._shares.values, strict=True):
            inside = sum(self._weights[place] for place in group)
            for place in group:
                everything[place] = part * (self._weights[place] / inside if inside else 1 / len(group))
        weights = Shares(everything).weights(self._total)
        self._edit(lambda: Weighted(tuple(zip(self._values, weights, strict=True))))

    def reset(self) -> None:
        """Back to what was declared, without a word."""
        self._shares = Shares([sum(self._weights[place] for place in group) for group in self._groups])
        super().reset()

    def _show(self) -> None:
        for slider, share in zip(self._sliders, self._shares.values, strict=True):
            slider.value = tidy(share, SHARE_STEP)


class ParametersControl(Control):
    """Sliders for the parameters of a distribution, each with a box for an exact number."""

    def __init__(self, value: FieldGenerator, parameters: Parameters, name: str, listener: Listener) -> None:
        super().__init__(value, listener)
        self._parameters = parameters
        lines: list[widgets.Widget] = []
        self._boxes: dict[str, widgets.Widget] = {}
        self._sliders: dict[str, widgets.Widget] = {}
        for parameter in parameters.each:
            slider = _slider(parameter, whole=parameters.whole, tip=f"{name}: {parameter.name}")
            self._sliders[parameter.name] = slider
            slider.observe(lambda change, key=parameter.name: self._moved({key: change["new"]}), "value")
            lines.append(widgets.HBox([slider, self._box(parameter, name)]))
        if parameters.span is not None:
            slider = _range_slider(parameters.span, whole=parameters.whole, tip=f"{name}: lowest and highest value")
            self._sliders["range"] = slider
            slider.observe(lambda change: self._moved(dict(zip(("low", "high"), change["new"], strict=True))), "value")
            lines += [slider, widgets.HBox([self._box(end, name) for end in parameters.span])]
        self.box, self.lines = widgets.VBox(lines), len(lines)

    def _box(self, parameter: Parameter, name: str) -> widgets.Widget:
        kind = widgets.IntText if self._parameters.whole else widgets.FloatText
        box = kind(
            value=parameter.value,
            description=f"{parameter.name} =",
            tooltip=f"{name}: {parameter.name}, exactly",
            continuous_update=False,
            layout=widgets.Layout(width="9.5em"),
            style={"description_width": "initial"},
        )
        box.observe(lambda change, key=parameter.name: self._typed(key, change["new"]), "value")
        self._boxes[parameter.name] = box
        return box

    def _now(self) -> dict[str, Any]:
        return {parameter.name: getattr(self.value, parameter.name) for parameter in self._all()}

    def _all(self) -> tuple[Parameter, ...]:
        return (*self._parameters.each, *(self._parameters.span or ()))

    def _moved(self, new: dict[str, Any]) -> None:
        """A slider was moved; ends of a range that were not are left as they are, however the slider rounds them."""
        now, steps = self._now(), {part.name: part.step for part in self._all()}
        far = {
            name: tidy(value, steps[name]) for name, value in new.items() if abs(value - now[name]) > steps[name] / 2
        }
        if far and not self._quiet:
            self._edit(lambda: self._parameters.make({**now, **far}))

    def _typed(self, name: str, value: float) -> None:
        if not self._quiet:
            self._edit(lambda: self._parameters.make({**self._now(), name: value}))

    def _show(self) -> None:
        now = self._now()
        for name, box in self._boxes.items():
            box.value = now[name]
        for name, slider in self._sliders.items():
            place = (now["low"], now["high"]) if name == "range" else now[name]
            ends = place if isinstance(place, tuple) else (place, place)
            slider.min, slider.max = min(slider.min, ends[0]), max(slider.max, ends[1])
            slider.value = place


def control_for(name: str, value: FieldValue, listener: Listener) -> Control:
    """The control for an attribute; one that only shows it where there is nothing to move."""
    if isinstance(value, Chance) and isinstance(value.probability, int | float):
        return ChanceControl(value, value.probability, name, listener)
    if isinstance(value, Weighted | OneOf):
        values, weights = _values_and_weights(value)
        if len(values) > 1 and 0 < sum(weights) < 1e300:
            return SharesControl(value, name, listener)
    parameters = parameters_of(value)
    if parameters is not None and isinstance(value, FieldGenerator):
        return ParametersControl(value, parameters, name, listener)
    return Control(value, listener)


def is_a_move(share: float, before: float) -> bool:
    """Whether a slider of shares was moved: browsers round its value to its step when they show it, and say so."""
    return abs(share - before) > SHARE_STEP / 2


def share_slider(label: str, share: float, *, tip: str) -> widgets.FloatSlider:
    """A slider for a share or a probability."""
    return widgets.FloatSlider(
        value=share,
        min=0.0,
        max=1.0,
        step=SHARE_STEP,
        description=label,
        tooltip=tip,
        readout_format=".1%",
        layout=_WIDE,
        style=_LABEL,
    )


def shown_value(value: object) -> str:
    """A value as a label: text as it is, anything else as Python."""
    text = value if isinstance(value, str) else repr(value)
    clean = "".join(character if character.isprintable() else " " for character in text)
    return clean if clean.strip() else repr(value)


def _values_and_weights(value: Weighted | OneOf) -> tuple[list[object], list[float]]:
    """The distinct values, and their weights; values listed twice count twice."""
    pairs = value.weights if isinstance(value, Weighted) else tuple((each, 1) for each in value.values)
    found: dict[object, int] = {}
    values: list[object] = []
    weights: list[float] = []
    for each, weight in pairs:
        key = canonical(each)
        if key not in found:
            found[key] = len(values)
            values.append(each)
            weights.append(0)
        weights[found[key]] += weight
    if isinstance(value, OneOf):
        return values, [weight / len(pairs) for weight in weights]
    return values, weights


def _readable(total: float) -> float:
    """A total of weights without the noise of adding them up."""
    return total if isinstance(total, int) else round(total, 9) or total


def _slider(parameter: Parameter, *, whole: bool, tip: str) -> widgets.Widget:
    kind = widgets.IntSlider if whole else widgets.FloatSlider
    return kind(
        value=parameter.value,
        min=parameter.low,
        max=parameter.high,
        step=parameter.step,
        description=parameter.name,
        tooltip=tip,
        readout=False,
        layout=widgets.Layout(flex="1 1 auto", width="auto", min_width="10em"),
        style={"description_width": "4.5em"},
    )


def _range_slider(span: tuple[Parameter, Parameter], *, whole: bool, tip: str) -> widgets.Widget:
    low, high = span
    cast: Callable[[float], float] = int if whole else float
    kind = widgets.IntRangeSlider if whole else widgets.FloatRangeSlider
    return kind(
        value=(cast(low.value), cast(high.value)),
        min=cast(low.low),
        max=cast(high.high),
        step=cast(low.step),
        description="range",
        tooltip=tip,
        readout=False,
        layout=_WIDE,
        style={"description_width": "4.5em"},
    )


def _code_html(value: FieldValue) -> str:
    text = value_source(value)
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    style = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.4;display:block"
    return f'<code style="{style}">{escape(cut)}</code>'
