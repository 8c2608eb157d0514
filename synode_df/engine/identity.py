"""Who a user is, where in the declaration the user stands, and what is drawn there: ids, random numbers, Faker."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from synode_df.engine.places import OUTSIDE, USER_ID
from synode_df.fields.fake import AddressedFaker
from synode_df.randomness import AddressedRandom, bits_at, child_place

IdGenerator = Callable[[str], str]
"""Makes an id of a kind: "user", "session", "event", or the prefix given to `generate_id`."""


@dataclass(slots=True, eq=False)
class Standing:
    """Where a user stands: the place's key, its words for errors, and the name that events get there."""

    key: int
    path: str
    event_name: str | None = None


_NOWHERE: Final = Standing(OUTSIDE, "SynodeContext")


class Identity:
    """A user, addressed: the same user gets the same ids and random numbers at the same place.

    Whoever makes one sets key, index and seed; the rest is made when it is first asked for.
    """

    _key: int
    _user_index: int
    _seed: int
    _standing: Standing = _NOWHERE
    _counts: dict[int, int] | None = None
    _id_generator: IdGenerator | None = None
    _random: tuple[int, AddressedRandom] | None = None
    _faker: tuple[int, AddressedFaker] | None = None
    _user_digits: str | None = None
    _user_id: str | None = None

    def _enter(self, place: int, path: str, event_name: str | None = None) -> None:
        """Stand at a place of the declaration: what is drawn from now on is drawn there."""
        self._standing = Standing(place, path, event_name)

    def _bits(self, kind: str) -> int:
        """Random bits for the next thing of a kind at the current place."""
        if self._counts is None:
            self._counts = {}
        place = child_place(self._standing.key, kind)
        count = self._counts.get(place, 0)
        self._counts[place] = count + 1
        return bits_at(self._key, place, count)

    def _id(self, kind: str) -> str:
        if self._id_generator is not None:
            return self._id_generator(kind)
        return f"{self._user_part()}{self._bits(kind):016x}"

    def _user_part(self) -> str:
        if self._user_digits is None:
            self._user_digits = f"{bits_at(self._key, USER_ID):016x}"
        return self._user_digits

    @property
    def user_index(self) -> int:
        """The user's number in the population, from 0."""
        return self._user_index

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self._seed

    @property
    def user_id(self) -> str:
        """The user's id."""
        if self._user_id is None:
            self._user_id = self._user_part() if self._id_generator is None else self._id_generator("user")
        return self._user_id

    @property
    @abstractmethod
    def locale(self) -> str:
        """The user's locale."""

    @property
    def faker(self) -> AddressedFaker:
        """A Faker in the user's locale whose values depend on the user and the place of the call."""
        place = self._standing.key
        if self._faker is None or self._faker[0] != place:
            random = AddressedRandom(bits_at(self._key, child_place(place, "faker")))
            self._faker = (place, AddressedFaker(self.locale, random, self._standing.path))
        return self._faker[1]

    @property
    def random(self) -> AddressedRandom:
        """A `random.Random` whose numbers depend on the user and the place of the call."""
        place = self._standing.key
        if self._random is None or self._random[0] != place:
            self._random = (place, AddressedRandom(bits_at(self._key, child_place(place, "random"))))
        return self._random[1]

    def generate_id(self, prefix: str | None = None) -> str:
        """A new id, unique for this user and place: 32 hexadecimal digits, behind `prefix_` if given."""
        if self._id_generator is not None:
            return self._id_generator(prefix or "id")
        made = self._id("id")
        return made if prefix is None else f"{prefix}_{made}"

    def _below(self, count: int) -> int:
        return int(self.random.random() * count)
