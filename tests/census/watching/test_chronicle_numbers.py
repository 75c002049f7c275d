"""The numbers for logs: known truths, and silence about what is unknown."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hinge.census.watching.telling.numbers import NUMBERS, records
from hinge.units import Traits

sys.path.insert(0, str(Path(__file__).parent))
from chronicle_simulation import LEAKY, RELU, site

from hinge.census.watching.glimpse import Glimpse

STEP = 999


def five(traits=RELU, **more):
    """Alive, rare, blocked, died, born dead: 64 examples a step for 1000 steps."""
    seen = np.full(5, 64_000)
    return Glimpse(
        site("a", 5),
        traits,
        seen,
        fired=np.array([30_000, 300, 30_000, 10_000, 0]),
        last_fired=np.array([999, 990, 999, 499, -1]),
        silent=np.array([0, 9 * 64, 0, 500 * 64, 64_000]),
        top=np.array([3.0, -0.5, 2.0, -4.0, -5.0]),
        **more,
    )


def test_shares_of_the_units():
    glimpse = five(last_gradient=np.array([999, 990, 12, 499, -1]))
    found = records({"a": glimpse}, STEP)
    assert found == {
        "hinge/a/dead": 0.4,
        "hinge/a/alive": 0.6,
        "hinge/a/rare": 0.2,
        "hinge/a/blocked": 0.2,
        "hinge/a/largest": 3.0,
    }


def test_samples_and_gradients():
    glimpse = five(
        mean=np.array([3.0, 0, 0, 4.0, 0]),
        var=np.array([1.0, 0, 0, 0, 0]),
        strength=np.array([5.0, 0.025, 4.975, 0.0, 0.0]),
        signs=np.array([0.5, 0.75, 1.0, np.nan, np.nan]),
        gradient_norm=0.25,
    )
    found = records({"a": glimpse}, STEP)
    assert found["hinge/a/mean_shift"] == pytest.approx(5.0)
    assert found["hinge/a/dormant"] == pytest.approx(0.6)  # ReDo: 0.025 / 2 is below 0.025
    assert found["hinge/a/sign_lock"] == 0.75
    assert found["hinge/a/gradient_norm"] == 0.25


def test_every_number_has_its_line_in_the_table_and_no_nan_is_told():
    glimpse = five(
        signs=np.full(5, np.nan), strength=np.zeros(5), mean=np.zeros(5), var=np.zeros(5)
    )
    found = records({"a": glimpse, "b.c": five()}, STEP)
    assert {name.rsplit("/", 1)[1] for name in found} <= set(NUMBERS)
    assert "hinge/a/sign_lock" not in found
    assert "hinge/a/mean_shift" not in found
    assert "hinge/b.c/dead" in found
    assert not any(math.isnan(value) for value in found.values())
    assert found["hinge/a/dormant"] == 1.0


def test_nothing_is_dead_where_silence_is_no_death():
    assert records({"a": five(LEAKY)}, STEP)["hinge/a/dead"] == 0
    smooth = Traits(float("nan"), (-5.0, 5.0))
    assert set(records({"a": five(smooth)}, STEP)) == {"hinge/a/largest"}


def test_lost_pre_activations_are_told():
    broken = replace(five(), top=np.full(5, np.nan))
    assert math.isnan(records({"a": broken}, STEP)["hinge/a/largest"])


def test_nothing_seen_yet():
    none = np.zeros(0, np.int64)
    empty = Glimpse(site("a", 0), RELU, none, none, none, none, np.zeros(0))
    assert records({"a": empty}, 0) == {}
    assert records({}, 0) == {}
