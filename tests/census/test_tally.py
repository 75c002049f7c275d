"""A tally takes batches and other tallies, settled or not."""

import numpy as np
import torch

from hinge.census.measure import measure
from hinge.census.tally import Tally
from hinge.layout import Place
from hinge.tracing.arrangement import Arrangement
from hinge.units import Site, Traits

RELU = Traits(0.0, (0.0, np.inf))
SITE = Site("act", "", 1, "relu", 3)


def tally(*batches: torch.Tensor) -> Tally:
    made = Tally.empty(SITE, RELU)
    for z in batches:
        where = Arrangement(Place(1, 3), Place(0, len(z)))
        made.add(measure(z, z.relu(), where, RELU))
    return made


def test_merging_counts_batches_that_are_still_pending_in_both():
    first, second = torch.randn(5, 3), torch.randn(7, 3)
    merged = tally(first)
    merged.merge(tally(second))
    both = torch.cat([first, second]).double().numpy()
    observed = merged.observed()
    np.testing.assert_allclose(observed.mean, both.mean(0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(observed.var, both.var(0), rtol=1e-5)
    assert np.array_equal(observed.fired, (both > 0).sum(0))


def test_nothing_counted():
    observed = tally().observed()
    assert observed.verdicts().tolist() == ["unseen"] * 3
    assert np.isnan(observed.mean).all()
    assert np.isnan(observed.max).all()


def test_what_was_observed_does_not_change_with_the_tally():
    made = tally(torch.ones(2, 3))
    before = made.observed()
    made.merge(tally(torch.ones(2, 3)))
    assert before.fired.tolist() == [2, 2, 2]
