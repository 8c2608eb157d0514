"""`random.Random` by address: a whole random module for one user at one place."""

from __future__ import annotations

import random
from typing import Any, Final

from synode_df.randomness.addresses import MASK, STEP, hashed_key, mixed

_UNIT: Final = 2.0**-53


class AddressedRandom(random.Random):
    """The whole interface of `random.Random`, started at an address instead of a seed.

    Handlers get one as `ctx.random`. Its n-th number depends on the user, the place of the call in the
    declaration and n, and on nothing else. The generator is splitmix64.

    Parameters
    ----------
    address : int
        Where the stream starts, 0 .. 2**64 - 1.

    Examples
    --------
    >>> AddressedRandom(7).random() == AddressedRandom(7).random()
    True
    >>> AddressedRandom(7).randint(1, 6) in range(1, 7)
    True
    """

    def __new__(cls, address: int = 0) -> AddressedRandom:  # noqa: ARG004 - `__init__` starts the stream
        """Skip the parent's own seeding."""
        # The parent's constructor would fill 2.5 kB of state that is never used; a constant seed is its fastest way.
        return super().__new__(cls, 0)  # type: ignore[call-arg]  # the stubs know no argument

    def __init__(self, address: int = 0) -> None:
        self.restart(address)

    def restart(self, address: int) -> None:
        """Go to the start of the stream at `address`."""
        self._position = address & MASK
        self.gauss_next = None

    def _next(self) -> int:
        self._position = (self._position + STEP) & MASK
        return mixed(self._position)

    def random(self) -> float:
        """The next number in [0, 1)."""
        return (self._next() >> 11) * _UNIT

    def getrandbits(self, k: int, /) -> int:
        """The next `k` random bits as an int."""
        if k < 0:
            raise ValueError("number of bits must be non-negative")
        bits, have = 0, 0
        while have < k:
            bits |= self._next() << have
            have += 64
        return bits & ((1 << k) - 1)

    def seed(self, a: Any = None, version: int = 2) -> None:
        """Restart at an address derived from `a`; None means address 0, never the system's entropy."""
        del version
        self.restart(0 if a is None else hashed_key(repr(a).encode("utf-8", "surrogatepass")))

    def getstate(self) -> tuple[Any, ...]:
        """The position in the stream."""
        return self._position, self.gauss_next

    def setstate(self, state: tuple[Any, ...]) -> None:
        """Return to a position in the stream."""
        self._position, self.gauss_next = state

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (0,), self.getstate()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.setstate(state)
