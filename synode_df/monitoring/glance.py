"""A first look at a whole batch of events: which event names need none closer.

pandera's own checks look at one value at a time, so where a whole column passes, the events in it pass: no event has
to be taken apart, and a check that several events share is made once.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from synode_df.monitoring.asking import asked, is_row_wise, same_check
from synode_df.monitoring.schemas import Rule

_SAMPLE: Final = 2_000


def not_at_a_glance(events: pl.DataFrame, rules: list[Rule]) -> list[Rule]:
    """The rules that need a look at their own events.

    Parameters
    ----------
    events : polars.DataFrame
        A batch.
    rules : list of Rule
        What the events of some names must fulfil.

    Returns
    -------
    list of Rule
        Those of which something may fail, or which only the events themselves can answer.
    """
    glance = _Glance(events)
    asked_for = {rule.event: keys for rule in rules if (keys := glance.ask(rule)) is not None}
    try:
        answers = glance.answers()
    except pl.exceptions.PolarsError:
        return rules
    fine = {event for event, keys in asked_for.items() if all(answers[key] for key in keys)}
    return [rule for rule in rules if rule.event not in fine]


class _Glance:
    """The questions about a batch, each asked once."""

    def __init__(self, events: pl.DataFrame) -> None:
        self._events = events
        self._dtypes = events.schema  # made anew at each asking
        self._lazy = events.lazy()
        self._queries: dict[tuple[str, ...], pl.LazyFrame] = {}
        self._missing: dict[str, bool] = {}
        self._distinct: dict[str, pl.LazyFrame] = {}

    def ask(self, rule: Rule) -> list[tuple[str, ...]] | None:
        """Note what a rule wants to know; None where whole columns cannot tell."""
        if rule.frame_checks or rule.patterns or rule.unique or rule.strict:
            return None
        keys: list[tuple[str, ...]] = []
        for column in rule.columns:
            if column.name not in self._dtypes:
                if column.optional:
                    continue
                return None
            expected = column.schema.dtype
            if expected is not None and not expected.check(self._dtypes[column.name]):
                return None
            if not all(is_row_wise(check) for check in column.schema.checks):
                return None
            if not column.nullable and self._has_missing(column.name):
                keys.append(self._whether_missing(rule.event, column.name))
            for check in column.schema.checks:
                key = ("check", column.name, *same_check(check))
                if key not in self._queries:
                    holds = pl.first().fill_null(value=True).all()
                    self._queries[key] = asked(check, self._values(column.name), column.name).select(holds)
                keys.append(key)
        return keys

    def answers(self) -> dict[tuple[str, ...], bool]:
        """The answers to everything asked, in one go."""
        found = pl.collect_all(self._queries.values())
        return {key: answer.item() for key, answer in zip(self._queries, found, strict=True)}

    def _values(self, name: str) -> pl.LazyFrame:
        """The values to check: of texts that come again and again, each once, which is several times as fast."""
        if name not in self._distinct:
            self._distinct[name] = self._lazy
            if self._dtypes[name] == pl.String:
                series = self._events[name]
                # What a user keeps stands in rows that follow one another: one of each run will do.
                texts = series.filter(series.ne_missing(series.shift()))
                if texts.head(_SAMPLE).n_unique() < min(_SAMPLE, len(texts)) // 2:
                    texts = texts.unique()
                self._distinct[name] = texts.to_frame().lazy()
        return self._distinct[name]

    def _has_missing(self, name: str) -> bool:
        if name not in self._missing:
            series = self._events[name]
            self._missing[name] = bool(
                series.null_count() or (self._dtypes[name].is_float() and series.is_nan().any(ignore_nulls=True))
            )
        return self._missing[name]

    def _whether_missing(self, event: str, name: str) -> tuple[str, ...]:
        """The question whether a column that has gaps has none in the events of one name."""
        key = ("filled", name, event)
        there = pl.col(name).is_not_null()
        if self._dtypes[name].is_float():
            there &= pl.col(name).is_not_nan()
        self._queries[key] = self._lazy.select((there | (pl.col("event") != event)).all())
        return key
