"""Journeys as a drawing: one SVG, without scripts, at home on light and on dark pages."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

import polars as pl

from synode_df.durations import TimeSpan
from synode_df.fields.probabilities import Probability
from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.journey import Journey
from synode_df.model.source import value_source
from synode_df.model.tables import span_words
from synode_df.notebook.theme import PALETTE

Step = tuple[str, str, str | None, str | None]
"""Journey, kind of step, adventure, action: what a row of `step_shares` is about."""

_WIDTH: Final = 960
_NARROWEST, _WIDEST = 190, 280
_GAP: Final = 28
_ROW: Final = 52
_LINE: Final = 15
_TITLE: Final = 50
_PAD: Final = 10
_BIG, _SMALL = 13, 11
_INK: Final = "color:var(--jp-content-font-color1,var(--vscode-editor-foreground,currentColor))"


def shares_by_step(frame: pl.DataFrame | None, column: str) -> dict[Step, float]:
    """The shares in a column of `step_shares`, those that are there."""
    if frame is None:
        return {}
    return {
        (row["journey_id"], row["step"], row["adventure_id"], row["action_id"]): row[column]
        for row in frame.iter_rows(named=True)
        if row[column] is not None
    }


def journey_svg(journeys: Sequence[Journey], shares: pl.DataFrame | None = None) -> str:
    """The journeys one below the other, each adventure a card, each action a line in it.

    Parameters
    ----------
    journeys : sequence of Journey
        What to draw.
    shares : polars.DataFrame, optional
        From `step_shares`: the simulated share stands at each step, and a bar below it is as long as the share.

    Returns
    -------
    str
        An `<svg>` that is as wide as its place, at most 960 pixels. Texts are escaped; those cut short are whole in
        its tooltips.

    Examples
    --------
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land"), sd.Action("view", bounce_chance=0.4)])])
    >>> "bounces 40 %" in journey_svg([visit])
    True
    """
    canvas = _Canvas(shares_by_step(shares, "simulated"))
    known = {journey.id for journey in journeys}
    gutter = _PAD + 14 * min(6, sum(len(known.intersection(journey.requires)) for journey in journeys))
    tops: dict[str, int] = {}
    bottoms: dict[str, int] = {}
    y = _PAD
    for journey in journeys:
        tops[journey.id] = y
        y = _journey(canvas, journey, gutter, y)
        bottoms[journey.id] = y - _PAD
        y += _PAD
    number = 0
    for journey in journeys:
        for required in journey.requires:
            if required in known:
                x = gutter - 10 - 14 * (number % 6)
                canvas.requires(
                    x, gutter, bottoms[required] - 14, tops[journey.id] + 18, f"{journey.id} requires {required}"
                )
                number += 1
    words = escape("Journeys: " + ", ".join(journey.id for journey in journeys), quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" role="img" aria-label="{words}"'
        f' style="width:100%;max-width:{_WIDTH}px;height:auto;{_INK}"'
        f' font-family="system-ui,sans-serif" fill="currentColor">{"".join(canvas.parts)}</svg>'
    )


def _journey(canvas: _Canvas, journey: Journey, left: int, top: int) -> int:
    """Draw a journey; where it ends."""
    width = _WIDTH - left - _PAD
    room = width - 2 * _PAD + _GAP
    per_row = min(len(journey.adventures), room // (_NARROWEST + _GAP))
    card = min(_WIDEST, room // per_row - _GAP)
    rows = [journey.adventures[start : start + per_row] for start in range(0, len(journey.adventures), per_row)]
    heads = [max(28 + _LINE * len(_adventure_words(adventure)) for adventure in row) for row in rows]
    heights = [
        head + max(_ROW * len(adventure.actions) for adventure in row) for head, row in zip(heads, rows, strict=True)
    ]
    bottom = top + _TITLE + sum(heights) + _GAP * (len(rows) - 1) + _PAD
    canvas.box(left, top, width, bottom - top, strength=0.05)
    started = canvas.share(journey.id, "journey")
    completed = canvas.share(journey.id, "completed")
    canvas.text(left + _PAD, top + 20, _titled(journey.id, journey.name), size=15, bold=True, room=width - 300)
    notes = [*_bounce_words(journey.bounce_chance, "at the door")]
    if journey.requires:
        notes.append(f"requires {', '.join(journey.requires)}")
    if journey.suppression_period is not None:
        notes.append(f"then away {span_words(journey.suppression_period)}")
    canvas.text(left + _PAD, top + 38, " · ".join(notes), size=_SMALL, room=width - 2 * _PAD, faint=True)
    if started is not None and completed is not None:
        canvas.text(_WIDTH - 2 * _PAD, top + 20, f"{started:.1%} enter, {completed:.1%} complete", end=True, room=280)
    y = top + _TITLE
    for number, (row, head, height) in enumerate(zip(rows, heads, heights, strict=True)):
        x = left + _PAD
        for place, adventure in enumerate(row):
            if place or number:
                canvas.arrow(x - (_GAP if place else _PAD + 4), x, y + 15)
            _adventure(canvas, journey.id, adventure, x, y, card, head)
            x += card + _GAP
        y += height + _GAP
    return bottom + _PAD


def _adventure(canvas: _Canvas, journey: str, adventure: Adventure, x: int, y: int, width: int, head: int) -> None:
    canvas.box(x, y, width, head + _ROW * len(adventure.actions), strength=0.1)
    canvas.text(x + _PAD, y + 19, _titled(adventure.id, adventure.name), bold=True, room=width - 70)
    canvas.percent(x + width - _PAD, y + 19, canvas.share(journey, "adventure", adventure.id))
    for number, words in enumerate(_adventure_words(adventure)):
        canvas.text(x + _PAD, y + 35 + _LINE * number, words, size=_SMALL, room=width - 2 * _PAD, faint=True)
    for number, action in enumerate(adventure.actions):
        _action(canvas, (journey, adventure.id), action, x, y + head + _ROW * number, width)


def _action(canvas: _Canvas, place: tuple[str, str], action: Action, x: int, y: int, width: int) -> None:
    canvas.line(x, y, x + width, y)
    share = canvas.share(place[0], "action", place[1], action.id)
    canvas.text(
        x + _PAD, y + 18, f"{'ƒ' if action.handler else '•'} {_titled(action.id, action.name)}", room=width - 70
    )
    canvas.percent(x + width - _PAD, y + 18, share)
    words = _step_words(action.time_span, action.bounce_chance)
    canvas.text(x + _PAD + 11, y + 34, words, size=_SMALL, room=width - 2 * _PAD - 11, faint=True)
    canvas.bar(x + _PAD, y + _ROW - 10, width - 2 * _PAD, share)


def _adventure_words(adventure: Adventure) -> list[str]:
    words = _step_words(adventure.time_span, adventure.bounce_chance)
    skips = ["bounced users go on with the next"] if adventure.on_bounce == "skip" else []
    return ([words] if words else []) + skips


def _step_words(time_span: TimeSpan | None, chance: Probability) -> str:
    words = [] if time_span is None else [f"after {span_words(time_span)}"]
    return " · ".join([*words, *_bounce_words(chance)])


def _bounce_words(chance: Probability, where: str = "") -> list[str]:
    if isinstance(chance, pl.Expr):
        return [" ".join(filter(None, ["bounces", where, "by", value_source(chance)]))]
    return [" ".join(filter(None, [f"bounces {100 * chance:.3g} %", where]))] if chance else []


def _titled(id: str, name: str | None) -> str:
    return id if name is None else f"{name} ({id})"


@dataclass
class _Canvas:
    """SVG in the making."""

    shares: Mapping[Step, float]
    parts: list[str] = field(default_factory=list)

    def share(self, journey: str, kind: str, adventure: str | None = None, action: str | None = None) -> float | None:
        return self.shares.get((journey, kind, adventure, action))

    def box(self, x: int, y: int, width: int, height: int, *, strength: float) -> None:
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="currentColor" '
            f'fill-opacity="{strength}" stroke="currentColor" stroke-opacity="0.3"/>'
        )

    def line(self, x1: int, y1: int, x2: int, y2: int) -> None:
        self.parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="currentColor" stroke-opacity="0.2"/>')

    def text(
        self,
        x: int,
        y: int,
        text: str,
        *,
        room: int,
        size: int = _BIG,
        bold: bool = False,
        faint: bool = False,
        end: bool = False,
    ) -> None:
        if not text:
            return
        short = cut_to_width(text, room, size)
        options = 'font-weight="600" ' if bold else ""
        options += 'fill-opacity="0.8" ' if faint else ""
        options += 'text-anchor="end" ' if end else ""
        tip = f"<title>{escape(text)}</title>" if short != text else ""
        self.parts.append(f'<text x="{x}" y="{y}" font-size="{size}" {options}>{tip}{escape(short)}</text>')

    def percent(self, x: int, y: int, share: float | None) -> None:
        if share is not None:
            self.text(x, y, f"{share:.1%}", room=60, end=True)

    def bar(self, x: int, y: int, width: int, share: float | None) -> None:
        if share is not None:
            self.parts.append(
                f'<rect x="{x}" y="{y}" width="{width}" height="4" rx="2" fill="currentColor" fill-opacity="0.15"/>'
                f'<rect x="{x}" y="{y}" width="{width * share:.1f}" height="4" rx="2" fill="{PALETTE[0]}"/>'
            )

    def arrow(self, x1: int, x2: int, y: int) -> None:
        self.parts.append(
            f'<path d="M{x1 + 3} {y}H{x2 - 4}m-5 -4l5 4l-5 4" fill="none" stroke="currentColor" stroke-opacity="0.7"/>'
        )

    def requires(self, x: int, right: int, start: int, end: int, words: str) -> None:
        self.parts.append(
            f'<path d="M{right} {start}H{x}V{end}H{right - 1}m-5 -4l5 4l-5 4" fill="none" stroke="{PALETTE[1]}" '
            f'stroke-width="1.5" stroke-dasharray="4 3"><title>{escape(words)}</title></path>'
        )


def cut_to_width(text: str, room: int, size: int) -> str:
    """Text cut to about so many pixels; characters that East Asian fonts and emoji draw wide count double."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    used = 0.0
    for place, character in enumerate(shown):
        used += size * (1.05 if unicodedata.east_asian_width(character) in "WF" else 0.53)
        if used > room:
            return f"{shown[: max(0, place - 1)]}…"
    return shown
