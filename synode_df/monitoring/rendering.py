"""A run's telemetry as tables: HTML for notebooks, without scripts so that static pages show it, and Rich's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from synode_df.engine.clock import to_datetime
from synode_df.monitoring.telemetry import Telemetry

if TYPE_CHECKING:
    from rich.console import Group

_MOST_ROWS: Final = 100
_MOST_TERMINAL_ROWS: Final = 12
_BAR: Final = "background:linear-gradient(to right,rgba(70,130,220,.35) {share:.1f}%,transparent {share:.1f}%)"

Cell = str | int | float | None
"""A float is a share of all users."""


@dataclass(frozen=True)
class _Table:
    """What is shown, whatever shows it."""

    title: str
    names: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    more: str = ""

    def cut(self, most: int, where: str) -> _Table:
        """The first rows, and where the others are."""
        rest = len(self.rows) - most
        more = f"and {rest:,} more: see {where}" if rest > 0 else ""
        return _Table(self.title, self.names, self.rows[:most], more)


def report_html(telemetry: Telemetry) -> str:
    """What ran, how fast, the funnel of each journey, and what failed its schema.

    Parameters
    ----------
    telemetry : Telemetry
        A run's.

    Returns
    -------
    str
        HTML for a notebook; names are escaped.
    """
    parts = [f"<p><b>{_what(telemetry)}</b> in {escape(_how(telemetry))}</p>"]
    parts += [_html(table) for table in _tables(telemetry, _MOST_ROWS)]
    if telemetry.dropped:
        parts.append(f"<p>{_dropped(telemetry)}</p>")
    return f"<div>{''.join(parts)}</div>"


def report_tables(telemetry: Telemetry) -> Group:
    """The same for a terminal, cut to fit a screen.

    Parameters
    ----------
    telemetry : Telemetry
        A run's.

    Returns
    -------
    rich.console.Group
        For `rich.print`.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[object] = [Text.assemble((_what(telemetry), "bold"), f" in {_how(telemetry)}")]
    parts += [_rich(table) for table in _tables(telemetry, _MOST_TERMINAL_ROWS)]
    if telemetry.dropped:
        parts.append(Text(_dropped(telemetry), style="yellow"))
    return Group(*parts)  # type: ignore[arg-type]  # renderables all


def _what(telemetry: Telemetry) -> str:
    return f"{telemetry.users:,} users, {telemetry.events:,} events"


def _how(telemetry: Telemetry) -> str:
    scenario = telemetry.scenario
    window = " to ".join(f"{to_datetime(moment):%Y-%m-%d %H:%M}" for moment in (scenario.start, scenario.end))
    speed = f"{telemetry.mode}, {telemetry.events_per_second:,.0f} events/s"
    return f"{telemetry.seconds:.2f} s ({speed}, seed {scenario.seed}), window {window} UTC"


def _dropped(telemetry: Telemetry) -> str:
    return f"{telemetry.dropped:,} events dropped for failing their schema: see report.invalid"


def _tables(telemetry: Telemetry, most: int) -> Iterable[_Table]:
    fates = ("started", "completed", "bounced", "skipped", "stopped")
    names: tuple[str, ...] = ("journey", *fates, "out of time", "events")
    rows: list[Sequence[Cell]] = [
        (row["journey_id"], *(row[name] for name in fates), row["cut"] + row["late"], row["events"])
        for row in telemetry.journeys.iter_rows(named=True)
    ]
    yield _Table("Journeys", names, rows).cut(most, "telemetry.journeys")
    users = max(1, telemetry.users)
    rows = [
        (
            *(row[name] for name in ("journey_id", "adventure_id", "action_id")),
            row["entered"] / users,
            row["entered"],
            row["events"],
        )
        for row in telemetry.actions.iter_rows(named=True)
    ]
    names = ("journey", "adventure", "action", "share of users", "users", "events")
    yield _Table("Funnel", names, rows).cut(most, "telemetry.actions")
    if telemetry.validation.height:
        rows = list(telemetry.validation.sort("failures", descending=True).iter_rows())
        names = ("event", "column", "check", "failures")
        yield _Table("Checks that failed", names, rows).cut(most, "telemetry.validation")


def _html(table: _Table) -> str:
    head = "".join(f"<th>{name}</th>" for name in table.names)
    body = "".join(f"<tr>{''.join(map(_html_cell, row))}</tr>" for row in table.rows)
    more = f"<p>{table.more}</p>" if table.more else ""
    return (
        f'<table><caption style="text-align:left">{table.title}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
    )


def _html_cell(cell: Cell) -> str:
    if isinstance(cell, float):
        return f'<td style="{_BAR.format(share=100 * cell)};min-width:12em">{cell:.1%}</td>'
    if isinstance(cell, int):
        return f'<td style="text-align:right">{cell:,}</td>'
    return f'<td style="text-align:left">{escape(cell or "")}</td>'


def _rich(table: _Table) -> object:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(title=table.title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    made.caption, made.caption_justify = table.more or None, "left"
    for number, name in enumerate(table.names):
        numeric = bool(table.rows) and not isinstance(table.rows[0][number], str | None)
        made.add_column(name, justify="right" if numeric else "left")
    for row in table.rows:
        texts = (
            f"{cell:.1%}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else cell or ""
            for cell in row
        )
        made.add_row(*map(Text, texts))
    return made
