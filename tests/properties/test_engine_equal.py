"""Engine-equal: the reference engine and the columnar engine give the same events, and count the same."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synode_df as sd
from synode_df.engine.one_by_one import run_one_by_one
from synode_df.engine.tally import JourneyTally, StepTally, Tally
from synode_df.run.options import declarations, types_of
from synode_df.run.work import Job, Workshop
from tests.strategies import scenario

USERS = 12


def check_both_engines_agree(r: Random) -> None:
    journeys, options = scenario(r)
    ready = declarations(journeys, **options).scenario()
    types = types_of(ready)
    counted = Tally()
    one_by_one = run_one_by_one(ready, range(USERS), types, counted)
    workshop = Workshop(Job(ready))
    outcome = workshop.run(0, USERS)
    workshop.close()
    assert outcome.events is not None
    assert outcome.events.schema == one_by_one.schema
    assert outcome.events.equals(one_by_one)
    assert _nonzero(outcome.tally) == _nonzero(counted)
    in_batches = sd.generate_df(journeys, users=USERS, batch_size=5, lanes=3, **options)
    assert in_batches.equals(one_by_one)


def _nonzero(tally: Tally) -> dict[object, object]:
    """Counters that counted something: an engine may or may not have made those that did not."""
    counters = {**tally.journeys, **tally.adventures, **tally.actions}
    kept = {key: value for key, value in counters.items() if value not in (JourneyTally(), StepTally())}
    return {**kept, "users": tally.users, "events": tally.events}


@given(st.randoms(use_true_random=False))
def test_engines_agree_on_random_journeys(r: Random) -> None:
    check_both_engines_agree(r)


@pytest.mark.long
@settings(max_examples=1_200)
@given(st.randoms(use_true_random=True))
def test_engines_agree_on_a_thousand_random_journeys(r: Random) -> None:
    check_both_engines_agree(r)


def test_engines_agree_across_many_seeds() -> None:
    """The same journeys with ordinary random numbers, which reach further from the simplest case."""
    for seed in range(60):
        check_both_engines_agree(Random(seed))
