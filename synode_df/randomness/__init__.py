"""Randomness by address: every draw is a pure function of who, where and which."""

from synode_df.randomness.addresses import bits_at, child_place, hashed_key, place_key, row_keys
from synode_df.randomness.draws import Draws
from synode_df.randomness.stream import AddressedRandom

__all__ = ["AddressedRandom", "Draws", "bits_at", "child_place", "hashed_key", "place_key", "row_keys"]
