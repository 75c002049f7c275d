"""How long a silence must be: against the exact distribution, and against simulation."""

import numpy as np
import pytest
from scipy import stats

from hinge.census.watching.telling.silence import CHANCE, improbable, never


@pytest.mark.parametrize("fired", [1, 2, 7, 300])
def test_the_limit_is_the_quantile_of_the_next_wait(fired):
    until = 10**7
    quantile = stats.f(2, 2 * fired).isf(CHANCE / fired**2) / fired * until
    counts = np.array([fired, fired]), np.array([until, until])
    silent = np.array([0.999 * quantile, 1.001 * quantile]).astype(np.int64)
    assert improbable(*counts, silent).tolist() == [False, True]


def test_false_alarms_of_a_whole_run_are_as_rare_as_said():
    rng = np.random.default_rng(0)
    waits = rng.exponential(1e6, (10_000, 200)).astype(np.int64) + 1
    until = waits.cumsum(axis=1)[:, :-1]
    fired = np.broadcast_to(np.arange(1, 200), until.shape)
    alarms = improbable(fired, until, waits[:, 1:]).any(axis=1).mean()
    assert 0.0005 < alarms < 0.003  # 1.65 of a thousand


def test_a_unit_that_never_fired_has_no_rate():
    nothing = np.zeros(2, np.int64)
    assert not improbable(nothing, nothing, nothing + 10**9).any()


def test_never_needs_steps_and_examples():
    fired, seen = np.array([0, 0, 1]), np.array([299, 300, 10**6])
    assert never(fired, seen, 99, 100, 300).tolist() == [False, True, False]
    assert not never(fired, seen, 98, 100, 300).any()
