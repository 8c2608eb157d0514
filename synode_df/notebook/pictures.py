"""The pictures of `explore`: for each, the frame that an analysis gives, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from synode_df.analysis import activity, breakdown, distribution, funnel, gaps, hourly, paths, user_timeline
from synode_df.analysis.sessions import sessions_by_user
from synode_df.errors import SynodeError
from synode_df.notebook import drawings
from synode_df.notebook.drawings import Drawing
from synode_df.notebook.event_log import EventLog, Filters


@dataclass(frozen=True)
class Choices:
    """What the controls of the panel say, besides the filters."""

    steps: tuple[str, ...] = ()
    within: str | None = None
    by: str | None = None
    start: str | None = None
    moves: int = 4
    names: int = 8
    every: str = "1d"
    user: str = ""


Picture = Callable[[EventLog, Filters, Choices], Drawing]


def draw_funnel(log: EventLog, filters: Filters, choices: Choices) -> Drawing:
    """Users at each step; with groups, their share of those who did the first."""
    rows, by = _rows(log, filters, choices.by)
    frame = funnel(rows, choices.steps, by=by, within=choices.within)
    step = pl.format("{}. {}", "step", "event")
    share = (pl.col("share_of_first").fill_null(0) * 100).round(1)
    if by is None:
        text = pl.format("{} ({} %)", "users", share)
        return drawings.bars(frame, x=step, y="users", text=text, title="Funnel", x_title="step")
    return drawings.bars(
        frame,
        x=step,
        y="share_of_first",
        group=by,
        percent=True,
        title=f"Funnel by {by}",
        x_title="step",
        y_title="share of users at the first step",
    )


def draw_paths(log: EventLog, filters: Filters, choices: Choices) -> Drawing:
    """Which events follow which."""
    frame = paths(log.filtered(filters), steps=choices.moves, start=choices.start, top=choices.names)
    title = "Paths through sessions" + (f" from {choices.start}" if choices.start else "")
    return drawings.sankey(frame, stage="step", source="source", target="target", value="count", title=title)


def draw_activity(log: EventLog, filters: Filters, choices: Choices) -> Drawing:
    """Events over time."""
    rows, by = _rows(log, filters, choices.by)
    frame = activity(rows, every=choices.every, by=by)
    return drawings.lines(frame, x="time", y="events", group=by, title=_titled("Events over time", by))


def draw_hourly(log: EventLog, filters: Filters, choices: Choices) -> Drawing:
    """Events by hour and weekday."""
    del choices
    frame = hourly(log.filtered(filters))
    return drawings.heatmap(frame, x="hour", y="weekday", value="events", title="Events by hour and weekday")


def draw_session_length(log: EventLog, filters: Filters, choices: Choices) -> Drawing:
    """How long sessions last."""
    return _durations(
        log, choices.by, sessions_by_user(log.filtered(filters)), "duration", "Session length", "sessions"
    )


def draw_gaps(log: EventLog, filters: Filters, choices: Choices) -> Drawing:
    """How much time passes between events of a session."""
    return _durations(log, choices.by, gaps(log.filtered(filters)), "gap", "Time between events", "pairs of events")


def draw_breakdown(log: EventLog, filters: Filters, choices: Choices) -> Drawing:
    """Users by an attribute."""
    by = choices.by or next(iter(log.attributes), None)
    if by is None:
        raise SynodeError(
            "INVALID_OPTION",
            "There is nothing to break down by",
            path="explore > Break down by",
            expected="attributes of users, or columns of events that take few values",
            received="events without either",
            suggestion="give the attributes too: explore(events, users=report.users)",
        )
    frame = breakdown(log.filtered(filters), by, users=log.users_passing(filters))
    text = pl.format("{} events each", pl.col("events_per_user").round(2))
    return drawings.bars(frame, x=by, y="users", text=text, title=f"Users by {by}")


def draw_user_timeline(log: EventLog, filters: Filters, choices: Choices) -> Drawing:
    """What one user did."""
    theirs = log.of_user(choices.user, filters)
    if not log.rows.height:
        return drawings.timeline(log.rows, time="timestamp", lane="event", title="No events")
    frame = user_timeline(theirs, choices.user)
    hidden = {"timestamp", "event", "event_id", "session_id", "adventure_id", "action_id"}
    return drawings.timeline(
        frame,
        time="timestamp",
        lane="event",
        group="journey_id" if "journey_id" in frame.columns else None,
        hover=[name for name in frame.columns if name not in hidden],
        title=f"User {choices.user}",
    )


PICTURES: Final[Mapping[str, Picture]] = {
    "Funnel": draw_funnel,
    "Paths": draw_paths,
    "Events over time": draw_activity,
    "Hour and weekday": draw_hourly,
    "Session length": draw_session_length,
    "Time between events": draw_gaps,
    "Users by attribute": draw_breakdown,
    "One user": draw_user_timeline,
}
"""Every picture, by the name that the panel's control shows."""

CONTROLS: Final[Mapping[str, tuple[str, ...]]] = {
    "Funnel": ("Steps", "Within", "Break down by"),
    "Paths": ("Start from", "Moves", "Names"),
    "Events over time": ("Every", "Break down by"),
    "Hour and weekday": (),
    "Session length": ("Break down by",),
    "Time between events": ("Break down by",),
    "Users by attribute": ("Break down by",),
    "One user": ("User", "Next user"),
}
"""The controls that matter to each picture, besides the filters."""


def _rows(log: EventLog, filters: Filters, by: str | None) -> tuple[pl.DataFrame, str | None]:
    """The rows, with what they are broken down by."""
    rows = log.filtered(filters)
    return (rows, None) if by is None else (log.with_attribute(rows, by), by)


def _durations(log: EventLog, by: str | None, found: pl.DataFrame, column: str, title: str, what: str) -> Drawing:
    if by is not None:
        found = log.with_attribute(found, by)
    frame = distribution(found, column, bins=24, scale="log", by=by)
    start = _starts(frame["low"])
    height = "count" if by is None else "share"
    y_title = what if by is None else f"share of {what}"
    return drawings.bars(
        frame,
        x=start,
        y=height,
        group=by,
        percent=by is not None,
        title=_titled(title, by),
        x_title=f"{column}, from",
        y_title=y_title,
    )


def _titled(title: str, by: str | None) -> str:
    return title if by is None else f"{title} by {by}"


def _starts(lows: pl.Series) -> pl.Expr:
    """Where bins start, as texts with as many digits as tell them apart."""
    bins = lows.n_unique()
    for digits in (2, 3, 6, 16):
        if lows.to_frame().select(_time(lows.name, digits).n_unique()).item() == bins:
            break
    return _time(lows.name, digits)


def _time(column: str, digits: int) -> pl.Expr:
    """Seconds as a text in the unit that suits them."""
    seconds = pl.col(column)
    units = ((1e-3, 1e-6, "µs"), (1.0, 1e-3, "ms"), (60.0, 1.0, "s"), (3600.0, 60.0, "min"), (86400.0, 3600.0, "h"))
    text = pl.format("{} d", _number(seconds / 86400, digits))
    for below, unit, name in reversed(units):
        text = pl.when(seconds < below).then(pl.format("{} " + name, _number(seconds / unit, digits))).otherwise(text)
    return pl.when(seconds == 0).then(pl.lit("0 s")).otherwise(text)


def _number(value: pl.Expr, digits: int) -> pl.Expr:
    return value.round_sig_figs(digits).cast(pl.String).str.strip_suffix(".0")
