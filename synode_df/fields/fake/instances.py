"""Faker instances, one for each locale and thread, that draw from an address instead of a consumed stream."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from synode_df.errors import SynodeError, did_you_mean, shown
from synode_df.fields.fake.today import stop_clock
from synode_df.randomness import AddressedRandom

if TYPE_CHECKING:
    from faker import Faker

_instances = threading.local()


@lru_cache(maxsize=1)
def known_locales() -> frozenset[str]:
    """The locales for which Faker has at least one provider."""
    from faker.config import AVAILABLE_LOCALES

    return frozenset(AVAILABLE_LOCALES)


@lru_cache(maxsize=1_024)
def check_locale(locale: str, path: str) -> str:
    """Faker's spelling of a locale, or `FAKER_ERROR`."""
    spelled = locale.replace("-", "_") if isinstance(locale, str) else locale
    if spelled not in known_locales():
        raise SynodeError(
            "FAKER_ERROR",
            f"Faker has no locale {shown(locale)}",
            path=path,
            expected='a locale of Faker such as "en_US"',
            received=shown(locale),
            suggestion=did_you_mean(locale, sorted(known_locales())),
        )
    return spelled


def faker_for(locale: str, path: str, provider: type | None = None) -> Faker:
    """The calling thread's Faker for a locale, with one more provider if one is given."""
    cache: dict[Any, Faker] = _instances.__dict__.setdefault("known", {})
    key = (locale, provider)
    if key not in cache:
        from faker import Faker

        faker = Faker(check_locale(locale, path))
        if provider is not None:
            faker.add_provider(provider)
        stop_clock(faker.factories[0])
        cache[key] = faker
    return cache[key]


def put_random(faker: Faker, random: AddressedRandom) -> None:
    """Let a Faker of one locale draw from an address from now on."""
    faker.factories[0].random = random


class AddressedFaker:
    """A Faker whose values depend on the user and the place of the call only.

    Handlers get one as `ctx.faker`; it has every method of `faker.Faker` in the user's locale.

    Parameters
    ----------
    locale : str
        One of Faker's locales.
    random : AddressedRandom
        Where its random numbers come from.
    path : str
        The place in words, for errors.
    provider : type, optional
        A provider class that is added to Faker's own.
    """

    def __init__(self, locale: str, random: AddressedRandom, path: str, provider: type | None = None) -> None:
        self._locale = locale
        self._random = random
        self._path = path
        self._provider = provider

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        faker = faker_for(self._locale, self._path, self._provider)
        # Contexts of many users share the instance; each call starts by putting its own numbers in.
        put_random(faker, self._random)
        try:
            method = getattr(faker, name)
        except AttributeError as error:
            raise unknown_method(name, faker, self._path) from error
        if not callable(method):
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            own = faker_for(self._locale, self._path, self._provider)
            put_random(own, self._random)
            return getattr(own, name)(*args, **kwargs)

        return call


def unknown_method(name: str, faker: Faker, path: str) -> SynodeError:
    """The error for a method that Faker does not have."""
    known = [method for method in dir(faker.factories[0]) if not method.startswith("_")]
    return SynodeError(
        "FAKER_ERROR",
        f"Faker has no method {shown(name)}",
        path=path,
        expected="a method of Faker, or a function of a Faker instance",
        received=shown(name),
        suggestion=did_you_mean(name, known),
    )
