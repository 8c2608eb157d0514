"""Shares stay normalised, however they are moved."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synode_df.notebook.shares import Shares

WEIGHTS = st.lists(st.floats(0, 1e6), min_size=2, max_size=30).filter(lambda listed: sum(listed) > 1e-3)


@given(WEIGHTS, st.lists(st.tuples(st.integers(0, 29), st.floats(-1, 2)), max_size=20))
def test_shares_sum_to_one_after_any_moves(weights, moves) -> None:
    shares = Shares(weights)
    for position, share in moves:
        position %= len(weights)
        shares.move(position, share)
        assert shares.values[position] == pytest.approx(min(1, max(0, share)))
        assert math.fsum(shares.values) == pytest.approx(1)
        assert all(value >= 0 for value in shares.values)


@given(WEIGHTS, st.sampled_from([1, 1.0, 100, 7, 0.25, 12_345]))
def test_weights_sum_to_their_total(weights, total) -> None:
    made = Shares(weights).weights(total)
    assert math.fsum(made) == pytest.approx(total, abs=1e-6)
    assert all(weight >= 0 for weight in made)


def test_others_keep_their_proportions_also_after_they_were_nothing() -> None:
    shares = Shares([50, 30, 20])
    shares.move(0, 1.0)
    assert shares.values == [1, 0, 0]
    shares.move(0, 0.5)
    assert shares.values == pytest.approx([0.5, 0.3, 0.2])


def test_others_share_evenly_where_they_never_had_anything() -> None:
    shares = Shares([1, 0, 0])
    shares.move(0, 0.4)
    assert shares.values == pytest.approx([0.4, 0.3, 0.3])


def test_a_single_value_has_all() -> None:
    shares = Shares([3])
    shares.move(0, 0.2)
    assert shares.values == [1]
