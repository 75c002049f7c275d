"""Verdicts and statistics of units from hand-made counts."""

import numpy as np
import pytest

from hinge.units import Observed, Site, Traits, Verdict, site_name

RELU = Traits(0.0, (0.0, np.inf))
RELU6 = Traits(0.0, (0.0, 6.0))
LEAKY = Traits(0.0, (-np.inf, np.inf))
SIGMOID = Traits(np.nan, (-6.9, 6.9))
N = 1000


def observed(traits, **units) -> Observed:
    """Each keyword is a count with one entry per unit; the rest follows."""
    n = len(next(iter(units.values())))

    def counts(name, default):
        return np.asarray(units.get(name, [default] * n), dtype=np.int64)

    def reals(name, default):
        return np.asarray(units.get(name, [default] * n), dtype=np.float64)

    fired = counts("fired", 0)
    return Observed(
        Site("act", "", 1, "relu", n),
        traits,
        seen=counts("seen", N),
        fired=fired,
        always=counts("always", 0),
        live=np.asarray(units.get("live", fired)),
        values=counts("values", N),
        zeros=counts("zeros", 0),
        nonfinite=counts("nonfinite", 0),
        min=reals("min", -1.0),
        max=reals("max", 1.0),
        mean=reals("mean", 0.0),
        var=reals("var", 1.0),
        strength=reals("strength", 1.0),
        reached=None if "reached" not in units else counts("reached", 0),
        reachable=None if "reached" not in units else counts("reachable", 0),
        watched=N if "reached" in units else 0,
    )


def test_verdicts_of_a_relu():
    site = observed(
        RELU, fired=[0, 5, 500, N, 0, 10], always=[0, 0, 0, N, 0, 0], seen=[N] * 4 + [0, N]
    )
    assert site.verdicts().tolist() == ["dead", "rare", "alive", "always on", "unseen", "alive"]


def test_the_threshold_for_rare_is_the_caller_s():
    site = observed(RELU, fired=[5, 1])
    assert site.verdicts(rare=0.005).tolist() == ["alive", "rare"]
    assert site.verdicts(rare=0).tolist() == ["alive", "alive"]


def test_a_firing_unit_on_the_upper_flat_is_saturated_not_dead():
    site = observed(RELU6, fired=[0, N, N], live=[0, 0, N], always=[0, N, 0])
    assert site.verdicts().tolist() == ["dead", "saturated", "alive"]


def test_leaky_units_are_silent_never_dead():
    site = observed(LEAKY, fired=[0, 500], live=[N, N])
    assert site.verdicts().tolist() == ["silent", "alive"]


def test_smooth_units_are_saturated_or_alive():
    site = observed(SIGMOID, fired=[0, 0], live=[0, 3])
    assert site.verdicts().tolist() == ["saturated", "alive"]


def test_blocked_needs_firing_and_a_watched_gradient():
    site = observed(RELU, fired=[0, 500, 500, 20], reached=[0, 0, 1, 0], reachable=[0, 250, 250, 0])
    assert site.verdicts().tolist() == ["dead", "blocked", "alive", "alive"]
    assert observed(RELU, fired=[500]).verdicts().tolist() == ["alive"]


def test_every_verdict_has_a_meaning():
    assert all(verdict.meaning for verdict in Verdict)


def test_the_bound_for_silent_units_is_three_over_n():
    low, high = observed(RELU, fired=[0, N]).fire_bounds
    assert low[0] == 0
    assert high[1] == 1
    assert high[0] == pytest.approx(1 - 0.05 ** (1 / N))
    assert high[0] == pytest.approx(3 / N, rel=0.01)
    assert low[1] == pytest.approx(1 - high[0])


def test_bounds_cover_the_true_rate():
    """95 % intervals miss the true rate in at most 5 % of the cases: Clopper-Pearson never more."""
    rng = np.random.default_rng(0)
    fired = rng.binomial(200, 0.03, size=4000)
    low, high = observed(RELU, fired=fired, seen=[200] * 4000).fire_bounds
    assert ((low <= 0.03) & (high >= 0.03)).mean() >= 0.95


def test_redo_scores_sum_to_the_width():
    """Sokar et al. 2023: the scores of a layer sum to its width."""
    site = observed(RELU, fired=[1, 1, 1], strength=[0.0, 1.0, 5.0])
    assert site.dormancy.tolist() == [0.0, 0.5, 2.5]
    assert np.isnan(observed(RELU, fired=[0], strength=[0.0]).dormancy).all()


def test_depth_is_in_standard_deviations():
    site = observed(RELU, fired=[0, 0, 9], max=[-3.0, -2.0, 1.0], var=[4.0, 0.0, 1.0])
    assert site.depth.tolist() == [1.5, np.inf, -1.0]


def test_mean_shift():
    assert observed(RELU, fired=[1, 1], mean=[3.0, 4.0], var=[1.0, 0.0]).mean_shift == 5.0
    assert observed(RELU, fired=[1], mean=[0.0], var=[0.0]).mean_shift == 0.0


def test_sparsity_is_over_values():
    site = observed(RELU, fired=[1, 1], zeros=[10, 30], values=[100, 100])
    assert site.sparsity == 0.2
    assert site.zero_share.tolist() == [0.1, 0.3]


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("features.3", "", 1), "features.3"),
        (("block.act", "", 2), "block.act#2"),
        (("block", "relu", 1), "block.relu()"),
        (("", "relu", 3), "relu()#3"),
    ],
)
def test_site_names(parts, name):
    assert site_name(*parts) == name
