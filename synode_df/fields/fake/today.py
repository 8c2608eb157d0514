"""Faker's clock, stopped: "now" and "today" are one fixed day, so that a seed gives the same data on any day.

Faker's providers ask `datetime.now()` and `date.today()` for the ends of their ranges. For our own instances, the
functions of those providers see a stopped clock instead; nobody else's Faker is touched.
"""

from __future__ import annotations

import datetime as dt
import inspect
import sys
import types
from functools import lru_cache
from typing import Any, Final

NOW: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""What Faker takes for the present: the start of the default window."""


class _Kind(type(dt.date)):  # type: ignore[misc]  # the type of a type
    """Instances are those of the class that stands behind a stopped one."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__mro__[1])


class _Datetime(dt.datetime, metaclass=_Kind):
    """`datetime.datetime` with a clock that stands."""

    def __new__(cls, *args: Any, **kwargs: Any) -> dt.datetime:  # type: ignore[misc]  # a plain one is meant
        return dt.datetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]  # a plain one is meant
        return NOW.replace(tzinfo=None) if tz is None else NOW.astimezone(tz)

    @classmethod
    def utcnow(cls) -> dt.datetime:  # type: ignore[override]  # as above
        return NOW.replace(tzinfo=None)

    @classmethod
    def today(cls) -> dt.datetime:  # type: ignore[override]  # as above
        return NOW.replace(tzinfo=None)


class _Date(dt.date, metaclass=_Kind):
    """`datetime.date` with a clock that stands."""

    def __new__(cls, *args: Any, **kwargs: Any) -> dt.date:  # type: ignore[misc]  # a plain one is meant
        return dt.date(*args, **kwargs)

    @classmethod
    def today(cls) -> dt.date:  # type: ignore[override]  # as above
        return NOW.date()


def _stopped_module() -> types.ModuleType:
    module = types.ModuleType("datetime")
    module.__dict__.update({**dt.__dict__, "datetime": _Datetime, "date": _Date})
    return module


_STOPPED: Final = {id(dt.datetime): _Datetime, id(dt.date): _Date, id(dt): _stopped_module()}


def _utc() -> dt.tzinfo:
    """In the place of the host's time zone."""
    return dt.UTC


@lru_cache(maxsize=1_024)
def _stopped_globals(module: str) -> dict[str, Any] | None:
    """A module's global names with the stopped clock, or None if it has no clock."""
    names = vars(sys.modules[module])
    if not any(id(value) in _STOPPED for value in names.values()):
        return None
    made = {name: _STOPPED.get(id(value), value) for name, value in names.items()}
    for name, value in names.items():
        if inspect.isfunction(value) and value.__module__ == module:
            made[name] = _with_globals(value, made)
    if "_get_local_timezone" in made:
        made["_get_local_timezone"] = _utc
    return made


def _with_globals(function: types.FunctionType, names: dict[str, Any]) -> Any:
    """The same function, which finds other global names."""
    made = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__dict__.update(function.__dict__)
    return made


@lru_cache(maxsize=4_096)
def stopped(provider: type) -> type:
    """The provider with the stopped clock: itself, if it never looks at one."""
    members: dict[str, Any] = {}
    for name in dir(provider):
        member = inspect.getattr_static(provider, name)
        function = getattr(member, "__func__", member)
        if not inspect.isfunction(function) or function.__module__ not in sys.modules:
            continue
        names = _stopped_globals(function.__module__)
        if names is not None:
            made = _with_globals(function, names)
            members[name] = type(member)(made) if isinstance(member, classmethod | staticmethod) else made
    return type(provider.__name__, (provider,), {**members, "__module__": provider.__module__}) if members else provider


def stop_clock(generator: Any) -> None:
    """Let the providers of a Faker generator, which nobody else uses, see the stopped clock."""
    for provider in generator.get_providers():
        kind = stopped(type(provider))  # type: ignore[arg-type]  # types are hashable
        if kind is type(provider):
            continue
        provider.__class__ = kind
        for name, method in list(vars(generator).items()):
            if getattr(method, "__self__", None) is provider:
                generator.set_formatter(name, getattr(provider, name))
