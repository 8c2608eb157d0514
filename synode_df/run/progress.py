"""Progress of a run: one line in a terminal, one in a notebook, none elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any, Final, Literal, Self

from synode_df import checks
from synode_df.errors import SynodeError, shown

ProgressOption = bool | Literal["auto"]
_EVERY: Final = 0.1
"""Seconds between updates, at least."""

_AT_LATEST: Final = 0.5
"""Seconds until the time that has passed is shown anew, also while a batch takes long."""


def checked_progress(value: object) -> ProgressOption:
    """The option, or `INVALID_OPTION`."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        checks.one_of(value, ("auto",), name="progress", code="INVALID_OPTION", path="progress")
        return "auto"
    raise SynodeError(
        "INVALID_OPTION",
        "`progress` must be True, False or 'auto'",
        path="progress",
        expected="True, False or 'auto'",
        received=shown(value),
        suggestion="leave it out: a bar shows where someone is looking",
    )


class Progress:
    """Users done, events, rate and time left, shown from the start of a run.

    Parameters
    ----------
    users : int
        All users of the run.
    show : bool or "auto"
        Whether to show it; `"auto"` where standard error is a terminal, or in a notebook.
    """

    def __init__(self, users: int, show: ProgressOption) -> None:
        self._users = users
        self._done = self._events = 0
        self._started = self._shown = time.perf_counter()
        self._notebook = show is not False and _in_notebook()
        seen = sys.stderr is not None and (show is True or (show == "auto" and sys.stderr.isatty()))
        self._on = self._notebook or seen
        self._bar: Any = None
        self._over = threading.Event()
        self._drawing = threading.Lock()
        self._clock = threading.Thread(target=self._tick, name="synode_df progress", daemon=True)

    def __enter__(self) -> Self:
        if self._on and self._notebook:
            import IPython.display

            show: Any = IPython.display.display
            self._bar = show({"text/plain": self._line()}, raw=True, display_id=True)
        elif self._on:
            from tqdm import tqdm

            self._bar = tqdm(total=self._users, unit=" users", unit_scale=True, mininterval=_EVERY, file=sys.stderr)
        if self._on:
            self._clock.start()
        return self

    def add(self, users: int, events: int) -> None:
        """Count what a batch has done."""
        self._done += users
        self._events += events
        if self._bar is None:
            return
        with self._drawing:
            if not self._notebook:
                self._bar.set_postfix_str(self._speed(), refresh=False)
                self._bar.update(users)
            elif time.perf_counter() - self._shown >= _EVERY:
                self._draw()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is None:
            return
        self._over.set()
        self._clock.join()
        if self._notebook:
            self._draw()
        else:
            self._bar.close()

    def _tick(self) -> None:
        """Show that time passes, from a thread of its own: the run may wait for a long batch."""
        while not self._over.wait(_AT_LATEST):
            with self._drawing:
                if time.perf_counter() - self._shown < _AT_LATEST:
                    continue
                if self._notebook:
                    self._draw()
                else:
                    self._bar.set_postfix_str(self._speed(), refresh=True)
                    self._shown = time.perf_counter()

    def _speed(self) -> str:
        seconds = max(time.perf_counter() - self._started, 1e-9)
        return f"{self._events:,} events, {self._events / seconds:,.0f} events/s"

    def _line(self) -> str:
        from tqdm import tqdm

        seconds = time.perf_counter() - self._started
        line: str = tqdm.format_meter(
            self._done, self._users, seconds, ncols=100, unit=" users", unit_scale=True, postfix=self._speed()
        )
        return line

    def _draw(self) -> None:
        # A display that is updated, not a widget: saved notebooks and static pages show how it ended.
        self._shown = time.perf_counter()
        self._bar.update({"text/plain": self._line()}, raw=True)


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")
