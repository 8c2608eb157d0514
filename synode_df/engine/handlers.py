"""Calling handlers: one user after another, or in lanes where they wait."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from functools import lru_cache
from itertools import islice
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from synode_df.engine.context import SynodeContext
from synode_df.engine.surroundings import replay_line
from synode_df.errors import SynodeError, shown, told
from synode_df.model.event import RESERVED_FIELDS, Event, refuse_names

Context = TypeVar("Context", bound=SynodeContext)

_LISTENING: Final = 0.2
"""Seconds between looks whether Ctrl-C has come."""

_USERS_AT_A_TIME: Final = 128
"""Users whose events are held as Python objects before they become columns: too few to make the collector run."""


@lru_cache(maxsize=1)
def _loop_of(process: int) -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=f"synode_df handlers {process}", daemon=True).start()
    return loop


def settled(awaitable: Awaitable[Any]) -> Any:
    """An awaitable's result, from one event loop in a thread of its own, so that it works inside Jupyter's loop."""

    async def awaited() -> Any:
        return await awaitable

    return _result(asyncio.run_coroutine_threadsafe(awaited(), _loop_of(os.getpid())))


def _result(future: Future[Any]) -> Any:
    """A future's result; whoever is interrupted while waiting for it cancels it.

    Polars has interrupted system calls restarted, so that a wait without end would not hear of Ctrl-C.
    """
    try:
        while not future.done():
            wait([future], timeout=_LISTENING)
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise


def is_async(handler: Callable[..., Any]) -> bool:
    """Whether calling a handler gives a coroutine."""
    call = getattr(handler, "__call__", None)  # noqa: B004 - an object may have an async __call__
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(call)


class HandlerRunner:
    """Runs a handler for many users; `lanes` bounds how many are in flight.

    A handler that waits (async or blocking) profits from lanes; which user finishes first changes nothing, since
    every draw is addressed.
    """

    def __init__(self, lanes: int = 1) -> None:
        self._lanes = lanes
        self._threads: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)  # after Ctrl-C nobody waits for a slow handler
            self._threads = None

    def run(
        self, handler: Callable[..., Any], contexts: Sequence[Context], path: str
    ) -> Iterator[tuple[Sequence[Context], list[Any]]]:
        """What the handler returns for each user, in the order of the contexts: some users at a time, to be consumed.

        What is returned is not looked at yet. Where a handler raises, the users before come first, so that whoever
        consumes them finds the first user with whom something is wrong.

        Raises
        ------
        SynodeError
            `HANDLER_ERROR`.
        """
        if is_async(handler):
            yield contexts, settled(self._in_flight(handler, contexts, path))
            return
        results: list[Any] = []
        if self._lanes == 1 or len(contexts) < 2:
            for some in _parts(contexts):
                results = []
                try:
                    for context in some:
                        result = handler(context)
                        if type(result) is not list and inspect.isawaitable(result):
                            result = settled(result)
                        results.append(result)
                except Exception as error:
                    yield some[: len(results)], results
                    raise handler_error(error, some[len(results)], path) from error
                yield some, results
            return
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._lanes, thread_name_prefix="synode_df lane")
        returned = _in_order([self._threads.submit(_called, handler, path, context) for context in contexts])
        for some in _parts(contexts):
            results = []
            try:
                results.extend(islice(returned, len(some)))
            except SynodeError:
                yield some[: len(results)], results
                raise
            yield some, results

    async def _in_flight(self, handler: Callable[..., Any], contexts: Sequence[SynodeContext], path: str) -> list[Any]:
        results: list[Any] = [None] * len(contexts)
        waiting = iter(enumerate(contexts))

        async def lane() -> None:
            for number, context in waiting:
                try:
                    result = await handler(context)
                except Exception as error:
                    raise handler_error(error, context, path) from error
                results[number] = checked_events(result, context, path)  # at once: it ends what is in flight

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._lanes, len(contexts))):
                    group.create_task(lane())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors.exceptions[0].__cause__
        return results


def _in_order(futures: Sequence[Future[Any]]) -> Iterator[Any]:
    """The results of futures; those that nobody waits for any more are cancelled."""
    try:
        for future in futures:
            yield _result(future)
    finally:
        for future in futures:
            future.cancel()


def _parts(contexts: Sequence[Context]) -> Iterator[Sequence[Context]]:
    for first in range(0, len(contexts), _USERS_AT_A_TIME):
        yield contexts[first : first + _USERS_AT_A_TIME]


def _called(handler: Callable[..., Any], path: str, context: SynodeContext) -> Any:
    """What a plain handler returns in a lane; a coroutine that it hands on is waited for there."""
    try:
        result = handler(context)
        return settled(result) if inspect.isawaitable(result) else result
    except Exception as error:
        raise handler_error(error, context, path) from error


def handler_error(error: Exception, context: SynodeContext, path: str) -> SynodeError:
    """`HANDLER_ERROR` for what a handler raised, with the line that replays the user."""
    return SynodeError(
        "HANDLER_ERROR",
        f"The handler raised {told(error)}",
        path=path,
        expected="a list of events",
        received=f"{type(error).__name__} for user {context.user_index} (seed {context.seed})",
        suggestion="see the original error above this one",
        replay=replay_line(context),
    )


def checked_events(result: object, context: SynodeContext, path: str) -> list[Event]:
    """What a handler returned, if it is a list of good events."""
    if type(result) is not list:
        fix = "return [ctx.event(...)], or [] for no event"
        if inspect.isgenerator(result):
            fix = "collect the events in a list and return it, instead of yielding them"
        elif isinstance(result, Event):
            fix = "put the event in a list: return [event]"
        raise _invalid_return(shown(result), fix, context, path)
    for event in result:
        if type(event) is not Event:
            raise _invalid_return(
                f"a list with {shown(event, 80)}", "make events with ctx.event(name, **payload)", context, path
            )
        if not well_formed(list(zip(event, strict=True))):
            raise _invalid_event(event, context, path)
    return result


def well_formed(columns: Sequence[tuple[Any, ...]]) -> bool:
    """Whether events, laid out by their parts, have text for ids and name, datetimes, and dicts for payloads."""
    *texts, timestamps, payloads = columns
    return (
        all(set(map(type, column)) == {str} for column in texts)
        and all(texts[-1])
        and set(map(type, payloads)) == {dict}
        and all(issubclass(kind, datetime) for kind in set(map(type, timestamps)))
    )


def check_payload_names(payload: Iterable[Any], path: str) -> None:
    """Raise unless every field of a payload has a name of its own."""
    for name in payload:
        if type(name) is not str or not name:
            raise SynodeError(
                "INVALID_FIELD",
                "A payload field needs a name",
                path=path,
                expected="a non-empty string",
                received=shown(name),
                suggestion='write ctx.event("order_completed", total=9.99)',
            )
    refuse_names(payload, RESERVED_FIELDS, path)


def _invalid_return(received: str, fix: str, context: SynodeContext, path: str) -> SynodeError:
    return SynodeError(
        "INVALID_HANDLER_RETURN",
        "A handler must return a list of events",
        path=path,
        expected="a list of Event objects, which may be empty",
        received=received,
        suggestion=fix,
        replay=replay_line(context),
    )


def _invalid_event(event: Event, context: SynodeContext, path: str) -> SynodeError:
    return SynodeError(
        "INVALID_EVENT",
        "An event from the handler is malformed",
        path=path,
        expected="ids and name as text, a datetime as timestamp, a dict with text keys as payload",
        received=shown(event),
        suggestion="make events with ctx.event(name, **payload)",
        replay=replay_line(context),
    )
