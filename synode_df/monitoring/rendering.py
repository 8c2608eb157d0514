"""A run's telemetry as HTML: tables only, no scripts, so that saved notebooks and static pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from synode_df.monitoring.telemetry import Telemetry

_MOST_ROWS: Final = 100
_BAR: Final = "background:linear-gradient(to right,rgba(70,130,220,.35) {share:.1f}%,transparent {share:.1f}%)"


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
    how = f"{escape(telemetry.mode)}, {telemetry.events_per_second:,.0f} events/s, seed {telemetry.scenario.seed}"
    what = f"<b>{telemetry.users:,} users, {telemetry.events:,} events</b>"
    parts = [
        f"<p>{what} in {telemetry.seconds:.2f} s ({how})</p>",
        _table(
            ("journey", "started", "completed", "bounced", "skipped", "stopped", "out of time", "events"),
            (
                (
                    row["journey_id"],
                    row["started"],
                    row["completed"],
                    row["bounced"],
                    row["skipped"],
                    row["stopped"],
                    row["cut"] + row["late"],
                    row["events"],
                )
                for row in telemetry.journeys.head(_MOST_ROWS).iter_rows(named=True)
            ),
        ),
        _funnels(telemetry),
    ]
    if telemetry.validation.height:
        rows = telemetry.validation.sort("failures", descending=True).head(_MOST_ROWS).rows()
        parts.append(_table(("event", "column", "check", "failures"), rows))
        parts.append(f"<p>{telemetry.dropped:,} events dropped for failing their schema</p>")
    return f"<div>{''.join(parts)}</div>"


def _funnels(telemetry: Telemetry) -> str:
    users = max(1, telemetry.users)
    rows = []
    for row in telemetry.actions.head(_MOST_ROWS).iter_rows(named=True):
        share = 100 * row["entered"] / users
        cells = "".join(f"<td>{escape(row[name])}</td>" for name in ("journey_id", "adventure_id", "action_id"))
        bar = f'<td style="{_BAR.format(share=share)};min-width:12em">{share:.1f} %</td>'
        rows.append(f"<tr>{cells}{bar}{_numbers((row['entered'], row['events']))}</tr>")
    more = telemetry.actions.height - _MOST_ROWS
    rest = f"<p>and {more:,} actions more: see telemetry.actions</p>" if more > 0 else ""
    head = _head(("journey", "adventure", "action", "share of users", "users", "events"))
    return f"<table>{head}<tbody>{''.join(rows)}</tbody></table>{rest}"


def _table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    body = "".join(f"<tr>{_numbers(row)}</tr>" for row in rows)
    return f"<table>{_head(names)}<tbody>{body}</tbody></table>"


def _head(names: Sequence[str]) -> str:
    return "<thead><tr>" + "".join(f"<th>{name}</th>" for name in names) + "</tr></thead>"


def _numbers(cells: Sequence[object]) -> str:
    return "".join(
        f'<td style="text-align:right">{cell:,}</td>'
        if isinstance(cell, int)
        else f"<td>{escape('' if cell is None else str(cell))}</td>"
        for cell in cells
    )
